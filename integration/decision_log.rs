//! What is kept of decisions, and what `sylvan explain` makes of it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sylvan::forest::encode;
use sylvan::selection::FEATURE_COUNT;
use sylvan::selection::LearnedRow;
use sylvan::selection::Learner;
use sylvan::selection::LearnerPreset;
use sylvan::units::Draws;
use sylvan::units::Timestamp;

use crate::harness::Gateway;
use crate::harness::Origin;
use crate::harness::Written;
use crate::harness::fetch;
use crate::harness::root;

const REQUESTS: usize = 12;

/// A model that has learned from rows by chance: what counts here is that there is one.
fn write_model(file: &Path) {
    let mut learner = Learner::new(LearnerPreset::Small, 1);
    let mut draws = Draws::new(1);
    for _ in 0..1000 {
        let features: [f32; FEATURE_COUNT] = std::array::from_fn(|_| draws.fraction() as f32);
        learner.take(&LearnedRow {
            label: features.iter().take(9).sum(),
            features,
            forecast: None,
            is_explored: false,
        });
    }
    let model = learner.retrain(Timestamp::default()).expect("rows make a forest");
    std::fs::write(file, encode(&model)).expect("a writable directory");
}

/// What `sylvan explain` writes of the log in `directory`.
fn explain(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sylvan"));
    let output = command.arg("explain").arg(directory).args(arguments).output();
    let output = output.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

fn written(count: usize) -> impl Fn(&crate::harness::Metrics) -> bool {
    move |metrics| metrics.sum("sylvan_decision_log_written_total", &["pool=\"main\""]) == count as f64
}

/// Sends requests one after another through `selector`, and checks that each is explained by who answered it.
async fn check_explained(selector: &str, expected: &[&str]) {
    let (one, other) = (Origin::start("a").await, Origin::start("b").await);
    let selector = format!("{{ {selector}, decision_log: {{ dir: log, sample: 100% }} }}");
    let mut gateway = Gateway::start(&Written::to(&[&one, &other]).selector(&selector)).await;
    let mut answered = Vec::new();
    for _ in 0..REQUESTS {
        let name = fetch(gateway.address(), "/").await.header("x-origin");
        let origin = if name == "a" { &one } else { &other };
        answered.push(origin.address().to_string());
    }
    gateway.until("all decisions are written", written(REQUESTS)).await;
    let directory = gateway.process().path("log");
    for (place, address) in answered.iter().enumerate() {
        let row = (place + 1).to_string();
        let told: Value = serde_json::from_str(&explain(&directory, &["--json", "--row", &row])).expect("JSON");
        assert_eq!(told["row"]["chosen"], address.as_str(), "{told}");
        assert_eq!(
            (&told["replay"]["agrees"], &told["row"]["outcome"]["verdict"]),
            (&true.into(), &"success".into())
        );
    }
    let told = explain(&directory, &[]);
    let last = answered.last().expect("requests were sent");
    let is_chosen = |line: &str| line.starts_with(last) && line.ends_with("chosen");
    assert!(told.lines().any(is_chosen), "{told}");
    for words in expected {
        assert!(told.contains(words), "no `{words}` in\n{told}");
    }
}

#[tokio::test]
async fn whoever_answered_is_explained_by_counts_while_there_is_no_model() {
    check_explained(
        "type: forest, learn: online, explore: 0%",
        &["reason base", "route everything"],
    )
    .await;
}

#[tokio::test]
async fn whoever_answered_is_explained_by_the_model() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let model = directory.path().join("a.forest");
    write_model(&model);
    let selector = format!("type: forest, learn: off, model: {}", model.display());
    check_explained(
        &selector,
        &["reason model", "the forest says", "the mean of the candidates"],
    )
    .await;
}

#[tokio::test]
async fn whoever_answered_is_explained_by_the_model_that_comes_with_the_program() {
    check_explained(
        "type: forest",
        &["reason model", "the forest says", "the mean of the candidates"],
    )
    .await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_costs_rows_and_no_request() {
    let origin = Origin::start("a").await;
    // A directory below a file can never be made.
    let selector = "{ type: forest, decision_log: { dir: gateway.yaml/log, sample: 100% } }";
    let mut gateway = Gateway::start(&Written::to(&[&origin]).selector(selector)).await;
    for _ in 0..REQUESTS {
        assert_eq!(fetch(gateway.address(), "/").await.status, 200);
    }
    let lost = |metrics: &crate::harness::Metrics| metrics.sum("sylvan_decision_log_lost_total", &["reason=\"disk\""]);
    gateway
        .until("all decisions are lost", |metrics| lost(metrics) == REQUESTS as f64)
        .await;
    let warnings = gateway
        .process()
        .output()
        .matches("decisions cannot be written")
        .count();
    assert_eq!(warnings, 1);
}

#[tokio::test]
async fn what_waits_is_written_before_the_end() {
    let origin = Origin::start("a").await;
    let selector = "{ type: forest, decision_log: { dir: log, sample: 100% } }";
    let mut gateway = Gateway::start(&Written::to(&[&origin]).selector(selector)).await;
    fetch(gateway.address(), "/").await;
    gateway.process().signal("TERM");
    assert_eq!(gateway.process().exit().await, 0);
    assert!(explain(&gateway.process().path("log"), &[]).contains("the only backend"));
}

#[test]
fn a_log_that_is_not_there_is_a_mistake_that_is_explained() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sylvan"));
    let output = command
        .arg("explain")
        .arg(root().join("docs"))
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("name the `dir` of a decision log"), "{said}");
}
