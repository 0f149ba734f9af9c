//! From rows to a model: the paper's table, and recorded data.

use super::*;
use crate::forest::METRICS;
use crate::forest::ModelError;
use crate::forest::decode;
use crate::forest::encode;
use crate::training::dataset::Origin;
use crate::training::dataset::Row;
use crate::training::dataset::Window;
use crate::units::Draws;
use crate::units::Timestamp;

const PAPER: &[u8] = include_bytes!("../../../integration/fixtures/figure-7-1.csv");

fn request() -> TrainRequest<'static> {
    let params = GrowParams {
        trees: 16,
        ..GrowParams::default()
    };
    TrainRequest {
        pool: None,
        params,
        seed: 1,
        data_digest: "00",
        command: "sylvan train x.csv",
    }
}

/// Polls of a pool in which the backend with the lower CPU then answers faster, as round robin would record them.
fn recorded(pool: &str, backends: u32, polls: u32) -> Table {
    let mut draws = Draws::new(u64::from(backends));
    let mut cpu = vec![0.0; backends as usize];
    let mut rows = Vec::new();
    for poll in 0..polls {
        for server_id in 0..backends {
            let before: f64 = cpu[server_id as usize];
            cpu[server_id as usize] = draws.fraction() * 100.0;
            let now = cpu[server_id as usize];
            let window = Window {
                requests: 50,
                errors: 0,
                mean_latency_ms: Some(2.0 + before / 10.0),
            };
            rows.push(Row {
                timestamp: Timestamp::from_seconds(1e9 + f64::from(poll)),
                metrics: [Some(now as f32), Some(30.0), Some(draws.fraction() as f32 * 1e6), None],
                server_id,
                window: Some(window),
                pool: pool.into(),
                address: format!("127.0.0.1:{}", 3000 + server_id),
            });
        }
    }
    Table {
        origin: Origin::Recorded,
        rows,
        skipped: Default::default(),
        ignored: vec![],
    }
}

