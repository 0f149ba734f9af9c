//! A random forest as data: rows in, forest out ([`grow_classifier`], [`grow_regressor`]); bytes in, scores out
//! ([`decode`], [`Forest`], [`Model`]).
//!
//! Trees are grown by linfa-trees, one at a time and behind fences; bagging, boosting, leaf values, the serving layout
//! and the file format are our own. Nothing here reads a clock, a disk or entropy: the same rows, parameters and seed give the
//! same bytes. What the features mean is the business of `selection` and `training`.

mod boost;
mod cart;
mod codec;
mod comparisons;
mod contributions;
mod goal;
mod grow;
mod heap;
mod histogram;
mod model;
mod ranker;
mod ranks;
mod refit;
mod rows;
mod samples;
mod schema;
mod tree;

pub use boost::Boosting;
pub use boost::Growth;
pub use boost::Splitter;
pub use boost::grow_regressor;
pub(crate) use codec::MAGIC;
pub use codec::decode;
pub use codec::encode;
pub use comparisons::Comparisons;
pub use comparisons::Decisions;
pub use grow::GrowError;
pub use grow::GrowParams;
pub use grow::grow_classifier;
pub use model::Model;
pub use model::ModelError;
pub use model::ModelKind;
pub use model::Training;
pub use ranker::FEW;
pub use ranker::FIRST_TREES;
pub use ranker::grow_ranker;
pub use rows::Rows;
pub use samples::Classes;
pub use samples::Samples;
pub use schema::METRICS;
pub use schema::Schema;

use std::ops::Range;

use crate::forest::heap::Heap;
use crate::forest::heap::MOST_ROWS;
use crate::forest::heap::PLACES;
use crate::forest::tree::Node;
use crate::forest::tree::Tree;

/// Classes whose sums a vote keeps on its stack at a time; more classes take another walk.
const CLASSES_AT_A_TIME: usize = 64;

/// Flat trees over named features, each leaf holding a number or a distribution over classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    schema: Schema,
    outputs: usize,
    trees: Vec<Tree>,
    nodes: Vec<Node>,
    /// The same trees to be walked faster, if their leaves are numbers and all of them are small enough.
    heaps: Vec<Heap>,
    /// With several outputs: one distribution after another, a leaf's value being the number of its own.
    distributions: Vec<f32>,
}

impl Forest {
    /// The names of the features, in order.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// One for a forest whose leaves are numbers, otherwise how many classes it votes on.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// How many trees there are.
    #[must_use]
    pub fn tree_count(&self) -> usize {
        self.trees.len()
    }

    /// How many nodes all trees have together.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Writes the mean of the trees' leaf values for each of `rows` to `scores`. Allocates nothing.
    ///
    /// For a forest whose leaves are numbers. Rows beyond the end of `scores` are left out, and the other way round.
    ///
    /// # Panics
    /// When `rows` are of another width than the forest's schema; a model's schema is compared when it is loaded.
    pub fn score(&self, rows: &Rows, scores: &mut [f32]) {
        assert_eq!(
            rows.width(),
            self.schema.width(),
            "rows and forest have the same schema"
        );
        debug_assert_eq!(self.outputs, 1, "leaves are numbers");
        let count = rows.len().min(scores.len());
        let scores = &mut scores[..count];
        scores.fill(0.0);
        self.add(0..self.trees.len(), rows, 0..count, scores);
        scores.iter_mut().for_each(|score| *score = self.mean(*score));
    }

    /// Adds what some of the trees say of the rows at `places` to `sums`, one for each place; [`Self::mean`] of what all trees
    /// say, added in their order, is the row's score. Rows are of the forest's schema.
    pub(crate) fn add(&self, trees: Range<usize>, rows: &Rows, places: impl Iterator<Item = usize>, sums: &mut [f32]) {
        if self.heaps.is_empty() {
            self.add_leaves(&self.trees[trees], rows, places, sums);
        } else {
            self.add_heaps(&self.heaps[trees], rows, places, sums);
        }
    }

