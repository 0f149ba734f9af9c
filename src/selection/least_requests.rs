//! The backend with the fewest requests in flight.

use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::units::Draws;

/// Least connections, as HAProxy's `leastconn` and Envoy's least-request call it: the lowest `(in flight + 1) /
/// weight` of all eligible backends, ties by chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastRequests;

impl Selector for LeastRequests {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let mut draws = Draws::new(request.draw);
        let mut best = None;
        let (mut lowest, mut ties) = (f64::INFINITY, 0);
        for index in pool.eligible(&request.tried) {
            let load = (f64::from(pool.in_flight(index)) + 1.0) / pool.relative_weight(index);
            if load < lowest {
                (best, lowest, ties) = (Some(index), load, 1);
            } else if load == lowest {
                // Reservoir sampling: the k-th of k equals takes the place with a chance of 1 / k.
                ties += 1;
                if draws.below(ties) == 0 {
                    best = Some(index);
                }
            }
        }
        best.map(Choice::by_policy)
    }
}
