//! One consistent state of the gateway's configuration: what a request takes with it and keeps to its end.
//!
//! A [`Generation`] is built whole from a [`Config`], what was read for it ([`Materials`]) and the generation before,
//! and put in charge by one swap. What is known about backends, routes and models is carried over by name, so that a
//! reload neither forgets nor recounts. Reading files and resolving names is `crate::tasks`' work.

mod served;
mod tally;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use arc_swap::Guard;

use crate::config;
use crate::config::Config;
use crate::config::Learn;
use crate::config::ModelUse;
use crate::forest::Model;
use crate::pool::Backend;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::POLLS_BELIEVED;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::routing::RouteClasses;
use crate::routing::RouteStats;
use crate::routing::RouteTable;
use crate::selection::Charge;
use crate::selection::DecisionLog;
use crate::selection::ForestOptions;
use crate::selection::LeastRequests;
use crate::selection::ModelSlot;
use crate::selection::Notebook;
use crate::selection::Registry;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::selection::SelectorKind;
use crate::selection::shipped_model;

pub use served::ServedPool;
pub use tally::Proposals;
pub use tally::Tally;

/// The name under which requests are counted that no route matched.
pub const NO_ROUTE: &str = "none";

/// What was read and resolved for a configuration.
#[derive(Clone, Debug, Default)]
pub struct Materials {
    /// The models by the path that names them.
    pub models: BTreeMap<PathBuf, Arc<Model>>,
    /// The addresses of backends and metrics endpoints, by `host:port` as written.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// The machine's cores.
    pub cores: usize,
}

/// Why a configuration that reads well cannot be put in charge.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No address was resolved for it.
    #[error("pools.{pool}.backends: `{address}` was not resolved; check the name, or write an IP address")]
    Unresolved {
        /// The pool's name.
        pool: String,
        /// The backend's address as written.
        address: String,
    },
    /// Nobody registered it.
    #[error("pools.{pool}.selector: `{selector}` is not a registered selector type")]
    UnknownSelector {
        /// The pool's name.
        pool: String,
        /// The type's name as written.
        selector: String,
    },
    /// No model was read from it.
    #[error("pools.{pool}.selector.model: no model was read from `{path}`")]
    NoModel {
        /// The pool's name.
        pool: String,
        /// The model file.
        path: String,
    },
}

/// One state of the configuration.
#[derive(Debug)]
pub struct Generation {
    /// 1 for the first; each one in charge is one higher than the one before.
    pub number: u64,
    /// What it was built from.
    pub config: Arc<Config>,
    /// Where requests go.
    pub routes: RouteTable,
    /// The counts of requests without a route, one for each listener.
    pub unrouted: Vec<Arc<RouteStats>>,
    /// The pools, in the configuration's order.
    pub pools: Vec<ServedPool>,
}

/// The generation in charge.
#[derive(Debug)]
pub struct Current(ArcSwap<Generation>);

impl Current {
    /// Puts the first generation in charge.
    #[must_use]
    pub fn new(generation: Generation) -> Self {
        Self(ArcSwap::from_pointee(generation))
    }

    /// The generation in charge, to keep.
    #[must_use]
    pub fn take(&self) -> Arc<Generation> {
        self.0.load_full()
    }

    /// The generation in charge, for a look; not to be held while waiting.
    #[must_use]
    pub fn look(&self) -> Guard<Arc<Generation>> {
        self.0.load()
    }

    /// Puts `generation` in charge.
    pub fn put(&self, generation: Generation) {
        self.0.store(Arc::new(generation));
    }
}

