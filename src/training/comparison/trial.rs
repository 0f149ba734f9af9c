//! Methods fitted and tested, fold by fold.

use ndarray::Array2;

use crate::training::TrainError;
use crate::training::TrainRequest;
use crate::training::comparison::Watcher;
use crate::training::contenders::Lesson;
use crate::training::contenders::Method;
use crate::training::contenders::Setting;
use crate::training::examples::Examples;
use crate::training::folds::Fold;
use crate::training::measures::Forecasts;
use crate::training::preprocess::Pipeline;
use crate::training::train::fitting;

/// The rows of a fold, prepared by what those to learn from say.
pub(super) struct Lessons {
    trained: Lesson,
    tested: Lesson,
}

/// One method in all folds.
pub(super) struct Trial {
    pub(super) method: Method,
    /// The rows it was fitted to in the last fold.
    pub(super) rows: usize,
    /// What it forecast, or why it could not be fitted.
    pub(super) found: Result<Found, String>,
}

/// What a method forecast of the tested rows, one fold after another, and what that took.
pub(super) struct Found {
    pub(super) forecasts: Forecasts,
    /// In the last fold.
    pub(super) fit_seconds: f64,
    /// In all folds.
    pub(super) predict_seconds: f64,
    /// In the last fold.
    pub(super) bytes: usize,
}

impl Lessons {
    pub(super) fn new(examples: &Examples, fold: &Fold) -> Result<Self, TrainError> {
        let rows: Vec<_> = fold.trained.iter().map(|&row| examples.features[row].clone()).collect();
        let pipeline = Pipeline::fit(&rows, examples.schema.width());
        let lesson = |rows: &[usize]| Lesson::prepared(examples, &pipeline, rows).ok_or(TrainError::Constant);
        Ok(Self {
            trained: lesson(&fold.trained)?,
            tested: lesson(&fold.tested)?,
        })
    }
}

impl Lesson {
    /// `rows` of `examples`; `None` when no column is left.
    fn prepared(examples: &Examples, pipeline: &Pipeline, rows: &[usize]) -> Option<Self> {
        let values = rows.iter().flat_map(|&row| pipeline.apply(&examples.features[row]));
        let shape = (rows.len(), pipeline.kept.len());
        let records = Array2::from_shape_vec(shape, values.map(f64::from).collect()).ok()?;
        Some(Self {
            records: Some(records).filter(|records| records.ncols() > 0)?,
            labels: rows.iter().map(|&row| examples.labels[row]).collect(),
            classes: examples.classes.len(),
        })
    }
}

/// Every method in the folds of `lessons`.
pub(super) fn trials(lessons: &[Lessons], request: &TrainRequest, watcher: &mut dyn Watcher) -> Vec<Trial> {
    let trial = |method: Method| Trial {
        method,
        rows: lessons
            .last()
            .map_or(0, |last| last.trained.labels.len().min(method.row_limit())),
        found: trial(method, lessons, request, watcher),
    };
    Method::ALL.into_iter().map(trial).collect()
}

fn trial(
    method: Method,
    lessons: &[Lessons],
    request: &TrainRequest,
    watcher: &mut dyn Watcher,
) -> Result<Found, String> {
    let mut found: Option<Found> = None;
    for (fold, Lessons { trained, tested }) in lessons.iter().enumerate() {
        watcher.step(method.name());
        let trained = trained.thinned(method.row_limit());
        let setting = Setting {
            params: fitting(request.params, trained.labels.len()),
            seed: request.seed,
        };
        let begun = watcher.now();
        let fitted = method.fit(&trained, &setting)?;
        let fitted_at = watcher.now();
        let shares = fitted.shares(&tested.records);
        let predicted_at = watcher.now();
        if shares.iter().any(|share| !share.is_finite()) {
            return Err("some of its probabilities are not numbers".to_owned());
        }
        let found = found.get_or_insert_with(|| Found::new(trained.classes));
        found.forecasts.shares.extend(shares);
        found.forecasts.labels.extend(&tested.labels);
        found.forecasts.folds.extend(tested.labels.iter().map(|_| fold));
        found.fit_seconds = fitted_at.since(begun).as_secs_f64();
        found.predict_seconds += predicted_at.since(fitted_at).as_secs_f64();
        found.bytes = fitted.bytes();
    }
    found.ok_or_else(|| "there are no folds".to_owned())
}

impl Found {
    fn new(classes: usize) -> Self {
        Self {
            forecasts: Forecasts::new(classes),
            fit_seconds: 0.0,
            predict_seconds: 0.0,
            bytes: 0,
        }
    }
}
