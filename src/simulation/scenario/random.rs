//! Worlds drawn by chance: what a gateway may meet, each in a mix of its own.
//!
//! A policy that is distilled must not know the worlds that it is measured in, so it learns in these. The mix is a choice,
//! not a discovery: cold caches are more frequent here than in life, because a gateway can hardly tell one from a
//! brownout, and who never met the one takes it for the other.

use std::ops::Range;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::scenario::Arrivals;
use crate::simulation::scenario::Demand;
use crate::simulation::scenario::Discipline;
use crate::simulation::scenario::Fault;
use crate::simulation::scenario::FaultKind;
use crate::simulation::scenario::Machine;
use crate::simulation::scenario::Polls;
use crate::simulation::scenario::Route;
use crate::simulation::scenario::Scenario;
use crate::units::Draws;
use crate::units::Weight;

/// More requests a second show nothing new and take longer to play.
const MOST_PER_SECOND: f64 = 1500.0;
/// A world is at least long enough for a fault to begin and end, and no longer than it takes to see a few of them.
const SHORTEST: f64 = 50.0;
const LONGEST: f64 = 300.0;
/// What is slower than usual leaves less room: a load that leaves none measures queues, not choices.
const LOAD_LEFT: f64 = 0.85;
const ROUND_TRIP: Duration = Duration::from_micros(500);
const ANTAGONIST_STRETCH: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(30);

impl Scenario {
    /// Beyond so many requests a random world shows little that is new.
    pub const RANDOM_ARRIVALS: u32 = 60_000;

    /// The world that `seed` has, of about `arrivals` requests.
    ///
    /// | what | how it is drawn |
    /// |---|---|
    /// | backends | 2 to 32, half of the worlds at most 8 and most at most 16; one gateway in 60 %, else 2 to 4 |
    /// | cores | 1 to 16 (log-uniform); in half of the worlds each backend has a third to three times as many |
    /// | speed | 1; in half of the worlds between 1/s and s (log-uniform), s being 1.2 to 4 |
    /// | load | 20 to 95 %, in 12 % of the worlds 0.3 to 20 % (log-uniform); less by 15 % beside a slowdown or a cold cache |
    /// | routes | 1 to 3, lognormal with a sigma of 0.05 to 1.5; the first with a mean of 2 to 50 ms, each next 1.5 to 6 times as long |
    /// | polls | every 0.25 to 5 s (log-uniform), with a CPU noise of 1 to 8 % |
    /// | traffic | Poisson; bursts of 1.3 to 2.5 times in 30 %; at most 1500 requests a second, for 50 to 300 s |
    /// | discipline | processor sharing; first come, first served in 25 % |
    /// | antagonists | in 40 %: on a fifth to all of the backends, 0.3 to 4 threads a core |
    /// | slowdown | in 20 %: one or two backends, 1.5 to 10 times, for 5 to 40 s; 60 % of them show in the CPU figure |
    /// | slow route | in 20 %: one route on one backend, 1.5 to 8 times, for a while or throughout |
    /// | cold caches | in 35 %: one to three backends, amplitude 1 to 8, gone after 200 to 4000 requests |
    /// | failure | in 8 %: one backend, for 5 to 30 s |
    #[must_use]
    pub fn random(seed: u64, arrivals: u32) -> Self {
        let mut lot = Lot(chance::stream(seed, Purpose::Worlds, 0));
        let backends = lot.backends();
        let routes = lot.routes();
        let mut scenario = Self {
            name: format!("random-{seed}"),
            duration: Duration::ZERO,
            unmeasured: Duration::ZERO,
            gateways: if lot.happens(0.6) { 1 } else { lot.count(2..=4) },
            round_trip: ROUND_TRIP,
            load: lot.load(),
            arrivals: lot.arrivals(),
            routes,
            backends,
            polls: Polls {
                interval: seconds(lot.log_uniform(0.25..5.0)),
                cpu_noise: lot.uniform(0.01..0.08),
            },
            faults: Vec::new(),
        };
        scenario.bound_rate();
        scenario.duration = seconds((f64::from(arrivals) / scenario.rate()).clamp(SHORTEST, LONGEST));
        scenario.faults = lot.faults(&scenario);
        if scenario.faults.iter().any(is_slowing) {
            scenario.load *= LOAD_LEFT;
        }
        scenario
    }

    /// Makes requests longer until there are not too many of them.
    fn bound_rate(&mut self) {
        let factor = (self.rate() / MOST_PER_SECOND).max(1.0);
        for route in &mut self.routes {
            if let Demand::Lognormal { mean, .. } = &mut route.demand {
                *mean = mean.mul_f64(factor);
            }
        }
    }
}

