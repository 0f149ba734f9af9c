//! What a backend's metrics endpoint said last, readable without a lock.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::units::Timestamp;

/// The paper's four figures of one backend, from one poll; one that the source did not have is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackendMetrics {
    /// CPU in use, 0 to 100 percent of what the backend may use.
    pub cpu_percent: f32,
    /// Memory in use, 0 to 100 percent.
    pub ram_percent: f32,
    /// Bytes sent per second since the poll before.
    pub bytes_sent: f32,
    /// Bytes received per second since the poll before.
    pub bytes_recv: f32,
    /// When they were taken.
    pub at: Timestamp,
}

/// A place for one [`BackendMetrics`]. A reader during a write may see figures of two neighbouring polls side by
/// side, which does no harm: each is a true figure at most one poll old.
#[derive(Debug, Default)]
pub(crate) struct MetricsCell {
    cpu_percent: AtomicU32,
    ram_percent: AtomicU32,
    bytes_sent: AtomicU32,
    bytes_recv: AtomicU32,
    /// Zero until the first poll.
    at: AtomicU64,
}

impl MetricsCell {
    pub(crate) fn store(&self, metrics: BackendMetrics) {
        self.cpu_percent.store(metrics.cpu_percent.to_bits(), Ordering::Relaxed);
        self.ram_percent.store(metrics.ram_percent.to_bits(), Ordering::Relaxed);
        self.bytes_sent.store(metrics.bytes_sent.to_bits(), Ordering::Relaxed);
        self.bytes_recv.store(metrics.bytes_recv.to_bits(), Ordering::Relaxed);
        // Release: a reader that sees the time sees figures at least as new.
        self.at.store(metrics.at.nanos(), Ordering::Release);
    }

    pub(crate) fn load(&self) -> Option<BackendMetrics> {
        let at = self.at.load(Ordering::Acquire);
        (at > 0).then(|| BackendMetrics {
            cpu_percent: f32::from_bits(self.cpu_percent.load(Ordering::Relaxed)),
            ram_percent: f32::from_bits(self.ram_percent.load(Ordering::Relaxed)),
            bytes_sent: f32::from_bits(self.bytes_sent.load(Ordering::Relaxed)),
            bytes_recv: f32::from_bits(self.bytes_recv.load(Ordering::Relaxed)),
            at: Timestamp::from_nanos(at),
        })
    }
}
