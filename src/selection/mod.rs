//! Which backend a request goes to, and why.
//!
//! [`Selector`] is the gateway's custom upstream selection trait and its extension point: implement it, give it a
//! name in the [`Registry`], and a pool's `selector: NAME` finds it. Selectors read a pool through its snapshot; they
//! know neither sockets nor configuration files. What a request is like comes in as [`RequestFacts`].

mod classifier;
mod decision_log;
mod ewma;
mod explanation;
mod explore;
mod fallback;
mod features;
mod forest;
mod hash;
mod learner;
mod least_requests;
mod load_weighted;
mod model_slot;
mod notebook;
mod random;
mod registry;
mod round_robin;
mod scan;
mod shadow;
mod shipped;

use std::fmt;

use crate::pool::BackendIndex;
use crate::pool::BackendSet;
use crate::pool::PoolSnapshot;
use crate::pool::RouteClass;

pub use classifier::Classifier;
pub use decision_log::Decision;
pub use decision_log::DecisionLog;
pub use decision_log::DecisionQueue;
pub use decision_log::Occasion;
pub use decision_log::Settled;
pub use ewma::C3;
pub use ewma::Ewma;
pub use ewma::PeakEwma;
pub use explanation::Estimate;
pub use explanation::Explained;
pub use explanation::Explanation;
pub use explanation::Sight;
pub use explanation::explain;
pub use explore::Explore;
pub use fallback::Fallback;
pub use features::COMPARED_COUNT;
pub use features::COMPARED_NAMES;
pub use features::FEATURE_COUNT;
pub use features::FEATURE_NAMES;
pub use features::Features;
pub use features::UNKNOWN;
pub use features::View;
pub(crate) use features::blank_compared;
pub use features::feature_rows;
pub use features::features;
pub use features::schema;
pub use forest::Forest;
pub use forest::ForestOptions;
pub(crate) use forest::Shortlist;
pub(crate) use forest::base_score;
pub(crate) use forest::compared_score;
pub use hash::Hash;
pub use learner::Learner;
pub use learner::LearnerPreset;
pub use learner::StateError;
pub use learner::attend;
pub use learner::study;
pub use least_requests::LeastRequests;
pub use load_weighted::LoadWeighted;
pub use model_slot::Charge;
pub use model_slot::ModelSlot;
pub(crate) use model_slot::Ranker;
pub use model_slot::ranker_view;
pub use notebook::LearnedRow;
pub use notebook::Lesson;
pub use notebook::Notebook;
pub use random::Random;
pub use registry::Build;
pub use registry::Registry;
pub use registry::SelectorContext;
pub use registry::SelectorKind;
pub use round_robin::RoundRobin;
pub use shadow::Shadow;
pub use shipped::shipped_model;

/// Chooses a backend. Holds no clock and no entropy: what it needs is in its arguments.
///
/// It is called once for each attempt of a request, on the request path, from many threads at once: it must not
/// block, and should not allocate.
pub trait Selector: fmt::Debug + Send + Sync {
    /// The backend for `request`, or `None` when no eligible backend is left.
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice>;
}

/// What a selector is told of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// Counts the gateway's requests.
    pub sequence: u64,
    /// A random number of this attempt's own: the only chance there is in a decision, so that it can be replayed.
    pub draw: u64,
    /// What requests have in common that should stay with one backend, where that matters: a hash of it.
    pub affinity: Option<u64>,
    /// What kind of request it is to its pool.
    pub route_class: RouteClass,
    /// The backends that this request has already been sent to in vain.
    pub tried: BackendSet,
}

/// A selector's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Where the request goes.
    pub backend: BackendIndex,
    /// Why.
    pub reason: Reason,
    /// What a selector that is only asked would have done.
    pub proposal: Option<Proposal>,
}

/// What a selector would have done that is asked but not obeyed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// Where it would have sent the request.
    pub backend: BackendIndex,
    /// By how much it thinks that would have been better, in ln of latency; 0 when it agrees or cannot tell.
    pub gain: f32,
}

/// Why a backend was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The selector's own rule.
    Policy,
    /// The model's word.
    Model,
    /// The fallback's rule, because the model could not be asked or named a backend that is not eligible.
    Fallback,
    /// The rule that a forest corrects, while its model is not in charge.
    Base,
    /// Chance, so that what is avoided is not forgotten.
    Explore,
}

impl Reason {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 5] = [Self::Policy, Self::Model, Self::Fallback, Self::Base, Self::Explore];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Model => "model",
            Self::Fallback => "fallback",
            Self::Base => "base",
            Self::Explore => "explore",
        }
    }
}

impl Choice {
    /// `backend`, for `reason`.
    #[must_use]
    pub fn new(backend: BackendIndex, reason: Reason) -> Self {
        Self {
            backend,
            reason,
            proposal: None,
        }
    }

    /// `backend`, by the selector's own rule.
    #[must_use]
    pub fn by_policy(backend: BackendIndex) -> Self {
        Self::new(backend, Reason::Policy)
    }
}

#[cfg(test)]
pub(crate) use forest::tests::Stage;
#[cfg(test)]
pub(crate) use learner::tests::model_of_cpu;

#[cfg(test)]
pub(crate) mod tests;
