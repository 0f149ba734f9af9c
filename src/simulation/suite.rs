//! Many runs at once, on threads that share nothing but the list of what is left to do.

use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::gateway::Contender;
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
    pub fn run(&self, threads: usize, mut finished: impl FnMut(&Report)) -> Vec<Report> {
        let runs = self.runs();
        let next = AtomicUsize::new(0);
        let mut reports: Vec<Option<Report>> = runs.iter().map(|_| None).collect();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads.clamp(1, runs.len().max(1)) {
                let (sender, next, runs) = (sender.clone(), &next, &runs);
                scope.spawn(move || {
                    // Relaxed: the number is all that is shared.
                    while let Some((at, run)) = take(runs, next.fetch_add(1, Ordering::Relaxed)) {
                        if sender.send((at, self.perform(run))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (at, report) in receiver {
                finished(&report);
                reports[at] = Some(report);
            }
        });
        reports.into_iter().flatten().collect()
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

fn take(runs: &[Run], at: usize) -> Option<(usize, Run)> {
    runs.get(at).map(|run| (at, *run))
}

#[cfg(test)]
mod tests;
