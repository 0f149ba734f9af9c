//! One backend: what is known about it, whichever configuration names it.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;

use crate::counters::Counter;
use crate::counters::Histogram;
use crate::pool::HealthPolicy;
use crate::pool::Occupancy;
use crate::pool::attempt::Verdict;
use crate::pool::health::Failure;
use crate::pool::health::Health;
use crate::pool::health::HealthChange;
use crate::pool::health::HealthState;
use crate::pool::health::ProbeResult;
use crate::pool::health::Standing;
use crate::pool::health::slow_start_factor;
use crate::pool::metrics::BackendMetrics;
use crate::pool::metrics::MetricsCell;
use crate::pool::statistics::InFlight;
use crate::pool::statistics::Latencies;
use crate::pool::statistics::Learned;
use crate::pool::statistics::Polled;
use crate::pool::statistics::Sent;
use crate::pool::statistics::UtilisationWeight;
use crate::units::Timestamp;

/// What is known about a backend. The judges of its health sit behind its own lock; what a decision reads is
/// published beside them in atomics.
#[derive(Debug)]
pub struct Backend {
    address: String,
    ordinal: u32,
    in_flight: InFlight,
    upgraded: AtomicU32,
    health: Mutex<Health>,
    state: AtomicU8,
    /// End of the ejection; zero in good standing.
    ejected_until: AtomicU64,
    /// When it last came back to serve; zero when it never was away.
    returned_at: AtomicU64,
    metrics: MetricsCell,
    verdicts: [Counter; Verdict::ALL.len()],
    latency: Histogram,
    ejections: Counter,
    latencies: Latencies,
    sent: Sent,
    polled: Polled,
    utilisation: UtilisationWeight,
    /// There once it has been in a pool that learns.
    learned: OnceLock<Learned>,
}

/// Sums since the backend was first known; two readings give what a window held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Attempts that ended.
    pub requests: u64,
    /// Those that were the backend's fault.
    pub errors: u64,
    /// Those that were answered with something else than an error.
    pub answers: u64,
    /// The sum of their latencies, from dispatch to the first byte of the response header.
    pub latency: Duration,
}

impl Backend {
    /// A backend at `address`, the `ordinal`-th that its pool has ever known; `probed` as in [`HealthPolicy`].
    #[must_use]
    pub fn new(address: String, ordinal: u32, probed: bool) -> Self {
        let state = if probed { HealthState::Unknown } else { HealthState::Up };
        Self {
            address,
            ordinal,
            in_flight: InFlight::default(),
            upgraded: AtomicU32::new(0),
            health: Mutex::new(Health::new(state)),
            state: AtomicU8::new(state_code(state)),
            ejected_until: AtomicU64::new(0),
            returned_at: AtomicU64::new(0),
            metrics: MetricsCell::default(),
            verdicts: Default::default(),
            latency: Histogram::default(),
            ejections: Counter::default(),
            latencies: Latencies::default(),
            sent: Sent::default(),
            polled: Polled::default(),
            utilisation: UtilisationWeight::default(),
            learned: OnceLock::new(),
        }
    }

