//! `sylvan explain`: why a logged decision went as it did, candidate by candidate and feature by feature.

mod log;
mod picture;
mod sentence;

use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use crate::cli::Mistake;
use crate::cli::terminal;
use crate::forest::Model;
use crate::forest::decode;
use crate::selection::Explanation;
use crate::selection::Reason;
use crate::selection::View;
use crate::selection::explain;
use crate::selection::ranker_view;
use crate::tasks::decision_log::Row;
use crate::tasks::decision_log::model_file;
use crate::tasks::load::bytes_of_model;

/// Show why a backend was chosen: a logged decision, replayed.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The decision log: its directory, or one of its files
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The row to explain, counted from 1; the last one when left out
    #[arg(long, value_name = "N", conflicts_with = "request")]
    row: Option<NonZeroUsize>,
    /// The request to explain, by its `request` in the decision log; the last of its attempts
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Write JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// A logged decision and what came of replaying it.
#[derive(Debug)]
struct Replay {
    row: Row,
    reason: Reason,
    /// Where the row was found.
    place: String,
    explanation: Explanation,
    /// What stands between the replay and the decision.
    notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such row, or none that can be read.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let found = log::find(&args.file, &wanted(args))?;
    let replay = replay(found)?;
    let text = if args.json {
        serde_json::to_string_pretty(&picture::json(&replay))? + "\n"
    } else {
        picture::text(&replay, terminal::output())
    };
    terminal::print(&text)
}

fn wanted(args: &ExplainArgs) -> log::Wanted {
    match (args.row, &args.request) {
        (Some(row), _) => log::Wanted::Row(row),
        (None, Some(request)) => log::Wanted::Request(request.to_lowercase()),
        (None, None) => log::Wanted::Last,
    }
}

fn replay(found: log::Found) -> anyhow::Result<Replay> {
    let log::Found { row, file, place } = found;
    let (reason, draw) = (row.reason()?, row.draw()?);
    let mut notes = Vec::new();
    let model = match (reason, &row.model) {
        // The base score decided alone, even if a model has come since.
        (Reason::Base, _) | (_, None) => None,
        (_, Some(digest)) => kept_model(file.parent().unwrap_or(Path::new(".")), digest, row.view())
            .map_err(|why| notes.push(format!("{why}; these are the base scores alone")))
            .ok(),
    };
    let explanation = explain(row.view(), &row.sights(), draw, model.as_ref()).ok_or_else(|| {
        Mistake(format!(
            "{place}: there was no candidate, so there is nothing to explain"
        ))
    })?;
    if reason == Reason::Base || reason == Reason::Model && model.is_some() {
        notes.extend(disagreement(&row, &explanation));
    }
    Ok(Replay {
        row,
        reason,
        place,
        explanation,
        notes,
    })
}

/// The model called `digest` beside the rows in `dir`, or why it cannot be asked.
fn kept_model(dir: &Path, digest: &str, view: View) -> Result<Model, String> {
    // A row is only text: it must not name a file elsewhere.
    if !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("the row names no model".to_owned());
    }
    let file = model_file(dir, digest);
    let bytes = bytes_of_model(&file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("the model {digest} is no longer kept"),
        _ => format!("the model {} cannot be read: {error}", file.display()),
    })?;
    let model = decode(&bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    if ranker_view(&model) == Some(view) {
        Ok(model)
    } else {
        Err(format!("the model {digest} looks at other features than the row has"))
    }
}

/// That the replay chooses another backend than the gateway did, if it does.
fn disagreement(row: &Row, explanation: &Explanation) -> Option<String> {
    let winner = row
        .candidates
        .get(explanation.winner)
        .filter(|winner| winner.backend != row.chosen)?;
    Some(format!(
        "the replay chooses {} and the gateway chose {}: counts moved between the decision and its record, or another \
         release made it",
        winner.backend, row.chosen
    ))
}

#[cfg(test)]
mod tests;
