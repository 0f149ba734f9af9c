//! Which backends are scored: all of them while they are few, else a sample.

use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::RequestFacts;
use crate::units::Draws;

/// The most backends that are all scored.
pub(super) const MOST: usize = 128;
/// How many of more are: the best of 64 by chance is among the best two in a hundred.
const SAMPLE: usize = 64;
/// Sets these draws apart from those that ties are broken with.
const SALT: u64 = 0x51c6_d1f7_0b2e_9a43;

/// Replaces `candidates` by the eligible backends, or by a sample of them in which any is equally likely to be.
pub(super) fn collect(pool: &PoolSnapshot<'_>, request: &RequestFacts, candidates: &mut Vec<BackendIndex>) {
    candidates.clear();
    if pool.len() <= MOST {
        candidates.extend(pool.eligible(&request.tried));
    } else {
        let is_eligible = |index: &BackendIndex| pool.is_eligible(*index, &request.tried);
        candidates.extend(cycle(pool.len(), request.draw).filter(is_eligible).take(SAMPLE));
    }
}

/// All positions below `len`, once each, from a place and with a step that follow from `draw`.
fn cycle(len: usize, draw: u64) -> impl Iterator<Item = BackendIndex> {
    let mut draws = Draws::new(draw ^ SALT);
    let start = draws.below(len);
    let mut step = 1 + draws.below(len - 1);
    while divisor(step, len) != 1 {
        step = if step + 1 < len { step + 1 } else { 1 };
    }
    (0..len).map(move |turn| BackendIndex::new((start + turn * step) % len))
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_meets_everybody_once() {
        for len in [2, 3, 129, 1024, 30_030] {
            let mut met: Vec<usize> = cycle(len, 7).map(BackendIndex::position).collect();
            met.sort_unstable();
            assert!(met.into_iter().eq(0..len), "{len}");
        }
    }
}
