//! Processor sharing and its faults, against what can be worked out by hand.

use std::time::Duration;

use super::*;
use crate::simulation::scenario::Discipline;
use crate::units::Weight;

fn machine(cores: f64, speed: f64, discipline: Discipline) -> Machine {
    Machine {
        cores,
        speed,
        weight: Weight::ONE,
        discipline,
        max_queued: 2,
    }
}

fn sharing(cores: f64, speed: f64) -> Backend {
    Backend::new(
        &machine(cores, speed, Discipline::ProcessorSharing { max_running: 64 }),
        1,
    )
}

fn admit(backend: &mut Backend, flight: usize, work: f64, now: f64) -> Admission {
    backend.admit(Job { flight, route: 0, work }, 100, now)
}

/// Completes everything, and checks which request ended when.
#[track_caller]
fn check_ends(backend: &mut Backend, expected: &[(usize, f64)]) {
    let mut ends = Vec::new();
    while backend.next_end().is_finite() {
        let now = backend.next_end();
        ends.extend(backend.complete(now).map(|job| (job.flight, now)));
    }
    let is_same = |((flight, at), (expected, when)): (&(usize, f64), &(usize, f64))| {
        flight == expected && (at - when).abs() < 1e-9
    };
    assert!(
        ends.len() == expected.len() && ends.iter().zip(expected).all(is_same),
        "{ends:?}, expected {expected:?}"
    );
}

#[test]
fn a_single_request_takes_its_work_over_the_speed() {
    let mut backend = sharing(4.0, 2.0);
    admit(&mut backend, 0, 1.0, 3.0);
    check_ends(&mut backend, &[(0, 3.5)]);
}

#[test]
fn equal_requests_end_together() {
    let mut backend = sharing(2.0, 1.0);
    for flight in 0..6 {
        admit(&mut backend, flight, 1.0, 0.0);
    }
    check_ends(&mut backend, &[0, 1, 2, 3, 4, 5].map(|flight| (flight, 3.0)));
}

#[test]
fn a_short_request_overtakes_a_long_one() {
    let mut backend = sharing(1.0, 1.0);
    admit(&mut backend, 0, 10.0, 0.0);
    admit(&mut backend, 1, 1.0, 4.0);
    // Both run at half speed from 4 to 6; then the long one has 5 left.
    check_ends(&mut backend, &[(1, 6.0), (0, 11.0)]);
}

#[test]
fn first_come_first_served_lets_the_rest_wait() {
    let mut backend = Backend::new(&machine(1.0, 1.0, Discipline::Fifo), 1);
    let admissions = [0, 1, 2, 3].map(|flight| admit(&mut backend, flight, 1.0, 0.0));
    assert_eq!(
        admissions,
        [
            Admission::Admitted,
            Admission::Admitted,
            Admission::Admitted,
            Admission::Full
        ]
    );
    check_ends(&mut backend, &[(0, 1.0), (1, 2.0), (2, 3.0)]);
}

#[test]
fn threads_of_a_pool_share_the_cores() {
    let mut backend = Backend::new(&machine(1.0, 1.0, Discipline::ThreadPool { threads: 2 }), 1);
    for flight in 0..3 {
        admit(&mut backend, flight, 1.0, 0.0);
    }
    check_ends(&mut backend, &[(0, 2.0), (1, 2.0), (2, 3.0)]);
}

#[test]
fn antagonists_take_their_share_while_they_are_there() {
    let mut backend = sharing(1.0, 1.0);
    admit(&mut backend, 0, 2.0, 0.0);
    backend.begin(Effect::Threads(3.0), 1.0);
    // A quarter of the core from 1 to 3 leaves half a second of work.
    backend.end(Effect::Threads(3.0), 3.0);
    check_ends(&mut backend, &[(0, 3.5)]);
}

#[test]
fn a_slowdown_slows_what_is_running() {
    let mut backend = sharing(4.0, 1.0);
    admit(&mut backend, 0, 2.0, 0.0);
    backend.begin(
        Effect::Slow {
            factor: 5.0,
            reported_cpu: 0.5,
        },
        1.0,
    );
    check_ends(&mut backend, &[(0, 6.0)]);
    // One core of four for one second, and for five more at half of what it is.
    assert!((backend.meters(6.0).busy - (0.25 + 5.0 * 0.125)).abs() < 1e-9);
}

#[test]
fn a_cold_cache_is_warmed_by_serving() {
    let mut backend = sharing(4.0, 1.0);
    backend.begin(
        Effect::Cold {
            amplitude: 5.0,
            requests: 1.0,
        },
        0.0,
    );
    admit(&mut backend, 0, 1.0, 0.0);
    check_ends(&mut backend, &[(0, 6.0)]);
    admit(&mut backend, 1, 1.0, 6.0);
    check_ends(&mut backend, &[(1, 7.0 + 5.0 * (-1.0f64).exp())]);
}

#[test]
fn a_slow_route_is_slow_for_its_requests_alone() {
    let mut backend = Backend::new(&machine(4.0, 1.0, Discipline::ProcessorSharing { max_running: 64 }), 2);
    backend.begin(Effect::SlowRoute { route: 1, factor: 6.0 }, 0.0);
    backend.admit(
        Job {
            flight: 0,
            route: 0,
            work: 1.0,
        },
        0,
        0.0,
    );
    backend.admit(
        Job {
            flight: 1,
            route: 1,
            work: 1.0,
        },
        0,
        0.0,
    );
    check_ends(&mut backend, &[(0, 1.0), (1, 6.0)]);
}

#[test]
fn a_failing_backend_takes_nothing_in_and_ends_what_it_has() {
    let mut backend = sharing(4.0, 1.0);
    admit(&mut backend, 0, 1.0, 0.0);
    backend.begin(Effect::Failing, 0.5);
    assert_eq!(admit(&mut backend, 1, 1.0, 0.6), Admission::Failing);
    check_ends(&mut backend, &[(0, 1.0)]);
    backend.end(Effect::Failing, 2.0);
    assert_eq!(admit(&mut backend, 2, 1.0, 2.0), Admission::Admitted);
}

#[test]
fn meters_count_what_passes() {
    let mut backend = sharing(4.0, 1.0);
    admit(&mut backend, 0, 1.0, 0.0);
    admit(&mut backend, 1, 3.0, 0.0);
    check_ends(&mut backend, &[(0, 1.0), (1, 3.0)]);
    backend.respond(1_000);
    let meters = backend.meters(Duration::from_secs(10).as_secs_f64());
    assert!((meters.busy - (0.5 + 2.0 * 0.25)).abs() < 1e-9);
    assert_eq!((meters.bytes_recv, meters.bytes_sent), (200.0, 1_000.0));
}
