//! Any backend, by weight.

use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::units::Draws;

/// A backend by chance, in proportion to the weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Selector for Random {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let total: f64 = pool
            .eligible(&request.tried)
            .map(|index| pool.relative_weight(index))
            .sum();
        let mut left = Draws::new(request.draw).fraction() * total;
        let mut last = None;
        for index in pool.eligible(&request.tried) {
            left -= pool.relative_weight(index);
            last = Some(index);
            if left < 0.0 {
                break;
            }
        }
        last.map(Choice::by_policy)
    }
}
