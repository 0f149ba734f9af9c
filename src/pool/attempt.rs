//! One attempt at one backend: in flight from its beginning until it is dropped, whatever ends it.

use std::sync::Arc;
use std::time::Duration;

use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::Fleet;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::health::Failure;
use crate::pool::statistics::ERROR_SLOWNESS;
use crate::pool::statistics::SLOWEST;
use crate::pool::statistics::Sample;
use crate::units::Timestamp;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A response that does not speak against the backend.
    Success,
    /// A response with status 500, 502, 503 or 504.
    ErrorStatus,
    /// No connection could be made.
    ConnectFailure,
    /// Connected, but not answered in time.
    Timeout,
    /// The connection broke before the response was complete.
    Reset,
    /// The client left first: says nothing about the backend.
    Aborted,
    /// The connection was upgraded and served until it was closed.
    Upgraded,
}

impl Verdict {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::ErrorStatus,
        Self::ConnectFailure,
        Self::Timeout,
        Self::Reset,
        Self::Aborted,
        Self::Upgraded,
    ];

    /// The verdict on a complete response with `status`.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        if matches!(status, 500 | 502 | 503 | 504) {
            Self::ErrorStatus
        } else {
            Self::Success
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ErrorStatus => "error_status",
            Self::ConnectFailure => "connect_failure",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Aborted => "aborted",
            Self::Upgraded => "upgraded",
        }
    }

    pub(crate) fn failure(self) -> Option<Failure> {
        match self {
            Self::ConnectFailure => Some(Failure::Connect),
            Self::ErrorStatus | Self::Timeout | Self::Reset => Some(Failure::Error),
            Self::Success | Self::Aborted | Self::Upgraded => None,
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Where it went.
    pub backend: BackendIndex,
    /// How it ended.
    pub verdict: Verdict,
    /// When it was dispatched.
    pub began: Timestamp,
    /// From dispatch to the first byte of the final response header, if one came that counts as an answer.
    pub latency: Option<Duration>,
    /// How slow it was: ln of the latency over what its route class usually takes, at most ln 15; ln 30 for an error.
    /// `None` where nothing can be learned from it, as in pools that do not learn.
    pub slowness: Option<f32>,
}

/// An attempt under way. Dropping it without [`Attempt::finish`] (a panic, say) only takes it out of the count.
#[derive(Debug)]
pub struct Attempt {
    pool: Arc<Pool>,
    backend: Arc<Backend>,
    index: BackendIndex,
    began: Timestamp,
    latency: Option<Duration>,
    upgraded: bool,
    class: RouteClass,
    /// What it should take, as added to the backend's requests in flight.
    cost: Duration,
    /// (in flight + 1) / weight at dispatch.
    load: f32,
}

impl Attempt {
    pub(crate) fn begin(pool: &Arc<Pool>, index: BackendIndex, class: RouteClass, now: Timestamp) -> Option<Self> {
        let backend = Arc::clone(pool.backend(index)?);
        let cost = pool.fleet().map_or(Duration::ZERO, |fleet| fleet.usual_latency(class));
        let ahead = backend.enter(now, cost);
        let weight = pool.relative_weight(index, now) as f32;
        Some(Self {
            pool: Arc::clone(pool),
            backend,
            index,
            began: now,
            latency: None,
            upgraded: false,
            class,
            cost,
            load: (ahead + 1) as f32 / weight,
        })
    }

    /// Which backend it goes to.
    #[must_use]
    pub fn index(&self) -> BackendIndex {
        self.index
    }

    /// The backend it goes to.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// When it was dispatched.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Notes the first byte of the final response header; only the first call counts.
    pub fn answered(&mut self, now: Timestamp) {
        self.latency.get_or_insert(now.since(self.began));
    }

    /// Whether the final response header has begun to come.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.latency.is_some()
    }

    /// Takes an upgraded connection out of the requests in flight: it is open, but it no longer waits.
    pub fn upgrade(&mut self) {
        if !std::mem::replace(&mut self.upgraded, true) {
            self.backend.leave(self.began, self.cost);
            self.backend.enter_upgraded();
        }
    }

    /// Ends it with `verdict`, which counts for the backend's totals and health.
    pub fn finish(self, verdict: Verdict, now: Timestamp) -> Outcome {
        let verdict = if self.upgraded && verdict == Verdict::Success {
            Verdict::Upgraded
        } else {
            verdict
        };
        // A quick error is no speed, and an upgraded connection's latency is its handshake's.
        let latency = self.latency.filter(|_| !self.upgraded && verdict.failure().is_none());
        self.backend.count(verdict, latency, now);
        if verdict != Verdict::Aborted {
            self.pool.conclude(self.index, verdict.failure(), now);
        }
        let slowness = self
            .pool
            .fleet()
            .and_then(|fleet| self.teach(fleet, verdict, latency, now));
        Outcome {
            backend: self.index,
            verdict,
            began: self.began,
            latency,
            slowness,
        }
    }

    /// Passes on what there is to learn from it, and says how slow it was.
    fn teach(&self, fleet: &Fleet, verdict: Verdict, latency: Option<Duration>, now: Timestamp) -> Option<f32> {
        let learned = self.backend.learned()?;
        if !self.upgraded {
            self.backend.waited(now.since(self.began));
        }
        let is_error = verdict.failure().is_some();
        let slowness = match latency {
            _ if is_error => ERROR_SLOWNESS,
            Some(latency) => {
                fleet.learn(self.class, latency);
                fleet.slowness(self.class, latency).min(SLOWEST)
            }
            // The client left first: all that is known is that the answer would have taken longer.
            None if verdict == Verdict::Aborted && !self.upgraded => {
                let so_far = fleet.slowness(self.class, now.since(self.began)).min(SLOWEST);
                Some(so_far).filter(|slowness| *slowness > learned.y_fast(now))?
            }
            None => return None,
        };
        let sample = Sample {
            class: self.class,
            slowness,
            is_error,
            load: self.load,
            cost: self.cost.as_secs_f32(),
            busy_since: self.backend.busy_since(),
        };
        learned.record(&sample, fleet.line(), now);
        self.pool.fold(fleet, now);
        Some(slowness)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.upgraded {
            self.backend.leave_upgraded();
        } else {
            self.backend.leave(self.began, self.cost);
        }
    }
}
