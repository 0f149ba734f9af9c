//! The backend that answers soonest, going by its latency of late and what it still has to do.

use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::least_requests::load;
use crate::selection::scan::Scan;

/// What stands in for the latency of a backend that has been asked but has not answered yet, in seconds: more than
/// anything measured, so that it is asked once more only when all are in the same position (Finagle's penalty).
const UNANSWERED: f64 = 1e6;

/// The average latency over two seconds times `(in flight + 1) / weight`, the lowest of all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ewma;

impl Selector for Ewma {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let cost = |index| latency(pool, index, pool.latency(index)) * load(pool, index);
        Scan::All.lowest(pool, request, cost)
    }
}

/// Finagle's peak EWMA: an average latency that jumps to peaks and forgets them over ten seconds, times
/// `(in flight + 1) / weight`.
///
/// See `com.twitter.finagle.loadbalancer.PeakEwma`; linkerd's proxy and Tower use it too.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma(Scan);

impl PeakEwma {
    /// The lower of two by chance, as Finagle does.
    #[must_use]
    pub fn of_two() -> Self {
        Self(Scan::Two)
    }

    /// The lowest of all.
    #[must_use]
    pub fn of_all() -> Self {
        Self(Scan::All)
    }
}

impl Selector for PeakEwma {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let cost = |index| latency(pool, index, pool.peak_latency(index)) * load(pool, index);
        self.0.lowest(pool, request, cost)
    }
}

/// C3 (Suresh, Canini, Schmid, Feldmann: C3: Cutting tail latency in cloud data stores via adaptive replica selection,
/// NSDI 2015): the response time times the cube of the queue, the lowest of all.
///
/// C3's score is `R - 1/mu + q^3 / mu` with a service time `1/mu` and a queue that the backend reports. A gateway is
/// told neither: the response time stands in for the service time, so the first two terms cancel, and the queue
/// is `1 + w * in flight`, where w makes up for the clients one does not know of, here 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct C3;

impl Selector for C3 {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let cost = |index| latency(pool, index, pool.latency(index)) * load(pool, index).powi(3);
        Scan::All.lowest(pool, request, cost)
    }
}

/// The latency to reckon with: nothing for a backend that nobody has asked yet, so that it is.
pub(crate) fn latency(pool: &PoolSnapshot<'_>, index: BackendIndex, measured: Option<f32>) -> f64 {
    match measured {
        Some(seconds) => f64::from(seconds),
        None if pool.in_flight(index) > 0 => UNANSWERED,
        None => 0.0,
    }
}
