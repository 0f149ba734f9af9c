//! The clairvoyant reference: every request goes where it costs all others and itself the least.
//!
//! It knows what no gateway can know: the cores, the true number of requests on every backend, what competes with
//! them and what is wrong. How far a selector is from it is how much there is left to win. Two prices are weighed.
//!
//! *To those who are there:* with n requests, a other threads and c cores, processor sharing makes n requests take
//! `f(n) = n * max(1, (n + a) / c)` together, so one more costs `f(n + 1) - f(n)`, times what this backend needs for the route.
//!
//! *To those who come later:* once there are more requests than cores, each that is not done yet makes everybody wait who comes
//! before the crowd has gone. Then it no longer matters who is quickest but that no core is ever idle and that the others'
//! threads get as little as can be: one more goes where the fewest wait for a core, and preferably where it takes its time from
//! an antagonist and not from a request. What it must not do is take more work than elsewhere, as a route does on the backend that
//! serves it badly.
//!
//! The first price alone loses to the fewest requests in flight by 10 % among antagonists at three quarters of the load; its
//! constants were chosen in random worlds and under seeds that no published figure is of.

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
/// How soon those who come later count: as much as those who are there with one and a half requests for every core.
const CROWDING: f64 = 2.0;
/// How far time that is taken from an antagonist counts as none.
const TAKEN_FROM_OTHERS: f64 = 1.5;
/// The power of its speed that a full backend's room counts by: between the same number of requests on all and the same time to
/// work them off, as the spread of a random number of arrivals is.
const ROOM_BY_SPEED: f64 = 0.5;

/// What no gateway can know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth<'w> {
    pub(crate) backends: &'w [Backend],
    /// Requests sent to each and not done there, of all gateways.
    pub(crate) committed: &'w [u32],
}

/// What one more request would cost at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices<'w> {
    truth: Truth<'w>,
    /// How far those who come later count, from 0 up to 1.
    crowding: f64,
}

/// The eligible backend with the lowest price for a request of `route`; ties by chance.
pub(crate) fn select(
    pool: &PoolSnapshot<'_>,
    request: &RequestFacts,
    route: usize,
    truth: Truth<'_>,
) -> Option<Choice> {
    let mut draws = Draws::new(request.draw);
    let prices = Prices::new(truth);
    let priced = pool.eligible(&request.tried).filter_map(|index| {
        let price = prices.ln(index, route)?;
        Some((index, price, draws.next()))
    });
    let best = priced.min_by(|one, other| one.1.total_cmp(&other.1).then(one.2.cmp(&other.2)));
    best.map(|(index, ..)| Choice::by_policy(index))
}

impl<'w> Prices<'w> {
    pub(crate) fn new(truth: Truth<'w>) -> Self {
        let cores: f64 = truth.backends.iter().map(Backend::cores).sum();
        let requests: f64 = truth.committed.iter().copied().map(f64::from).sum();
        let waiting = CROWDING * (requests / cores - 1.0).max(0.0);
        Self {
            truth,
            crowding: waiting / (1.0 + waiting),
        }
    }

    /// ln of the price of one more request of `route` on the backend at `index`; `None` when there is no such backend.
    pub(crate) fn ln(&self, index: BackendIndex, route: usize) -> Option<f64> {
        let backend = self.truth.backends.get(index.position())?;
        let requests = f64::from(*self.truth.committed.get(index.position())?);
        let present = libm::log(to_those_there(backend, requests, route));
        let later = libm::log(to_those_later(backend, requests, route));
        let failing = if backend.is_failing() {
            libm::log(FAILURE_COST)
        } else {
            0.0
        };
        Some(present + self.crowding * (later - present) + failing)
    }
}

/// A cold cache is not counted: warming it is work that has to be done at some time, by whoever comes first.
fn to_those_there(backend: &Backend, requests: f64, route: usize) -> f64 {
    let (cores, threads) = (backend.cores(), backend.threads());
    let together = |requests: f64| {
        // Those that wait have no part of the cores, and take as long as those that run before them.
        let running = requests.min(backend.max_running()).max(1.0);
        requests * ((running + threads) / cores * (requests / running)).max(1.0)
    };
    let added = together(requests + 1.0) - together(requests) + OCCUPANCY_COST * (requests + threads) / cores;
    added * backend.slowness(route)
}

fn to_those_later(backend: &Backend, requests: f64, route: usize) -> f64 {
    let room = backend.cores() * libm::pow(backend.speed(), ROOM_BY_SPEED);
    let threads = backend.threads();
    let runs_at_once = requests < backend.max_running();
    let taken = if runs_at_once {
        threads / (requests + threads + 1.0)
    } else {
        0.0
    };
    (requests + 1.0) / room * backend.route_factor(route) * libm::exp(-TAKEN_FROM_OTHERS * taken)
}

#[cfg(test)]
mod tests;
