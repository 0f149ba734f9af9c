//! Several classifiers on the same rows: `sylvan train --compare`.
//!
//! Each is fitted and tested in the same folds ([`folds()`]), on rows that are filled and scaled by what the training
//! rows of the fold say. Forecasts of all folds together are scored, so that every score is over the same tested rows.

mod choice;
mod interval;
mod trial;

use serde::Serialize;

use crate::training::TrainError;
use crate::training::TrainRequest;
use crate::training::comparison::choice::best;
use crate::training::comparison::choice::choose;
use crate::training::comparison::interval::Resampled;
use crate::training::comparison::interval::Resamples;
use crate::training::comparison::interval::middle;
use crate::training::comparison::trial::Found;
use crate::training::comparison::trial::Lessons;
use crate::training::comparison::trial::Trial;
use crate::training::comparison::trial::trials;
use crate::training::contenders::Method;
use crate::training::examples::Examples;
use crate::training::examples::Input;
use crate::training::folds::FOLDS;
use crate::training::folds::Fold;
use crate::training::folds::LEAST_PER_CLASS;
use crate::training::folds::folds;
use crate::training::measures::Confusion;
use crate::training::measures::mean_area;
use crate::training::measures::mean_curve;
use crate::training::summary::ClassSummary;
use crate::training::summary::DataSummary;
use crate::units::Timestamp;

/// What was compared, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
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
    /// The classes that are told apart, in the order of the confusion matrix.
    pub classes: Vec<ClassSummary>,
    /// Classes with too few rows to be in every fold; their rows are left out.
    pub left_out: Vec<ClassSummary>,
    /// What was fitted and tested when.
    pub folds: Vec<FoldSummary>,
    /// The methods, in a fixed order.
    pub methods: Vec<MethodSummary>,
    /// The name of the one to take; `None` when none could be fitted.
    pub chosen: Option<String>,
    /// Why that one.
    pub reason: Option<String>,
}

/// One fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FoldSummary {
    /// Rows learned from.
    pub trained: usize,
    /// Rows tested on.
    pub tested: usize,
    /// Rows not learned from, because they are later than the first tested one.
    pub left_out: usize,
    /// Rows learned from although they are later: the classes do not mix in time.
    pub later: usize,
}

/// One method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodSummary {
    /// Its name.
    pub name: String,
    /// The rows it was fitted to in the last fold; fewer than there are where it cannot take more.
    pub rows: usize,
    /// How it did; `None` when it could not be fitted.
    pub scores: Option<MethodScores>,
    /// Why it could not.
    pub failure: Option<String>,
}

/// How a method did on the tested rows of all folds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MethodScores {
    /// The share of right votes.
    pub accuracy: f64,
    /// The mean of the recalls of the classes.
    pub balanced_accuracy: f64,
    /// Its 95 % interval.
    pub balanced_accuracy_interval: [f64; 2],
    /// The mean F1 of the classes.
    pub macro_f1: f64,
    /// Matthews' correlation.
    pub correlation: f64,
    /// The area under the ROC curve, the mean over the classes of each against the rest.
    pub roc_auc: f64,
    /// Its 95 % interval.
    pub roc_auc_interval: [f64; 2],
    /// The curve itself, the mean over the classes: how much of a class stands before 0, 2, ... 100 % of the other rows.
    pub roc: Vec<f64>,
    /// The mean of -ln of the probability given to what came true.
    pub log_loss: f64,
    /// The time to fit it in the last fold, in seconds.
    pub fit_seconds: f64,
    /// The time to forecast a row, in microseconds.
    pub predict_us: f64,
    /// The bytes of numbers that a forecast needs.
    pub bytes: usize,
    /// By how much its balanced accuracy exceeds that of the best method, and the 95 % interval of that, paired.
    pub against_best: [f64; 3],
    /// What was the case, then what it was taken for.
    pub confusion: Vec<Vec<u64>>,
}

impl MethodSummary {
    /// By how much its balanced accuracy exceeds that of the best, with the interval of that.
    #[must_use]
    pub fn difference(&self) -> Option<[f64; 3]> {
        self.scores.as_ref().map(|scores| scores.against_best)
    }

    /// Whether chance could explain that it is not the best.
    #[must_use]
    pub fn is_level(&self) -> bool {
        self.difference().is_some_and(|[_, _, high]| high >= 0.0)
    }
}

/// Who watches: the time is asked of it, and it is told of every step.
pub trait Watcher {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// The next of [`STEPS`] begins: the method `name` is fitted and tested in one fold.
    fn step(&mut self, name: &str);
}

