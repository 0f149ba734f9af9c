//! Boosting: trees in stages, each grown on what the stages before it leave unexplained.
//!
//! Where causes add up, as that a backend is slow and that it is full, a tree of a few levels has no room for all of
//! them, and the mean of many such trees has none either. A later stage sees what is left and goes on from there
//! (Friedman: Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 2001).

use std::ops::Range;

use crate::forest::Forest;
use crate::forest::GrowError;
use crate::forest::GrowParams;
use crate::forest::Samples;
use crate::forest::cart::Branch;
use crate::forest::goal::Goal;
use crate::forest::grow::Grower;
use crate::forest::grow::assemble;
use crate::forest::grow::check_targets;
use crate::forest::histogram::Bins;
use crate::forest::ranks::Ranks;
use crate::units::Draws;

/// In how many stages the trees are grown, how far each is believed, and what finds the splits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boosting {
    /// 1 to the number of trees, which are divided among the stages as evenly as can be; 1 is bagging alone.
    pub stages: usize,
    /// The share of a stage's estimate that counts, above 0 and up to 1: what a stage gets wrong by chance, the next
    /// takes for something to explain.
    pub rate: f64,
    /// What finds the splits.
    pub splitter: Splitter,
}

/// What finds the splits of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Splitter {
    /// linfa-trees, asked whether numbers lie above a threshold, on a few thousand rows.
    Linfa,
    /// Counts in bins, on this share of all rows, above 0 and up to 1.
    Histogram(f64),
}

/// How a forest is grown in stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Of all its trees.
    pub params: GrowParams,
    /// How they are divided among stages.
    pub boosting: Boosting,
}

impl GrowParams {
    /// Such trees, grown in stages.
    #[must_use]
    pub const fn boosted(self, boosting: Boosting) -> Growth {
        Growth { params: self, boosting }
    }
}

/// A forest whose mean leaf value estimates by how much a row's number exceeds the mean of `targets`.
///
/// # Errors
/// When `targets` and `samples` differ in number, a target is not finite, or a parameter is out of range.
pub fn grow_regressor(samples: &Samples, targets: &[f32], growth: &Growth, seed: u64) -> Result<Forest, GrowError> {
    check_numbers(samples, targets)?;
    let stages = Stages::new(samples, growth)?;
    let mut boosted = Boosted::new(targets.to_vec(), seed);
    stages.grow(0..growth.boosting.stages, &mut boosted, |left, _| Goal::numbers(left))?;
    Ok(boosted.forest(samples))
}

/// Whether there is a finite number for each sample.
pub(crate) fn check_numbers(samples: &Samples, numbers: &[f32]) -> Result<(), GrowError> {
    check_targets(samples, numbers.len())?;
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(row) => Err(GrowError::Target { row }),
        None => Ok(()),
    }
}

/// What stages have in common.
pub(crate) struct Stages<'a> {
    samples: &'a Samples,
    growth: &'a Growth,
    prepared: Prepared,
}

/// The samples as the one or the other way to split wants them.
enum Prepared {
    Linfa(Ranks),
    Histogram(Bins, f64),
}

/// A forest of which some stages are grown.
pub(crate) struct Boosted {
    seeds: Draws,
    /// What the trees leave to explain of the number of each row.
    pub(crate) left: Vec<f32>,
    trees: Vec<Branch<Vec<f64>>>,
}

impl Boosted {
    /// Without a tree, so that all of `numbers` is left.
    pub(crate) fn new(numbers: Vec<f32>, seed: u64) -> Self {
        Self {
            seeds: Draws::new(seed),
            left: numbers,
            trees: Vec::new(),
        }
    }

    /// What the trees so far add to the estimate of a forest of `trees`.
    pub(crate) fn estimate(&self, row: &[f32], trees: usize) -> f32 {
        estimate(&self.trees, row, trees)
    }

    /// The forest of all trees so far.
    pub(crate) fn forest(&self, samples: &Samples) -> Forest {
        assemble(samples.schema(), 1, &self.trees)
    }
}

impl<'a> Stages<'a> {
    /// What stages on `samples` need.
    ///
    /// # Errors
    /// When a parameter is out of range.
    pub(crate) fn new(samples: &'a Samples, growth: &'a Growth) -> Result<Self, GrowError> {
        growth.params.check()?;
        growth.boosting.check(growth.params.trees)?;
        let prepared = match growth.boosting.splitter {
            Splitter::Linfa => Prepared::Linfa(Ranks::new(samples)),
            Splitter::Histogram(row_share) => Prepared::Histogram(Bins::new(samples), row_share),
        };
        Ok(Self {
            samples,
            growth,
            prepared,
        })
    }

    /// Adds the trees of these stages to `boosted`; `goal` says what a stage is to make of what is left.
    pub(crate) fn grow(
        &self,
        stages: Range<usize>,
        boosted: &mut Boosted,
        goal: impl Fn(&mut [f32], usize) -> Goal<'static>,
    ) -> Result<(), GrowError> {
        let Growth { params, boosting } = self.growth;
        for stage in stages {
            let part = boosting.part(params, stage);
            let grower = Grower {
                samples: self.samples,
                goal: goal(&mut boosted.left, stage),
                params: &part,
                seed: boosted.seeds.next(),
            };
            let mut grown = match &self.prepared {
                Prepared::Linfa(ranks) => grower.trees(ranks)?,
                Prepared::Histogram(bins, row_share) => grower.trees_by_histogram(bins, *row_share),
            };
            // A forest's estimate is the mean of all its trees, a stage's that of its own.
            let weight = boosting.rate * params.trees as f64 / part.trees as f64;
            grown.iter_mut().for_each(|tree| scale(tree, weight));
            for (row, left) in boosted.left.iter_mut().enumerate() {
                *left -= estimate(&grown, self.samples.row(row), params.trees);
            }
            boosted.trees.append(&mut grown);
        }
        Ok(())
    }
}

