//! What is known about a group of backends, and how it changes.
//!
//! A [`Pool`] is the only mutable thing in the core. Every call is told the time. The request path reads and adds to
//! atomics; the one lock is a backend's own, taken for a few instructions when an attempt or a probe ends. What a
//! backend has been through ([`Backend`]) outlives a configuration: the next generation's pool holds the same one.
//! Choosing among the backends is `crate::selection`'s work.

mod attempt;
mod backend;
mod health;
mod metrics;
mod snapshot;
mod statistics;

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::pool::statistics::FleetLineSums;
use crate::units::Share;
use crate::units::Timestamp;
use crate::units::Weight;

pub use attempt::Attempt;
pub use attempt::Outcome;
pub use attempt::Verdict;
pub use backend::Backend;
pub use backend::Totals;
pub use health::HealthChange;
pub use health::HealthState;
pub use health::ProbeResult;
pub use metrics::BackendMetrics;
pub use snapshot::BackendIndex;
pub use snapshot::BackendSet;
pub use snapshot::PoolSnapshot;
pub use snapshot::Tier;
pub use statistics::Bearing;
pub use statistics::Fleet;
pub use statistics::Occupancy;
pub use statistics::RouteClass;
pub use statistics::Signals;
pub use statistics::Standing;

/// A backend's place in a pool: what a configuration says of it, and what is known about it.
#[derive(Clone, Debug)]
pub struct Member {
    /// What is known about it; shared with the pools of other generations.
    pub backend: Arc<Backend>,
    /// Its share beside the others.
    pub weight: Weight,
}

/// When a pool's backends count as healthy.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthPolicy {
    /// Whether backends are probed; unprobed ones count as up from the start.
    pub probed: bool,
    /// Successful probes in a row that bring a backend up.
    pub healthy_threshold: u32,
    /// Failed probes in a row that take it down.
    pub unhealthy_threshold: u32,
    /// Above this average share of errors a backend is ejected.
    pub error_rate: Share,
    /// Never more than this share of the pool is ejected at once.
    pub max_ejection: Share,
    /// The first ejection; each further one in a row lasts twice as long.
    pub base_ejection_time: Duration,
    /// The longest ejection.
    pub max_ejection_time: Duration,
    /// Below this share of usable backends all of them are used.
    pub panic_threshold: Share,
    /// How long a returning backend takes to its full weight.
    pub slow_start: Duration,
}

impl HealthPolicy {
    /// Backends that are not probed, and are ejected by what they answer alone.
    pub const BY_RESULTS: Self = Self {
        probed: false,
        healthy_threshold: 1,
        unhealthy_threshold: 1,
        error_rate: Share::HALF,
        max_ejection: Share::HALF,
        base_ejection_time: Duration::from_secs(1),
        max_ejection_time: Duration::from_secs(10),
        panic_threshold: Share::HALF,
        slow_start: Duration::ZERO,
    };
}

/// Metrics are believed until this many polls have brought no newer ones.
pub const POLLS_BELIEVED: u32 = 3;

/// A group of backends that answer the same requests.
#[derive(Debug)]
pub struct Pool {
    name: String,
    members: Box<[Member]>,
    policy: HealthPolicy,
    mean_weight: f64,
    /// The tier of the last snapshot that had to work it out, and until when it holds (0: not at all).
    tier: AtomicU8,
    tier_until: AtomicU64,
    /// Counts the rounds of metrics, so that a choice made from them can be kept until the next.
    metrics_round: AtomicU64,
    fleet: Option<Arc<Fleet>>,
    /// Metrics older than this are not believed.
    metrics_lifetime: Duration,
}

impl Pool {
    /// A pool of `members`.
    #[must_use]
    pub fn new(name: String, members: Vec<Member>, policy: HealthPolicy) -> Self {
        let total: f64 = members.iter().map(|member| f64::from(member.weight.number())).sum();
        Self {
            name,
            mean_weight: total / members.len().max(1) as f64,
            members: members.into_boxed_slice(),
            policy,
            tier: AtomicU8::new(0),
            tier_until: AtomicU64::new(0),
            metrics_round: AtomicU64::new(0),
            fleet: None,
            metrics_lifetime: Duration::MAX,
        }
    }

    /// The same pool, keeping what a learning selector wants to know: what its backends teach together goes to
    /// `fleet`, and metrics older than `metrics_lifetime` count as unknown.
    #[must_use]
    pub fn learning(self, fleet: Arc<Fleet>, metrics_lifetime: Duration) -> Self {
        for member in &self.members {
            member.backend.teach();
        }
        Self {
            fleet: Some(fleet),
            metrics_lifetime,
            ..self
        }
    }

