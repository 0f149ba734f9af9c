//! What attempts teach about backends, kept current as they begin and end.
//!
//! A decision reads atomics: figures of neighbouring attempts may stand side by side, each of them true a moment ago.
//! Whoever writes takes the backend's own turn for some tens of nanoseconds; no lock is shared by two backends, and
//! nothing allocates. [`Latencies`], [`InFlight`] and [`UtilisationWeight`] are always kept; [`Learned`] and most of
//! [`Fleet`] only in pools with a selector that learns. All of it fades with time, so it outlives a configuration
//! without outliving its truth.

mod bearing;
mod figure;
mod fleet;
mod in_flight;
mod latencies;
mod learned;
mod left;
mod line;
mod polled;
mod sample;
mod sent;
mod utilisation;

pub use bearing::Bearing;
pub use fleet::Fleet;
pub use fleet::RouteClass;
pub(crate) use in_flight::InFlight;
pub(crate) use latencies::Latencies;
pub(crate) use learned::Learned;
pub use learned::Signals;
pub use learned::Standing;
pub(crate) use line::FleetLineSums;
pub use polled::Occupancy;
pub(crate) use polled::Polled;
pub(crate) use sample::Sample;
pub(crate) use sent::Sent;
pub(crate) use utilisation::UtilisationWeight;

/// Slowness (ln of latency over the route class's usual one) is capped here: beyond fifteen times as long it makes no
/// difference how much longer.
pub(crate) const SLOWEST: f32 = 2.708_050_2;
/// An error counts as an answer that took thirty times as long as usual.
pub(crate) const ERROR_SLOWNESS: f32 = 3.401_197_4;
