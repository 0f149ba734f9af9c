//! Leaf values from all rows, and the tree laid flat.
//!
//! A tree is grown on a few thousand drawn rows and linfa keeps one label a leaf. Sending every row through it
//! turns its leaves into estimates, shrunk towards those of their parents where rows are few, and shows which nodes
//! no row reaches; those are dropped.

use crate::forest::Samples;
use crate::forest::cart::Branch;
use crate::forest::cart::Split;
use crate::forest::goal::Goal;
use crate::forest::tree::Node;

/// What leaf values are estimated from.
#[derive(Debug)]
pub(crate) struct Refit<'a> {
    pub(crate) samples: &'a Samples,
    pub(crate) goal: &'a Goal<'a>,
    /// How many rows the parent's estimate counts for.
    pub(crate) prior: f64,
}

impl Refit<'_> {
    /// `branch` with the estimate of each leaf from all samples.
    pub(crate) fn apply(&self, branch: &Branch<bool>) -> Branch<Vec<f64>> {
        let rows: Vec<usize> = (0..self.samples.count()).collect();
        let overall = self.estimate(&rows, &vec![0.0; self.goal.outputs()], 0.0);
        self.node(branch, rows, &overall)
    }

    fn node(&self, branch: &Branch<bool>, rows: Vec<usize>, parent: &[f64]) -> Branch<Vec<f64>> {
        let Branch::Split(split) = branch else {
            return Branch::Leaf(self.estimate(&rows, parent, self.prior));
        };
        let is_left = |&row: &usize| self.samples.row(row)[usize::from(split.feature)] < split.threshold;
        let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| is_left(row));
        if left.is_empty() {
            return self.node(&split.right, rows, parent);
        }
        if right.is_empty() {
            return self.node(&split.left, rows, parent);
        }
        let own = self.estimate(&rows, parent, self.prior);
        Branch::Split(Box::new(Split {
            feature: split.feature,
            threshold: split.threshold,
            left: self.node(&split.left, left, &own),
            right: self.node(&split.right, right, &own),
        }))
    }

    /// (sum over `rows` + prior * parent) / (count + prior)
    fn estimate(&self, rows: &[usize], parent: &[f64], prior: f64) -> Vec<f64> {
        let mut sums: Vec<f64> = parent.iter().map(|value| value * prior).collect();
        for &row in rows {
            self.goal.add(row, &mut sums);
        }
        sums.iter().map(|sum| sum / (rows.len() as f64 + prior)).collect()
    }
}

/// Lays `branch` flat, siblings side by side; `value` says what to write into a leaf, `width` is the slot of leaves.
pub(crate) fn flatten<L>(branch: &Branch<L>, width: u16, mut value: impl FnMut(&L) -> f32) -> Vec<Node> {
    let mut nodes = vec![Node::leaf(0.0, 0, width)];
    // Breadth first: the levels that every walk passes lie together.
    let mut waiting = std::collections::VecDeque::from([(branch, 0_u16)]);
    while let Some((branch, at)) = waiting.pop_front() {
        nodes[usize::from(at)] = match branch {
            Branch::Leaf(leaf) => Node::leaf(value(leaf), at, width),
            Branch::Split(split) => {
                // At most 15 levels of splits: indices fit 16 bits.
                let left = nodes.len() as u16;
                nodes.resize(nodes.len() + 2, Node::leaf(0.0, 0, width));
                waiting.extend([(&split.left, left), (&split.right, left + 1)]);
                Node {
                    threshold: split.threshold,
                    feature: split.feature,
                    left,
                }
            }
        };
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Schema;

    fn samples(values: &[f32]) -> Samples {
        Samples::new(Schema::new(vec!["x".into()]).unwrap(), values.to_vec()).unwrap()
    }

    fn split<L>(threshold: f32, left: Branch<L>, right: Branch<L>) -> Branch<L> {
        Branch::Split(Box::new(Split {
            feature: 0,
            threshold,
            left,
            right,
        }))
    }

    fn refit(branch: &Branch<bool>) -> Branch<Vec<f64>> {
        let samples = samples(&[1.0, 2.0, 3.0, 4.0]);
        let goal = Goal::numbers(&[0.0, 0.0, 0.0, 8.0]);
        Refit {
            samples: &samples,
            goal: &goal,
            prior: 2.0,
        }
        .apply(branch)
    }

    #[test]
    fn leaves_are_shrunk_towards_their_parents() {
        let grown = refit(&split(3.5, Branch::Leaf(false), Branch::Leaf(true)));
        // Centred: -2, -2, -2 and 6. The root's estimate is 0.
        assert_eq!(
            grown,
            split(3.5, Branch::Leaf(vec![-6.0 / 5.0]), Branch::Leaf(vec![2.0]))
        );
    }

    #[test]
    fn nodes_that_no_row_reaches_are_dropped() {
        let unreached = split(f32::INFINITY, Branch::Leaf(true), Branch::Leaf(false));
        assert_eq!(refit(&unreached), Branch::Leaf(vec![0.0]));
        assert_eq!(
            refit(&split(1.0, Branch::Leaf(true), unreached)),
            Branch::Leaf(vec![0.0])
        );
    }

    #[test]
    fn siblings_lie_side_by_side() {
        let tree = split(
            3.0,
            split(1.0, Branch::Leaf(10.0), Branch::Leaf(20.0)),
            Branch::Leaf(30.0),
        );
        let nodes = flatten(&tree, 1, |&value| value);
        let node = |threshold, feature, left| Node {
            threshold,
            feature,
            left,
        };
        let expected = [
            node(3.0, 0, 1),
            node(1.0, 0, 3),
            node(30.0, 1, 2),
            node(10.0, 1, 3),
            node(20.0, 1, 4),
        ];
        assert_eq!(nodes, expected);
    }
}
