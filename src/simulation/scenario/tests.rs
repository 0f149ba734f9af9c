//! What scenario files say, and what is said about those that say it wrong.

use std::collections::BTreeSet;

use super::*;
use crate::config::Source;

fn read(text: &str) -> Result<Scenario, String> {
    parse(
        "test",
        Source {
            name: "test.yaml",
            text,
        },
    )
    .map_err(|errors| errors.to_string())
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(read(text).unwrap_err(), expected);
}

#[test]
fn every_shipped_scenario_reads_well() {
    for shipped in SHIPPED {
        let scenario = shipped.scenario().unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(scenario.name, shipped.name);
        let share: f64 = scenario.routes.iter().map(|route| route.share).sum();
        assert!((share - 1.0).abs() < 1e-9, "{}: {share}", shipped.name);
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let scenario = read("backends: [{ count: 4 }]").unwrap();
    assert_eq!(
        scenario,
        SHIPPED[0]
            .scenario()
            .map(|it| Scenario {
                name: "test".to_owned(),
                ..it
            })
            .unwrap()
    );
    assert!((scenario.mean_demand() - 0.0098).abs() < 1e-9);
    assert!((scenario.rate() - 0.7 * 16.0 / 0.0098).abs() < 1e-6);
}

#[test]
fn numbers_have_fractions_and_units() {
    let text = "round_trip: 0.25ms\nload: 0.6%\nbackends: [{ cores: 0.5, speed: 1.5 }]";
    let scenario = read(text).unwrap();
    assert_eq!(scenario.round_trip, Duration::from_micros(250));
    assert!((scenario.load - 0.006).abs() < 1e-12);
    assert!((scenario.capacity() - 0.75).abs() < 1e-12);
}

#[test]
fn disciplines_differ_in_how_many_run() {
    let text =
        "backends: [{ cores: 8 }, { cores: 8, discipline: fifo }, { cores: 8, discipline: thread_pool, threads: 3 }]";
    let running: Vec<usize> = read(text).unwrap().backends.iter().map(Machine::max_running).collect();
    assert_eq!(running, [64, 8, 3]);
}

#[test]
fn an_unknown_route_is_pointed_at() {
    let text = "backends: [{}]\nfaults:\n  - { type: slow_route, backends: [0], route: serach, factor: 2 }";
    check_error(
        text,
        "error: there is no route `serach`\n  --> test.yaml:3:47\n3 |   - { type: slow_route, backends: [0], route: serach, \
         factor: 2 }\n  |                                               ^^^^^^ did you mean `search`?",
    );
}

#[test]
fn a_backend_that_is_not_there_is_pointed_at() {
    let text = "backends: [{ count: 2 }]\nfaults: [{ type: failure, backends: [2] }]";
    check_error(
        text,
        "error: item 1 is `2`, which is out of bounds\n  --> test.yaml:2:38\n2 | faults: [{ type: failure, backends: [2] }]\n  | \
         \u{20}                                    ^ use 0 to 1",
    );
}

#[test]
fn every_error_is_reported_at_once() {
    let text =
        "load: much\nbackends: [{ cores: -1 }]\ngatways: 2\nroutes: [{ name: a, share: 50%, demand: { type: odd } }]";
    let error = read(text).unwrap_err();
    let places = ["test.yaml:1:7", "test.yaml:2:21", "test.yaml:3:1", "test.yaml:4:49"];
    let found: Vec<&str> = places.into_iter().filter(|place| error.contains(place)).collect();
    assert_eq!(
        (found.as_slice(), error.matches("error: ").count()),
        (places.as_slice(), 4),
        "{error}"
    );
}

#[test]
fn shares_add_up_to_the_whole() {
    let text = "backends: [{}]\nroutes: [{ name: a, share: 50%, demand: { type: constant, value: 5ms } }]";
    let error = read(text).unwrap_err();
    assert!(
        error.starts_with("error: the shares add up to 50.0%\n  --> test.yaml:2:"),
        "{error}"
    );
}

#[test]
fn a_world_has_an_end() {
    let text = "duration: 24h\nload: 90%\nbackends: [{ count: 1000 }]";
    let error = read(text).unwrap_err();
    assert!(
        error.contains("requests would arrive in it\n  --> test.yaml:1:11"),
        "{error}"
    );
    assert!(
        read("duration: 20s\nbackends: [{}]")
            .unwrap_err()
            .contains("nothing is left to be measured")
    );
}

/// The keys that the reader asks for, from its source.
fn keys() -> BTreeSet<&'static str> {
    let sources = [
        include_str!("read.rs"),
        include_str!("read/backends.rs"),
        include_str!("read/faults.rs"),
        include_str!("read/traffic.rs"),
    ];
    let asks = [".or(\"", ".required(\"", ".optional(\""];
    let asked = |ask| sources.iter().flat_map(move |source| source.split(ask).skip(1));
    asks.into_iter()
        .flat_map(asked)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn docs_and_example_name_every_key() {
    let docs = include_str!("../../../docs/simulation.md");
    let example = include_str!("../../../conf/scenarios/example.yaml");
    let keys = keys();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        assert!(
            docs.contains(&format!("`{key}`")),
            "docs/simulation.md does not name `{key}`"
        );
        assert!(
            example.contains(&format!("{key}:")),
            "conf/scenarios/example.yaml does not show `{key}`"
        );
    }
    read(example).unwrap();
}

#[test]
fn jitter_moves_every_number_a_little_and_keeps_the_world_whole() {
    let scenario = read(include_str!("../../../conf/scenarios/example.yaml")).unwrap();
    let share = crate::units::Share::new(0.15).unwrap();
    assert_eq!(scenario.jittered(crate::units::Share::NONE, 1), scenario);
    assert_eq!(scenario.jittered(share, 1), scenario.jittered(share, 1));
    for seed in 0..50 {
        let moved = scenario.jittered(share, seed);
        let ratios = [
            moved.load / scenario.load,
            moved.duration.as_secs_f64() / scenario.duration.as_secs_f64(),
            moved.backends[0].cores / scenario.backends[0].cores,
            moved.backends[1].cores / scenario.backends[0].cores,
        ];
        assert!(ratios[2] != ratios[3], "machines of one kind move on their own");
        assert!(
            ratios[..3]
                .iter()
                .all(|ratio| (0.85..=1.15).contains(ratio) && *ratio != 1.0),
            "{ratios:?}"
        );
        let sum: f64 = moved.routes.iter().map(|route| route.share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
