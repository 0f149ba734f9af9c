//! Methods on rows that can be told apart, that cannot, and that are hardly there.

use std::cell::Cell;

use super::*;
use crate::forest::GrowParams;
use crate::training::dataset::Row;
use crate::training::dataset::Table;
use crate::training::dataset::Window;
use crate::training::dataset::header;
use crate::units::Draws;

const PAPER: &[u8] = include_bytes!("../../../integration/fixtures/figure-7-1.csv");

/// A clock that goes on by a millisecond whenever it is looked at.
#[derive(Default)]
struct Watch {
    looked: Cell<u64>,
    steps: usize,
}

impl Watcher for Watch {
    fn now(&self) -> Timestamp {
        self.looked.set(self.looked.get() + 1);
        Timestamp::from_nanos(self.looked.get() * 1_000_000)
    }

    fn step(&mut self, _: &str) {
        self.steps += 1;
    }
}

fn request() -> TrainRequest<'static> {
    TrainRequest {
        pool: None,
        params: GrowParams {
            trees: 9,
            depth: 4,
            ..GrowParams::default()
        },
        seed: 1,
        data_digest: "digest",
        command: "sylvan train",
    }
}

/// Polls of `backends` backends: the busier one is slower afterwards, but for one poll in `noise`.
fn table(rounds: u64, backends: u32, noise: usize) -> Table {
    let mut draws = Draws::new(3);
    let mut text = header();
    let mut slow = Vec::new();
    for round in 0..rounds {
        let cpus: Vec<f64> = (0..backends).map(|_| 100.0 * draws.fraction()).collect();
        for (server_id, cpu) in cpus.iter().enumerate() {
            let latency = slow.get(server_id).copied().unwrap_or(1.0);
            let row = Row {
                timestamp: Timestamp::from_nanos((1_000_000 + round) * 1_000_000_000),
                metrics: [Some(*cpu as f32), Some(50.0), None, Some(draws.fraction() as f32)],
                server_id: server_id as u32,
                window: Some(Window {
                    requests: 10,
                    errors: 0,
                    mean_latency_ms: Some(latency),
                }),
                pool: "shop".into(),
                address: format!("host-{server_id}"),
            };
            row.append_to(&mut text);
        }
        slow = cpus;
        if draws.below(noise) == 0 {
            slow.reverse();
        }
    }
    Table::read(text.as_bytes()).unwrap()
}

fn compared(table: &Table) -> Comparison {
    compare(Input::Table(table), &request(), &mut Watch::default()).unwrap()
}

fn scores<'a>(comparison: &'a Comparison, name: &str) -> &'a MethodScores {
    let method = comparison.methods.iter().find(|method| method.name == name).unwrap();
    assert_eq!(method.failure, None, "{name}");
    method.scores.as_ref().unwrap()
}

#[test]
fn every_method_ranks_what_can_be_told_apart_the_right_way_round() {
    for backends in [2, 3] {
        let comparison = compared(&table(400, backends, usize::MAX));
        for method in &comparison.methods {
            let scores = scores(&comparison, &method.name);
            let least = if method.name == "most_frequent" { 0.3 } else { 0.85 };
            assert!(
                scores.roc_auc > least,
                "{} of {backends}: {}",
                method.name,
                scores.roc_auc
            );
            let [low, high] = scores.roc_auc_interval;
            assert!(low <= scores.roc_auc && scores.roc_auc <= high, "{low} to {high}");
        }
        assert!(scores(&comparison, "random_forest").balanced_accuracy > 0.75);
    }
}

#[test]
fn what_is_positive_does_not_depend_on_what_is_frequent() {
    // The second of two backends is the less busy one in one poll of five.
    let mut table = table(600, 2, usize::MAX);
    for row in &mut table.rows {
        if row.server_id == 1 {
            row.metrics[0] = row.metrics[0].map(|cpu| cpu + 40.0);
        }
    }
    let mut later = table.rows.clone();
    later.iter_mut().for_each(|row| row.server_id = 1 - row.server_id);
    for rows in [table.rows.clone(), later] {
        let comparison = compared(&Table { rows, ..table.clone() });
        let logistic = scores(&comparison, "logistic_regression");
        assert!(logistic.roc_auc > 0.9, "{}", logistic.roc_auc);
    }
}

#[test]
fn the_same_seed_gives_the_same_scores() {
    for backends in [2, 3] {
        let table = table(200, backends, 4);
        let [one, other] = [0; 2].map(|_| serde_json::to_value(compared(&table)).unwrap());
        assert_eq!(one, other);
    }
}

#[test]
fn where_nothing_can_be_learned_nothing_is_much_better_than_chance() {
    let comparison = compared(&table(600, 2, 2));
    for method in &comparison.methods {
        let [low, high] = scores(&comparison, &method.name).roc_auc_interval;
        assert!(low < 0.6 && high > 0.4, "{}: {low} to {high}", method.name);
    }
}

#[test]
fn the_papers_table_can_be_compared_and_says_that_its_classes_do_not_mix() {
    let comparison = compared(&Table::read(PAPER).unwrap());
    assert_eq!(comparison.data.training_rows, 18);
    assert!(comparison.folds.iter().any(|fold| fold.later > 0));
    assert!(comparison.chosen.is_some());
    scores(&comparison, "random_forest");
}

#[test]
fn every_step_is_told() {
    let mut watch = Watch::default();
    compare(Input::Table(&table(60, 2, 4)), &request(), &mut watch).unwrap();
    assert_eq!(watch.steps, STEPS);
}

#[test]
fn a_backend_that_is_hardly_ever_the_best_is_left_out() {
    let mut table = table(300, 3, usize::MAX);
    for row in &mut table.rows {
        if row.server_id == 1 {
            row.window = row.window.map(|window| Window {
                mean_latency_ms: Some(1000.0),
                ..window
            });
        }
    }
    let comparison = compared(&table);
    assert_eq!(comparison.left_out[0].server_id, 1);
    assert_eq!(
        comparison
            .classes
            .iter()
            .map(|class| class.server_id)
            .collect::<Vec<_>>(),
        [0, 2]
    );
}

#[track_caller]
fn check_error(table: &Table, expected: &str) {
    let error = compare(Input::Table(table), &request(), &mut Watch::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn too_few_rows_of_a_class_and_constant_columns_are_refused() {
    check_error(&table(10, 2, usize::MAX), "6 rows or more of each of two classes");
    let mut table = table(100, 2, usize::MAX);
    table.rows.iter_mut().for_each(|row| row.metrics = [Some(1.0); 4]);
    check_error(&table, "every metric is constant or missing");
}
