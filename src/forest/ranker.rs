//! Forests that put the candidates of a decision in order.
//!
//! Among a few candidates all trees are asked about each of them. Among many the first trees name a few, and only about
//! those the others are asked (Cambazoglu and others: Early exit optimizations for additive machine learned ranking systems,
//! WSDM 2010, section 3). So the others only learn from such: what tells a good candidate from one that is hopeless is
//! nothing to them.

use crate::forest::Comparisons;
use crate::forest::Forest;
use crate::forest::GrowError;
use crate::forest::Growth;
use crate::forest::Samples;
use crate::forest::boost::Boosted;
use crate::forest::boost::Stages;
use crate::forest::boost::check_numbers;
use crate::forest::goal::Goal;

/// The most candidates that all trees are asked about; a decision among more is one among many.
pub const FEW: usize = 8;
/// Trees that are asked about all candidates, however many there are.
pub const FIRST_TREES: usize = 8;

/// Multiples of it, modulo 1, are spread evenly however many there are.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// A forest whose mean leaf value estimates by how much a candidate's label exceeds the mean of its decision's.
///
/// What the forest has not explained is centred anew within each decision before every stage: only differences between
/// candidates are worth a split. The thresholds that the trees ask for wander from stage to stage.
///
/// Of decisions among more than [`FEW`] the trees after [`FIRST_TREES`] learn from those alone that `rank`, of a row and the
/// estimate of the first trees, puts first: the lowest.
///
/// # Errors
/// When `comparisons` and `samples` differ in number, a label is not finite, or a parameter is out of range.
pub fn grow_ranker(
    samples: &Samples,
    comparisons: &Comparisons,
    growth: &Growth,
    seed: u64,
    rank: impl Fn(&[f32], f32) -> f32,
) -> Result<Forest, GrowError> {
    check_numbers(samples, comparisons.labels())?;
    let mut boosted = Boosted::new(comparisons.labels().to_vec(), seed);
    let Growth { params, boosting } = growth;
    let all = boosting.stages;
    let first = if comparisons.most() > FEW {
        boosting.stages_until(FIRST_TREES, params.trees)
    } else {
        all
    };
    Stages::new(samples, growth)?.grow(0..first, &mut boosted, centred(comparisons))?;
    if first < all {
        let rank = |row| rank(samples.row(row), boosted.estimate(samples.row(row), params.trees));
        let ranks: Vec<f32> = (0..samples.count()).map(rank).collect();
        let (rows, few) = comparisons.lowest(&ranks, FEW);
        boosted.left = rows.iter().map(|&row| boosted.left[row]).collect();
        let samples = samples.some(&rows);
        Stages::new(&samples, growth)?.grow(first..all, &mut boosted, centred(&few))?;
    }
    Ok(boosted.forest(samples))
}

/// The goal of each stage: to explain what is left of the differences within each of `comparisons`.
fn centred(comparisons: &Comparisons) -> impl Fn(&mut [f32], usize) -> Goal<'static> {
    |left, stage| {
        comparisons.centre(left);
        Goal::numbers_from(left, GOLDEN * stage as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Boosting;
    use crate::forest::Decisions;
    use crate::forest::GrowParams;
    use crate::forest::Rows;
    use crate::forest::Schema;
    use crate::units::Draws;

    const CANDIDATES: usize = 24;
    const PARAMS: GrowParams = GrowParams {
        trees: 24,
        depth: 2,
        min_leaf: 10,
        min_split: 20,
        rows_per_tree: 3000,
        feature_share: 1.0,
        leaf_prior: 2.0,
        threads: std::num::NonZeroUsize::MIN,
    };

    /// Two thirds of the candidates are hopeless, each for a reason of its own; the others differ a little.
    fn decisions() -> (Samples, Comparisons) {
        let mut draws = Draws::new(2);
        let mut decisions = Decisions::default();
        let mut rows = Rows::new(3, CANDIDATES);
        for _ in 0..300 {
            rows.clear();
            let mut labels = Vec::new();
            for place in 0..CANDIDATES {
                let hopeless = if place % 3 == 0 { 0.0 } else { 1.0 + draws.fraction() };
                let (fine, noise) = (draws.fraction(), draws.fraction());
                let seen = [hopeless, fine, noise].map(|number| number as f32);
                rows.add().copy_from_slice(&seen);
                labels.push((10.0 * hopeless * hopeless + fine) as f32);
            }
            decisions.push(&rows, &labels);
        }
        let schema = Schema::new(["hopeless", "fine", "noise"].map(str::to_owned).to_vec()).unwrap();
        decisions.into_samples(schema).unwrap()
    }

    /// What is left of the differences among the candidates that are not hopeless, as a share of their variance.
    fn left_among_the_best(rank: impl Fn(&[f32], f32) -> f32) -> f64 {
        let (samples, comparisons) = decisions();
        let forest = grow_ranker(&samples, &comparisons, &PARAMS.boosted(Boosting::new(24, 0.3)), 1, rank).unwrap();
        let best: Vec<usize> = (0..samples.count()).filter(|row| row % CANDIDATES % 3 == 0).collect();
        let mut rows = Rows::new(3, best.len());
        best.iter()
            .for_each(|&row| rows.add().copy_from_slice(samples.row(row)));
        let mut estimates = vec![0.0; best.len()];
        forest.score(&rows, &mut estimates);
        let of = |numbers: Vec<f32>| {
            let sizes = vec![(CANDIDATES / 3) as u16; best.len() * 3 / CANDIDATES];
            let mut centred = numbers.clone();
            Comparisons::new(numbers, sizes).unwrap().centre(&mut centred);
            centred.iter().map(|number| f64::from(number * number)).sum::<f64>()
        };
        let labels: Vec<f32> = best.iter().map(|&row| comparisons.labels()[row]).collect();
        let left = labels.iter().zip(&estimates).map(|(label, estimate)| label - estimate);
        of(left.collect()) / of(labels.clone())
    }

    #[test]
    fn later_trees_tell_those_apart_that_the_first_ones_name() {
        let best = left_among_the_best(|_, estimate| estimate);
        let worst = left_among_the_best(|_, estimate| -estimate);
        assert!(
            best < 0.3 && best < 0.5 * worst,
            "{best} is left, {worst} of the others"
        );
    }

    #[test]
    fn labels_fit_the_samples_and_are_finite() {
        let (samples, _) = decisions();
        let refused = |comparisons: &Comparisons| {
            grow_ranker(
                &samples,
                comparisons,
                &PARAMS.boosted(Boosting::new(4, 0.3)),
                1,
                |_, it| it,
            )
            .unwrap_err()
        };
        let mut labels = vec![0.0; samples.count()];
        labels[5] = f32::NAN;
        let sizes = vec![CANDIDATES as u16; samples.count() / CANDIDATES];
        let comparisons = Comparisons::new(labels, sizes).unwrap();
        assert_eq!(refused(&comparisons), GrowError::Target { row: 5 });
        assert!(matches!(refused(&Comparisons::default()), GrowError::Targets { .. }));
    }
}
