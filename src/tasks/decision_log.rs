//! Writes the decisions that requests leave in their pools' queues, each with its outcome: JSON lines, and beside them
//! the models that scored them, for `sylvan explain`.
//!
//! A thread of its own looks at the queues a few times a second and writes what waits there in one go. A request never
//! waits for it: what the queue has no room for, and what a full or read-only disk does not take, is dropped and
//! counted. `row` is the format, `shelf` the directory.

mod row;
mod shelf;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::config;
use crate::forest::Model;
use crate::generation::Current;
use crate::generation::ServedPool;
use crate::selection::DecisionQueue;
use crate::selection::Settled;
use crate::tasks::warning::Warning;
use crate::tasks::worker::Stop;
use crate::tasks::worker::Worker;
use crate::units::Timestamp;

pub use row::Candidate;
pub use row::Ending;
pub use row::Row;
pub use row::RowError;
pub use shelf::files;
pub use shelf::model_file;

use shelf::KeptModel;
use shelf::Shelf;

/// The time between two looks at the queues; one has room for twice as many decisions a second as a small machine has
/// requests.
const PERIOD: Duration = Duration::from_millis(500);
/// How long the end of the process waits for the last decisions to be written.
const PATIENCE: Duration = Duration::from_secs(3);
/// Models that decisions of one moment refer to: the one in charge, and those of requests that have taken long.
const MODELS_AT_HAND: usize = 4;

/// The thread.
#[derive(Debug)]
pub struct Writing(io::Result<Worker>);

/// Starts it, for the pools of `current` that keep decisions now or later.
#[must_use]
pub fn start(current: Arc<Current>) -> Writing {
    let worker = Worker::start("decision-log", move |stop| run(&current, &stop));
    if let Err(error) = &worker {
        log::error!("no thread to write decisions with ({error}); none are kept");
    }
    Writing(worker)
}

impl Writing {
    /// Ends it, when what waits is written.
    pub fn stop(self) {
        if self.0.is_ok_and(|worker| !worker.end(PATIENCE)) {
            log::warn!("the last decisions are not written: the disk did not take them within {PATIENCE:?}");
        }
    }
}

/// The loop: a look at the queues every period, and a last one when it is to `stop`.
fn run(current: &Current, stop: &Stop) {
    let mut journals = BTreeMap::new();
    loop {
        let is_last = stop.after(PERIOD);
        look(current, &mut journals, clock::now());
        if is_last {
            return;
        }
    }
}

/// Writes what waits in the queue of every pool. One that keeps no decisions any more is written for a last time.
fn look(current: &Current, journals: &mut BTreeMap<String, Journal>, now: Timestamp) {
    let generation = current.take();
    let pools = generation.pools.iter().zip(&generation.config.pools);
    for (served, pool) in pools {
        let Some(journal) = Journal::of(served, pool) else {
            continue;
        };
        match journals.get_mut(&pool.name) {
            Some(known) if known.is_as(&journal) => {}
            _ => drop(journals.insert(pool.name.clone(), journal)),
        }
    }
    for journal in journals.values_mut() {
        journal.write(now);
    }
    journals.retain(|name, _| {
        generation
            .pool(name)
            .is_some_and(|served| served.decision_log.is_some())
    });
}

/// What is written of one pool.
#[derive(Debug)]
struct Journal {
    selector: String,
    settings: config::DecisionLog,
    queue: Arc<DecisionQueue>,
    shelf: Shelf,
    models: Vec<KeptModel>,
    /// That the directory cannot be written.
    warning: Warning,
}

impl Journal {
    fn of(served: &ServedPool, pool: &config::Pool) -> Option<Self> {
        let settings = pool.selector.decision_log.as_ref()?;
        Some(Self {
            selector: pool.selector.kind.clone(),
            settings: settings.clone(),
            queue: Arc::clone(served.decision_log.as_ref()?.queue()),
            shelf: Shelf::new(&settings.dir, settings.max_size),
            models: Vec::new(),
            warning: Warning::default(),
        })
    }

    fn is_as(&self, other: &Self) -> bool {
        (&self.selector, &self.settings) == (&other.selector, &other.settings) && Arc::ptr_eq(&self.queue, &other.queue)
    }

    fn write(&mut self, now: Timestamp) {
        let waiting = self.queue.drain();
        if waiting.is_empty() {
            return;
        }
        let mut result = Ok(());
        for settled in &waiting {
            result = self.put(settled).and(result);
        }
        result = self.shelf.flush().and(result);
        let (written, lost) = self.shelf.take_counts();
        self.queue.written.add(written);
        self.queue.unwritten.add(lost);
        self.report(result, now);
    }

    fn put(&mut self, settled: &Settled) -> io::Result<()> {
        let place = settled.decision.model.as_ref().map(|model| self.at_hand(model));
        let model = place.and_then(|place| self.models.get(place));
        let row = Row::new(settled, &self.selector, model.map(|model| model.digest.as_str()));
        self.shelf.put(&row.line(), model)
    }

    /// The place of `model` among those at hand.
    fn at_hand(&mut self, model: &Arc<Model>) -> usize {
        let known = self.models.iter().position(|kept| Arc::ptr_eq(&kept.model, model));
        known.unwrap_or_else(|| {
            self.models.insert(0, KeptModel::new(model));
            self.models.truncate(MODELS_AT_HAND);
            0
        })
    }

    /// Says when the directory cannot be written, but not every time, and when it can again.
    fn report(&mut self, result: io::Result<()>, now: Timestamp) {
        let dir = self.settings.dir.display();
        match result {
            Ok(()) if self.warning.falls() => log::info!("{dir}: decisions are written again"),
            Ok(()) => {}
            Err(error) if self.warning.rises(now) => log::warn!(
                "{dir}: decisions cannot be written: {error}; they are lost until the directory is writable and has room"
            ),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
