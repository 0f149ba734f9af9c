//! A world like another one, with every number moved a little: who wins only in the one has learned its numbers.

use std::ops::Range;
use std::ops::RangeInclusive;
use std::time::Duration;

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
use crate::units::Share;

/// A load that was below it stays below it: beyond 1 a world measures its queues, not its selector.
const HIGHEST_LOAD: f64 = 0.97;

impl Scenario {
    /// The same world with every number moved by up to `share` of it, as `seed` has it. The numbers of backends and of
    /// routes, weights and the sizes of messages stay.
    #[must_use]
    pub fn jittered(&self, share: Share, seed: u64) -> Self {
        let mut moved = self.clone();
        Jitter {
            share: share.fraction(),
            draws: Draws::new(seed),
        }
        .scenario(&mut moved);
        moved.load = moved.load.min(HIGHEST_LOAD.max(self.load));
        moved.unmeasured = moved.unmeasured.min(moved.duration / 2);
        moved
    }
}

struct Jitter {
    share: f64,
    draws: Draws,
}

impl Jitter {
    fn scenario(&mut self, it: &mut Scenario) {
        let Scenario {
            name: _,
            duration,
            unmeasured,
            gateways,
            round_trip,
            load,
            ..
        } = it;
        self.durations([duration, unmeasured, round_trip]);
        self.counts([gateways]);
        self.numbers([load]);
        self.polls(&mut it.polls);
        self.arrivals(&mut it.arrivals);
        it.routes.iter_mut().for_each(|route| self.route(route));
        it.backends.iter_mut().for_each(|machine| self.machine(machine));
        it.faults.iter_mut().for_each(|fault| self.fault(fault));
        let sum: f64 = it.routes.iter().map(|route| route.share).sum();
        it.routes.iter_mut().for_each(|route| route.share /= sum);
    }

    fn polls(&mut self, Polls { interval, cpu_noise }: &mut Polls) {
        self.durations([interval]);
        self.numbers([cpu_noise]);
    }

    fn arrivals(&mut self, it: &mut Arrivals) {
        if let Arrivals::Bursts { factor, high, low } = it {
            self.numbers([factor]);
            self.durations([high, low]);
        }
    }

    fn route(&mut self, Route { share, demand, .. }: &mut Route) {
        self.numbers([share]);
        match demand {
            Demand::Constant(demand) => self.durations([demand]),
            Demand::Uniform { low, high } => {
                self.durations([low, high]);
                *high = (*high).max(*low);
            }
            Demand::Exponential { mean } => self.durations([mean]),
            Demand::Lognormal { mean, sigma } => {
                self.durations([mean]);
                self.numbers([sigma]);
            }
        }
    }

    fn machine(
        &mut self,
        Machine {
            cores,
            speed,
            weight: _,
            discipline,
            max_queued,
        }: &mut Machine,
    ) {
        self.numbers([cores, speed]);
        self.counts([max_queued]);
        match discipline {
            Discipline::ProcessorSharing { max_running } => self.counts([max_running]),
            Discipline::Fifo => {}
            Discipline::ThreadPool { threads } => self.counts([threads]),
        }
    }

    fn fault(&mut self, Fault { backends: _, kind }: &mut Fault) {
        match kind {
            FaultKind::Antagonist {
                threads_per_core,
                on,
                off,
            } => {
                self.numbers([threads_per_core]);
                self.spread(on);
                self.spread(off);
            }
            FaultKind::Slowdown {
                during,
                factor,
                reported_cpu,
            } => {
                self.window(during);
                self.numbers([factor, reported_cpu]);
                *reported_cpu = reported_cpu.min(1.0);
            }
            FaultKind::Failure { during } | FaultKind::Silence { during } => self.window(during),
            FaultKind::ColdCache {
                at,
                amplitude,
                requests,
            } => {
                self.durations([at]);
                self.numbers([amplitude, requests]);
            }
            FaultKind::SlowRoute {
                route: _,
                during,
                factor,
            } => {
                self.window(during);
                self.numbers([factor]);
            }
        }
    }

    fn spread(&mut self, range: &mut RangeInclusive<Duration>) {
        let (mut low, mut high) = (*range.start(), *range.end());
        self.durations([&mut low, &mut high]);
        *range = low..=high.max(low);
    }

    /// Its start and its length, so that it keeps one.
    fn window(&mut self, range: &mut Range<Duration>) {
        let mut length = range.end.saturating_sub(range.start);
        self.durations([&mut range.start, &mut length]);
        range.end = range.start + length;
    }

    fn numbers<const N: usize>(&mut self, numbers: [&mut f64; N]) {
        numbers.into_iter().for_each(|number| *number *= self.factor());
    }

    fn durations<const N: usize>(&mut self, durations: [&mut Duration; N]) {
        durations
            .into_iter()
            .for_each(|duration| *duration = duration.mul_f64(self.factor()));
    }

    fn counts<const N: usize>(&mut self, counts: [&mut usize; N]) {
        counts
            .into_iter()
            .for_each(|count| *count = (*count as f64 * self.factor()).round() as usize);
    }

    /// At 15 %, anything from 0.85 to 1.15.
    fn factor(&mut self) -> f64 {
        1.0 + self.share * (2.0 * self.draws.fraction() - 1.0)
    }
}
