//! What is drawn, and that it is drawn for everybody.

use super::*;
use crate::config::Source;
use crate::simulation::scenario::SHIPPED;
use crate::simulation::scenario::parse;

fn world(name: &str, seed: u64) -> World {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name).unwrap();
    World::draw(&shipped.scenario().unwrap(), seed)
}

/// Shares of the routes and of the gateways, and the load, are as the scenario says.
#[track_caller]
fn check_mix(name: &str) {
    let world = world(name, 3);
    let count = world.requests.len() as f64;
    let part = |is: &dyn Fn(&&Request) -> bool| world.requests.iter().filter(is).count() as f64 / count;
    for (position, route) in world.scenario.routes.iter().enumerate() {
        let share = part(&|request| usize::from(request.route) == position);
        assert!((share - route.share).abs() < 0.005, "{name}: {share} of {}", route.name);
    }
    for gateway in 0..world.scenario.gateways {
        let share = part(&|request| usize::from(request.gateway) == gateway);
        assert!(
            (share * world.scenario.gateways as f64 - 1.0).abs() < 0.02,
            "{name}: {share} at {gateway}"
        );
    }
    let work: f64 = world.requests.iter().map(|request| request.work).sum();
    let load = work / world.scenario.duration.as_secs_f64() / world.scenario.capacity();
    assert!((load / world.scenario.load - 1.0).abs() < 0.05, "{name}: load {load}");
}

#[test]
fn requests_are_mixed_as_the_scenario_says() {
    check_mix("homog");
    check_mix("burst");
    check_mix("multi");
}

#[test]
fn time_runs_forward() {
    let world = world("multi", 0);
    assert!(world.requests.is_sorted_by(|one, other| one.at <= other.at));
    assert!(world.timeline.is_sorted_by(|one, other| one.at <= other.at));
}

#[test]
fn faults_leave_requests_as_they_are() {
    assert_eq!(world("antag", 5).requests, world("brown", 5).requests);
    assert_ne!(world("antag", 5).requests, world("antag", 6).requests);
}

#[test]
fn gateways_poll_by_their_interval_at_times_of_their_own() {
    let world = world("multi", 1);
    let polls = |of: usize| {
        let is_its = move |change: &&Change| change.what == Happening::Poll { gateway: of };
        world
            .timeline
            .iter()
            .filter(is_its)
            .map(|change| change.at)
            .collect::<Vec<_>>()
    };
    let (one, other) = (polls(0), polls(1));
    assert!(one.len() == 150 && other.len() == 150);
    assert!(one.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-9));
    assert!((one[0] - other[0]).abs() > 1e-3);
}

#[test]
fn antagonists_come_and_go_within_their_bounds() {
    let text = "duration: 1000s\nbackends: [{}]\nfaults: [{ type: antagonist, backends: [0], threads_per_core: 2 }]";
    let scenario = parse(
        "test",
        Source {
            name: "test.yaml",
            text,
        },
    )
    .unwrap();
    let is_fault = |change: &&Change| !matches!(change.what, Happening::Poll { .. });
    let times: Vec<f64> = World::draw(&scenario, 1)
        .timeline
        .iter()
        .filter(is_fault)
        .map(|change| change.at)
        .collect();
    assert!(times.len() > 40, "{}", times.len());
    assert!(
        times.windows(2).all(|pair| (5.0..=30.0).contains(&(pair[1] - pair[0]))),
        "{times:?}"
    );
}
