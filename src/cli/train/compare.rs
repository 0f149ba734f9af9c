//! `sylvan train --compare`: the table of the methods, what they cost, and which one to take.

use std::num::NonZeroUsize;

use anyhow::Context;

use crate::cli::terminal;
use crate::cli::train::TrainArgs;
use crate::cli::train::data;
use crate::cli::train::findings;
use crate::clock;
use crate::forest::GrowParams;
use crate::report;
use crate::report::Column;
use crate::report::Table;
use crate::report::progress::Progress;
use crate::training;
use crate::training::Comparison;
use crate::training::Input;
use crate::training::MethodScores;
use crate::training::MethodSummary;
use crate::training::STEPS;
use crate::training::TrainRequest;
use crate::training::Watcher;
use crate::units::Timestamp;

/// Compares the methods on `input`, and shows and writes what came of it.
pub(super) fn run(args: &TrainArgs, input: Input<'_>, request: &TrainRequest) -> anyhow::Result<Comparison> {
    let mut watch = Watch {
        progress: Progress::new(terminal::progress(), "compare", STEPS as u64),
        begun: 0,
    };
    // One thread, so that the times of the methods can be compared.
    let request = TrainRequest {
        params: GrowParams {
            threads: NonZeroUsize::MIN,
            ..request.params
        },
        ..*request
    };
    let compared = training::compare(input, &request, &mut watch).with_context(|| data::names(&args.files))?;
    watch.progress.finish("done");
    if args.results.leaves_output_free() {
        terminal::print(&text(&compared))?;
    }
    args.results.write_json(&compared)?;
    Ok(compared)
}

struct Watch {
    progress: Progress,
    begun: u64,
}

impl Watcher for Watch {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn step(&mut self, name: &str) {
        self.progress.update(self.begun, name, clock::now());
        self.begun += 1;
    }
}

/// Everything that the terminal shows.
fn text(compared: &Comparison) -> String {
    let look = terminal::output();
    let tables = [scores(compared), costs(compared), confusion(compared)];
    let tables = tables.iter().map(|table| table.text(look) + "\n");
    data_lines(compared) + &tables.collect::<String>() + &notes(compared).join("\n") + "\n"
}

/// What was compared on, in a line or two.
fn data_lines(compared: &Comparison) -> String {
    let last = compared.folds.last();
    let tested: usize = compared.folds.iter().map(|fold| fold.tested).sum();
    format!(
        "{} rows to learn from, of {} over {:.0} s; {} folds in the order of time, the last with {} rows to learn \
         from; {tested} rows tested\n\n",
        compared.data.training_rows,
        compared.data.rows,
        compared.data.last_seconds - compared.data.first_seconds,
        compared.folds.len(),
        last.map_or(0, |fold| fold.trained),
    )
}

/// How good each method is.
pub(super) fn scores(compared: &Comparison) -> Table {
    let names = [
        "accuracy", "balanced", "(95 %)", "macro F1", "MCC", "ROC AUC", "(95 %)", "log-loss",
    ];
    let columns = [Column::text("method")].into_iter().chain(names.map(Column::number));
    let mut table = Table::new(columns);
    for method in &compared.methods {
        let cells = method.scores.as_ref().map(score_cells).unwrap_or_default();
        table.push([method.name.clone()].into_iter().chain(cells));
    }
    table
}

fn score_cells(scores: &MethodScores) -> Vec<String> {
    let number = |value: f64| format!("{value:.3}");
    vec![
        number(scores.accuracy),
        number(scores.balanced_accuracy),
        interval(scores.balanced_accuracy_interval),
        number(scores.macro_f1),
        number(scores.correlation),
        number(scores.roc_auc),
        interval(scores.roc_auc_interval),
        number(scores.log_loss),
    ]
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("({low:.3} to {high:.3})")
}

/// What each method costs, and how far it is behind the best.
pub(super) fn costs(compared: &Comparison) -> Table {
    let names = ["rows", "fit s", "predict us/row", "size", "against the best"];
    let columns = [Column::text("method")].into_iter().chain(names.map(Column::number));
    let mut table = Table::new(columns.chain([Column::text("verdict")]));
    for method in &compared.methods {
        let cells = method.scores.as_ref().map(cost_cells).unwrap_or_default();
        let cells = [method.name.clone(), method.rows.to_string()].into_iter().chain(cells);
        table.push(cells.chain([verdict(method).to_owned()]));
    }
    table
}

fn cost_cells(scores: &MethodScores) -> Vec<String> {
    let [difference, low, high] = scores.against_best;
    vec![
        format!("{:.3}", scores.fit_seconds),
        format!("{:.2}", scores.predict_us),
        report::size(scores.bytes as u64),
        format!("{difference:+.3} ({low:+.3} to {high:+.3})"),
    ]
}

/// What the difference to the best proves.
fn verdict(method: &MethodSummary) -> &'static str {
    match method.difference() {
        None => "failed",
        Some([0.0, 0.0, 0.0]) => "best",
        Some(_) if method.is_level() => "no difference",
        Some(_) => "worse",
    }
}

/// What the method that was chosen took for what.
pub(super) fn confusion(compared: &Comparison) -> Table {
    let chosen = compared.chosen.as_deref().unwrap_or_default();
    let method = compared.methods.iter().find(|method| method.name == chosen);
    let scores = method.and_then(|method| method.scores.as_ref());
    let counts = scores.map_or(&[][..], |scores| &scores.confusion);
    findings::confusion(chosen, &compared.classes, counts)
}

/// What to know beside the figures, a line each.
pub(super) fn notes(compared: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(chosen), Some(reason)) = (&compared.chosen, &compared.reason) {
        notes.push(format!("choice: {chosen}: {reason}"));
    }
    let rows = compared.folds.last().map_or(0, |fold| fold.trained);
    for method in &compared.methods {
        if let Some(failure) = &method.failure {
            notes.push(format!("note: {} could not be fitted: {failure}", method.name));
        } else if method.rows < rows {
            notes.push(format!(
                "note: {} learned from {} of {rows} rows, evenly spread; it cannot take more",
                method.name, method.rows
            ));
        }
    }
    for class in &compared.left_out {
        let label = findings::label(class.server_id, &class.address);
        notes.push(format!(
            "note: {label} was the best in {} rows only; they are left out",
            class.rows
        ));
    }
    let sum = |of: fn(&training::FoldSummary) -> usize| compared.folds.iter().map(of).sum::<usize>();
    let (left_out, later) = (sum(|fold| fold.left_out), sum(|fold| fold.later));
    if left_out > 0 {
        notes.push(format!(
            "note: {left_out} rows were not learned from, since they follow the first tested row of their fold"
        ));
    }
    if later > 0 {
        notes.push(format!(
            "note: the classes do not mix in time: {later} rows were learned from although they follow tested ones; \
             the scores flatter"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str, against_best: [f64; 3], failure: Option<&str>) -> MethodSummary {
        let scores = MethodScores {
            against_best,
            confusion: vec![vec![3, 1], vec![0, 2]],
            ..MethodScores::default()
        };
        MethodSummary {
            name: name.to_owned(),
            rows: 10,
            scores: failure.is_none().then_some(scores),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn a_verdict_says_what_the_difference_proves() {
        let verdicts = [
            method("a", [0.0; 3], None),
            method("b", [-0.01, -0.02, 0.001], None),
            method("c", [-0.01, -0.02, -0.001], None),
            method("d", [0.0; 3], Some("it diverged")),
        ];
        assert_eq!(
            verdicts.map(|method| verdict(&method)),
            ["best", "no difference", "worse", "failed"]
        );
    }
}
