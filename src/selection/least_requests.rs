//! The backend with the fewest requests in flight.

use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::scan::Scan;

/// Least connections, as HAProxy's `leastconn` and Envoy's least-request call it: the lowest `(in flight + 1) /
/// weight`, ties by chance.
#[derive(Clone, Copy, Debug)]
pub struct LeastRequests(Scan);

impl LeastRequests {
    /// Of all eligible backends.
    #[must_use]
    pub fn of_all() -> Self {
        Self(Scan::All)
    }

    /// Of two by chance, as `p2c`.
    #[must_use]
    pub fn of_two() -> Self {
        Self(Scan::Two)
    }
}

impl Selector for LeastRequests {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        self.0.lowest(pool, request, |index| load(pool, index))
    }
}

/// The requests that one more would make, over the backend's weight.
pub(crate) fn load(pool: &PoolSnapshot<'_>, index: BackendIndex) -> f64 {
    (f64::from(pool.in_flight(index)) + 1.0) / pool.relative_weight(index)
}
