//! Why a forest scores one row as it does and another row otherwise: how much of the difference each feature makes.
//!
//! These are baseline Shapley values (Sundararajan and Najmi: The many Shapley values for model explanation, ICML
//! 2020). They are worked out exactly, leaf by leaf, as in interventional TreeSHAP (Lundberg et al.: From local
//! explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2020): trees are
//! shallow, so nothing has to be estimated from permutations.

use crate::forest::Forest;
use crate::forest::tree::Tree;

/// Whose value of a feature leads to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    /// The same way is taken by both.
    Either,
    Row,
    Baseline,
}

impl Forest {
    /// What each feature of `row` adds to the score of `baseline`; the sum is the difference between their scores. A
    /// feature that no tree asks for, or that is the same in both, adds 0.
    ///
    /// # Panics
    /// When a row is narrower than the forest's schema.
    #[must_use]
    pub fn contributions(&self, row: &[f32], baseline: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.schema.width()];
        for tree in &self.trees {
            self.add_contributions(*tree, row, baseline, &mut sums);
        }
        let share = 1.0 / self.trees.len() as f64;
        sums.into_iter().map(|sum| sum * share).collect()
    }

    /// Visits every leaf that a row reaches whose features are some of `row` and some of `baseline`.
    fn add_contributions(&self, tree: Tree, row: &[f32], baseline: &[f32], sums: &mut [f64]) {
        let root = tree.root() as usize;
        let mut open = vec![(root, vec![Follows::Either; sums.len()])];
        while let Some((at, follows)) = open.pop() {
            let node = self.nodes[at];
            if node.is_leaf(sums.len()) {
                share_out(f64::from(node.threshold), &follows, sums);
                continue;
            }
            let feature = usize::from(node.feature);
            let (own, other) = (root + node.child(row[feature]), root + node.child(baseline[feature]));
            let is_split = own != other && follows[feature] == Follows::Either;
            if is_split {
                open.push((own, with(&follows, feature, Follows::Row)));
                open.push((other, with(&follows, feature, Follows::Baseline)));
            } else if follows[feature] == Follows::Baseline {
                open.push((other, follows));
            } else {
                open.push((own, follows));
            }
        }
    }
}

fn with(follows: &[Follows], feature: usize, whose: Follows) -> Vec<Follows> {
    let mut follows = follows.to_vec();
    follows[feature] = whose;
    follows
}

/// Gives each feature its part of a leaf that is reached once all features in `Row` are the row's, and for as long as
/// all in `Baseline` are the baseline's: (a - 1)! b! / (a + b)! for one of the a, -a! (b - 1)! / (a + b)! for one of
/// the b.
fn share_out(value: f64, follows: &[Follows], sums: &mut [f64]) {
    let count = |whose| follows.iter().filter(|it| **it == whose).count();
    let (rows, baselines) = (count(Follows::Row), count(Follows::Baseline));
    let orders = binomial(rows + baselines, rows);
    for (sum, whose) in sums.iter_mut().zip(follows) {
        match whose {
            Follows::Either => {}
            Follows::Row => *sum += value / (rows as f64 * orders),
            Follows::Baseline => *sum -= value / (baselines as f64 * orders),
        }
    }
}

fn binomial(all: usize, part: usize) -> f64 {
    (0..part).fold(1.0, |product, step| product * (all - step) as f64 / (step + 1) as f64)
}
