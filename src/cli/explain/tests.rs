//! From a log's directory to what is told about a decision in it.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::forest::encode;
use crate::selection::Decision;
use crate::selection::Occasion;
use crate::selection::Settled;
use crate::selection::Stage;
use crate::selection::model_of_cpu;
use crate::selection::tests::NOW;
use crate::selection::tests::request;

const DIGEST: &str = "0123456789abcdef";

/// The row of a decision with a model among backends with as many in flight and as much CPU in use as said.
fn row(states: &[(usize, f32)], occasion: u64) -> Row {
    let stage = Stage::new(states).with_model(model_of_cpu());
    let facts = request(1);
    let choice = stage.choose_for(&facts);
    let decision = Decision::new(&stage.pool, &stage.pool.snapshot(NOW), &facts, &choice, &stage.model);
    let settled = Settled {
        decision: Box::new(decision),
        occasion: Occasion {
            request: occasion,
            route: "everything".to_owned(),
        },
        outcome: None,
    };
    Row::new(&settled, "forest", Some(DIGEST))
}

/// A log of `rows` with its model.
fn directory(rows: &[&str]) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("decisions.jsonl"), rows.concat()).unwrap();
    fs::write(model_file(directory.path(), DIGEST), encode(&model_of_cpu())).unwrap();
    directory
}

fn told(directory: &TempDir, wanted: &log::Wanted) -> String {
    let found = log::find(directory.path(), wanted).unwrap();
    picture::text(&replay(found).unwrap(), crate::report::Look::Plain)
}

#[track_caller]
fn check_last(rows: &[Row], expected: &[&str]) {
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = told(&directory(&lines), &log::Wanted::Last);
    for words in expected {
        assert!(told.contains(words), "no `{words}` in\n{told}");
    }
}

#[track_caller]
fn check_error(directory: &TempDir, wanted: &log::Wanted, expected: &str) {
    let error = log::find(directory.path(), wanted).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn the_last_decision_is_told_with_what_made_it() {
    check_last(
        &[row(&[(4, 0.9), (5, 0.1)], 1)],
        &[
            "10.0.0.1:80 has the lowest total,",
            "for what the forest expects (",
            ", above all by its cpu)",
            "in spite of its requests in flight (0.18)",
            "reason model",
            "cpu 0.90 +",
        ],
    );
}

#[test]
fn a_replay_that_chooses_another_says_so() {
    let mut other = row(&[(4, 0.9), (5, 0.1)], 1);
    other.chosen = "10.0.0.0:80".to_owned();
    check_last(
        &[other],
        &["note: the replay chooses 10.0.0.1:80 and the gateway chose 10.0.0.0:80"],
    );
}

#[test]
fn without_the_model_there_are_base_scores() {
    let mut old = row(&[(1, 0.9), (1, 0.1)], 1);
    old.model = Some("fedcba9876543210".to_owned());
    check_last(
        &[old.clone()],
        &["note: the model fedcba9876543210 is no longer kept; these are the base scores alone"],
    );
    old.model = Some("../../etc/passwd".to_owned());
    check_last(&[old], &["note: the row names no model"]);
}

#[test]
fn whoever_was_not_chosen_by_score_is_told_so() {
    let by = |reason: &str| Row {
        reason: reason.to_owned(),
        ..row(&[(1, 0.9), (1, 0.1)], 1)
    };
    check_last(&[by("explore")], &["by chance", "the forest would have chosen it too"]);
    check_last(&[by("policy")], &["shadow mode"]);
    check_last(&[by("fallback")], &["by the fallback: "]);
    check_last(&[row(&[(1, 0.9)], 1)], &["was the only backend to choose from"]);
    check_last(
        &[row(&[(1, 0.5), (1, 0.5)], 1)],
        &["and 1 more had the lowest total", "the draw decided"],
    );
}

#[test]
fn rows_are_found_by_place_and_by_request() {
    let lines = [1, 2, 3].map(|occasion| row(&[(1, 0.9), (1, 0.1)], occasion).line());
    let directory = directory(&[&lines[0], &lines[1], "{\"torn\"\n", &lines[2], &lines[1][..40]]);
    let find = |wanted: log::Wanted| log::find(directory.path(), &wanted).unwrap().row.request;
    let place = |place| log::Wanted::Row(NonZeroUsize::new(place).unwrap());
    assert_eq!(find(place(2)), "0000000000000002");
    assert_eq!(find(log::Wanted::Last), "0000000000000003");
    assert_eq!(
        find(log::Wanted::Request("0000000000000001".to_owned())),
        "0000000000000001"
    );
    check_error(&directory, &place(3), "decisions.jsonl:3: no row of a decision log");
    check_error(&directory, &place(9), "there is no row 9, only 5");
    check_error(
        &directory,
        &log::Wanted::Request("abc".to_owned()),
        "no row of request `abc`",
    );
    check_error(&TempDir::new().unwrap(), &log::Wanted::Last, "there are no rows");
}

#[test]
fn the_json_has_every_contribution() {
    let directory = directory(&[&row(&[(4, 0.9), (5, 0.1)], 1).line()]);
    let found = log::find(directory.path(), &log::Wanted::Last).unwrap();
    let json = picture::json(&replay(found).unwrap());
    assert_eq!(json["replay"]["winner"], "10.0.0.1:80");
    assert_eq!(json["replay"]["agrees"], true);
    assert!(json["replay"]["forest_weight"].as_f64().unwrap() > 0.5);
    assert!(
        json["candidates"][0]["forest"]["contributions"]["cpu"]
            .as_f64()
            .unwrap()
            > 0.1
    );
    assert_eq!(
        json["candidates"][0]["forest"]["contributions"]
            .as_object()
            .unwrap()
            .len(),
        16
    );
}