impl Generation {
    /// The generation of `config`, after `previous`.
    ///
    /// # Errors
    /// When `materials` lack something that the configuration names, or a selector type is not in `registry`.
    pub fn build(
        config: Arc<Config>,
        materials: &Materials,
        registry: &Registry,
        previous: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let stats = |listener: &str, route: &str, pool: &str| carried_stats(previous, listener, route, pool);
        let build = |(position, pool): (usize, &config::Pool)| {
            PoolBuilder {
                pool,
                routes: config.routes.iter().filter(|route| route.pool == position).collect(),
                materials,
                registry,
            }
            .build(previous)
        };
        let built: Vec<(ServedPool, Option<Arc<Model>>)> =
            config.pools.iter().enumerate().map(build).collect::<Result<_, _>>()?;
        // Nothing fails from here on: what is refused must not have swapped a model.
        let pools: Vec<ServedPool> = built.into_iter().map(with_model).collect();
        let classes: Vec<&RouteClasses> = pools.iter().map(|served| &served.classes).collect();
        Ok(Self {
            number: previous.map_or(1, |previous| previous.number + 1),
            routes: RouteTable::new(&config, stats, &classes),
            unrouted: config
                .listeners
                .iter()
                .map(|listener| stats(&listener.name, NO_ROUTE, ""))
                .collect(),
            pools,
            config,
        })
    }

    /// The pool called `name`.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&ServedPool> {
        self.pools.iter().find(|served| served.pool.name() == name)
    }

    /// The counts of every route on every listener, unrouted requests last.
    pub fn stats(&self) -> impl Iterator<Item = &Arc<RouteStats>> {
        self.routes
            .routes()
            .iter()
            .flat_map(|route| &route.stats)
            .chain(&self.unrouted)
    }
}

fn with_model((served, model): (ServedPool, Option<Arc<Model>>)) -> ServedPool {
    if let Some(model) = model {
        served.model.put(model);
    }
    served
}

/// Counts go on where the previous generation counted the same thing.
fn carried_stats(previous: Option<&Generation>, listener: &str, route: &str, pool: &str) -> Arc<RouteStats> {
    previous
        .and_then(|previous| {
            previous
                .stats()
                .find(|it| it.listener == listener && it.route == route && it.pool == pool)
        })
        .map_or_else(|| Arc::new(RouteStats::new(listener, route, pool)), Arc::clone)
}

struct PoolBuilder<'a> {
    pool: &'a config::Pool,
    /// Those that lead to the pool.
    routes: Vec<&'a config::Route>,
    materials: &'a Materials,
    registry: &'a Registry,
}

