//! Whole worlds, against queueing theory and against each other.

use crate::config::Source;
use crate::simulation::Contender;
use crate::simulation::Report;
use crate::simulation::SHIPPED;
use crate::simulation::Scenario;
use crate::simulation::World;
use crate::simulation::parse;
use crate::simulation::simulate;

fn world(text: &str) -> Scenario {
    parse(
        "test",
        Source {
            name: "test.yaml",
            text,
        },
    )
    .unwrap_or_else(|errors| panic!("{errors}"))
}

fn run(scenario: &Scenario, selector: &str, seed: u64) -> Report {
    simulate(&World::draw(scenario, seed), &Contender::named(selector).unwrap())
}

/// The mean latency of one backend (`backend`) at `load`, with demands of 10 ms in the mean.
#[track_caller]
fn check_mean(backend: &str, load: &str, demand: &str, expected_ms: f64) {
    let text = format!(
        "duration: 500s\nunmeasured: 20s\nround_trip: 0ms\nload: {load}\nbackends: [{{ {backend}, max_queued: 100000 }}]\n\
         routes: [{{ name: all, share: 100%, demand: {demand} }}]"
    );
    let scenario = world(&text);
    let means = (0..3).map(|seed| run(&scenario, "least_requests", seed).figures.mean_ms);
    let mean_ms = means.sum::<f64>() / 3.0;
    assert!(
        (mean_ms / expected_ms - 1.0).abs() < 0.04,
        "{mean_ms} ms, expected {expected_ms}"
    );
}

const EXPONENTIAL: &str = "{ type: exponential, mean: 10ms }";

#[test]
fn one_core_shared_takes_the_mean_over_what_is_idle() {
    // M/M/1 and M/G/1 under processor sharing: 1 / (mu - lambda), whatever the distribution.
    check_mean("cores: 1, max_running: 100000", "50%", EXPONENTIAL, 20.0);
    check_mean(
        "cores: 1, max_running: 100000",
        "50%",
        "{ type: lognormal, mean: 10ms, sigma: 0.7 }",
        20.0,
    );
}

#[test]
fn several_cores_follow_erlang() {
    // Erlang C for two cores at 60 %: 0.45 of the requests wait, 12.5 ms each; sharing changes nothing in the mean.
    let expected_ms = 10.0 + 0.45 * 12.5;
    check_mean("cores: 2, discipline: fifo", "60%", EXPONENTIAL, expected_ms);
    check_mean("cores: 2, max_running: 100000", "60%", EXPONENTIAL, expected_ms);
}

#[test]
fn constant_work_in_order_follows_pollaczek_and_khinchine() {
    // M/D/1 at 50 %: a wait of rho / (2 mu (1 - rho)).
    check_mean(
        "cores: 1, discipline: fifo",
        "50%",
        "{ type: constant, value: 10ms }",
        15.0,
    );
}

#[test]
fn the_round_trip_is_a_part_of_every_latency() {
    let text = "duration: 60s\nround_trip: 8ms\nload: 1%\nbackends: [{}]\n\
                routes: [{ name: all, share: 100%, demand: { type: constant, value: 2ms } }]";
    assert_eq!(run(&world(text), "round_robin", 0).figures.p50_ms.round(), 10.0);
}

#[test]
fn every_request_ends_once_under_every_selector() {
    let example = include_str!("../../../conf/scenarios/example.yaml");
    let scenario = world(example);
    let expected = World::draw(&scenario, 1).requests.len() as u64;
    for selector in Contender::names() {
        let report = run(&scenario, &selector, 1);
        let sent: u64 = report.shares.iter().flatten().map(|count| u64::from(*count)).sum();
        assert_eq!((report.requests, sent), (expected, expected), "{selector}");
    }
}

#[test]
fn a_full_backend_refuses_and_the_rest_is_served() {
    let text = "duration: 60s\nload: 150%\nbackends: [{ max_running: 4, max_queued: 4 }]";
    let figures = run(&world(text), "random", 0).figures;
    assert!((0.30..0.45).contains(&figures.error_rate), "{figures:?}");
    assert!(figures.goodput_rps > 0.9 * 4.0 / 0.0098, "{figures:?}");
}

#[test]
fn a_backend_that_fails_fast_is_ejected() {
    let fail = SHIPPED
        .iter()
        .find(|shipped| shipped.name == "fail")
        .unwrap()
        .scenario()
        .unwrap();
    let figures = run(&fail, "least_requests", 0).figures;
    assert!(figures.error_rate > 0.0 && figures.error_rate < 0.0015, "{figures:?}");
}

#[test]
fn who_knows_everything_wins_where_backends_differ() {
    let text = "duration: 40s\nunmeasured: 10s\nbackends: [{ count: 2 }, { speed: 2 }, { speed: 4 }]";
    let mean_ms = |selector| run(&world(text), selector, 0).figures.mean_ms;
    assert!(mean_ms("marginal_cost") < 0.9 * mean_ms("least_requests"));
    assert!(mean_ms("least_requests") < 0.2 * mean_ms("round_robin"));
}
