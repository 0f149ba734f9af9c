//! Many runs at once.

use std::ops::Range;

use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::gateway::Contender;
use crate::simulation::parallel::in_order;
use crate::simulation::report::Report;
use crate::simulation::scenario::Scenario;
use crate::simulation::simulate;
use crate::simulation::world::World;
use crate::units::Share;

/// Every contender in every scenario under every seed.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// The contenders.
    pub contenders: Vec<Contender>,
    /// The seeds.
    pub seeds: Range<u64>,
    /// How far every number of a scenario is moved, under each seed another way.
    pub jitter: Share,
}

/// One run of a suite: the positions of its parts.
#[derive(Clone, Copy)]
struct Run {
    scenario: usize,
    contender: usize,
    seed: u64,
}

impl Suite {
    /// How many runs it has.
    #[must_use]
    pub fn len(&self) -> usize {
        let seeds = usize::try_from(self.seeds.end.saturating_sub(self.seeds.start)).unwrap_or(usize::MAX);
        self.scenarios
            .len()
            .saturating_mul(self.contenders.len())
            .saturating_mul(seeds)
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs it on `threads` threads; `finished` is told of every report as it comes. The reports are in the order of
    /// scenarios, contenders and seeds, whatever order they came in.
    pub fn run(&self, threads: usize, finished: impl FnMut(&Report)) -> Vec<Report> {
        let runs = self.runs();
        in_order(runs.len(), threads, |at| self.perform(runs[at]), finished)
    }

    fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::with_capacity(self.len());
        for scenario in 0..self.scenarios.len() {
            for contender in 0..self.contenders.len() {
                runs.extend(self.seeds.clone().map(|seed| Run {
                    scenario,
                    contender,
                    seed,
                }));
            }
        }
        runs
    }

    /// Worlds are drawn again for each contender: that is quick, and keeping them all would take gigabytes.
    fn perform(&self, run: Run) -> Report {
        let moved = chance::stream(run.seed, Purpose::Jitter, run.scenario).next();
        let scenario = self.scenarios[run.scenario].jittered(self.jitter, moved);
        simulate(&World::draw(&scenario, run.seed), &self.contenders[run.contender])
    }
}

#[cfg(test)]
mod tests;
