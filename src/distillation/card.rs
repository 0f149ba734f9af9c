//! The card of a distilled model: where it came from, what it explains, and how it does beside others.

use std::ops::Range;

use crate::distillation::Distilled;
use crate::distillation::Plan;
use crate::forest::FEW;
use crate::forest::Forest;
use crate::forest::encode;
use crate::simulation::Comparison;

/// What was found of a model in simulated worlds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The seeds that the worlds were drawn from.
    pub seeds: Range<u64>,
    /// In the worlds of the suite.
    pub suite: Comparison,
    /// In larger and fuller ones, if they were played.
    pub beyond: Option<Comparison>,
}

/// The card of what was `distilled` by `plan`, as `evaluation` found it. The `command` makes both again.
#[must_use]
pub fn card(plan: &Plan, distilled: &Distilled, command: &str, evaluation: &Evaluation) -> String {
    [
        "# A ranker of single backends, distilled in simulated worlds\n".to_owned(),
        "## What it can serve\n\nThe selector `forest` with `learn: off`, in any pool, from the first request on.\n"
            .to_owned(),
        format!(
            "## Origin\n\n- command: `{command}`\n- seed: {}\n",
            distilled.model.training().seed
        ),
        rounds(plan, distilled),
        forests(plan, distilled),
        worlds(evaluation),
    ]
    .join("\n")
}

fn rounds(plan: &Plan, distilled: &Distilled) -> String {
    let mut text = format!(
        "## Rounds\n\n{} worlds each, of about {} requests. Explained is the share of the variance within decisions that the \
         model of the round before explains in worlds that it has not seen, among the candidates that it asks all trees \
         about.\n\n\
         | round | decisions | candidates | explained before |\n|---:|---:|---:|---:|\n",
        plan.worlds, plan.arrivals
    );
    for (number, round) in (1..).zip(&distilled.rounds) {
        let explained = round
            .explained_before
            .map_or("-".to_owned(), |share| format!("{share:.3}"));
        text.push_str(&format!(
            "| {number} | {} | {} | {explained} |\n",
            round.decisions, round.candidates
        ));
    }
    text
}

fn forests(plan: &Plan, distilled: &Distilled) -> String {
    let model = &distilled.model;
    let size = |forest: &Forest| format!("{} trees, {} nodes", forest.tree_count(), forest.node_count());
    let whom = match model.among_many() {
        Some(many) => format!(
            "{} among up to {FEW} candidates; {} among more",
            size(model.forest()),
            size(many)
        ),
        None => size(model.forest()),
    };
    format!(
        "## Forests\n\n- {whom}; at most {} levels of splits, {} bytes\n- grown from {} candidates\n\
         - explained of the last tenth of the decisions by forests grown on the others: {:.3} in {} stages, {:.3} bagged\n",
        plan.growth.params.depth,
        encode(model).len(),
        model.training().rows,
        distilled.explained.boosted,
        plan.growth.boosting.stages,
        distilled.explained.bagged
    )
}

fn worlds(evaluation: &Evaluation) -> String {
    let Range { start, end } = &evaluation.seeds;
    let mut text = format!(
        "## Worlds\n\nDrawn from the seeds {start}..{end}. Mean and p99 latency over those of the best classical selector of \
         each world; an error counts as 1,000 ms in the mean.\n\n{}",
        ratios(&evaluation.suite)
    );
    if let Some(beyond) = &evaluation.beyond {
        text.push_str(&format!("\nLarger and fuller ones:\n\n{}", ratios(beyond)));
    }
    text
}

/// Ratios to the best classical selector of each world.
fn ratios(comparison: &Comparison) -> String {
    let ratio = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
    let mut text = "| world | selector | mean | p99 | errors |\n|---|---|---:|---:|---:|\n".to_owned();
    for (scenario, selectors) in &comparison.scenarios {
        for it in selectors.iter().filter(|it| LEARNED.contains(&it.selector.as_str())) {
            let errors = 100.0 * it.figures.error_rate;
            let (mean, p99) = (ratio(it.mean_ratio), ratio(it.p99_ratio));
            text.push_str(&format!(
                "| {scenario} | {} | {mean} | {p99} | {errors:.3}% |\n",
                it.selector
            ));
        }
    }
    for it in &comparison.overall {
        if LEARNED.contains(&it.selector.as_str()) {
            text.push_str(&format!(
                "| **all**, worst | {} | {:.3}, {:.3} | {:.3}, {:.3} | |\n",
                it.selector, it.mean_ratio, it.worst_mean_ratio, it.p99_ratio, it.worst_p99_ratio
            ));
        }
    }
    text
}

/// The selectors that the card shows.
const LEARNED: [&str; 2] = ["forest", "forest_online"];
