//! One pool's learner, and how it goes with it.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::forest::GrowError;
use crate::selection::Charge;
use crate::selection::Learner;
use crate::selection::ModelSlot;
use crate::selection::Notebook;
use crate::selection::attend;
use crate::tasks::retrain::store::Store;
use crate::telemetry::Delay;
use crate::telemetry::Progress;
use crate::units::Timestamp;

/// How a learner makes a model: `crate::selection::study`.
pub(super) type Study = fn(&mut Learner, &Notebook, &ModelSlot, Timestamp) -> Result<bool, GrowError>;

/// What a pool's learner works with.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    /// The pool's name.
    pub(super) pool: &'a str,
    /// Where outcomes come from.
    pub(super) notebook: &'a Notebook,
    /// Where models go.
    pub(super) slot: &'a ModelSlot,
    /// The time between two models.
    pub(super) interval: Duration,
}

/// A pool's learner.
#[derive(Debug)]
pub(super) struct Pupil {
    learner: Learner,
    store: Store,
    progress: Progress,
    /// When it was last tried to make a model.
    tried: Option<Timestamp>,
    /// How many models there were when it was last written.
    written_models: u64,
    is_failing: bool,
}

impl Pupil {
    /// The learner at `desk`: as `store` has it, and serving again with its model, or a new one.
    pub(super) fn enrol(store: Store, desk: &Desk<'_>, now: Timestamp) -> Self {
        let mut learner = store.learner(desk.notebook.preset(), clock::entropy());
        let model = learner.model().map(Arc::clone);
        let progress = Progress {
            model_since: model.as_ref().map(|_| now),
            ..Progress::default()
        };
        if let Some(model) = model {
            learner.adopt(Arc::clone(&model), now);
            desk.slot.put(model);
        }
        Self {
            written_models: learner.model_count(),
            learner,
            store,
            progress,
            tried: None,
            is_failing: false,
        }
    }

    /// Brings learner and desk together: a model from elsewhere is gone on with, an empty slot is filled.
    pub(super) fn settle(&mut self, desk: &Desk<'_>, now: Timestamp) {
        self.learner.adapt(desk.notebook.preset(), desk.interval);
        let theirs = desk.slot.current().filter(|_| desk.slot.charge() != Charge::OtherModel);
        match (theirs, self.learner.model()) {
            (Some(theirs), Some(own)) if Arc::ptr_eq(&theirs, own) => {}
            (Some(theirs), _) => {
                self.learner.adopt(theirs, now);
                self.progress.model_since = Some(now);
            }
            (None, Some(own)) => desk.slot.put(Arc::clone(own)),
            (None, None) => {}
        }
    }

    /// When it was last tried to make a model.
    pub(super) fn tried(&self) -> Option<Timestamp> {
        self.tried
    }

    /// Whether it is time for a new model.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.learner.is_due(now)
    }

    /// Takes in what has happened, and makes no model: none is due, or it has to wait.
    pub(super) fn attend(&mut self, desk: &Desk<'_>, delay: Option<Delay>) {
        self.progress.wait(delay);
        self.guarded(desk, |learner| {
            attend(learner, desk.notebook, desk.slot);
            Ok(false)
        });
    }

    /// Takes in what has happened, and makes a model; how long it took.
    pub(super) fn study(&mut self, desk: &Desk<'_>, study: Study, now: Timestamp) -> Duration {
        self.progress.wait(None);
        self.tried = Some(now);
        let began = clock::now();
        let has_model = self.guarded(desk, |learner| study(learner, desk.notebook, desk.slot, now));
        let took = clock::now().since(began);
        if has_model {
            self.progress.retrains += 1;
            self.progress.last_retrain = Some(took);
            self.progress.model_since = Some(now);
        }
        took
    }

    /// Does `work`; whether it made a model. When it fails or panics that is told once, and the model before stays.
    fn guarded(&mut self, desk: &Desk<'_>, work: impl FnOnce(&mut Learner) -> Result<bool, GrowError>) -> bool {
        let learner = &mut self.learner;
        // What a panic may leave half done are rows of the learner's own; it takes none in before it is ready to.
        let done = catch_unwind(AssertUnwindSafe(|| work(learner)));
        let trouble = match done {
            Ok(Ok(has_model)) => {
                self.is_failing &= !has_model;
                return has_model;
            }
            Ok(Err(error)) => {
                self.progress.errors += 1;
                error.to_string()
            }
            Err(_) => {
                self.progress.panics += 1;
                "it panicked, and the lines above say where".to_owned()
            }
        };
        if !std::mem::replace(&mut self.is_failing, true) {
            log::error!(pool = desk.pool; "no new model, the one before goes on serving: {trouble}");
        }
        false
    }

    /// Writes its state if there is a new model in it and the last time is long enough ago.
    pub(super) fn save_if_due(&mut self, now: Timestamp) {
        if self.learner.model_count() != self.written_models && self.store.is_due(now) {
            self.save(now);
        }
    }

    /// Writes its state, if it knows anything.
    pub(super) fn save(&mut self, now: Timestamp) {
        if self.learner.row_count() == 0 {
            return;
        }
        if self.store.write(&self.learner.encode(), now) {
            self.written_models = self.learner.model_count();
            self.progress.saved_at = Some(now);
        } else {
            self.progress.save_failures += 1;
        }
    }

    /// How it goes.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            rows: self.learner.row_count(),
            skill: self.learner.skill(),
            models: self.learner.model_count(),
            ..self.progress.clone()
        }
    }
}