impl PoolBuilder<'_> {
    /// The pool, and the model that is to be put in its slot.
    fn build(&self, generation: Option<&Generation>) -> Result<(ServedPool, Option<Arc<Model>>), BuildError> {
        let previous = generation.and_then(|generation| generation.pool(&self.pool.name));
        let mut ordinals = previous.map(|previous| previous.ordinals.clone()).unwrap_or_default();
        let members: Vec<Member> = self
            .pool
            .backends
            .iter()
            .map(|it| self.member(it, previous, &mut ordinals))
            .collect();
        let before = generation.and_then(|generation| generation.config.pool(&self.pool.name));
        let notebook = self.notebook(previous)?;
        let has_model = notebook.is_some() || self.pool.selector.model.is_some() || self.is_frozen()?;
        // What filled the slot before may be gone: a selector that needs no model has none to show.
        let model = slot(notebook.as_deref(), previous.filter(|_| has_model));
        let given_model = self.model(&model, before.filter(|_| notebook.is_some()))?;
        let unchanged =
            before.is_some_and(|before| before.backends == self.pool.backends && before.selector == self.pool.selector);
        let (classes, given) = RouteClasses::assign(self.routes.iter().copied(), previous.map(|it| &it.classes));
        let kept = previous.filter(|_| unchanged);
        let selector = match kept {
            Some(previous) => Arc::clone(&previous.selector),
            None => self.selector(&members, &model)?,
        };
        let served = ServedPool {
            addresses: self
                .pool
                .backends
                .iter()
                .map(|it| self.address(&it.address))
                .collect::<Result<_, _>>()?,
            metrics_addresses: self
                .pool
                .backends
                .iter()
                .map(|it| self.metrics_address(it))
                .collect::<Result<_, _>>()?,
            selector,
            selector_name: self.pool.selector.kind.clone(),
            tallies: self.tallies(previous),
            pool: Arc::new(self.live_pool(members, previous, &given)?),
            notebook,
            decision_log: self.decision_log(previous),
            model,
            model_use: self.kind(&self.pool.selector.kind)?.model,
            ordinals,
            classes,
        };
        Ok((served, given_model))
    }

    /// The notebook of a selector that learns: the one before, unless more or less is to be learned now.
    fn notebook(&self, previous: Option<&ServedPool>) -> Result<Option<Arc<Notebook>>, BuildError> {
        let learns = self.kind(&self.pool.selector.kind)?.learns;
        let Some(preset) = self.forest_options().learn.filter(|_| learns) else {
            return Ok(None);
        };
        let known = previous.and_then(|previous| previous.notebook.as_ref());
        let kept = known.filter(|notebook| notebook.preset() == preset).map(Arc::clone);
        Ok(Some(kept.unwrap_or_else(|| Arc::new(Notebook::new(preset)))))
    }

    /// What takes decisions, as the file says now, into the queue that there was before.
    fn decision_log(&self, previous: Option<&ServedPool>) -> Option<DecisionLog> {
        let settings = self.pool.selector.decision_log.as_ref()?;
        let known = previous.and_then(|previous| previous.decision_log.as_ref());
        let queue = known.map(|log| Arc::clone(log.queue())).unwrap_or_default();
        Some(DecisionLog::new(settings.sample, queue))
    }

    fn forest_options(&self) -> ForestOptions {
        ForestOptions::new(&self.pool.selector.learning, self.materials.cores)
    }

    /// The pool with what is known about it; route classes that are `given` anew start from nothing.
    fn live_pool(
        &self,
        members: Vec<Member>,
        previous: Option<&ServedPool>,
        given: &[RouteClass],
    ) -> Result<Pool, BuildError> {
        let pool = Pool::new(self.pool.name.clone(), members, health_policy(self.pool));
        if !self.kind(&self.pool.selector.kind)?.learns {
            return Ok(pool);
        }
        let fleet = previous
            .and_then(|previous| previous.pool.fleet())
            .map_or_else(Arc::default, Arc::clone);
        for class in given {
            fleet.forget(*class);
        }
        let source = self.pool.metrics_source.as_ref();
        Ok(pool.learning(
            fleet,
            source.map_or(Duration::MAX, |source| source.interval * POLLS_BELIEVED),
        ))
    }

    fn member(
        &self,
        backend: &config::Backend,
        previous: Option<&ServedPool>,
        ordinals: &mut BTreeMap<String, u32>,
    ) -> Member {
        let probed = self.pool.health_check.is_some();
        let known = previous.and_then(|previous| find_backend(&previous.pool, &backend.address));
        let backend_state = known.unwrap_or_else(|| {
            let next = u32::try_from(ordinals.len()).unwrap_or(u32::MAX);
            let ordinal = *ordinals.entry(backend.address.clone()).or_insert(next);
            Arc::new(Backend::new(backend.address.clone(), ordinal, probed))
        });
        if previous.is_some_and(|previous| previous.pool.policy().probed != probed) {
            backend_state.set_probed(probed);
        }
        Member {
            backend: backend_state,
            weight: backend.weight,
        }
    }

    fn tallies(&self, previous: Option<&ServedPool>) -> Vec<Arc<Tally>> {
        let kind = &self.pool.selector.kind;
        let mut tallies = previous.map(|previous| previous.tallies.clone()).unwrap_or_default();
        let own = match tallies.iter().position(|tally| tally.selector == *kind) {
            Some(position) => tallies.remove(position),
            None => Arc::new(Tally::new(kind)),
        };
        tallies.push(own);
        tallies
    }

    fn address(&self, written: &str) -> Result<SocketAddr, BuildError> {
        let unresolved = || BuildError::Unresolved {
            pool: self.pool.name.clone(),
            address: written.to_owned(),
        };
        self.materials.addresses.get(written).copied().ok_or_else(unresolved)
    }

    fn metrics_address(&self, backend: &config::Backend) -> Result<Option<SocketAddr>, BuildError> {
        let Some(source) = &self.pool.metrics_source else {
            return Ok(None);
        };
        match (&backend.metrics, source.port) {
            (Some(written), _) => self.address(written).map(Some),
            (None, Some(port)) => self
                .address(&backend.address)
                .map(|it| Some(SocketAddr::new(it.ip(), port))),
            (None, None) => Ok(None),
        }
    }

    /// The model that its file holds, unless the pool has started from that file and learned since; without a file, the one
    /// that comes with the program, if it is for a selector that stays as it is.
    fn model(&self, slot: &ModelSlot, learned_before: Option<&config::Pool>) -> Result<Option<Arc<Model>>, BuildError> {
        let selector = &self.pool.selector;
        let Some(path) = &selector.model else {
            return Ok(self.is_frozen()?.then(shipped_model));
        };
        let model = self.materials.models.get(path).ok_or_else(|| BuildError::NoModel {
            pool: self.pool.name.clone(),
            path: path.display().to_string(),
        })?;
        let has_started = learned_before.is_some_and(|before| before.selector.model.as_ref() == Some(path));
        Ok((!has_started || slot.current().is_none()).then(|| Arc::clone(model)))
    }

    /// Whether the selector could learn and is not to.
    fn is_frozen(&self) -> Result<bool, BuildError> {
        let selector = &self.pool.selector;
        Ok(selector.learning.learn == Learn::Off && self.kind(&selector.kind)?.model == ModelUse::Learned)
    }

    fn selector(&self, members: &[Member], model: &Arc<ModelSlot>) -> Result<Arc<dyn Selector>, BuildError> {
        let last_resort: Arc<dyn Selector> = Arc::new(LeastRequests::of_all());
        let context = SelectorContext {
            members,
            model,
            fallback: &last_resort,
            forest: self.forest_options(),
        };
        let fallback = match &self.pool.selector.fallback {
            Some(name) => self.selector_of(name, &context)?,
            None => Arc::clone(&last_resort),
        };
        self.selector_of(
            &self.pool.selector.kind,
            &SelectorContext {
                fallback: &fallback,
                ..context
            },
        )
    }

    fn selector_of(&self, name: &str, context: &SelectorContext<'_>) -> Result<Arc<dyn Selector>, BuildError> {
        Ok((self.kind(name)?.build)(context))
    }

    fn kind(&self, name: &str) -> Result<&SelectorKind, BuildError> {
        self.registry.get(name).ok_or_else(|| BuildError::UnknownSelector {
            pool: self.pool.name.clone(),
            selector: name.to_owned(),
        })
    }
}