    /// `host:port` as the configuration writes it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A number that stays with the (pool, address) while the process lives: `server_id` in data sets.
    #[must_use]
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// Attempts in flight, without upgraded connections.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.count()
    }

    /// Connections that were upgraded (WebSocket) and are still open.
    #[must_use]
    pub fn upgraded(&self) -> u32 {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// What probes say of it.
    #[must_use]
    pub fn state(&self) -> HealthState {
        state_of(self.state.load(Ordering::Relaxed))
    }

    /// Whether it serves nobody at `now` because of its results.
    #[must_use]
    pub fn is_ejected(&self, now: Timestamp) -> bool {
        now.nanos() < self.ejected_until.load(Ordering::Relaxed)
    }

    /// Whether its ejection is over but not yet made good by a success.
    #[must_use]
    pub fn is_on_probation(&self, now: Timestamp) -> bool {
        let until = self.ejected_until.load(Ordering::Relaxed);
        until > 0 && now.nanos() >= until
    }

    /// Up, and never ejected or made good since.
    #[must_use]
    pub fn is_in_good_standing(&self) -> bool {
        self.state() == HealthState::Up && self.ejected_until.load(Ordering::Relaxed) == 0
    }

    /// Whether it may be sent one more request at `now` while the pool is healthy.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.is_in_good_standing()
            || (self.state() == HealthState::Up && self.is_on_probation(now) && self.in_flight() == 0)
    }

    /// The part of its weight that counts at `now`: less than 1 for `slow_start` after it came back.
    #[must_use]
    pub fn warmth(&self, now: Timestamp, slow_start: Duration) -> f64 {
        match self.returned_at.load(Ordering::Relaxed) {
            0 => 1.0,
            returned => slow_start_factor(now.since(Timestamp::from_nanos(returned)), slow_start),
        }
    }

    /// Its figures from the last poll.
    #[must_use]
    pub fn metrics(&self) -> Option<BackendMetrics> {
        self.metrics.load()
    }

    /// How many attempts ended with `verdict`.
    #[must_use]
    pub fn verdicts(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict as usize).map_or(0, Counter::count)
    }

    /// How long it took to answer.
    #[must_use]
    pub fn latency(&self) -> &Histogram {
        &self.latency
    }

    /// How often it was ejected.
    #[must_use]
    pub fn ejections(&self) -> u64 {
        self.ejections.count()
    }

    /// Its sums so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let sum = |counts: fn(&Verdict) -> bool| {
            Verdict::ALL
                .iter()
                .filter(|v| counts(v))
                .map(|v| self.verdicts(*v))
                .sum()
        };
        Totals {
            requests: sum(|_| true),
            errors: sum(|verdict| verdict.failure().is_some()),
            answers: self.latency.count(),
            latency: self.latency.sum(),
        }
    }

    /// Takes over a policy with or without probes.
    pub fn set_probed(&self, probed: bool) {
        let mut health = self.health.lock();
        health.set_probed(probed);
        self.state.store(state_code(health.state()), Ordering::Relaxed);
    }

    /// Counts an attempt that begins at `now` and should take `cost`; how many were in flight before.
    pub(crate) fn enter(&self, now: Timestamp, cost: Duration) -> u32 {
        self.sent.record(now);
        self.in_flight.enter(now, cost)
    }

    /// Takes out the attempt that [entered](Self::enter) at `began` with `cost`.
    pub(crate) fn leave(&self, began: Timestamp, cost: Duration) {
        self.in_flight.leave(began, cost);
    }

    pub(crate) fn enter_upgraded(&self) {
        self.upgraded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave_upgraded(&self) {
        let before = self.upgraded.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "left more often than upgraded");
    }

    pub(crate) fn count(&self, verdict: Verdict, latency: Option<Duration>, now: Timestamp) {
        if let Some(counter) = self.verdicts.get(verdict as usize) {
            counter.increment();
        }
        if let Some(latency) = latency {
            self.latency.record(latency);
            self.latencies.record(latency, now);
        }
    }

    pub(crate) fn measure(&self, metrics: BackendMetrics) {
        self.metrics.store(metrics);
        self.sent.polled();
        let presence = self.in_flight.presence(metrics.at);
        let cpu = metrics.cpu_percent / 100.0;
        self.polled.poll(self.in_flight(), presence, cpu, metrics.at);
        self.utilisation
            .polled(f64::from(metrics.cpu_percent) / 100.0, self.totals(), metrics.at);
    }

    /// Notes how long an attempt was in flight that is about to leave, where that is kept.
    pub(crate) fn waited(&self, time: Duration) {
        self.in_flight.waited(time);
    }

    /// Since when there has always been an attempt in flight.
    pub(crate) fn busy_since(&self) -> Timestamp {
        self.in_flight.busy_since()
    }

    /// Attempts in flight at the last poll and around it; only while those that leave are noted.
    pub(crate) fn occupancy(&self, now: Timestamp) -> Occupancy {
        self.polled.occupancy(self.in_flight.presence(now), now)
    }

    pub(crate) fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    pub(crate) fn sent(&self) -> &Sent {
        &self.sent
    }

    pub(crate) fn utilisation(&self) -> &UtilisationWeight {
        &self.utilisation
    }

    pub(crate) fn age_ratio(&self, now: Timestamp) -> f32 {
        self.in_flight.age_ratio(now)
    }

    /// What a learning selector knows of it, once it is [taught](Self::teach).
    pub(crate) fn learned(&self) -> Option<&Learned> {
        self.learned.get()
    }

    /// Keeps what a learning selector wants to know from now on.
    pub(crate) fn teach(&self) -> &Learned {
        self.learned.get_or_init(Learned::default)
    }

    pub(crate) fn observe(&self, probe: ProbeResult, policy: &HealthPolicy, now: Timestamp) -> Option<HealthChange> {
        let mut health = self.health.lock();
        let change = health.probed(probe, policy)?;
        self.state.store(state_code(change.to), Ordering::Relaxed);
        // From `Down` it returns; from `Unknown` it starts, and a start is no return.
        if change.from == HealthState::Down && change.to == HealthState::Up {
            self.returned_at.store(now.nanos(), Ordering::Relaxed);
        }
        Some(change)
    }

    /// Takes in how an attempt ended; says whether its standing changed.
    pub(crate) fn conclude(
        &self,
        failure: Option<Failure>,
        policy: &HealthPolicy,
        may_eject: impl FnOnce() -> bool,
        now: Timestamp,
    ) -> bool {
        let mut health = self.health.lock();
        if !health.concluded(failure, policy, may_eject, now) {
            return false;
        }
        match health.standing() {
            Standing::Good => {
                self.ejected_until.store(0, Ordering::Relaxed);
                self.returned_at.store(now.nanos(), Ordering::Relaxed);
            }
            Standing::Ejected { until } => {
                self.ejected_until.store(until.nanos(), Ordering::Relaxed);
                self.ejections.increment();
            }
        }
        true
    }
}

const fn state_code(state: HealthState) -> u8 {
    state as u8
}

const fn state_of(code: u8) -> HealthState {
    match code {
        0 => HealthState::Unknown,
        1 => HealthState::Up,
        _ => HealthState::Down,
    }
}
