//! What is grown follows its samples, and the same seed grows the same.

use linfa::traits::Predict;
use ndarray::Array2;

use super::*;
use crate::forest::Boosting;
use crate::forest::Model;
use crate::forest::ModelKind;
use crate::forest::Schema;
use crate::forest::Training;
use crate::forest::encode;
use crate::forest::grow_regressor;

const BOOSTING: Boosting = Boosting::new(3, 0.7);

fn samples(width: usize, values: Vec<f32>) -> Samples {
    Samples::new(
        Schema::new((0..width).map(|feature| format!("x{feature}")).collect()).unwrap(),
        values,
    )
    .unwrap()
}

/// Rows of which some columns are full of ties, some tiny and some huge.
fn mixed(count: usize, seed: u64) -> Samples {
    let mut draws = Draws::new(seed);
    let mut unit = || draws.fraction() as f32;
    let row = |_| [unit(), (unit() * 4.0).floor(), unit() * 1e-6, unit() * 1e9, -1.0];
    samples(5, (0..count).flat_map(row).collect())
}

/// Depends on every varying column, and on chance.
fn targets(samples: &Samples) -> Vec<f32> {
    let target = |row: &[f32]| row[0] + row[1] / 4.0 + row[2] * 1e6 + row[3] / 1e9;
    (0..samples.count()).map(|row| target(samples.row(row))).collect()
}

fn classes(samples: &Samples, count: usize) -> Classes {
    let label = |target: &f32| (target * count as f32 / 4.0) as usize;
    Classes::new(
        targets(samples)
            .iter()
            .map(|target| label(target).min(count - 1))
            .collect(),
        count,
    )
    .unwrap()
}

fn small() -> GrowParams {
    GrowParams {
        trees: 12,
        rows_per_tree: 400,
        ..GrowParams::default()
    }
}

fn bytes(forest: Forest) -> Vec<u8> {
    let kind = if forest.outputs() == 1 {
        ModelKind::Ranker
    } else {
        ModelKind::Reproduction
    };
    let fills = vec![0.0; forest.schema().width()];
    encode(&Model::new(kind, forest, fills, Training::default()).unwrap())
}

fn grow_bytes(samples: &Samples, outputs: usize, threads: usize) -> Vec<u8> {
    let params = GrowParams {
        threads: NonZeroUsize::new(threads).unwrap(),
        ..small()
    };
    bytes(match outputs {
        1 => grow_regressor(samples, &targets(samples), &params.boosted(BOOSTING), 5).unwrap(),
        _ => grow_classifier(samples, &classes(samples, outputs), &params, 5).unwrap(),
    })
}

#[test]
fn the_same_seed_gives_the_same_bytes_twenty_times_on_any_number_of_threads() {
    let samples = mixed(500, 1);
    for outputs in [1, 2, 5] {
        let first = grow_bytes(&samples, outputs, 1);
        for run in 1..20 {
            assert!(
                grow_bytes(&samples, outputs, 1 + run % 5) == first,
                "{outputs} outputs, run {run}"
            );
        }
    }
}

#[test]
fn another_seed_gives_another_forest() {
    let samples = mixed(500, 1);
    let grow = |seed| grow_regressor(&samples, &targets(&samples), &small().boosted(BOOSTING), seed).unwrap();
    assert_ne!(grow(1), grow(2));
}

#[test]
fn a_flattened_tree_labels_every_row_as_linfa_does() {
    let samples = mixed(6000, 2);
    let ranks = Ranks::new(&samples);
    let goal = Goal::numbers(&targets(&samples));
    let params = GrowParams::default();
    let grower = Grower {
        samples: &samples,
        goal,
        params: &params,
        seed: 3,
    };
    for number in 0..8 {
        let Grown { features, tree } = grower.linfa_tree(&ranks, number).unwrap();
        let tree = tree.expect("both answers occur");
        let labels = cart::branch(tree.root_node(), &restate(&ranks, &features));
        let nodes = flatten(&labels, 5, |&label| f32::from(u8::from(label)));
        let flat = Tree::check(&nodes, 0, 5).unwrap();
        let as_ranks = Array2::from_shape_fn((6000, features.len()), |(row, at)| ranks.rank(features[at], row));
        let expected = tree.predict(&as_ranks);
        assert!(nodes.len() > 20, "tree {number} has {} nodes", nodes.len());
        for (row, &label) in expected.iter().enumerate() {
            let landed = flat.leaf(&nodes, 5, |feature| samples.row(row)[feature]);
            assert_eq!(landed == 1.0, label, "tree {number}, row {row}");
        }
    }
}

