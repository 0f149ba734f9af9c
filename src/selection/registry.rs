//! The selector types that a configuration can name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::config::MetricsUse;
use crate::config::ModelUse;
use crate::config::SelectorType;
use crate::pool::Member;
use crate::selection::C3;
use crate::selection::Classifier;
use crate::selection::Ewma;
use crate::selection::Fallback;
use crate::selection::ForestOptions;
use crate::selection::Hash;
use crate::selection::LeastRequests;
use crate::selection::LoadWeighted;
use crate::selection::ModelSlot;
use crate::selection::PeakEwma;
use crate::selection::Random;
use crate::selection::RoundRobin;
use crate::selection::Selector;
use crate::selection::forest;

/// What a selector is built from.
#[derive(Clone, Debug)]
pub struct SelectorContext<'a> {
    /// The pool's backends.
    pub members: &'a [Member],
    /// Where the pool's model is, or will be.
    pub model: &'a Arc<ModelSlot>,
    /// The selector that serves while the model cannot; built before.
    pub fallback: &'a Arc<dyn Selector>,
    /// How a forest selector is set up.
    pub forest: ForestOptions,
}

/// Builds a selector.
pub type Build = Box<dyn Fn(&SelectorContext<'_>) -> Arc<dyn Selector> + Send + Sync>;

/// A selector type.
pub struct SelectorKind {
    /// Makes one for a pool.
    pub build: Build,
    /// Whether it is given a model file.
    pub model: ModelUse,
    /// Whether it looks at the backends' metrics.
    pub metrics: MetricsUse,
    /// Whether it reads what only a [learning pool](crate::pool::Pool::learning) keeps.
    pub learns: bool,
}

impl fmt::Debug for SelectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectorKind")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// The selector types by the names that a configuration uses.
#[derive(Debug)]
pub struct Registry {
    kinds: BTreeMap<String, SelectorKind>,
}

impl Default for Registry {
    /// The selectors that come with the gateway.
    fn default() -> Self {
        let mut registry = Self { kinds: BTreeMap::new() };
        registry.add("round_robin", |context| Arc::new(RoundRobin::new(context.members)));
        registry.add("random", |_| Arc::new(Random));
        registry.add("least_requests", |_| Arc::new(LeastRequests::of_all()));
        registry.add("p2c", |_| Arc::new(LeastRequests::of_two()));
        registry.add("ewma", |_| Arc::new(Ewma));
        registry.add("peak_ewma", |_| Arc::new(PeakEwma::of_two()));
        registry.add("peak_ewma_all", |_| Arc::new(PeakEwma::of_all()));
        registry.add("c3", |_| Arc::new(C3));
        registry.add("hash", |context| Arc::new(Hash::new(context.members)));
        let load_weighted = SelectorKind {
            build: Box::new(|_| Arc::new(LoadWeighted::default())),
            model: ModelUse::Never,
            metrics: MetricsUse::Required,
            learns: false,
        };
        registry.kinds.insert("load_weighted".to_owned(), load_weighted);
        let classifier = SelectorKind {
            build: Box::new(|context| {
                let fallback = Arc::clone(context.fallback);
                Arc::new(Fallback::new(Classifier::new(context), fallback))
            }),
            model: ModelUse::Required,
            metrics: MetricsUse::Required,
            learns: false,
        };
        registry.kinds.insert("classifier".to_owned(), classifier);
        let forest = SelectorKind {
            build: Box::new(forest::build),
            model: ModelUse::Learned,
            metrics: MetricsUse::Optional,
            learns: true,
        };
        registry.kinds.insert("forest".to_owned(), forest);
        registry
    }
}

impl Registry {
    /// Adds a selector type that uses no model; a type of the same name is replaced.
    pub fn add(
        &mut self,
        name: &str,
        build: impl Fn(&SelectorContext<'_>) -> Arc<dyn Selector> + Send + Sync + 'static,
    ) {
        let kind = SelectorKind {
            build: Box::new(build),
            model: ModelUse::Never,
            metrics: MetricsUse::Optional,
            learns: false,
        };
        self.kinds.insert(name.to_owned(), kind);
    }

    /// The type called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SelectorKind> {
        self.kinds.get(name)
    }

    /// Every type as a configuration sees it, in alphabetical order.
    pub fn types(&self) -> impl Iterator<Item = SelectorType<'_>> {
        self.kinds.iter().map(|(name, kind)| SelectorType {
            name,
            model: kind.model,
            metrics: kind.metrics,
        })
    }
}
