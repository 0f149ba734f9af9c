//! What is learned from one attempt.

use crate::pool::statistics::fleet::RouteClass;
use crate::units::Timestamp;

/// What one attempt taught.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Its route class.
    pub(crate) class: RouteClass,
    /// Its slowness.
    pub(crate) slowness: f32,
    /// Whether it failed by the backend's fault.
    pub(crate) is_error: bool,
    /// (in flight + 1) / weight at dispatch.
    pub(crate) load: f32,
    /// Seconds that its route class usually takes.
    pub(crate) cost: f32,
    /// Since when its backend has not been idle.
    pub(crate) busy_since: Timestamp,
}
