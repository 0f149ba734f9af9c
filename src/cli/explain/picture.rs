//! A replayed decision as tables, and as JSON.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::explain::Replay;
use crate::cli::explain::sentence::sentence;
use crate::report::Column;
use crate::report::Look;
use crate::report::Table;
use crate::report::milliseconds;
use crate::selection::Estimate;
use crate::selection::Explained;
use crate::tasks::decision_log::Candidate;

/// A feature that changes the estimated latency by less than a hundredth does not matter.
const MATTERS: f64 = 0.01;

/// The decision as JSON: the row as it was logged, and what the replay says.
pub(super) fn json(replay: &Replay) -> Value {
    let winner = replay.row.candidates.get(replay.explanation.winner);
    json!({
        "place": replay.place,
        "sentence": sentence(replay),
        "notes": replay.notes,
        "replay": {
            "winner": winner.map(|winner| &winner.backend),
            "forest_weight": replay.explanation.forest_weight,
            "ties": replay.explanation.ties,
            "agrees": winner.is_some_and(|winner| winner.backend == replay.row.chosen),
        },
        "candidates": candidates(replay).map(|(candidate, explained)| candidate_json(candidate, explained)).collect::<Vec<_>>(),
        "row": replay.row,
    })
}

fn candidate_json(candidate: &Candidate, explained: &Explained) -> Value {
    let forest = explained.estimate.as_ref().map(|estimate| {
        let by_name = candidate.features.view.names().iter().zip(&estimate.contributions);
        let contributions: Map<String, Value> = by_name.map(|(name, part)| ((*name).to_owned(), json!(part))).collect();
        json!({
            "estimate": estimate.raw,
            "is_bounded": estimate.is_bounded,
            "counted": estimate.counted,
            "of_mean": estimate.of_mean,
            "contributions": contributions,
        })
    });
    json!({
        "backend": candidate.backend,
        "base": explained.in_flight + explained.route_deviation,
        "in_flight": explained.in_flight,
        "route_deviation": explained.route_deviation,
        "forest": forest,
        "total": explained.score,
        "may_win": explained.may_win,
    })
}

/// The decision as text.
pub(super) fn text(replay: &Replay, look: Look) -> String {
    let mut text = format!(
        "{}\n{}\n\n{}",
        replay.place,
        occasion(replay),
        scores(replay).text(look)
    );
    if let Some(estimates) = estimates(replay) {
        text += &format!("\n{}", estimates.text(look));
    }
    if let Some(weight) = replay.explanation.forest_weight {
        text += &format!("of which {weight:.2} counts\n");
    }
    text += &format!("\n{}\n{}\n", outcome(replay), sentence(replay));
    for note in &replay.notes {
        text += &format!("note: {note}\n");
    }
    text
}

fn occasion(replay: &Replay) -> String {
    let row = &replay.row;
    format!(
        "time {:.3}, pool {}, selector {}, route {}, request {}, attempt {}, reason {}",
        row.time, row.pool, row.selector, row.route, row.request, row.attempt, row.reason
    )
}

fn candidates(replay: &Replay) -> impl Iterator<Item = (&Candidate, &Explained)> {
    replay.row.candidates.iter().zip(&replay.explanation.candidates)
}

/// How each score comes about.
fn scores(replay: &Replay) -> Table {
    let mut table = Table::new([
        Column::text("backend"),
        Column::number("n"),
        Column::number("weight"),
        Column::number("in flight"),
        Column::number("route"),
        Column::number("base"),
        Column::number("forest"),
        Column::number("total"),
        Column::text(""),
    ]);
    for (candidate, explained) in candidates(replay) {
        let fate = match (candidate.backend == replay.row.chosen, explained.may_win) {
            (true, true) => "chosen",
            (true, false) => "chosen, sorted out",
            (false, true) => "",
            (false, false) => "sorted out",
        };
        table.push([
            candidate.backend.clone(),
            candidate
                .features
                .values
                .first()
                .copied()
                .unwrap_or_default()
                .to_string(),
            format!("{:.2}", candidate.weight),
            signed(explained.in_flight),
            signed(explained.route_deviation),
            signed(explained.in_flight + explained.route_deviation),
            explained.estimate.as_ref().map_or("-".to_owned(), counted),
            signed(explained.score),
            fate.to_owned(),
        ]);
    }
    table
}

fn counted(estimate: &Estimate) -> String {
    let mark = if estimate.is_bounded { "!" } else { "" };
    format!("{mark}{}", signed(estimate.counted))
}

/// What the forest says of each candidate, and because of what; `None` without a model.
fn estimates(replay: &Replay) -> Option<Table> {
    let of_mean = replay.explanation.candidates.first()?.estimate.as_ref()?.of_mean;
    let mut table = Table::new([
        Column::text("the forest says"),
        Column::number("ln"),
        Column::text("because of"),
    ]);
    table.push(["the mean of the candidates".to_owned(), signed(of_mean), String::new()]);
    for (candidate, explained) in candidates(replay) {
        let Some(estimate) = &explained.estimate else { continue };
        table.push([
            candidate.backend.clone(),
            signed(estimate.raw),
            because(candidate, estimate),
        ]);
    }
    Some(table)
}

/// The features that matter, the weightiest first.
fn because(candidate: &Candidate, estimate: &Estimate) -> String {
    let named = candidate.features.view.names().iter().zip(&candidate.features.values);
    let mut parts: Vec<_> = named
        .zip(&estimate.contributions)
        .map(|((name, value), part)| (name, value, *part))
        .filter(|(_, _, part)| part.abs() >= MATTERS)
        .collect();
    parts.sort_by(|one, other| other.2.abs().total_cmp(&one.2.abs()));
    let shown = parts
        .iter()
        .map(|(name, value, part)| format!("{name} {} {part:+.2}", short(**value)));
    shown.collect::<Vec<_>>().join(", ")
}

fn outcome(replay: &Replay) -> String {
    let Some(outcome) = &replay.row.outcome else {
        return "outcome: none, the request was sent again because a kept connection was found closed".to_owned();
    };
    let latency = outcome
        .latency_ms
        .map(|latency| format!(" after {} ms", milliseconds(latency)));
    let slowness = outcome
        .slowness
        .map(|slowness| format!(", {:.2} times as long as its route usually takes", slowness.exp()));
    format!(
        "outcome: {}{}{}",
        outcome.verdict,
        latency.unwrap_or_default(),
        slowness.unwrap_or_default()
    )
}

fn signed(number: f32) -> String {
    // What rounds to zero has no sign.
    let rounded = (number * 100.0).round() / 100.0 + 0.0;
    format!("{rounded:+.2}")
}

/// Three digits are enough to see by.
fn short(value: f32) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        _ if value.fract() == 0.0 => value.to_string(),
        _ => format!("{value:.2}"),
    }
}
