//! A pool at one moment, as a selector sees it: a borrowed view, so that a decision among a thousand backends moves
//! no memory and reads counts that are exact at that moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::pool::Backend;
use crate::pool::BackendMetrics;
use crate::pool::Fleet;
use crate::pool::HealthPolicy;
use crate::pool::HealthState;
use crate::pool::Member;
use crate::pool::Occupancy;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Signals;
use crate::pool::Standing;
use crate::units::Share;
use crate::units::Timestamp;

/// How long a tier holds unless something changes it in this pool. The same backends may serve in the pool of an
/// older generation too, and what happens there is noticed at the next look.
const TIER_LIFETIME: Duration = Duration::from_millis(10);

/// A backend's position in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendIndex(u16);

impl BackendIndex {
    /// The index of `position`; positions beyond 65,535 do not exist in a pool.
    #[must_use]
    pub fn new(position: usize) -> Self {
        Self(u16::try_from(position).unwrap_or(u16::MAX))
    }

    /// The position in [`Pool::members`].
    #[must_use]
    pub fn position(self) -> usize {
        usize::from(self.0)
    }
}

/// The backends that one request has tried: few, and held in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendSet {
    tried: [Option<BackendIndex>; Self::CAPACITY],
    count: usize,
}

impl BackendSet {
    /// A request makes at most one attempt and ten retries.
    pub const CAPACITY: usize = 11;

    /// Adds `index`; a full set forgets nothing and takes no more.
    pub fn insert(&mut self, index: BackendIndex) {
        if let Some(place) = self.tried.get_mut(self.count) {
            *place = Some(index);
            self.count += 1;
        }
    }

    /// Whether `index` is in it.
    #[must_use]
    pub fn contains(&self, index: BackendIndex) -> bool {
        self.tried.iter().take(self.count).any(|tried| *tried == Some(index))
    }

    /// How many were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Which backends a pool falls back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Those in good standing, and those on probation one request at a time.
    Healthy,
    /// Nothing is up, but some have not been probed yet: those.
    Unknown,
    /// Too few are usable, so all of them are: better a slow answer than none.
    Panic,
}

impl Tier {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Healthy,
            1 => Self::Unknown,
            _ => Self::Panic,
        }
    }
}

/// The tier that `members` are in, and until when that is worth remembering.
pub(crate) fn tier(members: &[Member], policy: &HealthPolicy, now: Timestamp) -> (Tier, Timestamp) {
    let good = members
        .iter()
        .filter(|member| member.backend.is_in_good_standing())
        .count();
    let until = now.plus(TIER_LIFETIME);
    if good > 0 && !policy.panic_threshold.exceeds(good, members.len()) {
        return (Tier::Healthy, until);
    }
    let unknown = members
        .iter()
        .filter(|member| member.backend.state() == HealthState::Unknown)
        .count();
    let enough = unknown > 0 && !policy.panic_threshold.exceeds(good + unknown, members.len());
    match (good, enough) {
        (0, true) => (Tier::Unknown, until),
        (_, true) => (Tier::Healthy, until),
        // A threshold of zero forbids panic: then nobody serves.
        (_, false) if policy.panic_threshold == Share::NONE => (Tier::Healthy, until),
        (_, false) => (Tier::Panic, until),
    }
}

/// A pool at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PoolSnapshot<'a> {
    pool: &'a Pool,
    now: Timestamp,
    tier: Tier,
}

impl<'a> PoolSnapshot<'a> {
    pub(crate) fn new(pool: &'a Pool, now: Timestamp, tier: Tier) -> Self {
        Self { pool, now, tier }
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Which backends are fallen back on.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// How many backends there are, fit or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pool.members().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pool.members().is_empty()
    }

    /// All indices, fit or not.
    pub fn indices(&self) -> impl Iterator<Item = BackendIndex> + use<> {
        (0..self.len()).map(BackendIndex::new)
    }

    /// The indices that a request which has tried `tried` may be sent to.
    pub fn eligible(&self, tried: &BackendSet) -> impl Iterator<Item = BackendIndex> {
        self.indices().filter(move |index| self.is_eligible(*index, tried))
    }

    /// Whether a request which has tried `tried` may be sent to the backend at `index`.
    #[must_use]
    pub fn is_eligible(&self, index: BackendIndex, tried: &BackendSet) -> bool {
        let Some(backend) = self.backend(index) else {
            return false;
        };
        let fit = match self.tier {
            Tier::Healthy => backend.is_usable(self.now),
            Tier::Unknown => backend.state() == HealthState::Unknown,
            Tier::Panic => true,
        };
        fit && !tried.contains(index)
    }