    /// A row's score, of which this is the sum over all trees.
    pub(crate) fn mean(&self, sum: f32) -> f32 {
        sum * (1.0 / self.trees.len() as f32)
    }

    fn add_leaves(&self, trees: &[Tree], rows: &Rows, places: impl Iterator<Item = usize>, sums: &mut [f32]) {
        for (place, sum) in places.zip(sums) {
            let row = rows.row(place);
            for tree in trees {
                *sum += tree.leaf(&self.nodes, self.schema.width(), |feature| row[feature]);
            }
        }
    }

    fn add_heaps(&self, heaps: &[Heap], rows: &Rows, places: impl Iterator<Item = usize>, sums: &mut [f32]) {
        let mut rows = places.filter_map(|place| rows.long(place));
        for sums in sums.chunks_mut(MOST_ROWS) {
            let mut some = [&[0.0; PLACES]; MOST_ROWS];
            let count = some.iter_mut().zip(&mut rows).map(|(place, row)| *place = row).count();
            let count = count.min(sums.len());
            heap::add(heaps, &some[..count], &mut sums[..count]);
        }
    }

    /// Writes the mean over the trees of each class's share to `scores`; the shares sum to one.
    ///
    /// For a forest that votes. A feature that `row` lacks counts as NaN, which no threshold exceeds.
    pub fn class_scores(&self, row: &[f32], scores: &mut [f32]) {
        let share = 1.0 / self.trees.len() as f32;
        self.add_classes(&|feature| row.get(feature).copied().unwrap_or(f32::NAN), 0, scores);
        for score in scores {
            *score *= share;
        }
    }

    /// The class with the largest share; of equal ones the first. Allocates nothing.
    #[must_use]
    pub fn vote(&self, row: &[f32]) -> usize {
        self.vote_by(|feature| row.get(feature).copied().unwrap_or(f32::NAN))
    }

    /// The vote for the row whose features `value` knows.
    fn vote_by(&self, value: impl Fn(usize) -> f32) -> usize {
        let mut winner = (0, f32::NEG_INFINITY);
        for first in (0..self.outputs).step_by(CLASSES_AT_A_TIME) {
            let mut sums = [0.0; CLASSES_AT_A_TIME];
            let count = CLASSES_AT_A_TIME.min(self.outputs - first);
            self.add_classes(&value, first, &mut sums[..count]);
            for (offset, &sum) in sums[..count].iter().enumerate() {
                if sum > winner.1 {
                    winner = (first + offset, sum);
                }
            }
        }
        winner.0
    }

    /// Puts the sums over the trees of the classes from `first` on into `sums`.
    fn add_classes(&self, value: &impl Fn(usize) -> f32, first: usize, sums: &mut [f32]) {
        sums.fill(0.0);
        for tree in &self.trees {
            // Whole and in range since `Forest::from_parts`.
            let leaf = tree.leaf(&self.nodes, self.schema.width(), value) as usize;
            let distribution = &self.distributions[leaf * self.outputs..][..self.outputs];
            for (sum, share) in sums.iter_mut().zip(&distribution[first..]) {
                *sum += share;
            }
        }
    }
}

/// What a forest is made of, before it is known to hold together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) schema: Schema,
    pub(crate) outputs: usize,
    /// How many nodes each tree has, one tree after another in `nodes`.
    pub(crate) tree_sizes: Vec<u32>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) distributions: Vec<f32>,
}

impl Forest {
    /// The most classes that a forest votes on.
    pub const MAX_OUTPUTS: usize = 4096;
    /// The most trees.
    pub const MAX_TREES: usize = 4096;
    /// Beyond this a leaf's value could not number its distribution exactly.
    const MAX_DISTRIBUTIONS: usize = 1 << f32::MANTISSA_DIGITS;

