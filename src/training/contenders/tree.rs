//! A tree of linfa-trees, with the shares of the training rows in its leaves: linfa's own keep a majority alone.
//!
//! linfa lets the order of a hash map decide where two answers weigh the same, so that no two runs would agree. A yes
//! weighs a thousandth more here ([`Untied`]), which leaves no ties between two answers.

use linfa::DatasetBase;
use linfa::Error;
use linfa::traits::Fit;
use linfa_trees::DecisionTree;
use linfa_trees::TreeNode;
use ndarray::Array1;
use ndarray::Array2;
use ndarray::ArrayView1;

use crate::forest::GrowParams;
use crate::training::contenders::rest::Binary;

/// The weight of a yes where a no weighs 1.
const YES_WEIGHT: f32 = 1.001;
/// How many rows the share of the whole training set counts for in a leaf.
const LEAF_PRIOR: f64 = 2.0;

/// How a tree is grown, 0 being a no and 1 a yes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untied {
    /// The most splits above a leaf: without a bound, linfa's recursion has none either.
    pub(super) depth: usize,
    /// The fewest rows in a leaf.
    pub(super) min_leaf: usize,
}

impl Fit<Array2<f64>, Array1<usize>, Error> for Untied {
    type Object = DecisionTree<f64, usize>;

    fn fit(&self, dataset: &DatasetBase<Array2<f64>, Array1<usize>>) -> Result<Self::Object, Error> {
        let weigh = |&answer: &usize| if answer == 1 { YES_WEIGHT } else { 1.0 };
        let weights = dataset.targets.iter().map(weigh).collect();
        let weighted = DatasetBase::new(dataset.records.view(), dataset.targets.view()).with_weights(weights);
        DecisionTree::params()
            .max_depth(Some(self.depth))
            .min_weight_split(2.0 * self.min_leaf as f32)
            .min_weight_leaf(self.min_leaf as f32)
            .fit(&weighted)
    }
}

/// A tree whose leaves hold probabilities.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    feature: usize,
    threshold: f64,
    /// Where rows below the threshold go, and the others; a leaf leads to itself.
    children: [usize; 2],
    /// How many yeses came by, and how many rows.
    counts: [f64; 2],
}

/// Grows a tree on `records`, of which `is` says the answers.
pub(super) fn fit(records: &Array2<f64>, is: Vec<bool>, params: &GrowParams) -> Result<Tree, String> {
    let limits = Untied {
        depth: params.depth,
        min_leaf: params.min_leaf,
    };
    let dataset = DatasetBase::new(records.clone(), is.iter().map(|&is| usize::from(is)).collect());
    let grown = limits.fit(&dataset).map_err(|error| error.to_string())?;
    let mut tree = Tree { nodes: Vec::new() };
    tree.add(grown.root_node());
    for (row, is) in records.rows().into_iter().zip(is) {
        let leaf = tree.leaf(row);
        let [yes, all] = &mut tree.nodes[leaf].counts;
        (*yes, *all) = (*yes + f64::from(u8::from(is)), *all + 1.0);
    }
    tree.smooth();
    Ok(tree)
}

impl Tree {
    /// Adds `node` and what is below it; its place.
    fn add(&mut self, node: &TreeNode<f64, usize>) -> usize {
        let place = self.nodes.len();
        let (feature, threshold, _) = node.split();
        self.nodes.push(Node {
            feature,
            threshold,
            children: [place; 2],
            counts: [0.0; 2],
        });
        if let [Some(left), Some(right)] = node.children()[..] {
            self.nodes[place].children = [self.add(left), self.add(right)];
        }
        place
    }

    /// The leaf that `row` ends in; linfa predicts by `<`.
    fn leaf(&self, row: ArrayView1<'_, f64>) -> usize {
        let mut place = 0;
        loop {
            let node = &self.nodes[place];
            let next = node.children[usize::from(row[node.feature] >= node.threshold)];
            if next == place {
                return place;
            }
            place = next;
        }
    }

    /// Counts some rows like the whole training set in each leaf, so that none is sure.
    fn smooth(&mut self) {
        let [yes, all] = self
            .nodes
            .iter()
            .fold([0.0; 2], |sum, node| [sum[0] + node.counts[0], sum[1] + node.counts[1]]);
        for node in &mut self.nodes {
            node.counts[0] += LEAF_PRIOR * yes / all;
            node.counts[1] += LEAF_PRIOR;
        }
    }
}

impl Binary for Tree {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let share = |row| {
            let [yes, all] = self.nodes[self.leaf(row)].counts;
            yes / all
        };
        records.rows().into_iter().map(share).collect()
    }

    fn bytes(&self) -> usize {
        self.nodes.len() * 16
    }
}
