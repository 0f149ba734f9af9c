//! Which backend a request goes to, and why.
//!
//! [`Selector`] is the gateway's custom upstream selection trait and its extension point: implement it, give it a
//! name in the [`Registry`], and a pool's `selector: NAME` finds it. Selectors read a pool through its snapshot; they
//! know neither sockets nor configuration files. What a request is like comes in as [`RequestFacts`].

mod classifier;
mod ewma;
mod hash;
mod least_requests;
mod load_weighted;
mod model_slot;
mod random;
mod registry;
mod round_robin;
mod scan;

use std::fmt;

use crate::pool::BackendIndex;
use crate::pool::BackendSet;
use crate::pool::PoolSnapshot;
use crate::pool::RouteClass;

pub use classifier::Classifier;
pub use ewma::C3;
pub use ewma::Ewma;
pub use ewma::PeakEwma;
pub use hash::Hash;
pub use least_requests::LeastRequests;
pub use load_weighted::LoadWeighted;
pub use model_slot::ModelSlot;
pub use random::Random;
pub use registry::Build;
pub use registry::Registry;
pub use registry::SelectorContext;
pub use registry::SelectorKind;
pub use round_robin::RoundRobin;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Where the request goes.
    pub backend: BackendIndex,
    /// Why.
    pub reason: Reason,
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
}

impl Reason {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Policy, Self::Model, Self::Fallback];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Model => "model",
            Self::Fallback => "fallback",
        }
    }
}

impl Choice {
    /// `backend`, by the selector's own rule.
    #[must_use]
    pub fn by_policy(backend: BackendIndex) -> Self {
        Self {
            backend,
            reason: Reason::Policy,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
