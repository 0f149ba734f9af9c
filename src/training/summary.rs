//! What training did and found, as the JSON of `sylvan train --json` has it (docs/models.md).

use serde::Serialize;

use crate::training::joint::Dropped;
use crate::training::scores::Scores;

/// Everything worth knowing about a training run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// `classifier` or `reproduction`.
    pub kind: &'static str,
    /// How many backends a pool must have that the model can serve; `None` when it can serve none.
    pub serves_backends: Option<usize>,
    /// The pool whose rows were used; `None` for the paper's table.
    pub pool: Option<String>,
    /// The command line.
    pub command: String,
    /// SHA-256 of the data files, one after another.
    pub data_digest: String,
    /// The seed of every draw.
    pub seed: u64,
    /// What was in the data.
    pub data: DataSummary,
    /// How often each class is the right one.
    pub classes: Vec<ClassSummary>,
    /// Scores on the last rows, by a model trained on those before.
    pub holdout: Scores,
    /// The forest, grown on all rows.
    pub forest: ForestSummary,
}

/// The data set as it was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataSummary {
    /// Usable rows, of all pools.
    pub rows: usize,
    /// Rows that could not be used, those below among them.
    pub skipped: usize,
    /// Of these, rows whose end is missing.
    pub torn: usize,
    /// Of these, rows that were read before.
    pub duplicates: usize,
    /// Of these, lines that repeat the header.
    pub headers: usize,
    /// When the first row was taken, in seconds since the Unix epoch.
    pub first_seconds: f64,
    /// When the last one was.
    pub last_seconds: f64,
    /// How many rows lack each metric.
    pub missing: Vec<MissingSummary>,
    /// Rows the forest learns from: for a classifier, joint rows of all backends.
    pub training_rows: usize,
    /// Polls that make no joint row.
    pub dropped: Dropped,
}

/// How often a metric is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingSummary {
    /// The metric's column.
    pub column: &'static str,
    /// How many rows lack it.
    pub rows: usize,
}

/// One class: a backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassSummary {
    /// `server_id`.
    pub server_id: u32,
    /// Its address; empty for the paper's table.
    pub address: String,
    /// In how many rows it is the right one.
    pub rows: usize,
}

/// The forest's shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForestSummary {
    /// How many trees.
    pub trees: usize,
    /// How many nodes they have together.
    pub nodes: usize,
    /// The most splits above a leaf.
    pub depth: usize,
    /// The features that could be split on.
    pub features: Vec<String>,
    /// Those that could not.
    pub dropped_features: Vec<String>,
    /// Why each of them could not.
    pub dropped: Vec<DroppedSummary>,
    /// What the forest of the hold-out depends on, the most important first.
    pub importance: Vec<ImportanceSummary>,
}

/// A feature that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DroppedSummary {
    /// Its name.
    pub feature: String,
    /// Why, in words.
    pub reason: String,
}

/// How much a forest depends on a feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportanceSummary {
    /// Its name.
    pub feature: String,
    /// What is lost in balanced accuracy on the hold-out when it says nothing.
    pub loss: f64,
}