    /// The forest of `parts`, once every index in them is known to lead somewhere; else what is wrong.
    pub(crate) fn from_parts(parts: Parts) -> Result<Self, String> {
        let Parts {
            schema,
            outputs,
            tree_sizes,
            nodes,
            distributions,
        } = parts;
        if !(1..=Self::MAX_OUTPUTS).contains(&outputs) {
            return Err(format!("{outputs} outputs"));
        }
        let trees = check_trees(&tree_sizes, &nodes, schema.width())?;
        let heap = |tree: &Tree| Heap::of(*tree, &nodes, schema.width()).filter(|_| outputs == 1);
        let heaps = trees.iter().map(heap).collect::<Option<_>>().unwrap_or_default();
        let forest = Self {
            schema,
            outputs,
            trees,
            nodes,
            heaps,
            distributions,
        };
        forest.check_distributions()?;
        Ok(forest)
    }

    /// The forest taken apart again.
    pub(crate) fn to_parts(&self) -> Parts {
        let starts = self.trees.iter().map(|tree| tree.root());
        let ends = starts.clone().skip(1).chain([self.nodes.len() as u32]);
        Parts {
            schema: self.schema.clone(),
            outputs: self.outputs,
            tree_sizes: starts.zip(ends).map(|(start, end)| end - start).collect(),
            nodes: self.nodes.clone(),
            distributions: self.distributions.clone(),
        }
    }

    /// The same trees over the features of `schema`, `restate` turning a split by (feature, threshold) into one there.
    ///
    /// # Panics
    /// When `restate` names a feature that `schema` has not, or turns a threshold into NaN.
    #[must_use]
    pub fn restated(&self, schema: &Schema, restate: impl Fn(usize, f32) -> (usize, f32)) -> Self {
        let width = self.schema.width();
        let mut parts = self.to_parts();
        for node in &mut parts.nodes {
            if node.is_leaf(width) {
                node.feature = schema.width() as u16;
            } else {
                let (feature, threshold) = restate(usize::from(node.feature), node.threshold);
                (node.feature, node.threshold) = (feature as u16, threshold);
            }
        }
        Self::from_parts(Parts {
            schema: schema.clone(),
            ..parts
        })
        .expect("splits are restated for this schema")
    }

    fn check_distributions(&self) -> Result<(), String> {
        if self.outputs == 1 {
            return if self.distributions.is_empty() {
                Ok(())
            } else {
                Err("numbers with distributions".into())
            };
        }
        let count = self.distributions.len() / self.outputs;
        if self.distributions.len() % self.outputs != 0 || count > Self::MAX_DISTRIBUTIONS {
            return Err(format!(
                "{} shares for {} classes",
                self.distributions.len(),
                self.outputs
            ));
        }
        if !self.distributions.iter().all(|share| (0.0..=1.0).contains(share)) {
            return Err("a share outside 0 to 1".into());
        }
        let lost = self.nodes.iter().position(|node| {
            node.is_leaf(self.schema.width()) && !(node.threshold.fract() == 0.0 && in_range(node.threshold, count))
        });
        lost.map_or(Ok(()), |node| {
            Err(format!("node {node} names a distribution that is not there"))
        })
    }
}

fn in_range(number: f32, count: usize) -> bool {
    number.is_sign_positive() && (number as usize) < count
}

fn check_trees(sizes: &[u32], nodes: &[Node], width: usize) -> Result<Vec<Tree>, String> {
    if sizes.is_empty() || sizes.len() > Forest::MAX_TREES {
        return Err(format!("{} trees", sizes.len()));
    }
    let mut rest = nodes;
    let mut trees = Vec::with_capacity(sizes.len());
    for (number, &size) in sizes.iter().enumerate() {
        let (own, behind) = rest
            .split_at_checked(size as usize)
            .ok_or_else(|| format!("tree {number} is cut off"))?;
        let root = (nodes.len() - rest.len()) as u32;
        let malformed = |error: tree::Malformed| format!("tree {number}, node {}", error.node);
        trees.push(Tree::check(own, root, width).map_err(malformed)?);
        rest = behind;
    }
    if rest.is_empty() {
        Ok(trees)
    } else {
        Err(format!("{} nodes of no tree", rest.len()))
    }
}

#[cfg(test)]
mod tests;