#[track_caller]
fn check_error(table: &Table, pool: Option<&str>, expected: &str) {
    let error = train(table, &TrainRequest { pool, ..request() })
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_recorded_pool_becomes_a_classifier_that_names_the_idle_backend() {
    let Trained { model, summary, .. } = train(&recorded("shop", 2, 400), &request()).unwrap();
    assert_eq!(model.kind(), ModelKind::Classifier { backends: 2 });
    assert!(model.check_pool(2).is_ok() && model.check_pool(3).is_err());
    let row = |cpus: [f32; 2]| cpus.map(|cpu| [cpu, 30.0, 5e5, f32::NAN]).concat();
    assert_eq!([model.vote(&row([5.0, 95.0])), model.vote(&row([95.0, 5.0]))], [0, 1]);
    assert!(summary.holdout.accuracy > 0.9, "{:?}", summary.holdout);
    assert_eq!(summary.holdout.rows, 100);
    assert_eq!(
        summary.forest.dropped_features,
        ["ram_percent_0", "bytes_recv_0", "ram_percent_1", "bytes_recv_1"]
    );
}

#[test]
fn a_model_file_holds_how_its_rows_were_prepared() {
    let table = recorded("shop", 2, 400);
    let Trained { model, summary, .. } = train(&table, &request()).unwrap();
    let model = decode(&encode(&model)).unwrap();
    let pipeline: Pipeline = serde_json::from_str(&model.training().pipeline).unwrap();
    assert_eq!(pipeline.fills(), model.fills());
    assert_eq!(pipeline.kept.len(), summary.forest.features.len());
    assert_eq!(pipeline.dropped.len(), summary.forest.dropped.len());
    let importance = &summary.forest.importance;
    assert!(
        importance[0].feature.starts_with("cpu") && importance[0].loss > 0.1,
        "{importance:?}"
    );
}

#[test]
fn a_column_that_repeats_another_is_not_grown_on() {
    let mut table = recorded("shop", 2, 60);
    for row in &mut table.rows {
        row.metrics[3] = row.metrics[0].map(|cpu| 7.0 - 3.0 * cpu);
    }
    let summary = train(&table, &request()).unwrap().summary;
    let reason = |name: &str| {
        let dropped = summary.forest.dropped.iter().find(|column| column.feature == name);
        dropped.map(|column| column.reason.clone()).unwrap_or_default()
    };
    assert_eq!(reason("bytes_recv_1"), "correlates with cpu_percent_1 by -1.000");
    assert_eq!(reason("ram_percent_0"), "constant or missing");
}

#[test]
fn a_column_is_dropped_for_its_unimportance_only_where_nothing_is_lost() {
    let summary = train(&recorded("shop", 2, 1500), &request()).unwrap().summary;
    for column in &summary.forest.dropped {
        let is_expected = column.feature.starts_with("bytes") || column.feature.starts_with("ram");
        assert!(is_expected, "{column:?}");
    }
    assert!(summary.holdout.balanced_accuracy > 0.9, "{:?}", summary.holdout);
}

#[test]
fn any_number_of_backends_can_be_told_apart() {
    let Trained { model, summary, .. } = train(&recorded("shop", 4, 1500), &request()).unwrap();
    let row = [90.0, 90.0, 5.0, 90.0].map(|cpu| [cpu, 30.0, 5e5, 0.0]).concat();
    assert_eq!(model.vote(&row), 2);
    assert!(summary.holdout.balanced_accuracy > 0.7, "{:?}", summary.holdout);
}

#[test]
fn the_papers_table_becomes_a_reproduction_that_serves_nothing() {
    let Trained { model, card, summary } = train(&Table::read(PAPER).unwrap(), &request()).unwrap();
    assert_eq!(model.kind(), ModelKind::Reproduction);
    assert_eq!(
        model.check_pool(2),
        Err(ModelError::Unservable(ModelKind::Reproduction))
    );
    assert_eq!(summary.forest.features, METRICS);
    assert_eq!(
        summary.classes.iter().map(|class| class.rows).collect::<Vec<_>>(),
        [9, 9]
    );
    assert!(
        card.contains("Nothing: its features are those of a single backend"),
        "{card}"
    );
    assert!(card.contains("an anecdote"), "{card}");
}

#[test]
fn the_same_table_and_seed_give_the_same_model_and_card() {
    let table = recorded("shop", 3, 60);
    let (one, two) = (train(&table, &request()).unwrap(), train(&table, &request()).unwrap());
    assert_eq!((encode(&one.model), one.card), (encode(&two.model), two.card));
    assert_eq!(decode(&encode(&one.model)).unwrap(), one.model);
}

#[test]
fn a_card_says_what_the_model_can_serve_and_how_it_was_made() {
    let card = train(&recorded("shop", 2, 100), &request()).unwrap().card;
    for expected in [
        "# Classifier of pool `shop`",
        "A pool of exactly 2 backends",
        "- command: `sylvan train x.csv`",
        "| 1 | 127.0.0.1:3001 |",
        "- polls left out: 0 incomplete, 1 not followed by another, 0 with fewer",
        "- accuracy: ",
    ] {
        assert!(card.contains(expected), "{expected} is not in\n{card}");
    }
}

#[test]
fn a_pool_in_which_one_backend_always_wins_says_so() {
    let mut table = recorded("shop", 2, 40);
    for row in &mut table.rows {
        let mean = f64::from(row.server_id) + 1.0;
        row.window = Some(Window {
            requests: 5,
            errors: 0,
            mean_latency_ms: Some(mean),
        });
    }
    let trained = train(&table, &request()).unwrap();
    assert_eq!(trained.model.vote(&[]), 0);
    assert!(
        trained
            .card
            .contains("Every row is of backend 0: the model names no other."),
        "{}",
        trained.card
    );
}

#[test]
fn what_cannot_be_trained_on_says_why() {
    let mut two = recorded("shop", 2, 40);
    two.rows.extend(recorded("api", 2, 40).rows);
    check_error(&two, None, "has 2 pools; choose one with `--pool`: api, shop");
    check_error(&two, Some("web"), "no row is of pool `web`; the data set has api, shop");
    assert!(
        train(
            &two,
            &TrainRequest {
                pool: Some("api"),
                ..request()
            }
        )
        .is_ok()
    );
    check_error(&recorded("shop", 1, 40), None, "has 1 backend(s)");
    check_error(
        &recorded("shop", 2, 8),
        None,
        "7 rows to learn from, at least 8 are needed (of the polls, 0 were incomplete,",
    );
    let mut mute = recorded("shop", 2, 40);
    mute.rows.iter_mut().for_each(|row| row.metrics = [Some(1.0); 4]);
    check_error(&mute, None, "every metric is constant or missing");
    let mut one = Table::read(PAPER).unwrap();
    one.rows.retain(|row| row.server_id == 1);
    check_error(&one, None, "every row is of the same server_id");
}
