//! Bagging: every tree on rows, features and a question of its own, drawn from the seed and the tree's number.
//!
//! Trees are independent of each other, so the forest does not depend on the number of threads.

mod error;

pub use error::GrowError;

use std::num::NonZeroUsize;
use std::thread;

use linfa_trees::DecisionTree;
use ndarray::Array2;

use crate::forest::Classes;
use crate::forest::Forest;
use crate::forest::Parts;
use crate::forest::Samples;
use crate::forest::Schema;
use crate::forest::cart;
use crate::forest::cart::Bag;
use crate::forest::cart::Branch;
use crate::forest::cart::Limits;
use crate::forest::goal::Goal;
use crate::forest::histogram::Bins;
use crate::forest::ranks::Ranks;
use crate::forest::refit::Refit;
use crate::forest::refit::flatten;
use crate::forest::tree::Tree;
use crate::units::Draws;

/// How a forest is grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowParams {
    /// How many trees, 1 to [`Forest::MAX_TREES`].
    pub trees: usize,
    /// The most splits above a leaf, 1 to 15.
    pub depth: usize,
    /// The fewest drawn rows in a leaf, at least 1; both answers to a tree's question weigh the same.
    pub min_leaf: usize,
    /// The fewest different rows in a node that is split, at least 2.
    pub min_split: usize,
    /// How many rows are drawn for a tree, 1 to 5000; never more than there are.
    pub rows_per_tree: usize,
    /// The share of the features that a tree sees, above 0 and up to 1.
    pub feature_share: f64,
    /// How many rows the estimate of a leaf's parent counts for, 0 or more.
    pub leaf_prior: f64,
    /// How many threads grow trees; the forest is the same for any number.
    pub threads: NonZeroUsize,
}

impl Default for GrowParams {
    /// Small enough to stay in a gateway's cache, large enough to equal forests of hundreds of full trees.
    fn default() -> Self {
        Self {
            trees: 64,
            depth: 8,
            min_leaf: 5,
            min_split: 10,
            rows_per_tree: 4096,
            feature_share: 0.75,
            leaf_prior: 2.0,
            threads: NonZeroUsize::MIN,
        }
    }
}

/// A forest that votes on the class of a row; leaves hold the shares of the classes among all rows that reach them.
///
/// # Errors
/// When `classes` and `samples` differ in number, or a parameter is out of range.
pub fn grow_classifier(
    samples: &Samples,
    classes: &Classes,
    params: &GrowParams,
    seed: u64,
) -> Result<Forest, GrowError> {
    check_targets(samples, classes.labels().len())?;
    params.check()?;
    let grower = Grower {
        samples,
        goal: Goal::Classes(classes),
        params,
        seed,
    };
    let trees = grower.trees(&Ranks::new(samples))?;
    Ok(assemble(samples.schema(), classes.count(), &trees))
}

pub(crate) fn check_targets(samples: &Samples, targets: usize) -> Result<(), GrowError> {
    let rows = samples.count();
    if rows == targets {
        Ok(())
    } else {
        Err(GrowError::Targets { rows, targets })
    }
}

impl GrowParams {
    /// Whether every parameter is in its range.
    pub(crate) fn check(&self) -> Result<(), GrowError> {
        let whole = [
            ("trees", self.trees, 1, Forest::MAX_TREES),
            ("depth", self.depth, 1, Tree::MAX_DEPTH),
            ("min_leaf", self.min_leaf, 1, usize::MAX),
            ("min_split", self.min_split, 2, usize::MAX),
            ("rows_per_tree", self.rows_per_tree, 1, cart::MAX_BAG),
        ];
        for (name, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                let allowed = if most == usize::MAX {
                    format!("{least} or more")
                } else {
                    format!("{least} to {most}")
                };
                return Err(GrowError::Parameter {
                    name,
                    value: value.to_string(),
                    allowed,
                });
            }
        }
        let refuse = |name, value: f64, allowed: &str| GrowError::Parameter {
            name,
            value: value.to_string(),
            allowed: allowed.into(),
        };
        if !(self.feature_share > 0.0 && self.feature_share <= 1.0) {
            return Err(refuse("feature_share", self.feature_share, "more than 0 and at most 1"));
        }
        if !(self.leaf_prior >= 0.0 && self.leaf_prior.is_finite()) {
            return Err(refuse("leaf_prior", self.leaf_prior, "0 or more"));
        }
        Ok(())
    }
}

/// Some trees with the same goal.
pub(crate) struct Grower<'a> {
    pub(crate) samples: &'a Samples,
    pub(crate) goal: Goal<'a>,
    pub(crate) params: &'a GrowParams,
    pub(crate) seed: u64,
}

