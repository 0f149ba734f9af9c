//! A simulated gateway: the pool and the selector that serve live traffic, driven by the same calls.

use std::sync::Arc;
use std::time::Duration;

use crate::config::ModelUse;
use crate::forest::Model;
use crate::pool::Attempt;
use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::Fleet;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Totals;
use crate::pool::Verdict;
use crate::selection::ForestOptions;
use crate::selection::LeastRequests;
use crate::selection::Lesson;
use crate::selection::ModelSlot;
use crate::selection::Registry;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::selection::shipped_model;
use crate::simulation::marginal_cost;
use crate::simulation::marginal_cost::Truth;
use crate::simulation::scenario::Machine;
use crate::simulation::scenario::Scenario;
use crate::simulation::school::School;
use crate::simulation::tutor::Tutor;
use crate::simulation::world::Request;
use crate::simulation::world::World;
use crate::units::Timestamp;

/// Every selector is helped by the same passive ejection: without one, whoever looks at load or latency sends most
/// requests to the backend that fails fastest.
const HEALTH: HealthPolicy = HealthPolicy {
    max_ejection_time: Duration::from_secs(2),
    ..HealthPolicy::BY_RESULTS
};
/// The forest selector, with the model that comes with the program.
const FOREST: &str = "forest";
/// The same, learning from nothing.
const FOREST_ONLINE: &str = "forest_online";

/// What chooses in a simulated gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Contender(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// A type in the registry of selectors, and the model that it starts with.
    Live { name: String, model: Option<Arc<Model>> },
    /// A forest that stays as it is.
    Frozen(Arc<Model>),
    /// A forest that learns.
    Online,
    /// The clairvoyant reference.
    MarginalCost,
}

/// No selector of that name can be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no selector `{name}` can be simulated; use some of: {known}")]
pub struct UnknownContender {
    name: String,
    known: String,
}

impl Contender {
    /// The contender called `name`.
    ///
    /// # Errors
    /// When there is no selector of that name.
    pub fn named(name: &str) -> Result<Self, UnknownContender> {
        match name {
            marginal_cost::NAME => return Ok(Self(Kind::MarginalCost)),
            FOREST => return Ok(Self::frozen(shipped_model())),
            FOREST_ONLINE => return Ok(Self(Kind::Online)),
            _ => {}
        }
        let name = name.to_owned();
        if Registry::default().get(&name).is_none() {
            let known = Self::names().join(", ");
            return Err(UnknownContender { name, known });
        }
        Ok(Self(Kind::Live { name, model: None }))
    }

    /// The forest of `model`, which stays as it is.
    #[must_use]
    pub fn frozen(model: Arc<Model>) -> Self {
        Self(Kind::Frozen(model))
    }

    /// The names of all contenders.
    #[must_use]
    pub fn names() -> Vec<String> {
        let registry = Registry::default();
        let live = registry.types().map(|kind| kind.name);
        live.chain([FOREST_ONLINE, marginal_cost::NAME])
            .map(str::to_owned)
            .collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Live { name, .. } => name,
            Kind::Frozen(_) => FOREST,
            Kind::Online => FOREST_ONLINE,
            Kind::MarginalCost => marginal_cost::NAME,
        }
    }

    /// Whether it can do nothing without a model that was made for its own pool.
    pub(crate) fn needs_model(&self) -> bool {
        let kind = |name: &str| Registry::default().get(name).map(|kind| kind.model);
        matches!(&self.0, Kind::Live { name, model: None } if kind(name) == Some(ModelUse::Required))
    }

    /// The same, starting with `model`.
    pub(crate) fn with_model(&self, model: Option<Arc<Model>>) -> Self {
        match &self.0 {
            Kind::Live { name, .. } => Self(Kind::Live {
                name: name.clone(),
                model,
            }),
            Kind::Frozen(_) | Kind::Online | Kind::MarginalCost => self.clone(),
        }
    }
}

/// A gateway with a pool of its own.
#[derive(Debug)]
pub(crate) struct Gateway {
    pool: Arc<Pool>,
    /// `None` for the clairvoyant reference, which no live gateway could ask.
    selector: Option<Arc<dyn Selector>>,
    /// Where the selector is one that learns while it serves.
    school: Option<School>,
    sequence: u64,
}

/// A request on its way from a gateway.
#[derive(Debug)]
pub(crate) struct Departure {
    attempt: Attempt,
    /// What will be learned from it, if anything is.
    lesson: Option<Lesson>,
}

impl Departure {
    /// Which backend it goes to.
    pub(crate) fn index(&self) -> BackendIndex {
        self.attempt.index()
    }
}