/// The slot of the pool's model: the one before, while the same hand fills it. A learner's has to earn its trust first.
fn slot(notebook: Option<&Notebook>, previous: Option<&ServedPool>) -> Arc<ModelSlot> {
    let same_hand = previous.filter(|previous| previous.notebook.is_some() == notebook.is_some());
    same_hand.map_or_else(
        || {
            let slot = ModelSlot::default();
            if notebook.is_some() {
                slot.trust(Charge::FewRows);
            }
            Arc::new(slot)
        },
        |previous| Arc::clone(&previous.model),
    )
}

fn find_backend(pool: &Pool, address: &str) -> Option<Arc<Backend>> {
    pool.members()
        .iter()
        .find(|member| member.backend.address() == address)
        .map(|member| Arc::clone(&member.backend))
}

fn health_policy(pool: &config::Pool) -> HealthPolicy {
    let thresholds = pool.health_check.as_ref();
    HealthPolicy {
        probed: pool.health_check.is_some(),
        healthy_threshold: thresholds.map_or(1, |check| check.healthy_threshold.get()),
        unhealthy_threshold: thresholds.map_or(1, |check| check.unhealthy_threshold.get()),
        error_rate: pool.outlier_detection.error_rate,
        max_ejection: pool.outlier_detection.max_ejection,
        base_ejection_time: pool.outlier_detection.base_ejection_time,
        max_ejection_time: pool.outlier_detection.max_ejection_time,
        panic_threshold: pool.panic_threshold,
        slow_start: pool.slow_start,
    }
}
