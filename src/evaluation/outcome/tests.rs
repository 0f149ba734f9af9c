//! Errors, missing figures and missing backends in the tables, the JSON and the warnings.

use super::*;
use crate::evaluation::Verdict;
use crate::evaluation::comparison::compare;
use crate::traffic::summary_of;

/// Two slices of a hundred requests, `good` of which took 10 ms; the others failed at once.
fn phase(selector: &str, good: u64) -> Phase {
    let mut phase = Phase::new(selector);
    let summary = summary_of(good, 100 - good, Duration::from_millis(10));
    for _ in 0..2 {
        phase.add(&summary, None, Reading::default());
    }
    phase
}

fn evaluation(phases: [Phase; 2]) -> Evaluation {
    Evaluation {
        rate_rps: 100.0,
        seed: 1,
        comparisons: vec![compare(&phases[1], &phases[0])],
        phases: phases.into(),
        backends: Vec::new(),
    }
}

#[test]
fn failing_fast_is_not_being_fast() {
    let evaluation = evaluation([phase("forest", 100), phase("broken", 0)]);
    let comparison = &evaluation.comparisons[0];
    assert_eq!((comparison.verdict, comparison.p99), (Verdict::Worse, None));
    let ratio = comparison.mean.unwrap().ratio;
    assert!((ratio - 100.0).abs() < 1.0, "{ratio}");
    let figures = evaluation.figures().markdown();
    assert!(figures.contains("| broken | - | - | - | - |"), "{figures}");
    let json = serde_json::to_value(evaluation.json()).unwrap();
    assert!(json["rows"][1]["mean_ms"].is_null() && json["comparisons"][0]["p99_ratio"].is_null());
    assert_eq!(
        evaluation.warnings(),
        ["none of the requests succeeded under broken: 200 x status_5xx of 200; these ratios compare errors"]
    );
}

#[test]
fn a_few_errors_weigh_and_are_not_warned_of() {
    let evaluation = evaluation([phase("forest", 100), phase("shaky", 99)]);
    let comparison = &evaluation.comparisons[0];
    let (mean, p99) = (comparison.mean.unwrap().ratio, comparison.p99.unwrap().ratio);
    assert!((mean - 1.99).abs() < 0.02 && (p99 - 1.0).abs() < 0.01, "{mean} {p99}");
    assert!(evaluation.warnings().is_empty());
}

#[test]
fn errors_of_everybody_are_warned_of() {
    let warnings = evaluation([phase("a", 0), phase("b", 10)]).warnings();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[1].starts_with("most of the requests failed under b: "),
        "{warnings:?}"
    );
}

#[test]
fn backends_that_were_missing_are_named() {
    let mut evaluation = evaluation([phase("a", 100), phase("b", 100)]);
    evaluation.backends = vec!["10.0.0.1:80".to_owned(), "10.0.0.2:80".to_owned()];
    evaluation.phases[0].outs = vec![vec![false; 2]; 2];
    evaluation.phases[1].outs = vec![vec![false, true], vec![false, false]];
    assert_eq!(
        evaluation.warnings(),
        ["backends were down or ejected: 10.0.0.2:80 in 1 of 4 slices"]
    );
}