fn is_slowing(fault: &Fault) -> bool {
    !matches!(fault.kind, FaultKind::Antagonist { .. } | FaultKind::Failure { .. })
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// What chance decides, in an order that must not change: the same seed is the same world.
struct Lot(Draws);

impl Lot {
    fn happens(&mut self, share: f64) -> bool {
        self.0.fraction() < share
    }

    fn uniform(&mut self, range: Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.0.fraction()
    }

    fn log_uniform(&mut self, range: Range<f64>) -> f64 {
        libm::exp(self.uniform(libm::log(range.start)..libm::log(range.end)))
    }

    fn count(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.0.below(range.end() - range.start() + 1)
    }

    fn backends(&mut self) -> Vec<Machine> {
        let most = match self.uniform(0.0..1.0) {
            half if half < 0.5 => 8,
            most if most < 0.85 => 16,
            _ => 32,
        };
        let count = self.count(2..=most);
        let cores = self.log_uniform(1.0..16.0);
        let cores_differ = self.happens(0.5);
        let speeds_differ = self.happens(0.5).then(|| self.uniform(1.2..4.0));
        let is_fifo = self.happens(0.25);
        let machine = |_| {
            let factor = if cores_differ {
                self.log_uniform(1.0 / 3.0..3.0)
            } else {
                1.0
            };
            Machine {
                cores: (cores * factor).round().max(1.0),
                speed: speeds_differ.map_or(1.0, |most| self.log_uniform(1.0 / most..most)),
                weight: Weight::ONE,
                discipline: discipline(is_fifo),
                max_queued: 256,
            }
        };
        (0..count).map(machine).collect()
    }

    fn load(&mut self) -> f64 {
        if self.happens(0.12) {
            self.log_uniform(0.003..0.2)
        } else {
            self.uniform(0.2..0.95)
        }
    }

    fn arrivals(&mut self) -> Arrivals {
        if !self.happens(0.3) {
            return Arrivals::Poisson;
        }
        Arrivals::Bursts {
            factor: self.uniform(1.3..2.5),
            high: seconds(self.uniform(1.0..5.0)),
            low: seconds(self.uniform(3.0..15.0)),
        }
    }

    /// Cheap ones first, and most frequent.
    fn routes(&mut self) -> Vec<Route> {
        let count = self.count(1..=3);
        let mut mean = self.log_uniform(0.002..0.05);
        let mut routes = Vec::with_capacity(count);
        for number in 0..count {
            routes.push(Route {
                name: format!("route-{number}"),
                share: self.uniform(0.2..1.0) / (number + 1) as f64,
                demand: Demand::Lognormal {
                    mean: seconds(mean),
                    sigma: self.uniform(0.05..1.5),
                },
                request_bytes: 500,
                response_bytes: 8192,
            });
            mean *= self.uniform(1.5..6.0);
        }
        let sum: f64 = routes.iter().map(|route| route.share).sum();
        routes.iter_mut().for_each(|route| route.share /= sum);
        routes
    }

    fn faults(&mut self, scenario: &Scenario) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.happens(0.4) {
            faults.push(self.antagonists(scenario));
        }
        if self.happens(0.2) {
            faults.extend((0..self.count(1..=2)).map(|_| self.slowdown(scenario)));
        }
        if self.happens(0.2) {
            faults.push(self.slow_route(scenario));
        }
        if self.happens(0.35) {
            faults.extend((0..self.count(1..=3)).map(|_| self.cold_cache(scenario)));
        }
        if self.happens(0.08) {
            let during = self.stretch(scenario, 5.0..30.0);
            faults.push(self.one(scenario, FaultKind::Failure { during }));
        }
        faults
    }

    fn antagonists(&mut self, scenario: &Scenario) -> Fault {
        let mut backends: Vec<usize> = (0..scenario.backends.len()).collect();
        self.0.shuffle(&mut backends);
        backends.truncate((backends.len() as f64 * self.uniform(0.2..1.0)).ceil() as usize);
        backends.sort_unstable();
        let kind = FaultKind::Antagonist {
            threads_per_core: self.uniform(0.3..4.0),
            on: ANTAGONIST_STRETCH,
            off: ANTAGONIST_STRETCH,
        };
        Fault { backends, kind }
    }

    fn slowdown(&mut self, scenario: &Scenario) -> Fault {
        let kind = FaultKind::Slowdown {
            during: self.stretch(scenario, 5.0..40.0),
            factor: self.log_uniform(1.5..10.0),
            reported_cpu: if self.happens(0.6) { 1.0 } else { 0.3 },
        };
        self.one(scenario, kind)
    }

    fn slow_route(&mut self, scenario: &Scenario) -> Fault {
        let during = if self.happens(0.5) {
            Duration::ZERO..scenario.duration
        } else {
            self.stretch(scenario, 20.0..60.0)
        };
        let kind = FaultKind::SlowRoute {
            route: self.0.below(scenario.routes.len()),
            during,
            factor: self.uniform(1.5..8.0),
        };
        self.one(scenario, kind)
    }

    fn cold_cache(&mut self, scenario: &Scenario) -> Fault {
        let kind = FaultKind::ColdCache {
            at: seconds(scenario.duration.as_secs_f64() * self.uniform(0.0..0.9)),
            amplitude: self.uniform(1.0..8.0),
            requests: self.log_uniform(200.0..4000.0),
        };
        self.one(scenario, kind)
    }

    fn one(&mut self, scenario: &Scenario, kind: FaultKind) -> Fault {
        Fault {
            backends: vec![self.0.below(scenario.backends.len())],
            kind,
        }
    }

    /// A time of so many seconds, somewhere within the world.
    fn stretch(&mut self, scenario: &Scenario, length: Range<f64>) -> Range<Duration> {
        let length = self.uniform(length);
        let start = self.uniform(0.0..scenario.duration.as_secs_f64() - length.min(SHORTEST));
        seconds(start)..seconds(start + length)
    }
}

