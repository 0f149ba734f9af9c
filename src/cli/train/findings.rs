//! What a training run found, as the table that the terminal shows.

use crate::report::Column;
use crate::report::Table;
use crate::training::ClassSummary;
use crate::training::DroppedSummary;
use crate::training::Summary;

/// The findings worth reading at once; the model card has them all.
pub(super) fn table(summary: &Summary) -> Table {
    let mut table = Table::new([Column::text("result"), Column::number("value")]);
    let data = &summary.data;
    table.push(["rows".to_owned(), data.rows.to_string()]);
    table.push(["rows skipped".to_owned(), data.skipped.to_string()]);
    for (what, count) in [
        ("torn", data.torn),
        ("read before", data.duplicates),
        ("the header again", data.headers),
    ] {
        if count > 0 {
            table.push([format!("  {what}"), count.to_string()]);
        }
    }
    table.push([
        "seconds covered".to_owned(),
        format!("{:.0}", data.last_seconds - data.first_seconds),
    ]);
    for metric in data.missing.iter().filter(|metric| metric.rows > 0) {
        table.push([format!("rows without {}", metric.column), metric.rows.to_string()]);
    }
    table.push(["rows to learn from".to_owned(), data.training_rows.to_string()]);
    push_dropped(&mut table, summary);
    for class in &summary.classes {
        table.push([
            format!("best: {}", label(class.server_id, &class.address)),
            class.rows.to_string(),
        ]);
    }
    let scores = &summary.holdout;
    table.push(["held-out rows".to_owned(), scores.rows.to_string()]);
    table.push(["  accuracy".to_owned(), format!("{:.3}", scores.accuracy)]);
    table.push([
        "  of always naming the most frequent".to_owned(),
        format!("{:.3}", scores.majority_accuracy),
    ]);
    table.push([
        "  balanced accuracy".to_owned(),
        format!("{:.3}", scores.balanced_accuracy),
    ]);
    for feature in &summary.forest.importance {
        table.push([
            format!("  lost without {}", feature.feature),
            format!("{:+.3}", feature.loss),
        ]);
    }
    table.push([
        "serves a pool of".to_owned(),
        summary.serves_backends.map_or("none".into(), |count| count.to_string()),
    ]);
    table
}

/// Which features the forest is not grown on, and why, a line each.
pub(super) fn dropped(summary: &Summary) -> String {
    let line = |it: &DroppedSummary| format!("dropped {}: {}\n", it.feature, it.reason);
    summary.forest.dropped.iter().map(line).collect()
}

fn push_dropped(table: &mut Table, summary: &Summary) {
    let dropped = summary.data.dropped;
    let reasons = [
        ("polls incomplete", dropped.incomplete),
        ("polls not followed by another", dropped.unfollowed),
        ("polls before fewer than two backends worked", dropped.uncontested),
    ];
    for (reason, count) in reasons.into_iter().filter(|&(_, count)| count > 0) {
        table.push([reason.to_owned(), count.to_string()]);
    }
}

/// Which of `classes` was taken for which by what is called `name`; `counts` has a row for each.
pub(super) fn confusion(name: &str, classes: &[ClassSummary], counts: &[Vec<u64>]) -> Table {
    let labels = || classes.iter().map(|class| label(class.server_id, &class.address));
    let votes = labels().map(|label| Column::number(&format!("taken for {label}")));
    let mut table = Table::new([Column::text(&format!("{name}: was"))].into_iter().chain(votes));
    for (label, row) in labels().zip(counts) {
        table.push([label].into_iter().chain(row.iter().map(ToString::to_string)));
    }
    table
}

/// A backend, by its number and its address where that is known.
pub(super) fn label(server_id: u32, address: &str) -> String {
    if address.is_empty() {
        format!("server_id {server_id}")
    } else {
        format!("{server_id}, {address}")
    }
}
