//! One plain sentence: why the winner won.

use crate::cli::explain::Replay;
use crate::selection::Charge;
use crate::selection::Explained;
use crate::selection::Reason;
use crate::selection::View;

/// Differences below this are not worth a word.
const MATTERS: f32 = 0.005;

/// Why the backend was chosen.
pub(super) fn sentence(replay: &Replay) -> String {
    let chosen = &replay.row.chosen;
    let winner = name(replay, replay.explanation.winner);
    let rule = if replay.row.model.is_some() {
        "the forest"
    } else {
        "the base score"
    };
    let besides = if winner == chosen {
        format!("{rule} would have chosen it too")
    } else {
        format!("{rule} would have chosen {winner}")
    };
    match replay.reason {
        Reason::Explore => {
            format!("{chosen} was chosen by chance, so that what is avoided is not forgotten; {besides}.")
        }
        Reason::Policy => {
            format!("{chosen} was chosen by the fallback, since the forest is in shadow mode; {besides}.")
        }
        Reason::Fallback => format!("{chosen} was chosen by the fallback: {}; {besides}.", charge(replay)),
        Reason::Model | Reason::Base if winner != chosen => {
            format!("{chosen} was chosen, and by what can be replayed it would have been {winner}.")
        }
        Reason::Model | Reason::Base => won(replay),
    }
}

fn charge(replay: &Replay) -> String {
    let known = replay.row.charge().ok();
    known.unwrap_or(Charge::NoModel).to_string()
}

fn name(replay: &Replay, place: usize) -> &str {
    let candidate = replay.row.candidates.get(place);
    candidate.map_or("nobody", |candidate| &candidate.backend)
}

/// Why the replay's winner, which is also what was chosen, won.
fn won(replay: &Replay) -> String {
    let explanation = &replay.explanation;
    let (winner, chosen) = (explanation.winner, name(replay, explanation.winner));
    let others = explanation
        .candidates
        .iter()
        .enumerate()
        .filter(|(place, other)| *place != winner && other.may_win);
    let next = others.min_by(|one, other| one.1.score.total_cmp(&other.1.score));
    let (Some((place, next)), Some(own)) = (next, explanation.candidates.get(winner)) else {
        return format!("{chosen} was the only backend to choose from.");
    };
    if explanation.ties > 1 {
        let equals = explanation.ties - 1;
        return format!("{chosen} and {equals} more had the lowest total and equally few in flight; the draw decided.");
    }
    let runner_up = name(replay, place);
    if next.score == own.score {
        return format!("{chosen} had the same total as {runner_up}, and fewer requests in flight.");
    }
    let is_lower = |other: &Explained| !other.may_win && other.score < own.score;
    let among = if explanation.candidates.iter().any(is_lower) {
        " of those that were not sorted out"
    } else {
        ""
    };
    format!(
        "{chosen} has the lowest total{among}, {:.2} below {runner_up}{}.",
        next.score - own.score,
        parts(replay.row.view(), own, next)
    )
}

/// What speaks for a winner beside the next one, and what against it.
fn parts(view: View, own: &Explained, next: &Explained) -> String {
    let counted = |it: &Explained| it.estimate.as_ref().map_or(0.0, |estimate| estimate.counted);
    let parts = [
        (next.in_flight - own.in_flight, "its requests in flight", String::new()),
        (
            next.route_deviation - own.route_deviation,
            "how it serves this route",
            String::new(),
        ),
        (
            counted(next) - counted(own),
            "what the forest expects",
            above_all(view, own, next),
        ),
    ];
    let list = |sign: f32| {
        let meant = parts.iter().filter(|(part, _, _)| part * sign >= MATTERS);
        let shown = meant.map(|(part, what, why)| format!("{what} ({:.2}{why})", part.abs()));
        shown.collect::<Vec<_>>().join(" and ")
    };
    match (list(1.0), list(-1.0)) {
        (speaks_for, _) if speaks_for.is_empty() => String::new(),
        (speaks_for, against) if against.is_empty() => format!(", for {speaks_for}"),
        (speaks_for, against) => format!(", for {speaks_for}, in spite of {against}"),
    }
}

/// The feature that makes most of the difference between two estimates.
fn above_all(view: View, own: &Explained, next: &Explained) -> String {
    let (Some(own), Some(next)) = (&own.estimate, &next.estimate) else {
        return String::new();
    };
    let sign = f64::from(next.raw - own.raw).signum();
    let differences = own.contributions.iter().zip(&next.contributions);
    let largest = view
        .names()
        .iter()
        .zip(differences.map(|(own, next)| (next - own) * sign))
        .max_by(|one, other| one.1.total_cmp(&other.1));
    match largest {
        Some((name, difference)) if difference > 0.0 => format!(", above all by its {name}"),
        _ => String::new(),
    }
}
