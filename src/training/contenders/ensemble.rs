//! The ensembles of linfa-ensemble. Their own `predict` breaks ties by the order of a hash map and gives no
//! probabilities, so the votes of their trees are counted here.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa::traits::Predict;
use linfa_ensemble::AdaBoost;
use linfa_ensemble::AdaBoostParams;
use linfa_ensemble::EnsembleLearner;
use linfa_ensemble::EnsembleLearnerParams;
use linfa_trees::DecisionTree;
use ndarray::Array1;
use ndarray::Array2;
use ndarray::Axis;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::training::contenders::Setting;
use crate::training::contenders::rest::Binary;
use crate::training::contenders::tree::Untied;

/// Splits above a leaf of a boosted tree.
const WEAK_DEPTH: usize = 2;

type Tree = DecisionTree<f64, usize>;

/// linfa's random forest: each tree sees a bootstrap of all rows, and as many features as their number's root, drawn
/// once for the tree and with replacement.
pub(super) fn forest(records: &Array2<f64>, is: Vec<bool>, setting: &Setting) -> Result<EnsembleLearner<Tree>, String> {
    let width = records.ncols() as f64;
    let trees = Untied {
        depth: setting.params.depth,
        min_leaf: setting.params.min_leaf,
    };
    EnsembleLearnerParams::new_fixed_rng(trees, Xoshiro256Plus::seed_from_u64(setting.seed))
        .ensemble_size(setting.params.trees)
        .feature_proportion(width.sqrt() / width)
        .fit(&dataset(records, is))
        .map_err(|error| error.to_string())
}

/// AdaBoost over as many small trees; it ends early when one is always right, or no better than chance.
pub(super) fn boosted(
    records: &Array2<f64>,
    is: Vec<bool>,
    setting: &Setting,
) -> Result<AdaBoost<Tree, usize>, String> {
    let trees = Untied {
        depth: WEAK_DEPTH,
        min_leaf: setting.params.min_leaf,
    };
    AdaBoostParams::new_fixed_rng(trees, Xoshiro256Plus::seed_from_u64(setting.seed))
        .n_estimators(setting.params.trees)
        .fit(&dataset(records, is))
        .map_err(|error| error.to_string())
}

fn dataset(records: &Array2<f64>, is: Vec<bool>) -> DatasetBase<Array2<f64>, Array1<usize>> {
    DatasetBase::new(records.clone(), is.into_iter().map(usize::from).collect())
}

impl Binary for EnsembleLearner<Tree> {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let mut yeses = vec![0.0; records.nrows()];
        for (tree, features) in self.models.iter().zip(&self.model_features) {
            add_votes(&mut yeses, tree, &records.select(Axis(1), features), 1.0);
        }
        divided(yeses, self.models.len() as f64)
    }

    fn bytes(&self) -> usize {
        bytes(&self.models)
    }
}

impl Binary for AdaBoost<Tree, usize> {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let mut yeses = vec![0.0; records.nrows()];
        for (tree, &weight) in self.models.iter().zip(&self.model_weights) {
            add_votes(&mut yeses, tree, records, weight);
        }
        divided(yeses, self.model_weights.iter().sum())
    }

    fn bytes(&self) -> usize {
        bytes(&self.models)
    }
}

fn add_votes(yeses: &mut [f64], tree: &Tree, records: &Array2<f64>, weight: f64) {
    let votes: Array1<usize> = tree.predict(records);
    for (sum, vote) in yeses.iter_mut().zip(votes) {
        *sum += weight * vote as f64;
    }
}

fn divided(mut sums: Vec<f64>, by: f64) -> Vec<f64> {
    sums.iter_mut().for_each(|sum| *sum /= by);
    sums
}

fn bytes(trees: &[Tree]) -> usize {
    trees.iter().map(|tree| tree.iter_nodes().count() * 16).sum()
}
