//! The whole way from a table to a model.

mod error;

use std::ops::Range;

pub use error::TrainError;

use crate::forest::Classes;
use crate::forest::Forest;
use crate::forest::GrowParams;
use crate::forest::Model;
use crate::forest::ModelKind;
use crate::forest::Samples;
use crate::forest::Training;
use crate::forest::grow_classifier;
use crate::training::dataset::Table;
use crate::training::examples::Examples;
use crate::training::examples::Input;
use crate::training::importance::Unseen;
use crate::training::model_card;
use crate::training::preprocess::Pipeline;
use crate::training::preprocess::Reason;
use crate::training::scores::Scores;
use crate::training::scores::judge;
use crate::training::sieve::sift;
use crate::training::summary::DroppedSummary;
use crate::training::summary::ForestSummary;
use crate::training::summary::ImportanceSummary;
use crate::training::summary::Summary;

/// With fewer rows a hold-out says nothing at all.
pub(crate) const LEAST_ROWS: usize = 8;
/// One row in so many is held out: the last ones, since a model is used after the time it was trained on.
const HOLDOUT_PART: usize = 4;

/// What to train on, and what to write into the model.
#[derive(Clone, Copy, Debug)]
pub struct TrainRequest<'a> {
    /// The pool whose rows are used; needed only where the data set has several.
    pub pool: Option<&'a str>,
    /// How the forest is grown. On few rows leaves may be smaller than it says.
    pub params: GrowParams,
    /// The seed of every draw.
    pub seed: u64,
    /// SHA-256 of the data files, for the model and its card.
    pub data_digest: &'a str,
    /// The command line, for the model and its card.
    pub command: &'a str,
}

/// What training made.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model, ready to be encoded.
    pub model: Model,
    /// Its model card, in Markdown.
    pub card: String,
    /// What was done and found.
    pub summary: Summary,
}

/// Trains what `table` allows: the classifier of a recorded pool, or the literal reproduction of the paper's table.
///
/// # Errors
/// When the table has too little to learn from, or a choice is open.
pub fn train(table: &Table, request: &TrainRequest) -> Result<Trained, TrainError> {
    let examples = Examples::new(Input::Table(table), request.pool)?;
    let rows = examples.labels.len();
    if rows < LEAST_ROWS {
        return Err(TrainError::TooFew {
            rows,
            dropped: examples.dropped,
        });
    }
    let (holdout, importance) = examples.holdout(request)?;
    let (model, pipeline) = examples.fit(rows, request)?;
    let forest = examples.forest_summary(&model, &pipeline, (request.params.depth, importance));
    let summary = examples.summary(table, request, forest, holdout);
    let card = model_card::render(&summary);
    Ok(Trained { model, card, summary })
}

impl Examples {
    /// The scores on the last rows of a model trained on those before, and what it depends on.
    fn holdout(&self, request: &TrainRequest) -> Result<(Scores, Vec<ImportanceSummary>), TrainError> {
        let rows = self.labels.len();
        let trained = rows - rows.div_ceil(HOLDOUT_PART);
        let (model, pipeline) = self.fit(trained, request)?;
        let majority = self
            .counts(trained)
            .iter()
            .enumerate()
            .rev()
            .max_by_key(|&(_, count)| count)
            .map_or(0, |(class, _)| class);
        let unseen = self.unseen(trained..rows, &pipeline);
        let places: Vec<usize> = pipeline.kept.iter().map(|column| column.place).collect();
        let losses = unseen.losses(&places, |row| model.vote(row), request.seed);
        let loss = |(&place, loss): (&usize, f64)| ImportanceSummary {
            feature: self.schema.names()[place].clone(),
            loss,
        };
        let mut importance: Vec<ImportanceSummary> = places.iter().zip(losses).map(loss).collect();
        importance.sort_by(|a, b| b.loss.total_cmp(&a.loss));
        let scores = judge(&model, &self.features[trained..], &self.labels[trained..], majority);
        Ok((scores, importance))
    }

