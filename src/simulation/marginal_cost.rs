//! The clairvoyant reference: every request goes where it adds the least to the latencies of all.
//!
//! It knows what no gateway can know: the cores, the true number of requests on every backend, what competes with
//! them and what is wrong. With n requests, a other threads and c cores, processor sharing makes n requests take
//! `f(n) = n * max(1, (n + a) / c)` together, so one more costs `f(n + 1) - f(n)`, times what this backend needs for
//! the route. How far a selector is from it is how much there is left to win.

use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::simulation::backend::Backend;
use crate::units::Draws;

pub(crate) const NAME: &str = "marginal_cost";

/// Puts idle backends in an order, too: the one with more of its cores free is first.
const OCCUPANCY_COST: f64 = 0.1;
/// An error costs this many times a good answer; passive ejection is what ends it.
const FAILURE_COST: f64 = 30.0;

/// What no gateway can know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth<'w> {
    pub(crate) backends: &'w [Backend],
    /// Requests sent to each and not done there, of all gateways.
    pub(crate) committed: &'w [u32],
}

/// The eligible backend with the least marginal cost for a request of `route`; ties by chance.
pub(crate) fn select(
    pool: &PoolSnapshot<'_>,
    request: &RequestFacts,
    route: usize,
    truth: Truth<'_>,
) -> Option<Choice> {
    let mut draws = Draws::new(request.draw);
    let costs = pool.eligible(&request.tried).filter_map(|index| {
        let backend = truth.backends.get(index.position())?;
        let committed = truth.committed.get(index.position())?;
        Some((index, cost(backend, f64::from(*committed), route), draws.next()))
    });
    let best = costs.min_by(|one, other| one.1.total_cmp(&other.1).then(one.2.cmp(&other.2)));
    best.map(|(index, ..)| Choice::by_policy(index))
}

/// ln of what one more request of `route` on the backend at `index` costs all; `None` when there is no such backend.
pub(crate) fn ln_cost(index: BackendIndex, route: usize, truth: Truth<'_>) -> Option<f32> {
    let backend = truth.backends.get(index.position())?;
    let committed = truth.committed.get(index.position())?;
    Some(libm::log(cost(backend, f64::from(*committed), route)) as f32)
}

/// A cold cache is not counted: warming it is work that has to be done at some time, by whoever comes first.
fn cost(backend: &Backend, committed: f64, route: usize) -> f64 {
    let (cores, threads) = (backend.cores(), backend.threads());
    let together = |requests: f64| requests * ((requests + threads) / cores).max(1.0);
    let added = together(committed + 1.0) - together(committed) + OCCUPANCY_COST * (committed + threads) / cores;
    let failing = if backend.is_failing() { FAILURE_COST } else { 1.0 };
    added * backend.seconds_per_work(route) * failing
}
