//! Trees of a few splits found by counting: every feature cut into bins of about equally many rows, and a split wherever
//! it takes the most from the squares of what is left to explain.
//!
//! linfa-trees only tells two answers apart, and in reasonable time only of a few thousand rows. This asks for numbers and
//! looks at every row once a level (Ke and others: LightGBM, a highly efficient gradient boosting decision tree, NeurIPS 2017,
//! section 2.1). It is here for what is grown from millions of rows, beforehand.

use std::thread;

use crate::forest::GrowParams;
use crate::forest::Samples;
use crate::forest::cart::Branch;
use crate::forest::cart::Split;
use crate::units::Draws;

/// Bins of a feature; their numbers fit a byte.
const MOST_BINS: usize = 64;
/// Rows that the borders of the bins are taken from.
const MEASURED: usize = 100_000;

/// Every value of the samples as the number of its bin.
#[derive(Debug)]
pub(crate) struct Bins {
    /// For each feature the values at which a new bin begins, ascending; the first bin begins below all of them.
    borders: Vec<Vec<f32>>,
    /// Row by row.
    codes: Vec<u8>,
}

/// How many rows there are, and the sum of what is left of them.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    rows: f64,
    left: f64,
}

/// A split and what it takes from the squares.
#[derive(Clone, Copy, Debug)]
struct Found {
    feature: usize,
    /// The last bin that goes left.
    bin: usize,
    gain: f64,
}

impl Bins {
    pub(crate) fn new(samples: &Samples) -> Self {
        let width = samples.schema().width();
        let borders: Vec<Vec<f32>> = (0..width).map(|feature| borders(samples, feature)).collect();
        let mut codes = Vec::with_capacity(samples.count() * width);
        for row in 0..samples.count() {
            let code = |(value, borders): (&f32, &Vec<f32>)| borders.partition_point(|border| border <= value) as u8;
            codes.extend(samples.row(row).iter().zip(&borders).map(code));
        }
        Self { borders, codes }
    }

    /// A tree that explains `left`, the numbers of all rows, as well as it can with `rows_share` of them and a share of the
    /// features, both drawn by chance; what its leaves hold is for others to find out.
    pub(crate) fn tree(&self, left: &[f32], row_share: f64, params: &GrowParams, draws: &mut Draws) -> Branch<bool> {
        let mut features: Vec<usize> = (0..self.borders.len())
            .filter(|&feature| !self.borders[feature].is_empty())
            .collect();
        draws.shuffle(&mut features);
        features.truncate((features.len() as f64 * params.feature_share).ceil() as usize);
        features.sort_unstable();
        let rows = (0..left.len() as u32)
            .filter(|_| draws.fraction() < row_share)
            .collect();
        let grower = Grower {
            bins: self,
            left,
            features,
            params,
        };
        grower.branch(rows, params.depth)
    }

    fn row(&self, row: u32) -> &[u8] {
        let width = self.borders.len();
        &self.codes[row as usize * width..][..width]
    }
}

/// Values that divide a feature into bins of about equally many rows; none where all values are the same.
fn borders(samples: &Samples, feature: usize) -> Vec<f32> {
    let step = samples.count().div_ceil(MEASURED);
    let mut values: Vec<f32> = (0..samples.count())
        .step_by(step)
        .map(|row| samples.row(row)[feature])
        .collect();
    values.sort_by(f32::total_cmp);
    let lowest = values[0];
    let mut borders: Vec<f32> = (1..MOST_BINS)
        .map(|bin| values[bin * values.len() / MOST_BINS])
        .filter(|border| *border > lowest)
        .collect();
    borders.dedup();
    borders
}

/// A tree in the making.
struct Grower<'a> {
    bins: &'a Bins,
    left: &'a [f32],
    features: Vec<usize>,
    params: &'a GrowParams,
}

