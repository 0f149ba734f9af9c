//! Two ways to find a backend with little of something.

use crate::pool::BackendIndex;
use crate::pool::BackendSet;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::units::Draws;

/// Which backends are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// All that are eligible.
    All,
    /// Two of them, by chance: nearly as good as all (Mitzenmacher: The power of two choices in randomized load
    /// balancing, 2001), and gateways that know the same do not all run to the same backend.
    Two,
}

impl Scan {
    /// The backend with the lowest `cost`, ties by chance.
    pub(crate) fn lowest(
        self,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        cost: impl Fn(BackendIndex) -> f64,
    ) -> Option<Choice> {
        match self {
            Self::All => lowest_of_all(pool, request, cost),
            Self::Two => lower_of_two(pool, request, cost),
        }
    }
}

fn lowest_of_all(
    pool: &PoolSnapshot<'_>,
    request: &RequestFacts,
    cost: impl Fn(BackendIndex) -> f64,
) -> Option<Choice> {
    let mut draws = Draws::new(request.draw);
    let mut best = None;
    let (mut lowest, mut ties) = (f64::INFINITY, 0);
    for index in pool.eligible(&request.tried) {
        let cost = cost(index);
        if cost < lowest || best.is_none() {
            (best, lowest, ties) = (Some(index), cost, 1);
        } else if cost == lowest {
            // Reservoir sampling: the k-th of k equals takes the place with a chance of 1 / k.
            ties += 1;
            if draws.below(ties) == 0 {
                best = Some(index);
            }
        }
    }
    best.map(Choice::by_policy)
}

fn lower_of_two(pool: &PoolSnapshot<'_>, request: &RequestFacts, cost: impl Fn(BackendIndex) -> f64) -> Option<Choice> {
    let mut draws = Draws::new(request.draw);
    let (first, second) = two_by_chance(pool, &request.tried, &mut draws);
    let first = first?;
    // The first was drawn by chance, so it may have the tie.
    let lower = second.filter(|second| cost(*second) < cost(first)).unwrap_or(first);
    Some(Choice::by_policy(lower))
}

/// Two different eligible backends, any pair equally likely while most are eligible; fewer when there are fewer.
pub(crate) fn two_by_chance(
    pool: &PoolSnapshot<'_>,
    tried: &BackendSet,
    draws: &mut Draws,
) -> (Option<BackendIndex>, Option<BackendIndex>) {
    let first = one_by_chance(pool, draws, |index| pool.is_eligible(index, tried));
    let second =
        first.and_then(|first| one_by_chance(pool, draws, |index| index != first && pool.is_eligible(index, tried)));
    (first, second)
}

/// A draw meets an eligible backend with a chance of at least one half in a pool that is not in trouble; where eight
/// of them fail, the pool is walked through from the last one on.
const DRAWS_BEFORE_WALK: usize = 8;

fn one_by_chance(
    pool: &PoolSnapshot<'_>,
    draws: &mut Draws,
    is_wanted: impl Fn(BackendIndex) -> bool,
) -> Option<BackendIndex> {
    let len = pool.len();
    let mut position = 0;
    for _ in 0..DRAWS_BEFORE_WALK {
        position = draws.below(len);
        let index = BackendIndex::new(position);
        if is_wanted(index) {
            return Some(index);
        }
    }
    let walk = (position..len).chain(0..position);
    walk.map(BackendIndex::new).find(|index| is_wanted(*index))
}