fn discipline(is_fifo: bool) -> Discipline {
    if is_fifo {
        Discipline::Fifo
    } else {
        Discipline::ProcessorSharing { max_running: 64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVALS: u32 = 60_000;

    fn worlds() -> impl Iterator<Item = Scenario> {
        (0..2000).map(|seed| Scenario::random(seed, ARRIVALS))
    }

    /// The share of the worlds that `is` so.
    #[track_caller]
    fn check_share(expected: f64, is: impl Fn(&Scenario) -> bool) {
        let share = worlds().filter(is).count() as f64 / 2000.0;
        assert!((share - expected).abs() < 0.04, "{share} instead of {expected}");
    }

    fn has(scenario: &Scenario, is: fn(&FaultKind) -> bool) -> bool {
        scenario.faults.iter().any(|fault| is(&fault.kind))
    }

    #[test]
    fn the_same_seed_is_the_same_world_and_another_is_another() {
        assert_eq!(Scenario::random(7, ARRIVALS), Scenario::random(7, ARRIVALS));
        assert_ne!(
            Scenario::random(7, ARRIVALS).backends,
            Scenario::random(8, ARRIVALS).backends
        );
    }

    #[test]
    fn faults_are_as_frequent_as_is_said() {
        check_share(0.4, |it| has(it, |kind| matches!(kind, FaultKind::Antagonist { .. })));
        check_share(0.2, |it| has(it, |kind| matches!(kind, FaultKind::Slowdown { .. })));
        check_share(0.2, |it| has(it, |kind| matches!(kind, FaultKind::SlowRoute { .. })));
        check_share(0.35, |it| has(it, |kind| matches!(kind, FaultKind::ColdCache { .. })));
        check_share(0.08, |it| has(it, |kind| matches!(kind, FaultKind::Failure { .. })));
    }

    #[test]
    fn worlds_are_as_mixed_as_is_said() {
        check_share(0.6, |it| it.gateways == 1);
        check_share(0.3, |it| it.arrivals != Arrivals::Poisson);
        check_share(0.25, |it| it.backends[0].discipline == Discipline::Fifo);
        check_share(0.5, |it| it.backends.iter().any(|machine| machine.speed != 1.0));
    }

    #[test]
    fn every_world_can_be_played() {
        for world in worlds() {
            assert!((2..=32).contains(&world.backends.len()));
            assert!(world.load > 0.0 && world.load < 0.95, "{world:?}");
            assert!(world.rate() < MOST_PER_SECOND * 1.001, "{world:?}");
            assert!((SHORTEST..=LONGEST).contains(&world.duration.as_secs_f64()));
            assert!(world.backends.iter().all(|machine| machine.cores >= 1.0));
            for fault in &world.faults {
                assert!(fault.backends.iter().all(|backend| *backend < world.backends.len()));
                assert!(!fault.backends.is_empty());
            }
        }
    }
}
