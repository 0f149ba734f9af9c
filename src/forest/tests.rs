//! What a forest answers, whole and as single trees.

use std::sync::LazyLock;

use proptest::array::uniform3;
use proptest::prelude::any;
use proptest::proptest;

use crate::forest::Boosting;
use crate::forest::Classes;
use crate::forest::Forest;
use crate::forest::GrowParams;
use crate::forest::Rows;
use crate::forest::Samples;
use crate::forest::Schema;
use crate::forest::grow_classifier;
use crate::forest::grow_regressor;

const PARAMS: GrowParams = GrowParams {
    trees: 19,
    depth: 5,
    min_leaf: 2,
    min_split: 4,
    rows_per_tree: 300,
    feature_share: 1.0,
    leaf_prior: 2.0,
    threads: std::num::NonZeroUsize::MIN,
};

static RANKER: LazyLock<Forest> = LazyLock::new(ranker);
static OF_THREE: LazyLock<Forest> = LazyLock::new(|| classifier(3));
static OF_MANY: LazyLock<Forest> = LazyLock::new(|| classifier(130));

fn samples() -> Samples {
    let schema = Schema::new(vec!["a".into(), "b".into(), "c".into()]).unwrap();
    let values = (0..900_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 20) as f32 / 100.0);
    Samples::new(schema, values.collect()).unwrap()
}

fn ranker() -> Forest {
    let samples = samples();
    let targets: Vec<f32> = (0..samples.count()).map(|row| samples.row(row).iter().sum()).collect();
    grow_regressor(&samples, &targets, &PARAMS.boosted(Boosting::new(4, 0.7)), 7).unwrap()
}

fn classifier(classes: usize) -> Forest {
    let samples = samples();
    let label = |row: usize| samples.row(row)[0] as usize * classes / 42;
    let labels = (0..samples.count()).map(|row| label(row).min(classes - 1)).collect();
    // At least one tree asks for each class.
    let params = GrowParams {
        trees: classes.max(PARAMS.trees),
        ..PARAMS
    };
    grow_classifier(&samples, &Classes::new(labels, classes).unwrap(), &params, 7).unwrap()
}

fn scores(forest: &Forest, batch: &[[f32; 3]]) -> Vec<f32> {
    let mut rows = Rows::new(3, batch.len());
    for row in batch {
        rows.add().copy_from_slice(row);
    }
    let mut scores = vec![f32::NAN; batch.len()];
    forest.score(&rows, &mut scores);
    scores
}

proptest! {
    #[test]
    fn a_batch_scores_as_its_rows_one_by_one(batch: Vec<[f32; 3]>) {
        let forest = &*RANKER;
        let alone: Vec<f32> = batch.iter().flat_map(|&row| scores(forest, &[row])).collect();
        assert_eq!(scores(forest, &batch), alone);
    }

    #[test]
    fn shares_sum_to_one_and_the_vote_is_the_first_of_the_largest(row: [f32; 3], many in any::<bool>()) {
        let forest = if many { &*OF_MANY } else { &*OF_THREE };
        let mut shares = vec![0.0; forest.outputs()];
        forest.class_scores(&row, &mut shares);
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let largest = shares.iter().copied().fold(0.0, f32::max);
        assert_eq!(forest.vote(&row), shares.iter().position(|&share| share == largest).unwrap());
    }
}

/// The Shapley values by their definition: the mean over all orders of three features of what each one changes.
fn by_definition(row: [f32; 3], baseline: [f32; 3]) -> [f64; 3] {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut sums = [0.0; 3];
    for order in ORDERS {
        let mut mixed = baseline;
        for feature in order {
            let before = scores(&RANKER, &[mixed])[0];
            mixed[feature] = row[feature];
            sums[feature] += f64::from(scores(&RANKER, &[mixed])[0] - before) / 6.0;
        }
    }
    sums
}

proptest! {
    #[test]
    fn contributions_are_shapley_values_and_sum_up(row in uniform3(0.0_f32..43.0), baseline in uniform3(0.0_f32..43.0)) {
        let contributions = RANKER.contributions(&row, &baseline);
        let both = scores(&RANKER, &[row, baseline]);
        assert!((contributions.iter().sum::<f64>() - f64::from(both[0] - both[1])).abs() < 1e-4);
        for (own, expected) in contributions.iter().zip(by_definition(row, baseline)) {
            assert!((own - expected).abs() < 1e-4, "{own} {expected}");
        }
    }
}

#[test]
fn what_no_tree_asks_for_and_what_does_not_differ_contributes_nothing() {
    let schema = Schema::new(["a", "b", "c"].map(str::to_owned).to_vec()).unwrap();
    let deaf = RANKER.restated(&schema, |feature, threshold| (feature.min(1), threshold));
    let contributions = deaf.contributions(&[5.0, 30.0, 40.0], &[30.0, 30.0, 1.0]);
    assert!(contributions[0] != 0.0);
    assert_eq!(contributions[1..], [0.0, 0.0]);
}

#[test]
fn a_larger_sum_scores_higher() {
    let scores = scores(&RANKER, &[[1.0, 1.0, 1.0], [20.0, 20.0, 20.0], [40.0, 40.0, 40.0]]);
    assert!(scores[0] < scores[1] && scores[1] < scores[2], "{scores:?}");
}

#[test]
fn more_classes_than_fit_at_a_time_are_all_voted_on() {
    assert!(OF_MANY.vote(&[40.0, 20.0, 20.0]) > 100);
    assert!(OF_MANY.vote(&[0.5, 20.0, 20.0]) < 30);
}

#[test]
fn equal_shares_go_to_the_first_class() {
    let schema = Schema::new(vec!["a".into()]).unwrap();
    let samples = Samples::new(schema, vec![1.0, 1.0]).unwrap();
    let classes = Classes::new(vec![1, 0], 2).unwrap();
    let forest = grow_classifier(&samples, &classes, &PARAMS, 7).unwrap();
    assert_eq!(forest.vote(&[1.0]), 0);
}

#[test]
fn a_feature_that_is_not_there_is_no_panic() {
    let _ = OF_THREE.vote(&[]);
}
