//! A pool as it serves: its backends, what chooses among them, and where its decisions are noted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::ModelUse;
use crate::generation::tally::Tally;
use crate::pool::BackendIndex;
use crate::pool::Pool;
use crate::pool::PoolSnapshot;
use crate::routing::RouteClasses;
use crate::selection::Choice;
use crate::selection::Decision;
use crate::selection::DecisionLog;
use crate::selection::Lesson;
use crate::selection::ModelSlot;
use crate::selection::Notebook;
use crate::selection::RequestFacts;
use crate::selection::Selector;

/// A pool, and how its backends are chosen.
#[derive(Debug)]
pub struct ServedPool {
    /// The backends and what is known of them.
    pub pool: Arc<Pool>,
    /// Where each backend is, in the pool's order.
    pub addresses: Vec<SocketAddr>,
    /// Where each backend's metrics are, in the pool's order; `None` without a source.
    pub metrics_addresses: Vec<Option<SocketAddr>>,
    /// What chooses.
    pub selector: Arc<dyn Selector>,
    /// The name of the selector's type.
    pub selector_name: String,
    /// The model that the selector asks, when it uses one.
    pub model: Arc<ModelSlot>,
    /// What the selector does with a model file.
    pub model_use: ModelUse,
    /// Where outcomes wait for a learner, when the selector has one.
    pub notebook: Option<Arc<Notebook>>,
    /// What takes decisions to be explained later, when that is wanted.
    pub decision_log: Option<DecisionLog>,
    /// Decisions by reason, of every selector type that this pool has had; the one in charge is the last.
    pub tallies: Vec<Arc<Tally>>,
    /// Every (address, ordinal) that this pool has ever had, so that an ordinal is never given twice.
    pub(super) ordinals: BTreeMap<String, u32>,
    /// The numbers of the kinds of requests that it serves.
    pub(super) classes: RouteClasses,
}

impl ServedPool {
    /// Where the backend at `index` is.
    #[must_use]
    pub fn address(&self, index: BackendIndex) -> Option<SocketAddr> {
        self.addresses.get(index.position()).copied()
    }

    /// What to keep of a decision until its outcome is known, if anything is learned from it.
    #[must_use]
    pub fn note(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts, choice: &Choice) -> Option<Lesson> {
        self.notebook.as_ref()?.note(pool, request, choice, &self.model)
    }

    /// What to keep of a decision until its outcome is known, if it is to be explained later: most are not.
    #[must_use]
    pub fn keep(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts, choice: &Choice) -> Option<Box<Decision>> {
        let is_taken = self.decision_log.as_ref()?.takes(request.draw);
        is_taken.then(|| Box::new(Decision::new(&self.pool, pool, request, choice, &self.model)))
    }

    /// Counts a decision.
    pub fn decided(&self, choice: &Choice) {
        if let Some(tally) = self.tallies.last() {
            tally.count(choice);
        }
    }
}
