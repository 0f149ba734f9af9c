//! Numbers that one thread writes while others read.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::elementary::exp;
use crate::units::Timestamp;

/// A number. Relaxed throughout: it stands for itself and orders nothing else.
#[derive(Debug, Default)]
pub(crate) struct Figure(AtomicU32);

impl Figure {
    pub(crate) fn load(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn store(&self, value: f32) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Moves to `value` by the share `step` of the way.
    pub(crate) fn approach(&self, value: f32, step: f32) {
        let before = self.load();
        self.store(before + step * (value - before));
    }
}

/// A moment, or none yet. Relaxed as [`Figure`] is.
#[derive(Debug, Default)]
pub(crate) struct Moment(AtomicU64);

impl Moment {
    pub(crate) fn store(&self, at: Timestamp) {
        self.0.store(at.nanos(), Ordering::Relaxed);
    }

    /// It, or the beginning of time when there has been none.
    pub(crate) fn load(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Whether there has been one.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// The time from it until `now`; without end when there has been none.
    pub(crate) fn until(&self, now: Timestamp) -> Duration {
        match self.0.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            at => now.since(Timestamp::from_nanos(at)),
        }
    }
}

/// What is left after `seconds` of something that fades with the time constant `tau`.
pub(crate) fn fade(seconds: f32, tau: f32) -> f32 {
    exp(-seconds / tau)
}