    /// What its backends have taught together, in a pool that [learns](Self::learning).
    #[must_use]
    pub fn fleet(&self) -> Option<&Arc<Fleet>> {
        self.fleet.as_ref()
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its backends, in the configuration's order: a [`BackendIndex`] counts along it.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// When its backends count as healthy.
    #[must_use]
    pub fn policy(&self) -> &HealthPolicy {
        &self.policy
    }

    /// The backend at `index`, if there is one.
    #[must_use]
    pub fn backend(&self, index: BackendIndex) -> Option<&Arc<Backend>> {
        self.members.get(index.position()).map(|member| &member.backend)
    }

    /// What is known now: a view, not a copy, so counts read from it are never stale.
    #[must_use]
    pub fn snapshot(&self, now: Timestamp) -> PoolSnapshot<'_> {
        PoolSnapshot::new(self, now, self.tier_at(now))
    }

    /// Starts an attempt for a request of `class` on the backend at `index` and counts it in flight; `None` when there
    /// is no such backend.
    #[must_use]
    pub fn begin(self: &Arc<Self>, index: BackendIndex, class: RouteClass, now: Timestamp) -> Option<Attempt> {
        Attempt::begin(self, index, class, now)
    }

    /// Takes in the result of a health probe, and says what it changed.
    pub fn observe(&self, index: BackendIndex, probe: ProbeResult, now: Timestamp) -> Option<HealthChange> {
        let change = self.backend(index)?.observe(probe, &self.policy, now);
        if change.is_some() {
            self.forget_tier();
        }
        change
    }

    /// Takes in the figures of the backend at `index` from a poll.
    pub fn measure(&self, index: BackendIndex, metrics: BackendMetrics) {
        if let Some(backend) = self.backend(index) {
            backend.measure(metrics);
        }
    }

    /// Ends a round of polls: choices made from the metrics are made anew.
    pub fn end_metrics_round(&self) {
        // Release: who sees the new round sees the figures that came before it.
        self.metrics_round.fetch_add(1, Ordering::Release);
    }

    /// Takes in how an attempt on the backend at `index` ended; ejects it when that is called for.
    pub(crate) fn conclude(&self, index: BackendIndex, failure: Option<health::Failure>, now: Timestamp) {
        let Some(backend) = self.backend(index) else { return };
        let may_eject = || self.ejected(now) < self.ejection_limit();
        if backend.conclude(failure, &self.policy, may_eject, now) {
            self.forget_tier();
        }
    }

    /// The weight of the backend at `index` over the mean weight, as far as it is warm.
    pub(crate) fn relative_weight(&self, index: BackendIndex, now: Timestamp) -> f64 {
        let Some(member) = self.members.get(index.position()) else {
            return 0.0;
        };
        f64::from(member.weight.number()) / self.mean_weight * member.backend.warmth(now, self.policy.slow_start)
    }

    /// Gathers what all backends know, when it is time to.
    pub(crate) fn fold(&self, fleet: &Fleet, now: Timestamp) {
        if fleet.takes_turn(now) {
            let backends = || self.members.iter().map(|member| &member.backend);
            let sums = backends()
                .filter_map(|backend| backend.learned())
                .map(|learned| learned.line_sums(now));
            let rate = backends().map(|backend| backend.sent().rate(now)).sum();
            fleet.fold(sums.fold(FleetLineSums::default(), FleetLineSums::plus), rate);
        }
    }

    fn ejected(&self, now: Timestamp) -> usize {
        self.members
            .iter()
            .filter(|member| member.backend.is_ejected(now))
            .count()
    }

    fn ejection_limit(&self) -> usize {
        (self.policy.max_ejection.fraction() * self.members.len() as f64).floor() as usize
    }

    fn tier_at(&self, now: Timestamp) -> Tier {
        // Acquire pairs with the Release in `remember_tier`: the tier read is at least as new as its deadline.
        if now.nanos() < self.tier_until.load(Ordering::Acquire) {
            return Tier::from_code(self.tier.load(Ordering::Relaxed));
        }
        let (tier, until) = snapshot::tier(&self.members, &self.policy, now);
        self.tier.store(tier.code(), Ordering::Relaxed);
        self.tier_until.store(until.nanos(), Ordering::Release);
        tier
    }

    fn forget_tier(&self) {
        self.tier_until.store(0, Ordering::Release);
    }
}
