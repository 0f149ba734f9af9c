//! What the gateway tells about itself: counts, states, and the data set of its backends.
//!
//! The proxy, the tasks and the admin listener never call each other; they meet here and in the generation.

mod dataset_log;
mod metrics;
pub mod names;
mod progress;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use crate::counters::Counter;
use crate::units::Timestamp;

pub use dataset_log::DatasetLog;
pub use metrics::Exposition;
pub use progress::Delay;
pub use progress::Progress;
pub use progress::ProgressBoard;

/// Counts and states of the whole process.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Client connections that are open.
    pub connections: Gauge,
    /// Requests that are being served, upgraded connections included.
    pub in_flight: Gauge,
    /// Client connections that were closed at once because too many were open.
    pub connections_refused: Counter,
    /// Client connections that were closed because a request header took too long.
    pub header_timeouts: Counter,
    /// Reloads that put a new generation in charge.
    pub reloads: Counter,
    /// Reloads that were refused.
    pub reload_failures: Counter,
    /// Model files that were refused.
    pub model_failures: Counter,
    /// Polls of a backend's metrics that failed.
    pub poll_failures: Counter,
    /// How the learning of each pool goes.
    pub progress: ProgressBoard,
    started: AtomicBool,
    draining: AtomicBool,
    last_reload: Mutex<Option<Reload>>,
}

/// How the last reload went.
#[derive(Clone, Debug, PartialEq)]
pub struct Reload {
    /// When.
    pub at: Timestamp,
    /// The generation that is in charge since, or still.
    pub generation: u64,
    /// Why nothing was changed, when nothing was.
    pub error: Option<String>,
    /// Keys that were changed in the file but need a restart.
    pub needs_restart: Vec<String>,
}

/// Someone who asks for a reload, and waits to hear how it went.
pub type Asker = tokio::sync::oneshot::Sender<Reload>;

impl Telemetry {
    /// Whether the gateway is all there: from now on a signal drains it instead of just ending it.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }

    /// From now on the gateway is all there.
    pub fn start(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Whether the gateway takes no new connections any more.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// From now on the gateway takes no new connections.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Notes how a reload went.
    pub fn reloaded(&self, reload: Reload) {
        if reload.error.is_some() {
            &self.reload_failures
        } else {
            &self.reloads
        }
        .increment();
        *self.last_reload.lock() = Some(reload);
    }

    /// How the last reload went, if there was one.
    #[must_use]
    pub fn last_reload(&self) -> Option<Reload> {
        self.last_reload.lock().clone()
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU32);

impl Gauge {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of the things that a [`Gauge`] counts; dropping it takes it out of the count.
#[derive(Debug)]
pub struct Counted {
    telemetry: Arc<Telemetry>,
    gauge: fn(&Telemetry) -> &Gauge,
}

impl Counted {
    /// Counts one more on `gauge` until it is dropped; also says how many there were before.
    #[must_use]
    pub fn enter(telemetry: &Arc<Telemetry>, gauge: fn(&Telemetry) -> &Gauge) -> (Self, u32) {
        let before = gauge(telemetry).0.fetch_add(1, Ordering::Relaxed);
        (
            Self {
                telemetry: Arc::clone(telemetry),
                gauge,
            },
            before,
        )
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.gauge)(&self.telemetry).0.fetch_sub(1, Ordering::Relaxed);
    }
}
