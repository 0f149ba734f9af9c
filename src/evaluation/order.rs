//! The order of the slices: A B B A A B B A, so that a steady drift is the same for A and B.

use std::time::Duration;

/// Of fewer blocks hardly any difference can be told from chance.
const FEWEST_BLOCKS: u64 = 6;

/// One contender's turn in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) block: u64,
    /// Its place among them.
    pub(super) contender: usize,
}

/// How many blocks of a slice for each contender make up `duration`; an even number, so that each is first as often as
/// last.
pub(super) fn blocks(duration: Duration, slice: Duration) -> u64 {
    let slices = duration.as_secs_f64() / slice.as_secs_f64().max(0.001);
    ((slices / 2.0).round() as u64 * 2).max(FEWEST_BLOCKS)
}

/// The slices of `blocks` blocks of `contenders` contenders.
pub(super) fn slices(blocks: u64, contenders: usize) -> impl Iterator<Item = Slice> {
    (0..blocks).flat_map(move |block| {
        (0..contenders).map(move |turn| Slice {
            block,
            contender: if block % 2 == 0 { turn } else { contenders - 1 - turn },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_block_runs_backwards() {
        let order: Vec<usize> = slices(3, 3).map(|slice| slice.contender).collect();
        assert_eq!(order, [0, 1, 2, 2, 1, 0, 0, 1, 2]);
    }

    #[test]
    fn each_is_first_as_often_as_last() {
        let seconds = |seconds| Duration::from_secs(seconds);
        let counts = [(60, 5), (45, 5), (5, 5), (1, 0)].map(|(all, one)| blocks(seconds(all), seconds(one)));
        assert_eq!(counts, [12, 10, 6, 1000]);
    }
}
