//! The scores are those of scikit-learn, on forecasts that linfa's own get wrong among others.

use serde::Deserialize;

use super::*;

/// Made by `integration/fixtures/scikit.py`.
const CASES: &str = include_str!("../../../integration/fixtures/scikit.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<usize>,
    shares: Vec<f64>,
    weights: Option<Vec<f64>>,
    accuracy: f64,
    balanced_accuracy: f64,
    macro_f1: f64,
    correlation: f64,
    roc_auc: Option<f64>,
    log_loss: Option<f64>,
}

impl Case {
    fn forecasts(&self) -> Forecasts {
        Forecasts {
            classes: self.classes,
            shares: self.shares.clone(),
            labels: self.labels.clone(),
            folds: vec![0; self.labels.len()],
        }
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    fn confusion(&self) -> Confusion {
        let mut confusion = Confusion::new(self.classes);
        for (row, (&label, vote)) in self.labels.iter().zip(self.forecasts().votes()).enumerate() {
            confusion.add(label, vote, self.weight(row));
        }
        confusion
    }
}

#[track_caller]
fn check(score: &str, of: impl Fn(&Case) -> (Option<f64>, Option<f64>)) {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 10);
    for case in &cases {
        let (ours, theirs) = of(case);
        let is_equal = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        assert!(is_equal, "{score} of {}: {ours:?}, not {theirs:?}", case.name);
    }
}

#[test]
fn counts_are_scored_as_scikit_learn_scores_them() {
    check("accuracy", |case| {
        (Some(case.confusion().accuracy()), Some(case.accuracy))
    });
    check("balanced accuracy", |case| {
        (Some(case.confusion().balanced_accuracy()), Some(case.balanced_accuracy))
    });
    check("macro F1", |case| {
        (Some(case.confusion().macro_f1()), Some(case.macro_f1))
    });
    check("correlation", |case| {
        (Some(case.confusion().correlation()), Some(case.correlation))
    });
}

#[test]
fn areas_are_those_of_scikit_learn() {
    check("area", |case| {
        let rankings = case.forecasts().rankings();
        (mean_area(&rankings, |row| case.weight(row)), case.roc_auc)
    });
}

#[test]
fn losses_are_those_of_scikit_learn() {
    check("loss", |case| {
        let ours = case.weights.is_none().then(|| case.forecasts().log_loss());
        (ours, case.log_loss)
    });
}

#[test]
fn the_area_is_what_lies_under_the_curve() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    let ranking = &cases[2].forecasts().rankings()[1];
    let steps = ranking.curve();
    let under: f64 = steps
        .windows(2)
        .map(|step| (step[1].0 - step[0].0) * (step[1].1 + step[0].1) / 2.0)
        .sum();
    assert!((under - ranking.area(|_| 1.0).unwrap()).abs() < 1e-12);
    assert_eq!(steps.last(), Some(&(1.0, 1.0)));
}

#[test]
fn merged_counts_are_those_of_all_rows() {
    let (mut one, mut all) = (Confusion::new(2), Confusion::new(2));
    one.add(0, 1, 1.0);
    all.merge(&one, 3.0);
    assert_eq!((all.at(0, 1), all.recall(0), all.recall(1)), (3.0, Some(0.0), None));
}

#[test]
fn a_mean_curve_ends_at_the_top_and_is_as_high_as_its_curves() {
    let forecasts = Forecasts {
        classes: 2,
        shares: [0.9, 0.6, 0.4, 0.2].iter().flat_map(|no| [*no, 1.0 - no]).collect(),
        labels: vec![0, 1, 0, 1],
        folds: vec![0; 4],
    };
    let curve = mean_curve(&forecasts.rankings());
    assert_eq!((curve[0], curve[24], curve[25], curve[50]), (0.5, 0.5, 1.0, 1.0));
    assert!(mean_curve(&[]).is_empty());
}

#[test]
fn probabilities_of_two_folds_are_not_ranked_together() {
    let forecasts = Forecasts {
        classes: 2,
        shares: [0.4, 0.3, 0.9, 0.8].iter().flat_map(|yes| [1.0 - yes, *yes]).collect(),
        labels: vec![1, 0, 1, 0],
        folds: vec![0, 0, 1, 1],
    };
    assert_eq!(mean_area(&forecasts.rankings(), |_| 1.0), Some(1.0));
}
