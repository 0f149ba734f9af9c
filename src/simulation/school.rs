//! A learner and what it works with, as a live gateway's retraining task has them; here its work takes no time.

use std::sync::Arc;
use std::time::Duration;

use crate::pool::Outcome;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::ForestOptions;
use crate::selection::Learner;
use crate::selection::Lesson;
use crate::selection::ModelSlot;
use crate::selection::Notebook;
use crate::selection::RequestFacts;
use crate::selection::study;
use crate::units::Timestamp;

/// How often a learner looks at what has happened.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct School {
    learner: Learner,
    notebook: Notebook,
    model: Arc<ModelSlot>,
    next_look: Timestamp,
}

impl School {
    /// A school for the models in `model`; `None` where `options` want no learning.
    pub(crate) fn new(options: &ForestOptions, model: Arc<ModelSlot>, seed: u64) -> Option<Self> {
        let preset = options.learn?;
        Some(Self {
            learner: Learner::new(preset, seed),
            notebook: Notebook::new(preset),
            model,
            next_look: Timestamp::default(),
        })
    }

    /// Looks at what has happened, when it is time to.
    pub(crate) fn look(&mut self, now: Timestamp) {
        if now >= self.next_look {
            self.next_look = now.plus(LOOK_INTERVAL);
            // Finite rows always make a forest; should they not, the last one stays.
            let _ = study(&mut self.learner, &self.notebook, &self.model, now);
        }
    }

    /// What to keep of `choice` until its outcome is known.
    pub(crate) fn note(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts, choice: &Choice) -> Option<Lesson> {
        self.notebook.note(pool, request, choice, &self.model)
    }

    /// Enters what came of it.
    pub(crate) fn record(&self, lesson: Lesson, outcome: &Outcome) {
        self.notebook.record(lesson, outcome);
    }
}