    /// Some of the rows as a forest sees them that has not learned from them.
    pub(crate) fn unseen(&self, rows: Range<usize>, pipeline: &Pipeline) -> Unseen<'_> {
        let fills = pipeline.fills();
        let value = |(value, fill): (&Option<f32>, &f32)| value.unwrap_or(*fill);
        let filled = |row: &Vec<Option<f32>>| row.iter().zip(&fills).map(value).collect();
        Unseen {
            rows: self.features[rows.clone()].iter().map(filled).collect(),
            labels: &self.labels[rows],
            classes: self.classes.len(),
        }
    }

    /// The model of the first `rows` rows, and how they were prepared.
    fn fit(&self, rows: usize, request: &TrainRequest) -> Result<(Model, Pipeline), TrainError> {
        let pipeline = sift(self, rows, request)?;
        let forest = self.grow(rows, &pipeline, request)?;
        let training = Training {
            rows: rows as u64,
            seed: request.seed,
            data_digest: request.data_digest.to_owned(),
            command: request.command.to_owned(),
            pipeline: pipeline.json(),
        };
        Ok((Model::new(self.kind, forest, pipeline.fills(), training)?, pipeline))
    }

    /// The forest of the first `rows` rows, prepared by `pipeline`; it votes on raw rows.
    pub(crate) fn grow(&self, rows: usize, pipeline: &Pipeline, request: &TrainRequest) -> Result<Forest, TrainError> {
        let kept = pipeline.kept_schema(&self.schema).ok_or(TrainError::Constant)?;
        let values = self.features[..rows].iter().flat_map(|row| pipeline.apply(row));
        let samples = Samples::new(kept, values.collect())?;
        let classes = Classes::new(self.labels[..rows].to_vec(), self.classes.len())?;
        let forest = grow_classifier(&samples, &classes, &fitting(request.params, rows), request.seed)?;
        Ok(pipeline.unfold(&forest, &self.schema))
    }

    fn summary(&self, table: &Table, request: &TrainRequest, forest: ForestSummary, holdout: Scores) -> Summary {
        let (kind, serves_backends) = match self.kind {
            ModelKind::Classifier { backends } => ("classifier", Some(backends)),
            _ => ("reproduction", None),
        };
        Summary {
            kind,
            serves_backends,
            pool: self.pool.clone(),
            command: request.command.to_owned(),
            data_digest: request.data_digest.to_owned(),
            seed: request.seed,
            data: self.data_summary(Input::Table(table)),
            classes: self.class_summaries(),
            holdout,
            forest,
        }
    }

    fn forest_summary(
        &self,
        model: &Model,
        pipeline: &Pipeline,
        (depth, importance): (usize, Vec<ImportanceSummary>),
    ) -> ForestSummary {
        let name = |place: usize| self.schema.names()[place].clone();
        let dropped = pipeline.dropped.iter();
        ForestSummary {
            trees: model.forest().tree_count(),
            nodes: model.forest().node_count(),
            depth,
            features: pipeline.kept.iter().map(|column| name(column.place)).collect(),
            dropped_features: dropped.clone().map(|column| name(column.place)).collect(),
            dropped: dropped
                .map(|column| DroppedSummary {
                    feature: name(column.place),
                    reason: reason(column.reason, &name),
                })
                .collect(),
            importance,
        }
    }
}

/// Why a column was dropped, in words.
fn reason(reason: Reason, name: &dyn Fn(usize) -> String) -> String {
    match reason {
        Reason::Constant => "constant or missing".to_owned(),
        Reason::Twin { of, correlation } => format!("correlates with {} by {correlation:.3}", name(of)),
        Reason::Unused { loss } => format!("nothing is lost without it ({loss:+.3} of balanced accuracy)"),
    }
}

/// `params` with leaves small enough for `rows` rows: of a handful, five a leaf would allow no split at all.
pub(crate) fn fitting(params: GrowParams, rows: usize) -> GrowParams {
    let min_leaf = params.min_leaf.min((rows / 40).max(1));
    GrowParams {
        min_leaf,
        min_split: params.min_split.min(2 * min_leaf),
        ..params
    }
}

#[cfg(test)]
mod tests;
