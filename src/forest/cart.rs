//! One tree by linfa-trees, behind the fences that make it usable: what it must never be fed, and what of its answer
//! can be relied on.
//!
//! Fenced off here: recursion without a bound (a depth is always set), pruning of unbalanced trees down to the root
//! (both answers weigh the same), and ties broken in the order of a hash map (there are none, see [`balance`]). Equal
//! and close values are the business of `ranks`; NaN that of `samples`.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_trees::DecisionTree;
use linfa_trees::SplitQuality;
use linfa_trees::TreeNode;
use ndarray::Array1;
use ndarray::Array2;

use crate::forest::GrowError;

/// A tree as a value: what it splits by, and what its leaves hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Branch<L> {
    /// Where a row ends.
    Leaf(L),
    /// Where rows part.
    Split(Box<Split<L>>),
}

/// Rows with `feature < threshold` go left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Split<L> {
    pub(crate) feature: u16,
    pub(crate) threshold: f32,
    pub(crate) left: Branch<L>,
    pub(crate) right: Branch<L>,
}

impl<L> Branch<L> {
    /// The leaf that `row` ends in.
    pub(crate) fn leaf(&self, row: &[f32]) -> &L {
        let mut branch = self;
        loop {
            match branch {
                Self::Leaf(leaf) => return leaf,
                Self::Split(split) => branch = split.side(row),
            }
        }
    }

    /// Changes every leaf.
    pub(crate) fn for_each_leaf(&mut self, change: &mut impl FnMut(&mut L)) {
        match self {
            Self::Leaf(leaf) => change(leaf),
            Self::Split(split) => {
                split.left.for_each_leaf(change);
                split.right.for_each_leaf(change);
            }
        }
    }
}

impl<L> Split<L> {
    fn side(&self, row: &[f32]) -> &Branch<L> {
        if row[usize::from(self.feature)] < self.threshold {
            &self.left
        } else {
            &self.right
        }
    }
}

/// What a tree is grown on: a row a sample, how often it was drawn, and the answer to the tree's question.
#[derive(Debug)]
pub(crate) struct Bag {
    pub(crate) records: Array2<f64>,
    pub(crate) answers: Vec<bool>,
    pub(crate) counts: Vec<u32>,
}

/// When a node is split no further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) depth: usize,
    pub(crate) min_leaf: usize,
    pub(crate) min_split: usize,
}

/// The most rows, repetitions counted, that a tree is grown on: up to here no two nodes' answers can tie.
pub(crate) const MAX_BAG: usize = 5000;

/// The tree that linfa grows on `bag`, `None` where every answer is the same.
pub(crate) fn fit(bag: Bag, limits: Limits) -> Result<Option<DecisionTree<f64, bool>>, GrowError> {
    let count = |wanted| {
        bag.answers
            .iter()
            .zip(&bag.counts)
            .filter(|&(&is, _)| is == wanted)
            .map(|(_, n)| n)
            .sum()
    };
    let (no, yes): (u32, u32) = (count(false), count(true));
    if no == 0 || yes == 0 {
        return Ok(None);
    }
    let (no_weight, yes_weight) = balance(no, yes);
    let weigh = |(&is, &count): (&bool, &u32)| (count * if is { yes_weight } else { no_weight }) as f32;
    let weights: Array1<f32> = bag.answers.iter().zip(&bag.counts).map(weigh).collect();
    let mean_weight = weights.sum() / (no + yes) as f32;
    let dataset = DatasetBase::new(bag.records, Array1::from(bag.answers)).with_weights(weights);
    let params = DecisionTree::params()
        .split_quality(SplitQuality::Gini)
        .max_depth(Some(limits.depth))
        .min_weight_split(limits.min_split as f32)
        .min_weight_leaf(limits.min_leaf as f32 * mean_weight);
    params
        .fit(&dataset)
        .map(Some)
        .map_err(|error| GrowError::Linfa(error.to_string()))
}

/// The weights of a no and of a yes, which make `no` and `yes` of them weigh about the same.
///
/// linfa lets the order of a hash map decide between answers of equal weight. With coprime weights, the weight of a yes
/// above the number of noes, `a` noes and `b` yeses weigh the same only if `a` is a multiple of a number that
/// exceeds it. All sums stay below 2^24, so that f32 adds them exactly.
fn balance(no: u32, yes: u32) -> (u32, u32) {
    // At least 1000, so that the step to a coprime weight matters little.
    let mut yes_weight = (no + 1).max(1000);
    let no_weight = (yes_weight * yes / no).max(1);
    while divisor(no_weight, yes_weight) != 1 {
        yes_weight += 1;
    }
    debug_assert!(
        no * no_weight + yes * yes_weight < 1 << f32::MANTISSA_DIGITS,
        "sums are exact"
    );
    (no_weight, yes_weight)
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// linfa's tree as a value, its splits restated by `restate` from (column, threshold) to (feature, threshold).
pub(crate) fn branch(node: &TreeNode<f64, bool>, restate: &impl Fn(usize, f64) -> (u16, f32)) -> Branch<bool> {
    let children = node.children();
    let (Some(Some(left)), Some(Some(right))) = (children.first(), children.get(1)) else {
        return Branch::Leaf(node.prediction().unwrap_or(false));
    };
    let (column, threshold, _) = node.split();
    let (feature, threshold) = restate(column, threshold);
    Branch::Split(Box::new(Split {
        feature,
        threshold,
        left: branch(left, restate),
        right: branch(right, restate),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_balance_and_never_tie() {
        for (no, yes) in [
            (1, 1),
            (1, 4999),
            (4999, 1),
            (2500, 2500),
            (1000, 4000),
            (4000, 1000),
            (999, 4001),
            (3, 7),
            (3999, 2),
        ] {
            let (no_weight, yes_weight) = balance(no, yes);
            let (noes, yeses) = (no * no_weight, yes * yes_weight);
            assert!(noes + yeses < 1 << 24, "{no} and {yes} add up exactly");
            assert_eq!(divisor(no_weight, yes_weight), 1);
            assert!(yes_weight > no);
            let ratio = f64::from(noes) / f64::from(yeses);
            assert!((0.9..1.1).contains(&ratio), "{no} and {yes} weigh {ratio}");
        }
    }
}
