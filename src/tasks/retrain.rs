//! Learns while the gateway serves: one thread of the lowest priority, which looks at every pool that learns once a
//! second, makes a new model when it is time to, and keeps what was learned in the state directory.
//!
//! Requests meet it in two places only: they leave outcomes in a pool's notebook, and read the model in its slot.
//! Whatever happens here, a panic included, they go on with the model that is there. It waits while the machine is busy
//! or hot (`machine`), and takes a tenth of a core at most. `pupil` is one pool's learner, `store` its state file.

mod machine;
mod pupil;
mod store;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::config;
use crate::config::Learn;
use crate::generation::Current;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::selection::Notebook;
use crate::selection::study;
use crate::tasks::worker::Stop;
use crate::tasks::worker::Worker;
use crate::telemetry::Delay;
use crate::telemetry::Telemetry;
use crate::units::Timestamp;

use machine::Machine;
use pupil::Desk;
use pupil::Pupil;
use pupil::Study;
use store::Store;

/// The time between two looks at the notebooks.
const PERIOD: Duration = Duration::from_secs(1);
/// After a retraining there is none for nine times as long as it took: many pools share a tenth of a core.
const REST: u32 = 9;
/// How long the end of the process waits for what was learned to be written.
const PATIENCE: Duration = Duration::from_secs(3);

/// The thread.
#[derive(Debug)]
pub struct Retraining(io::Result<Worker>);

/// Starts it, for the pools of `current` that learn now or later.
#[must_use]
pub fn start(current: Arc<Current>, telemetry: Arc<Telemetry>) -> Retraining {
    let retrainer = Retrainer::new(current, telemetry, study);
    let worker = Worker::start("retrain", |stop| retrainer.run(&stop));
    if let Err(error) = &worker {
        log::error!("no thread to learn with ({error}); what was learned before goes on serving");
    }
    Retraining(worker)
}

impl Retraining {
    /// Ends it, when what was learned is written.
    pub fn stop(self) {
        if self.0.is_ok_and(|worker| !worker.end(PATIENCE)) {
            log::warn!("what was learned last is not written: training did not end within {PATIENCE:?}");
        }
    }
}

#[derive(Debug)]
struct Retrainer {
    current: Arc<Current>,
    telemetry: Arc<Telemetry>,
    machine: Machine,
    study: Study,
    pupils: BTreeMap<String, Pupil>,
    /// When it may train again.
    rested: Timestamp,
}

impl Retrainer {
    fn new(current: Arc<Current>, telemetry: Arc<Telemetry>, study: Study) -> Self {
        Self {
            current,
            telemetry,
            machine: Machine::default(),
            study,
            pupils: BTreeMap::new(),
            rested: Timestamp::default(),
        }
    }

    /// The loop: a look a second until it is to `stop`.
    fn run(mut self, stop: &Stop) {
        machine::step_back();
        self.look(clock::now());
        while !stop.after(PERIOD) {
            self.look(clock::now());
        }
        for pupil in self.pupils.values_mut() {
            pupil.save(clock::now());
        }
    }

    /// Looks at every pool once, those first that have waited longest for a model.
    fn look(&mut self, now: Timestamp) {
        let generation = self.current.take();
        self.pupils.retain(|name, _| generation.pool(name).is_some());
        let mut pools: Vec<_> = learning_pools(&generation).collect();
        pools.sort_by_key(|(served, _, _)| self.pupils.get(served.pool.name()).and_then(Pupil::tried));
        for (served, pool, notebook) in pools {
            let desk = Desk {
                pool: &pool.name,
                notebook,
                slot: &served.model,
                interval: interval(pool, notebook),
            };
            self.teach(&desk, &generation.config.runtime, now);
        }
        let progress = self.pupils.iter().map(|(name, pupil)| (name.clone(), pupil.progress()));
        self.telemetry.progress.put(progress.collect());
    }

    fn teach(&mut self, desk: &Desk<'_>, runtime: &config::Runtime, now: Timestamp) {
        let enrol = || Pupil::enrol(Store::new(&runtime.state_dir, desk.pool), desk, now);
        let pupil = self.pupils.entry(desk.pool.to_owned()).or_insert_with(enrol);
        pupil.settle(desk, now);
        if !pupil.is_due(now) {
            pupil.attend(desk, None);
        } else if let Some(delay) = resting(self.rested, now).or_else(|| self.machine.delay(runtime)) {
            pupil.attend(desk, Some(delay));
        } else {
            let took = pupil.study(desk, self.study, now);
            self.rested = now.plus(took * (REST + 1));
        }
        pupil.save_if_due(now);
    }
}

fn resting(rested: Timestamp, now: Timestamp) -> Option<Delay> {
    (now < rested).then_some(Delay::Resting)
}

/// The pools that learn, with their notebooks.
fn learning_pools(generation: &Generation) -> impl Iterator<Item = (&ServedPool, &config::Pool, &Notebook)> {
    let pools = generation.pools.iter().zip(&generation.config.pools);
    pools.filter_map(|(served, pool)| Some((served, pool, served.notebook.as_deref()?)))
}

/// The time between two models of `pool`.
fn interval(pool: &config::Pool, notebook: &Notebook) -> Duration {
    match pool.selector.learning.learn {
        Learn::Online(Some(interval)) => interval,
        Learn::Online(None) | Learn::Off => notebook.preset().interval(),
    }
}

#[cfg(test)]
mod tests;