#[test]
fn the_and_of_two_binary_columns_is_learnt_in_any_row_order() {
    let params = GrowParams {
        trees: 9,
        feature_share: 1.0,
        ..GrowParams::default()
    };
    for order in 0..20 {
        let mut rows: Vec<(bool, bool)> = (0..80).map(|row| (row % 2 == 0, row % 4 < 2)).collect();
        draws_of(order, 0).shuffle(&mut rows);
        let bit = |bit| f32::from(u8::from(bit));
        let samples = samples(2, rows.iter().flat_map(|&(a, b)| [bit(a), bit(b)]).collect());
        let classes = Classes::new(rows.iter().map(|&(a, b)| usize::from(a && b)).collect(), 2).unwrap();
        let forest = grow_classifier(&samples, &classes, &params, 1).unwrap();
        let votes = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].map(|row| forest.vote(&row));
        assert_eq!(votes, [0, 0, 0, 1], "row order {order}");
    }
}

#[test]
fn differences_far_below_linfas_tolerance_are_learnt() {
    let samples = samples(1, (0..200).map(|row| row as f32 * 1e-12).collect());
    let classes = Classes::new((0..200).map(|row| usize::from(row >= 100)).collect(), 2).unwrap();
    let forest = grow_classifier(&samples, &classes, &small(), 1).unwrap();
    assert_eq!([forest.vote(&[10e-12]), forest.vote(&[190e-12])], [0, 1]);
}

#[test]
fn a_rare_class_is_not_pruned_away() {
    let samples = samples(1, (0..1000).map(|row| row as f32).collect());
    let classes = Classes::new(
        (0..1000).map(|row| usize::from(row % 100 < 40 && row > 900)).collect(),
        2,
    )
    .unwrap();
    let forest = grow_classifier(&samples, &classes, &small(), 1).unwrap();
    assert_eq!(
        [forest.vote(&[500.0]), forest.vote(&[920.0]), forest.vote(&[970.0])],
        [0, 1, 0]
    );
}

#[test]
fn the_deepest_tree_that_can_be_asked_for_is_grown() {
    let samples = samples(1, (0..4000).map(|row| row as f32).collect());
    let classes = Classes::new((0..4000).map(|row| row % 2).collect(), 2).unwrap();
    let params = GrowParams {
        depth: 15,
        min_leaf: 1,
        min_split: 2,
        trees: 2,
        rows_per_tree: 1500,
        ..GrowParams::default()
    };
    assert!(grow_classifier(&samples, &classes, &params, 1).unwrap().node_count() > 100);
}

#[test]
fn data_without_anything_to_learn_makes_a_forest_of_leaves() {
    let samples = samples(1, vec![3.0; 10]);
    let constant = grow_regressor(&samples, &[1.0; 10], &small().boosted(BOOSTING), 1).unwrap();
    assert_eq!(constant.node_count(), constant.tree_count());
    let one_class = Classes::new(vec![1; 10], 2).unwrap();
    assert_eq!(
        grow_classifier(&samples, &one_class, &small(), 1).unwrap().vote(&[3.0]),
        1
    );
}

#[test]
fn what_cannot_be_grown_is_refused() {
    let samples = samples(1, vec![1.0, 2.0]);
    let grow = |targets: &[f32], params: GrowParams| {
        grow_regressor(&samples, targets, &params.boosted(BOOSTING), 1).unwrap_err()
    };
    assert_eq!(grow(&[1.0], small()), GrowError::Targets { rows: 2, targets: 1 });
    assert_eq!(grow(&[1.0, f32::NAN], small()), GrowError::Target { row: 1 });
    let said = |params| grow(&[1.0, 2.0], params).to_string();
    assert_eq!(said(GrowParams { depth: 16, ..small() }), "depth is 16; use 1 to 15");
    assert_eq!(said(GrowParams { trees: 0, ..small() }), "trees is 0; use 1 to 4096");
    assert_eq!(
        said(GrowParams { min_leaf: 0, ..small() }),
        "min_leaf is 0; use 1 or more"
    );
    assert_eq!(
        said(GrowParams {
            feature_share: f64::NAN,
            ..small()
        }),
        "feature_share is NaN; use more than 0 and at most 1"
    );
    assert_eq!(
        said(GrowParams {
            leaf_prior: -1.0,
            ..small()
        }),
        "leaf_prior is -1; use 0 or more"
    );
}