impl Grower<'_> {
    /// All trees in order, grown by as many threads as there may be.
    pub(crate) fn trees(&self, ranks: &Ranks) -> Result<Vec<Branch<Vec<f64>>>, GrowError> {
        let numbers: Vec<usize> = (0..self.params.trees).collect();
        let part = self.params.trees.div_ceil(self.params.threads.get());
        thread::scope(|scope| {
            let grow = |part: &[usize]| part.iter().map(|&number| self.tree(ranks, number)).collect::<Vec<_>>();
            let threads: Vec<_> = numbers
                .chunks(part)
                .map(|part| scope.spawn(move || grow(part)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    /// The same number of trees with splits found by `bins` on `row_share` of the rows, one after another; of numbers only.
    pub(crate) fn trees_by_histogram(&self, bins: &Bins, row_share: f64) -> Vec<Branch<Vec<f64>>> {
        let tree = |number| {
            let mut draws = draws_of(self.seed, number);
            let left = self.goal.centred();
            self.refit().apply(&bins.tree(left, row_share, self.params, &mut draws))
        };
        (0..self.params.trees).map(tree).collect()
    }

    fn tree(&self, ranks: &Ranks, number: usize) -> Result<Branch<Vec<f64>>, GrowError> {
        let Grown { features, tree } = self.linfa_tree(ranks, number)?;
        // Where every answer is the same there is no tree, and a single leaf says as much.
        let labels = tree.map(|tree| cart::branch(tree.root_node(), &restate(ranks, &features)));
        Ok(self.refit().apply(&labels.unwrap_or(Branch::Leaf(false))))
    }

    fn refit(&self) -> Refit<'_> {
        Refit {
            samples: self.samples,
            goal: &self.goal,
            prior: self.params.leaf_prior,
        }
    }

    /// Tree `number` as linfa grows it.
    fn linfa_tree(&self, ranks: &Ranks, number: usize) -> Result<Grown, GrowError> {
        let mut draws = draws_of(self.seed, number);
        let features = self.draw_features(ranks, &mut draws);
        let (rows, counts) = self.draw_rows(&mut draws);
        if features.is_empty() {
            return Ok(Grown { features, tree: None });
        }
        let columns: Vec<Vec<f64>> = features
            .iter()
            .map(|&feature| ranks.spread(feature, &rows, &mut draws))
            .collect();
        let records = Array2::from_shape_fn((rows.len(), features.len()), |(row, column)| columns[column][row]);
        let question = self.goal.question(number, self.params.trees);
        let answers = rows.iter().map(|&row| question(row)).collect();
        let GrowParams {
            depth,
            min_leaf,
            min_split,
            ..
        } = *self.params;
        let tree = cart::fit(
            Bag {
                records,
                answers,
                counts,
            },
            Limits {
                depth,
                min_leaf,
                min_split,
            },
        )?;
        Ok(Grown { features, tree })
    }

    /// The features a tree sees, each at most once.
    fn draw_features(&self, ranks: &Ranks, draws: &mut Draws) -> Vec<usize> {
        let mut features = ranks.varying();
        draws.shuffle(&mut features);
        features.truncate((features.len() as f64 * self.params.feature_share).ceil() as usize);
        features
    }

    /// The rows a tree is grown on, drawn with replacement, and how often each was drawn.
    fn draw_rows(&self, draws: &mut Draws) -> (Vec<usize>, Vec<u32>) {
        let count = self.samples.count();
        let mut drawn: Vec<usize> = (0..self.params.rows_per_tree.min(count))
            .map(|_| draws.below(count))
            .collect();
        drawn.sort_unstable();
        drawn
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0], same.len() as u32))
            .unzip()
    }
}

/// The forest of `trees`, whose leaves have `outputs` values each.
pub(crate) fn assemble(schema: &Schema, outputs: usize, trees: &[Branch<Vec<f64>>]) -> Forest {
    let mut parts = Parts {
        schema: schema.clone(),
        outputs,
        tree_sizes: Vec::with_capacity(trees.len()),
        nodes: Vec::new(),
        distributions: Vec::new(),
    };
    for tree in trees {
        append(tree, &mut parts);
    }
    Forest::from_parts(parts).expect("limits on depth and trees keep every index in range")
}

/// Adds `tree` to `parts`.
fn append(tree: &Branch<Vec<f64>>, parts: &mut Parts) {
    let Parts {
        schema,
        outputs,
        nodes,
        distributions,
        ..
    } = parts;
    let own = flatten(tree, schema.width() as u16, |estimate| match *outputs {
        1 => estimate[0] as f32,
        outputs => {
            distributions.extend(estimate.iter().map(|&share| share as f32));
            (distributions.len() / outputs - 1) as f32
        }
    });
    parts.tree_sizes.push(own.len() as u32);
    nodes.extend(own);
}

/// A tree in terms of the columns it saw, and which features those are.
struct Grown {
    features: Vec<usize>,
    tree: Option<DecisionTree<f64, bool>>,
}

/// Restates a split of ranks as one of the values behind them.
fn restate(ranks: &Ranks, features: &[usize]) -> impl Fn(usize, f64) -> (u16, f32) {
    move |column, threshold| (features[column] as u16, ranks.value(features[column], threshold))
}

/// The draws of tree `number`: a stream of its own, whatever thread grows it.
fn draws_of(seed: u64, number: usize) -> Draws {
    let mut seeds = Draws::new(seed);
    for _ in 0..number {
        seeds.next();
    }
    Draws::new(seeds.next())
}

#[cfg(test)]
mod tests;
