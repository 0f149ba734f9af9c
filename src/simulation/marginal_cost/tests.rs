//! Who is cheapest, when there is room and when there is none.

use super::*;
use crate::simulation::backend::Job;
use crate::simulation::scenario::Discipline;
use crate::simulation::scenario::Machine;
use crate::simulation::world::Effect;
use crate::units::Weight;

const ROUTE: usize = 0;

fn backend(cores: f64, speed: f64, effects: &[Effect]) -> Backend {
    disciplined(Discipline::ProcessorSharing { max_running: 64 }, cores, speed, effects)
}

fn disciplined(discipline: Discipline, cores: f64, speed: f64, effects: &[Effect]) -> Backend {
    let machine = Machine {
        cores,
        speed,
        weight: Weight::ONE,
        discipline,
        max_queued: 256,
    };
    let mut backend = Backend::new(&machine, 1);
    effects.iter().for_each(|effect| backend.begin(*effect, 0.0));
    backend
}

/// The position of the cheaper of two backends with so many requests each.
#[track_caller]
fn check(backends: [Backend; 2], committed: [u32; 2], expected: usize) {
    let prices = Prices::new(Truth {
        backends: &backends,
        committed: &committed,
    });
    let [first, second] = [0, 1].map(|position| prices.ln(BackendIndex::new(position), ROUTE).unwrap());
    let cheaper = usize::from(second < first);
    assert_eq!(cheaper, expected, "{first} or {second}");
}

#[test]
fn with_room_the_quicker_one_is_cheaper() {
    check([backend(4.0, 1.0, &[]), backend(4.0, 2.0, &[])], [0, 3], 1);
    check([backend(4.0, 1.0, &[]), backend(4.0, 2.0, &[])], [0, 9], 0);
}

#[test]
fn a_neighbour_is_shunned_while_there_is_room_and_welcome_when_there_is_none() {
    let pair = || [backend(4.0, 1.0, &[Effect::Threads(8.0)]), backend(4.0, 1.0, &[])];
    check(pair(), [2, 2], 1);
    check(pair(), [40, 40], 0);
}

#[test]
fn whoever_waits_in_a_line_takes_nothing_from_a_neighbour() {
    let backend = |effects: &[Effect]| disciplined(Discipline::Fifo, 4.0, 1.0, effects);
    check([backend(&[Effect::Threads(8.0)]), backend(&[])], [40, 40], 1);
}

#[test]
fn more_work_is_never_welcome() {
    let slow = Effect::SlowRoute {
        route: ROUTE,
        factor: 4.0,
    };
    check([backend(4.0, 1.0, &[slow]), backend(4.0, 1.0, &[])], [20, 60], 1);
}

#[test]
fn a_failing_backend_is_the_dearest() {
    check(
        [backend(4.0, 1.0, &[Effect::Failing]), backend(4.0, 1.0, &[])],
        [0, 9],
        1,
    );
}

#[test]
fn a_cold_cache_is_not_counted() {
    let cold = Effect::Cold {
        amplitude: 5.0,
        requests: 1500.0,
    };
    let mut backends = [backend(4.0, 1.0, &[cold]), backend(4.0, 1.0, &[])];
    backends[0].admit(
        Job {
            flight: 0,
            route: ROUTE,
            work: 1.0,
        },
        1,
        0.0,
    );
    check(backends, [1, 2], 0);
}