impl Boosting {
    /// So many stages of trees that linfa grows.
    #[must_use]
    pub const fn new(stages: usize, rate: f64) -> Self {
        Self {
            stages,
            rate,
            splitter: Splitter::Linfa,
        }
    }

    fn check(self, trees: usize) -> Result<(), GrowError> {
        let refuse = |name, value: String, allowed: String| Err(GrowError::Parameter { name, value, allowed });
        if !(1..=trees).contains(&self.stages) {
            return refuse(
                "stages",
                self.stages.to_string(),
                format!("1 to {trees}, the number of trees"),
            );
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return refuse("rate", self.rate.to_string(), "more than 0 and at most 1".into());
        }
        Ok(())
    }

    /// How many stages it takes to grow `count` of `trees` trees; all of them where there are not as many.
    pub(crate) fn stages_until(self, count: usize, trees: usize) -> usize {
        (0..self.stages)
            .find(|&stage| self.trees_before(stage, trees) >= count)
            .unwrap_or(self.stages)
    }

    /// The parameters of one stage: its part of the trees.
    fn part(self, params: &GrowParams, stage: usize) -> GrowParams {
        let before = |stage| self.trees_before(stage, params.trees);
        GrowParams {
            trees: before(stage + 1) - before(stage),
            ..*params
        }
    }

    /// How many of `trees` trees are grown before `stage`.
    fn trees_before(self, stage: usize, trees: usize) -> usize {
        trees * stage / self.stages
    }
}

fn scale(tree: &mut Branch<Vec<f64>>, weight: f64) {
    tree.for_each_leaf(&mut |leaf| leaf.iter_mut().for_each(|value| *value *= weight));
}

/// What `grown`, some of `trees` trees, add to the estimate of a row.
fn estimate(grown: &[Branch<Vec<f64>>], row: &[f32], trees: usize) -> f32 {
    let sum: f64 = grown.iter().flat_map(|tree| tree.leaf(row)).sum();
    (sum / trees as f64) as f32
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::forest::Rows;
    use crate::forest::Schema;

    const PARAMS: GrowParams = GrowParams {
        trees: 16,
        depth: 3,
        min_leaf: 10,
        min_split: 20,
        rows_per_tree: 2000,
        feature_share: 1.0,
        leaf_prior: 2.0,
        threads: NonZeroUsize::MIN,
    };

    /// Rows of four numbers, and the sum of each row: four causes that add up.
    fn sums() -> (Samples, Vec<f32>) {
        let mut draws = Draws::new(3);
        let values = (0..8000).map(|_| draws.fraction() as f32).collect();
        let schema = Schema::new(["a", "b", "c", "d"].map(str::to_owned).to_vec()).unwrap();
        let samples = Samples::new(schema, values).unwrap();
        let targets = (0..2000).map(|row| samples.row(row).iter().sum()).collect();
        (samples, targets)
    }

    /// The share of the variance that is left after `boosting`.
    fn unexplained(boosting: Boosting) -> f32 {
        let (samples, targets) = sums();
        let forest = grow_regressor(&samples, &targets, &PARAMS.boosted(boosting), 1).unwrap();
        let mut rows = Rows::new(4, targets.len());
        (0..targets.len()).for_each(|row| rows.add().copy_from_slice(samples.row(row)));
        let mut estimates = vec![0.0; targets.len()];
        forest.score(&rows, &mut estimates);
        let mean = targets.iter().sum::<f32>() / targets.len() as f32;
        let left: f32 = targets
            .iter()
            .zip(&estimates)
            .map(|(target, estimate)| (target - mean - estimate).powi(2))
            .sum();
        left / targets.iter().map(|target| (target - mean).powi(2)).sum::<f32>()
    }

    #[test]
    fn stages_explain_causes_that_add_up() {
        let one = unexplained(Boosting::new(1, 1.0));
        let four = unexplained(Boosting::new(4, 0.7));
        assert!(four < 0.5 * one, "{four} is left after four stages, {one} after one");
        let counted = unexplained(Boosting {
            splitter: Splitter::Histogram(0.6),
            ..Boosting::new(4, 0.7)
        });
        assert!(counted < four, "{counted} is left by counting in bins, {four} by linfa");
    }

    #[test]
    fn trees_are_divided_among_stages() {
        let counts = |trees, stages| {
            let boosting = Boosting::new(stages, 1.0);
            let part = |stage| boosting.part(&GrowParams { trees, ..PARAMS }, stage).trees;
            (0..stages).map(part).collect::<Vec<_>>()
        };
        assert_eq!(counts(16, 4), [4, 4, 4, 4]);
        assert_eq!(counts(5, 3), [1, 2, 2]);
    }

    #[test]
    fn stages_without_a_tree_and_rates_beyond_one_are_refused() {
        let (samples, targets) = sums();
        for boosting in [
            Boosting::new(17, 1.0),
            Boosting::new(0, 1.0),
            Boosting::new(1, 1.1),
            Boosting::new(1, f64::NAN),
        ] {
            let refused = grow_regressor(&samples, &targets, &PARAMS.boosted(boosting), 1);
            assert!(matches!(refused, Err(GrowError::Parameter { .. })), "{boosting:?}");
        }
    }
}
