//! Now and then a request goes where the selector would not send it, so that what it avoids is not forgotten.

use crate::pool::PoolSnapshot;
use crate::pool::Tier;
use crate::selection::Choice;
use crate::selection::Reason;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::scan::two_by_chance;
use crate::units::Draws;
use crate::units::Share;

/// Another selector, but for a share of the requests: they go to the idler of two backends by chance.
///
/// Of two rather than to any: an overloaded backend is met less often, and still often enough to learn from.
#[derive(Debug)]
pub struct Explore<S> {
    share: Share,
    selector: S,
}

/// Sets these draws apart from those that the same request's choice is made with.
const SALT: u64 = 0xe9b1_0e5a_3c7d_4f21;

impl<S: Selector> Explore<S> {
    /// `selector`, but for `share` of the requests.
    #[must_use]
    pub fn new(share: Share, selector: S) -> Self {
        Self { share, selector }
    }

    fn explore(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let mut draws = Draws::new(request.draw ^ SALT);
        // A pool in panic may serve from ejected backends, and a retry has waited long enough.
        let may_explore = pool.tier() != Tier::Panic && request.tried.is_empty();
        if !may_explore || draws.fraction() >= self.share.fraction() {
            return None;
        }
        let (first, second) = two_by_chance(pool, &request.tried, &mut draws);
        let (first, second) = (first?, second?);
        let backend = if pool.in_flight(second) < pool.in_flight(first) {
            second
        } else {
            first
        };
        Some(Choice::new(backend, Reason::Explore))
    }
}

impl<S: Selector> Selector for Explore<S> {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        self.explore(pool, request)
            .or_else(|| self.selector.select(pool, request))
    }
}
