//! The model card: what a model is, where it came from, how good it is and what it can serve, in Markdown.

use crate::training::summary::ClassSummary;
use crate::training::summary::DroppedSummary;
use crate::training::summary::ImportanceSummary;
use crate::training::summary::Summary;

/// Fewer held-out rows than this say little.
const FEW: usize = 30;

/// The card of the model that `summary` is about.
pub(crate) fn render(summary: &Summary) -> String {
    [
        title(summary),
        serves(summary),
        origin(summary),
        data(summary),
        classes(summary),
        scores(summary),
        forest(summary),
    ]
    .join("\n")
}

fn title(summary: &Summary) -> String {
    match &summary.pool {
        Some(pool) => format!("# Classifier of pool `{pool}`\n"),
        None => "# Reproduction of the paper's table\n".to_owned(),
    }
}

fn serves(summary: &Summary) -> String {
    let text = match summary.serves_backends {
        Some(count) => format!(
            "A pool of exactly {count} backends, in the order of the table below. Its features are the metrics of all \
             of them at the last poll; its class is the backend with the lower mean latency in the window that \
             follows. Between two polls everything goes to one backend: beyond light load that backend is overrun."
        ),
        None => "Nothing: its features are those of a single backend and its class is which backend that is. It \
                 reproduces the paper's training step and is refused for a pool."
            .to_owned(),
    };
    format!("## What it can serve\n\n{text}\n")
}

fn origin(summary: &Summary) -> String {
    let Summary {
        command,
        data_digest,
        seed,
        ..
    } = summary;
    format!("## Origin\n\n- command: `{command}`\n- data: SHA-256 `{data_digest}`\n- seed: {seed}\n")
}

fn data(summary: &Summary) -> String {
    let data = &summary.data;
    let missing: Vec<String> = data
        .missing
        .iter()
        .map(|metric| format!("{} {}", metric.column, metric.rows))
        .collect();
    let mut lines = vec![
        format!(
            "- {} rows over {:.0} s, {} skipped, of them {} torn and {} read before",
            data.rows,
            data.last_seconds - data.first_seconds,
            data.skipped,
            data.torn,
            data.duplicates
        ),
        format!("- missing values: {}", missing.join(", ")),
        format!("- {} rows to learn from", data.training_rows),
    ];
    if summary.serves_backends.is_none() {
        lines.push(
            "- `cpu_stamp` stands in for an empty `cpu_percent` and the timestamp is dropped: the gap and the time \
             each give the class away"
                .to_owned(),
        );
    } else {
        let dropped = data.dropped;
        lines.push(format!(
            "- polls left out: {} incomplete, {} not followed by another, \
             {} with fewer than two backends at work afterwards",
            dropped.incomplete, dropped.unfollowed, dropped.uncontested
        ));
    }
    format!("## Data\n\n{}\n", lines.join("\n"))
}

fn classes(summary: &Summary) -> String {
    let total = summary.data.training_rows as f64;
    let row = |class: &ClassSummary| {
        let recall = summary
            .classes
            .iter()
            .position(|other| other == class)
            .and_then(|at| summary.holdout.recall[at]);
        format!(
            "| {} | {} | {} | {:.1} % | {} |",
            class.server_id,
            if class.address.is_empty() { "-" } else { &class.address },
            class.rows,
            100.0 * class.rows as f64 / total,
            recall.map_or("-".to_owned(), |recall| format!("{recall:.3}"))
        )
    };
    let rows: Vec<String> = summary.classes.iter().map(row).collect();
    let head = "| server_id | address | rows | share | recall on the hold-out |\n|---:|---|---:|---:|---:|";
    let warning = match summary
        .classes
        .iter()
        .find(|class| class.rows == summary.data.training_rows)
    {
        Some(only) => format!(
            "\nEvery row is of backend {}: the model names no other.\n",
            only.server_id
        ),
        None => String::new(),
    };
    format!("## Classes\n\n{head}\n{}\n{warning}", rows.join("\n"))
}

fn scores(summary: &Summary) -> String {
    let scores = &summary.holdout;
    let caution = if scores.rows < FEW {
        "\nSo few rows are an anecdote, not a measurement.\n"
    } else {
        ""
    };
    format!(
        "## Scores\n\nOn the last {} rows in time, by a forest grown on those before; the model itself is grown on \
         all.\n\n\
         - accuracy: {:.3} (always naming the most frequent class: {:.3})\n- balanced accuracy: {:.3}\n{caution}",
        scores.rows, scores.accuracy, scores.majority_accuracy, scores.balanced_accuracy
    )
}

fn forest(summary: &Summary) -> String {
    let forest = &summary.forest;
    let feature = |it: &ImportanceSummary| format!("| {} | {:+.3} |", it.feature, it.loss);
    let dropped = |it: &DroppedSummary| format!("| {} | {} |", it.feature, it.reason);
    let kept = table(
        "| feature | lost without it |\n|---|---:|",
        forest.importance.iter().map(feature),
    );
    let dropped = table("| dropped | because |\n|---|---|", forest.dropped.iter().map(dropped));
    format!(
        "## Forest\n\n- {} trees, {} nodes, at most {} levels of splits\n- features: {}\n- missing values become the \
         column's median, values are scaled to mean 0 and deviation 1; both is in the model file\n\nBalanced accuracy \
         on the hold-out that the forest of the hold-out loses when a feature's values are exchanged among the \
         rows:\n\n{kept}{dropped}",
        forest.trees,
        forest.nodes,
        forest.depth,
        forest.features.join(", ")
    )
}

/// A table of `rows`; nothing where there are none.
fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        String::new()
    } else {
        format!("{head}\n{}\n\n", rows.join("\n"))
    }
}
