//! What happens in a world besides requests: polls, and faults that begin and end.

use std::ops::Range;
use std::time::Duration;

use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::chance::stream;
use crate::simulation::scenario::Fault;
use crate::simulation::scenario::FaultKind;
use crate::simulation::scenario::Machine;
use crate::simulation::scenario::Scenario;

/// Something that happens at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// Seconds from the start.
    pub(crate) at: f64,
    pub(crate) what: Happening,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Happening {
    /// A gateway polls the metrics of all backends.
    Poll { gateway: usize },
    /// A fault of a backend begins.
    Begins { backend: usize, effect: Effect },
    /// And ends.
    Ends { backend: usize, effect: Effect },
}

/// What a fault does while it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// So many threads compete for the cores.
    Threads(f64),
    /// Everything takes `factor` times longer, and CPU figures are multiplied by `reported_cpu`.
    Slow { factor: f64, reported_cpu: f64 },
    /// Errors are all it answers.
    Failing,
    /// Its metrics cannot be polled.
    Silent,
    /// Its caches are empty from now on; see `FaultKind::ColdCache`.
    Cold { amplitude: f64, requests: f64 },
    /// A route is more work.
    SlowRoute { route: usize, factor: f64 },
}

pub(super) fn draw(scenario: &Scenario, seed: u64) -> Vec<Change> {
    let mut timeline = polls(scenario, seed);
    for (number, fault) in scenario.faults.iter().enumerate() {
        for (part, &backend) in fault.backends.iter().enumerate() {
            let part = number << 16 | part;
            let stretches = stretches(scenario, fault, seed, part);
            timeline.extend(
                stretches
                    .into_iter()
                    .flat_map(|stretch| changes(scenario, fault, backend, stretch)),
            );
        }
    }
    timeline.retain(|change| change.at < scenario.duration.as_secs_f64());
    // Stable: what happens at the same time stays in the order of the file.
    timeline.sort_by(|one, other| one.at.total_cmp(&other.at));
    timeline
}

/// Gateways poll at times of their own.
fn polls(scenario: &Scenario, seed: u64) -> Vec<Change> {
    let (interval, end) = (scenario.polls.interval.as_secs_f64(), scenario.duration.as_secs_f64());
    let mut phases = stream(seed, Purpose::Polls, 0);
    let of_gateway = |gateway| {
        let first = phases.fraction() * interval;
        let times = (0..)
            .map(move |round| first + f64::from(round) * interval)
            .take_while(move |at| *at < end);
        times
            .map(move |at| Change {
                at,
                what: Happening::Poll { gateway },
            })
            .collect::<Vec<_>>()
    };
    (0..scenario.gateways).flat_map(of_gateway).collect()
}

/// When `fault` is there, for one of its backends, in seconds.
fn stretches(scenario: &Scenario, fault: &Fault, seed: u64, part: usize) -> Vec<Range<f64>> {
    let seconds = |range: &Range<Duration>| vec![range.start.as_secs_f64()..range.end.as_secs_f64()];
    match &fault.kind {
        FaultKind::Antagonist { on, off, .. } => {
            let mut draws = stream(seed, Purpose::Faults, part);
            let starts_on = draws.below(2) == 0;
            let mut at = if starts_on {
                0.0
            } else {
                chance::within(off, &mut draws)
            };
            let mut stretches = Vec::new();
            while at < scenario.duration.as_secs_f64() {
                let end = at + chance::within(on, &mut draws);
                stretches.push(at..end);
                at = end + chance::within(off, &mut draws);
            }
            stretches
        }
        FaultKind::Slowdown { during, .. }
        | FaultKind::Failure { during }
        | FaultKind::Silence { during }
        | FaultKind::SlowRoute { during, .. } => seconds(during),
        FaultKind::ColdCache { at, .. } => vec![at.as_secs_f64()..f64::INFINITY],
    }
}

fn changes(scenario: &Scenario, fault: &Fault, backend: usize, stretch: Range<f64>) -> [Change; 2] {
    let effect = effect(&fault.kind, &scenario.backends[backend]);
    [
        Change {
            at: stretch.start,
            what: Happening::Begins { backend, effect },
        },
        Change {
            at: stretch.end,
            what: Happening::Ends { backend, effect },
        },
    ]
}

fn effect(kind: &FaultKind, machine: &Machine) -> Effect {
    match *kind {
        FaultKind::Antagonist { threads_per_core, .. } => Effect::Threads(threads_per_core * machine.cores),
        FaultKind::Slowdown {
            factor, reported_cpu, ..
        } => Effect::Slow { factor, reported_cpu },
        FaultKind::Failure { .. } => Effect::Failing,
        FaultKind::Silence { .. } => Effect::Silent,
        FaultKind::ColdCache {
            amplitude, requests, ..
        } => Effect::Cold { amplitude, requests },
        FaultKind::SlowRoute { route, factor, .. } => Effect::SlowRoute { route, factor },
    }
}
