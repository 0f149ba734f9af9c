//! Backends in proportion to what they get done for the CPU they use.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;

/// Envoy's client-side weighted round robin: each backend's weight is its requests a second over its utilisation, with
/// errors counted as utilisation, as of the last polls of its metrics.
///
/// The weights are those of Envoy's `client_side_weighted_round_robin` extension and gRPC's proposal A58, dealt out by
/// the static stride scheduler of the same proposal: one atomic counter, no lock.
#[derive(Debug, Default)]
pub struct LoadWeighted {
    turns: AtomicU64,
}

/// Rounds in which the heaviest backend is always served; the scheduler's resolution.
const STRIDES: u64 = u16::MAX as u64;
/// Once around meets the heaviest backend, whose turn it always is; twice, because other threads take turns too.
const ROUNDS: usize = 2;

impl Selector for LoadWeighted {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let weights = Weights::of(pool, request)?;
        for _ in 0..ROUNDS * pool.len() {
            // Relaxed: a turn need only be nobody else's.
            let turn = self.turns.fetch_add(1, Ordering::Relaxed);
            let index = BackendIndex::new((turn % pool.len() as u64) as usize);
            let round = turn / pool.len() as u64;
            if pool.is_eligible(index, &request.tried) && weights.serves(pool, index, round) {
                return Some(Choice::by_policy(index));
            }
        }
        pool.eligible(&request.tried).next().map(Choice::by_policy)
    }
}

/// What is needed of all weights to judge one.
struct Weights {
    /// Stands in where there is none yet.
    mean: f64,
    highest: f64,
}

impl Weights {
    /// The weights of the eligible backends; `None` when there are none.
    fn of(pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Self> {
        let known = || {
            pool.eligible(&request.tried)
                .filter_map(|index| pool.utilisation_weight(index))
        };
        let count = known().count();
        let mean = if count > 0 {
            known().map(f64::from).sum::<f64>() / count as f64
        } else {
            1.0
        };
        let eligible = pool.eligible(&request.tried);
        let highest = eligible.map(|index| weight(pool, index, mean)).reduce(f64::max)?;
        Some(Self { mean, highest })
    }

    /// Whether the backend at `index` has its turn in `round`: in a share of the rounds that is its weight over the
    /// highest.
    fn serves(&self, pool: &PoolSnapshot<'_>, index: BackendIndex, round: u64) -> bool {
        let strides = (weight(pool, index, self.mean) / self.highest * STRIDES as f64) as u64;
        // Backends are offset against each other, so that light ones do not all come at once.
        let offset = STRIDES / 2 * index.position() as u64;
        strides > 0 && (strides * round + offset) % STRIDES >= STRIDES - strides
    }
}

fn weight(pool: &PoolSnapshot<'_>, index: BackendIndex, mean: f64) -> f64 {
    let learned = pool.utilisation_weight(index).map_or(mean, f64::from);
    learned * pool.relative_weight(index)
}