    /// Attempts in flight at the backend at `index`, read now.
    #[must_use]
    pub fn in_flight(&self, index: BackendIndex) -> u32 {
        self.backend(index).map_or(0, Backend::in_flight)
    }

    /// Its weight over the pool's mean weight, times its [`warmth`](Self::warmth).
    #[must_use]
    pub fn relative_weight(&self, index: BackendIndex) -> f64 {
        self.pool.relative_weight(index, self.now)
    }

    /// The part of its weight that counts: less than 1 while it starts slowly.
    #[must_use]
    pub fn warmth(&self, index: BackendIndex) -> f64 {
        self.backend(index)
            .map_or(0.0, |backend| backend.warmth(self.now, self.pool.policy().slow_start))
    }

    /// Its figures from the last poll.
    #[must_use]
    pub fn metrics(&self, index: BackendIndex) -> Option<BackendMetrics> {
        self.backend(index).and_then(Backend::metrics)
    }

    /// Counts the rounds of polls; what was worked out from [`Self::metrics`] holds while it stays the same.
    #[must_use]
    pub fn metrics_round(&self) -> u64 {
        // Acquire pairs with the Release in `Pool::end_metrics_round`.
        self.pool.metrics_round.load(Ordering::Acquire)
    }

    /// Its figures from the last poll, unless they are too old to be believed.
    #[must_use]
    pub fn fresh_metrics(&self, index: BackendIndex) -> Option<BackendMetrics> {
        self.metrics(index)
            .filter(|metrics| self.now.since(metrics.at) <= self.pool.metrics_lifetime)
    }

    /// What its answers took of late, over about two seconds; `None` before the first one. In seconds.
    #[must_use]
    pub fn latency(&self, index: BackendIndex) -> Option<f32> {
        self.backend(index)?.latencies().average(self.now)
    }

    /// What its answers took, jumping to peaks and fading over about ten seconds; `None` before the first one. In
    /// seconds.
    #[must_use]
    pub fn peak_latency(&self, index: BackendIndex) -> Option<f32> {
        self.backend(index)?.latencies().peak(self.now)
    }

    /// Requests a second over CPU in use, errors held against it; `None` without metrics or traffic.
    #[must_use]
    pub fn utilisation_weight(&self, index: BackendIndex) -> Option<f32> {
        self.backend(index)?.utilisation().weight()
    }

    /// How long its attempts in flight have waited, over how long they should take; 0 when there are none.
    #[must_use]
    pub fn age_ratio(&self, index: BackendIndex) -> f32 {
        self.backend(index).map_or(0.0, |backend| backend.age_ratio(self.now))
    }

    /// Attempts a second sent to it, over about the last one.
    #[must_use]
    pub fn send_rate(&self, index: BackendIndex) -> f32 {
        self.backend(index).map_or(0.0, |backend| backend.sent().rate(self.now))
    }

    /// Attempts sent to it since its metrics were taken.
    #[must_use]
    pub fn sent_since_poll(&self, index: BackendIndex) -> u64 {
        self.backend(index).map_or(0, |backend| backend.sent().since_poll())
    }

    /// What a pool that learns knows of it, for a request of `class`; nothing in other pools.
    #[must_use]
    pub fn signals(&self, index: BackendIndex, class: RouteClass) -> Signals {
        let learned = self.backend(index).and_then(Backend::learned);
        learned.map_or_else(Signals::default, |learned| learned.signals(class, self.now))
    }

    /// The same, and how it bears load.
    #[must_use]
    pub fn standing(&self, index: BackendIndex, class: RouteClass) -> Standing {
        let learned = self.backend(index).and_then(Backend::learned);
        let known = learned.zip(self.fleet());
        known.map_or_else(Standing::default, |(learned, fleet)| {
            learned.standing(class, fleet.line(), self.now)
        })
    }

    /// Attempts in flight at the last poll and around it, in a pool that learns.
    #[must_use]
    pub fn occupancy(&self, index: BackendIndex) -> Occupancy {
        self.backend(index)
            .map_or_else(Occupancy::default, |backend| backend.occupancy(self.now))
    }

    /// [`Signals::route_deviation`] alone.
    #[must_use]
    pub fn route_deviation(&self, index: BackendIndex, class: RouteClass) -> f32 {
        let learned = self.backend(index).and_then(Backend::learned);
        learned.map_or(0.0, |learned| learned.route_deviation(class, self.now))
    }

    /// What its backends have taught together, in a pool that learns.
    #[must_use]
    pub fn fleet(&self) -> Option<&'a Arc<Fleet>> {
        self.pool.fleet()
    }

    fn backend(&self, index: BackendIndex) -> Option<&'a Backend> {
        self.pool.members().get(index.position()).map(|member| &*member.backend)
    }
}
