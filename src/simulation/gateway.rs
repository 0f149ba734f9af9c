//! A simulated gateway: the pool and the selector that serve live traffic, driven by the same three calls.

use std::sync::Arc;
use std::time::Duration;

use crate::config::ModelUse;
use crate::pool::Attempt;
use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::Fleet;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::selection::LeastRequests;
use crate::selection::ModelSlot;
use crate::selection::Registry;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::simulation::marginal_cost;
use crate::simulation::marginal_cost::Truth;
use crate::simulation::scenario::Machine;
use crate::simulation::scenario::Scenario;
use crate::simulation::world::Request;
use crate::units::Share;
use crate::units::Timestamp;

/// Every selector is helped by the same passive ejection: without one, whoever looks at load or latency sends most
/// requests to the backend that fails fastest.
const HEALTH: HealthPolicy = HealthPolicy {
    probed: false,
    healthy_threshold: 1,
    unhealthy_threshold: 1,
    error_rate: Share::HALF,
    max_ejection: Share::HALF,
    base_ejection_time: Duration::from_secs(1),
    max_ejection_time: Duration::from_secs(2),
    panic_threshold: Share::HALF,
    slow_start: Duration::ZERO,
};
/// Metrics are believed until this many polls have brought no newer ones.
const POLLS_BELIEVED: u32 = 3;

/// What chooses in a simulated gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A type in the registry of selectors.
    Live(String),
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
    /// When there is no selector of that name, or it serves only with a model made for its own pool.
    pub fn named(name: &str) -> Result<Self, UnknownContender> {
        let known = Self::names();
        match name {
            marginal_cost::NAME => Ok(Self(Kind::MarginalCost)),
            _ if known.iter().any(|known| known == name) => Ok(Self(Kind::Live(name.to_owned()))),
            _ => Err(UnknownContender {
                name: name.to_owned(),
                known: known.join(", "),
            }),
        }
    }

    /// The names of all contenders.
    #[must_use]
    pub fn names() -> Vec<String> {
        let registry = Registry::default();
        let live = registry.types().filter(|kind| kind.model != ModelUse::Required);
        live.map(|kind| kind.name)
            .chain([marginal_cost::NAME])
            .map(str::to_owned)
            .collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Live(name) => name,
            Kind::MarginalCost => marginal_cost::NAME,
        }
    }
}

/// A gateway with a pool of its own.
#[derive(Debug)]
pub(crate) struct Gateway {
    pool: Arc<Pool>,
    /// `None` for the clairvoyant reference, which no live gateway could ask.
    selector: Option<Arc<dyn Selector>>,
    sequence: u64,
}

impl Gateway {
    pub(crate) fn new(scenario: &Scenario, contender: &Contender) -> Self {
        let pool = Pool::new(scenario.name.clone(), members(scenario), HEALTH);
        let lifetime = scenario.polls.interval * POLLS_BELIEVED;
        let (pool, selector) = match &contender.0 {
            Kind::Live(name) => build(name, pool, lifetime),
            Kind::MarginalCost => (pool, None),
        };
        Self {
            pool: Arc::new(pool),
            selector,
            sequence: 0,
        }
    }

    /// Sends `request` on; `None` when no backend can be sent to.
    pub(crate) fn dispatch(&mut self, request: &Request, truth: Truth<'_>, now: Timestamp) -> Option<Attempt> {
        let facts = RequestFacts {
            sequence: self.sequence,
            draw: request.draw,
            route_class: RouteClass::new(usize::from(request.route)),
            ..RequestFacts::default()
        };
        self.sequence += 1;
        let snapshot = self.pool.snapshot(now);
        let choice = match &self.selector {
            Some(selector) => selector.select(&snapshot, &facts),
            None => marginal_cost::select(&snapshot, &facts, usize::from(request.route), truth),
        }?;
        self.pool.begin(choice.backend, facts.route_class, now)
    }

    /// Takes in how an attempt ended.
    pub(crate) fn conclude(&mut self, mut attempt: Attempt, verdict: Verdict, now: Timestamp) {
        attempt.answered(now);
        attempt.finish(verdict, now);
    }

    /// Takes in the metrics of one backend.
    pub(crate) fn measure(&mut self, backend: BackendIndex, metrics: BackendMetrics) {
        self.pool.measure(backend, metrics);
    }

    /// All backends have been polled.
    pub(crate) fn end_poll(&mut self) {
        self.pool.end_metrics_round();
    }
}

fn members(scenario: &Scenario) -> Vec<Member> {
    let member = |(ordinal, machine): (u32, &Machine)| Member {
        backend: Arc::new(Backend::new(format!("backend-{ordinal}"), ordinal, HEALTH.probed)),
        weight: machine.weight,
    };
    (0..).zip(&scenario.backends).map(member).collect()
}

/// `pool` as the selector called `name` needs it, and the selector.
fn build(name: &str, pool: Pool, metrics_lifetime: Duration) -> (Pool, Option<Arc<dyn Selector>>) {
    let registry = Registry::default();
    let Some(kind) = registry.get(name) else {
        return (pool, None);
    };
    let pool = if kind.learns {
        pool.learning(Arc::new(Fleet::default()), metrics_lifetime)
    } else {
        pool
    };
    let model = Arc::new(ModelSlot::default());
    let fallback: Arc<dyn Selector> = Arc::new(LeastRequests::of_all());
    let context = SelectorContext {
        members: pool.members(),
        model: &model,
        fallback: &fallback,
    };
    let selector = (kind.build)(&context);
    (pool, Some(selector))
}
