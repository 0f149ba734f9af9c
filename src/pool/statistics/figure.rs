//! Numbers that one thread writes while others read.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::elementary::exp;
use crate::units::Timestamp;

/// A number. Relaxed throughout: it stands for itself and orders nothing else.
#[derive(Debug, Default)]
pub(crate) struct Figure(AtomicU32);

impl Figure {
    pub(crate) fn new(value: f32) -> Self {
        Self(AtomicU32::new(value.to_bits()))
    }

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

    /// Nanoseconds from it until `now`; `None` when there has been none.
    pub(crate) fn nanos_until(&self, now: Timestamp) -> Option<u64> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            at => Some(now.nanos().saturating_sub(at)),
        }
    }

    /// Seconds from it until `now`; infinite when there has been none. A decision asks several times for each backend, so
    /// it goes without the divisions of a `Duration`.
    pub(crate) fn seconds_until(&self, now: Timestamp) -> f32 {
        self.nanos_until(now).map_or(f32::INFINITY, |nanos| nanos as f32 * 1e-9)
    }
}

/// What is left after `seconds` of something that fades with the time constant `tau`.
#[inline]
pub(crate) fn fade(seconds: f32, tau: f32) -> f32 {
    exp(exponent(seconds, tau))
}

/// The power of e that [`fade`] is, for those who work out several at once.
#[inline]
pub(crate) fn exponent(seconds: f32, tau: f32) -> f32 {
    -seconds * (1.0 / tau)
}