impl Gateway {
    /// The gateway number `number` of `world`.
    pub(crate) fn new(world: &World, number: usize, contender: &Contender) -> Self {
        let scenario = &world.scenario;
        let pool = Pool::new(scenario.name.clone(), members(scenario), HEALTH);
        let (frozen, online) = (ForestOptions::frozen(), ForestOptions::online());
        let (name, model, options) = match &contender.0 {
            Kind::Live { name, model } => (name.as_str(), model.as_ref(), frozen),
            Kind::Frozen(model) => (FOREST, Some(model), frozen),
            Kind::Online => (FOREST, None, online),
            Kind::MarginalCost => return Self::clairvoyant(pool),
        };
        let registry = Registry::default();
        let Some(kind) = registry.get(name) else {
            return Self::clairvoyant(pool);
        };
        let lifetime = scenario.metrics_lifetime();
        let pool = if kind.learns {
            pool.learning(Arc::new(Fleet::default()), lifetime)
        } else {
            pool
        };
        let slot = slot(model);
        let selector = (kind.build)(&SelectorContext {
            members: pool.members(),
            model: &slot,
            fallback: &(Arc::new(LeastRequests::of_all()) as Arc<dyn Selector>),
            forest: options,
        });
        let seed = world.seed.wrapping_add(number as u64);
        Self {
            pool: Arc::new(pool),
            selector: Some(selector),
            school: School::new(&options, slot, seed).filter(|_| kind.learns),
            sequence: 0,
        }
    }

    fn clairvoyant(pool: Pool) -> Self {
        Self {
            pool: Arc::new(pool),
            selector: None,
            school: None,
            sequence: 0,
        }
    }

    /// The same gateway, its pool keeping what a learning selector wants to know, whatever its own selector is.
    pub(crate) fn watched(self, metrics_lifetime: Duration) -> Self {
        if self.pool.fleet().is_some() {
            return self;
        }
        let pool = Pool::new(
            self.pool.name().to_owned(),
            self.pool.members().to_vec(),
            self.pool.policy().clone(),
        );
        Self {
            pool: Arc::new(pool.learning(Arc::default(), metrics_lifetime)),
            ..self
        }
    }

    /// Sends `request` on, while `tutor` may watch; `None` when no backend can be sent to.
    pub(crate) fn dispatch(
        &mut self,
        request: &Request,
        truth: Truth<'_>,
        tutor: Option<&mut Tutor>,
        now: Timestamp,
    ) -> Option<Departure> {
        let facts = RequestFacts {
            sequence: self.sequence,
            draw: request.draw,
            route_class: RouteClass::new(usize::from(request.route)),
            ..RequestFacts::default()
        };
        self.sequence += 1;
        if let Some(school) = &mut self.school {
            school.look(now);
        }
        let snapshot = self.pool.snapshot(now);
        let choice = match &self.selector {
            Some(selector) => selector.select(&snapshot, &facts),
            None => marginal_cost::select(&snapshot, &facts, usize::from(request.route), truth),
        }?;
        let wandered = tutor.and_then(|tutor| {
            tutor.watch(&snapshot, &facts, usize::from(request.route), truth);
            tutor.wander(&snapshot, &facts)
        });
        let choice = wandered.unwrap_or(choice);
        let lesson = self
            .school
            .as_ref()
            .and_then(|school| school.note(&snapshot, &facts, &choice));
        let attempt = self.pool.begin(choice.backend, facts.route_class, now)?;
        Some(Departure { attempt, lesson })
    }

    /// Takes in how a request ended.
    pub(crate) fn conclude(&mut self, departure: Departure, verdict: Verdict, now: Timestamp) {
        let Departure { mut attempt, lesson } = departure;
        attempt.answered(now);
        let outcome = attempt.finish(verdict, now);
        if let Some((school, lesson)) = self.school.as_ref().zip(lesson) {
            school.record(lesson, &outcome);
        }
    }

    /// Takes in the metrics of one backend.
    pub(crate) fn measure(&mut self, backend: BackendIndex, metrics: BackendMetrics) {
        self.pool.measure(backend, metrics);
    }

    /// All backends have been polled.
    pub(crate) fn end_poll(&mut self) {
        self.pool.end_metrics_round();
    }

    /// The sums of each backend so far.
    pub(crate) fn totals(&self) -> Vec<Totals> {
        self.pool
            .members()
            .iter()
            .map(|member| member.backend.totals())
            .collect()
    }
}

fn members(scenario: &Scenario) -> Vec<Member> {
    let member = |(ordinal, machine): (u32, &Machine)| Member {
        backend: Arc::new(Backend::new(format!("backend-{ordinal}"), ordinal, HEALTH.probed)),
        weight: machine.weight,
    };
    (0..).zip(&scenario.backends).map(member).collect()
}

/// A place for models, with `model` in it.
fn slot(model: Option<&Arc<Model>>) -> Arc<ModelSlot> {
    let slot = Arc::new(ModelSlot::default());
    if let Some(model) = model {
        slot.put(Arc::clone(model));
    }
    slot
}