impl Grower<'_> {
    fn branch(&self, rows: Vec<u32>, levels: usize) -> Branch<bool> {
        let found = (levels > 0).then(|| self.best(&rows)).flatten();
        let Some(Found { feature, bin, .. }) = found else {
            return Branch::Leaf(false);
        };
        let (left, right) = rows
            .into_iter()
            .partition(|&row| usize::from(self.bins.row(row)[feature]) <= bin);
        Branch::Split(Box::new(Split {
            feature: feature as u16,
            threshold: self.bins.borders[feature][bin],
            left: self.branch(left, levels - 1),
            right: self.branch(right, levels - 1),
        }))
    }

    /// The best split of `rows`; each thread looks at some features.
    fn best(&self, rows: &[u32]) -> Option<Found> {
        if rows.len() < self.params.min_split.max(2 * self.params.min_leaf) {
            return None;
        }
        let part = self.features.len().div_ceil(self.params.threads.get()).max(1);
        let found = thread::scope(|scope| {
            let threads: Vec<_> = self
                .features
                .chunks(part)
                .map(|features| scope.spawn(|| self.best_of(features, rows)))
                .collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        // The first of equals, whatever thread looked at it.
        found
            .into_iter()
            .reduce(|best, other| if other.gain > best.gain { other } else { best })
    }

    fn best_of(&self, features: &[usize], rows: &[u32]) -> Option<Found> {
        let mut totals = vec![[Total::default(); MOST_BINS]; features.len()];
        for &row in rows {
            let codes = self.bins.row(row);
            let left = f64::from(self.left[row as usize]);
            for (totals, &feature) in totals.iter_mut().zip(features) {
                let total = &mut totals[usize::from(codes[feature]) % MOST_BINS];
                total.rows += 1.0;
                total.left += left;
            }
        }
        let mut best: Option<Found> = None;
        for (totals, &feature) in totals.iter().zip(features) {
            for (bin, gain) in self.gains(&totals[..=self.bins.borders[feature].len()]) {
                if gain > best.map_or(0.0, |best| best.gain) {
                    best = Some(Found { feature, bin, gain });
                }
            }
        }
        best
    }

    /// What a split behind each bin takes from the squares, where it leaves enough rows on both sides.
    fn gains(&self, totals: &[Total]) -> impl Iterator<Item = (usize, f64)> {
        let least = self.params.min_leaf as f64;
        let all = totals.iter().fold(Total::default(), |sum, total| Total {
            rows: sum.rows + total.rows,
            left: sum.left + total.left,
        });
        let squares = |of: Total| of.left * of.left / of.rows;
        let mut below = Total::default();
        totals
            .iter()
            .take(totals.len().saturating_sub(1))
            .enumerate()
            .filter_map(move |(bin, total)| {
                below.rows += total.rows;
                below.left += total.left;
                let above = Total {
                    rows: all.rows - below.rows,
                    left: all.left - below.left,
                };
                let is_allowed = below.rows >= least && above.rows >= least;
                is_allowed.then(|| (bin, squares(below) + squares(above) - squares(all)))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::forest::Schema;

    fn samples(columns: usize, values: Vec<f32>) -> Samples {
        let names = (0..columns).map(|column| format!("x{column}")).collect();
        Samples::new(Schema::new(names).unwrap(), values).unwrap()
    }

    fn params(threads: usize) -> GrowParams {
        GrowParams {
            depth: 3,
            min_leaf: 2,
            min_split: 4,
            feature_share: 1.0,
            threads: NonZeroUsize::new(threads).unwrap(),
            ..GrowParams::default()
        }
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        let samples = samples(
            2,
            (0..200)
                .flat_map(|row| [f32::from(row as u8 % 7), row as f32])
                .collect(),
        );
        let left: Vec<f32> = (0..200).map(|row| if row < 60 { -1.0 } else { 2.0 }).collect();
        let tree = Bins::new(&samples).tree(&left, 1.0, &params(1), &mut Draws::new(1));
        let Branch::Split(split) = tree else {
            panic!("no split: {tree:?}")
        };
        assert_eq!(split.feature, 1);
        assert!((split.threshold - 60.0).abs() <= 4.0, "{}", split.threshold);
    }

    #[test]
    fn where_all_is_said_nothing_is_split() {
        let samples = samples(1, (0..100).map(|row| row as f32).collect());
        let bins = Bins::new(&samples);
        let grow = |left: &[f32]| bins.tree(left, 1.0, &params(1), &mut Draws::new(1));
        assert_eq!(grow(&[0.5; 100]), Branch::Leaf(false));
        let constant = Bins::new(&self::samples(1, vec![3.0; 4]));
        assert_eq!(
            constant.tree(&[0.0, 1.0, 0.0, 1.0], 1.0, &params(1), &mut Draws::new(1)),
            Branch::Leaf(false)
        );
    }

    #[test]
    fn a_tree_is_the_same_on_any_number_of_threads() {
        let mut draws = Draws::new(5);
        let samples = samples(5, (0..5000).map(|_| draws.fraction() as f32).collect());
        let left: Vec<f32> = (0..1000).map(|row| samples.row(row).iter().sum()).collect();
        let bins = Bins::new(&samples);
        let grow = |threads| bins.tree(&left, 0.6, &params(threads), &mut Draws::new(9));
        assert_eq!(grow(1), grow(3));
        assert_ne!(grow(1), Branch::Leaf(false));
    }
}