/// How many steps a comparison has.
pub const STEPS: usize = Method::ALL.len() * FOLDS;

/// Compares all methods on what `input` gives to learn from.
///
/// # Errors
/// When it has too little to learn from, or a choice is open.
pub fn compare(input: Input<'_>, request: &TrainRequest, watcher: &mut dyn Watcher) -> Result<Comparison, TrainError> {
    let mut examples = Examples::new(input, request.pool)?;
    let left_out = examples.leave_out(LEAST_PER_CLASS)?;
    let folds = folds(&examples.labels, examples.classes.len());
    let order = order(&folds);
    let lessons = folds
        .iter()
        .map(|fold| Lessons::new(&examples, fold))
        .collect::<Result<Vec<_>, _>>()?;
    let trials = trials(&lessons, request, watcher);
    let methods = judge(&trials, &order, request.seed);
    let (chosen, reason) = choose(&methods, input).unzip();
    Ok(Comparison {
        pool: examples.pool.clone(),
        command: request.command.to_owned(),
        data_digest: request.data_digest.to_owned(),
        seed: request.seed,
        data: examples.data_summary(input),
        classes: examples.class_summaries(),
        left_out,
        folds: folds.iter().map(FoldSummary::new).collect(),
        methods,
        chosen,
        reason,
    })
}

/// The tested rows of all folds, one fold after another, in the order of time.
fn order(folds: &[Fold]) -> Vec<usize> {
    let rows: Vec<usize> = folds.iter().flat_map(|fold| fold.tested.iter().copied()).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&place| rows[place]);
    order
}

impl FoldSummary {
    fn new(fold: &Fold) -> Self {
        Self {
            trained: fold.trained.len(),
            tested: fold.tested.len(),
            left_out: fold.left_out,
            later: fold.later,
        }
    }
}

/// The summaries of `trials`, whose rows stand in the order of time after `order`.
fn judge(trials: &[Trial], order: &[usize], seed: u64) -> Vec<MethodSummary> {
    let resamples = Resamples::new(order.len(), seed);
    let judged: Vec<Option<(MethodScores, Resampled)>> = trials
        .iter()
        .map(|trial| Some(scores(trial.found.as_ref().ok()?, order, &resamples)))
        .collect();
    let summary = |(trial, judged): (&Trial, &Option<(MethodScores, Resampled)>)| MethodSummary {
        name: trial.method.name().to_owned(),
        rows: trial.rows,
        scores: judged.as_ref().map(|(scores, _)| scores.clone()),
        failure: trial.found.as_ref().err().cloned(),
    };
    let mut methods: Vec<MethodSummary> = trials.iter().zip(&judged).map(summary).collect();
    let best = best(&methods).and_then(|best| methods.iter().position(|method| method.name == best.name));
    let Some((best, best_resampled)) = best.and_then(|place| judged[place].as_ref()) else {
        return methods;
    };
    for (method, judged) in methods.iter_mut().zip(&judged) {
        let Some((scores, (_, resampled))) = method.scores.as_mut().zip(judged.as_ref()) else {
            continue;
        };
        let pairs = resampled
            .balanced_accuracy
            .iter()
            .zip(&best_resampled.balanced_accuracy);
        let [low, high] = middle(pairs.map(|(own, best)| own - best));
        scores.against_best = [scores.balanced_accuracy - best.balanced_accuracy, low, high];
    }
    methods
}

fn scores(found: &Found, order: &[usize], resamples: &Resamples) -> (MethodScores, Resampled) {
    let forecasts = found.forecasts.ordered(order);
    let rankings = forecasts.rankings();
    let resampled = resamples.scores(&forecasts, &rankings);
    let confusion = Confusion::of(forecasts.classes, &forecasts.labels, forecasts.votes());
    let scores = MethodScores {
        accuracy: confusion.accuracy(),
        balanced_accuracy: confusion.balanced_accuracy(),
        balanced_accuracy_interval: middle(resampled.balanced_accuracy.iter().copied()),
        macro_f1: confusion.macro_f1(),
        correlation: confusion.correlation(),
        roc_auc: mean_area(&rankings, |_| 1.0).unwrap_or(f64::NAN),
        roc_auc_interval: middle(resampled.area.iter().copied()),
        roc: mean_curve(&rankings),
        log_loss: forecasts.log_loss(),
        fit_seconds: found.fit_seconds,
        predict_us: 1e6 * found.predict_seconds / forecasts.len() as f64,
        bytes: found.bytes,
        against_best: [0.0; 3],
        confusion: confusion.rows(),
    };
    (scores, resampled)
}

#[cfg(test)]
mod tests;
