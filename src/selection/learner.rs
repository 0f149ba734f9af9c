//! Outcomes in, a forest out when asked: what the `forest` selector learns, without a thread, a clock or a disk.
//!
//! The newest outcomes are kept in a ring, and those of exploring requests in another, so that a model which has
//! learned to avoid a state does not forget what that state is like. `crate::tasks` and `crate::simulation` drive it
//! through [`study`].

mod ring;
mod skill;
mod state;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::forest::Boosting;
use crate::forest::GrowError;
use crate::forest::GrowParams;
use crate::forest::Growth;
use crate::forest::Model;
use crate::forest::ModelKind;
use crate::forest::Samples;
use crate::forest::Training;
use crate::forest::grow_regressor;
use crate::selection::Charge;
use crate::selection::FEATURE_COUNT;
use crate::selection::LearnedRow;
use crate::selection::ModelSlot;
use crate::selection::Notebook;
use crate::selection::UNKNOWN;
use crate::selection::features;
use crate::selection::learner::ring::Ring;
use crate::selection::learner::skill::Skill;
use crate::units::Draws;
use crate::units::Timestamp;

pub use state::StateError;

/// How much is learned, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LearnerPreset {
    /// 16 trees from 5,000 rows, every ten seconds: about 0.3 s of CPU each time.
    #[default]
    Standard,
    /// 8 trees from 3,000 rows, every thirty seconds: nearly as good, for machines with little to spare.
    Small,
}

/// Fewer rows than this teach nothing that holds.
const FEWEST_ROWS: usize = 300;
/// How far back rows reach at any rate of requests.
const MEMORY_SECONDS: f32 = 60.0;

/// Every tree goes on from those before it: how slow a backend is and how full it is add up, and trees beside each other
/// have no room for both. In simulated worlds of uneven backends the mean latency is 3 % less than without.
const BOOSTING_RATE: f64 = 0.3;

impl LearnerPreset {
    /// The time between two models.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::from_secs(match self {
            Self::Standard => 10,
            Self::Small => 30,
        })
    }

    /// How many outcomes of its own choices are kept.
    fn rows(self) -> usize {
        match self {
            Self::Standard => 5000,
            Self::Small => 3000,
        }
    }

    /// How many outcomes of exploring requests are kept beside them.
    fn explored_rows(self) -> usize {
        self.rows() * 3 / 10
    }

    /// How many outcomes a second it has use for.
    #[must_use]
    pub fn rows_per_second(self) -> f32 {
        self.rows() as f32 / MEMORY_SECONDS
    }

    fn growth(self) -> Growth {
        let params = GrowParams {
            trees: match self {
                Self::Standard => 16,
                Self::Small => 8,
            },
            depth: 6,
            min_leaf: 20,
            min_split: 40,
            rows_per_tree: self.rows(),
            feature_share: 0.7,
            leaf_prior: 10.0,
            threads: NonZeroUsize::MIN,
        };
        params.boosted(Boosting::new(params.trees, BOOSTING_RATE))
    }
}

/// What one pool's forest is learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Learner {
    preset: LearnerPreset,
    rows: Ring,
    explored: Ring,
    skill: Skill,
    model: Option<Arc<Model>>,
    /// How many models there have been; each has its own seed.
    models: u64,
    seed: u64,
    last_model: Option<Timestamp>,
    interval: Duration,
}

impl Learner {
    /// A learner that knows nothing yet. The same seed and outcomes make the same models.
    #[must_use]
    pub fn new(preset: LearnerPreset, seed: u64) -> Self {
        Self {
            preset,
            rows: Ring::new(preset.rows()),
            explored: Ring::new(preset.explored_rows()),
            skill: Skill::default(),
            model: None,
            models: 0,
            seed,
            last_model: None,
            interval: preset.interval(),
        }
    }

    /// From now on learns as much as `preset` says, and makes a model every `interval`. What it knows stays, as far as
    /// there is room for it.
    pub fn adapt(&mut self, preset: LearnerPreset, interval: Duration) {
        if preset != self.preset {
            self.rows = self.rows.resized(preset.rows());
            self.explored = self.explored.resized(preset.explored_rows());
            self.preset = preset;
        }
        self.interval = interval;
    }

    /// Goes on with `model`, which somebody else has made; nothing is known of its skill.
    pub fn adopt(&mut self, model: Arc<Model>, now: Timestamp) {
        self.model = Some(model);
        self.skill = Skill::default();
        self.last_model = Some(now);
    }

    /// Takes in an outcome.
    pub fn take(&mut self, row: &LearnedRow) {
        if row.is_explored {
            self.explored.push(&row.features, row.label);
        } else {
            self.rows.push(&row.features, row.label);
            if let Some(forecast) = row.forecast {
                self.skill.push(row.label, forecast);
            }
        }
    }

    /// How many outcomes it knows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len() + self.explored.len()
    }

    /// How much of what the base score leaves unexplained the models of late foresaw: 1 is all of it, 0 none; `None`
    /// while too few forecasts have been compared with what came.
    #[must_use]
    pub fn skill(&self) -> Option<f64> {
        self.skill.share()
    }

    /// How far its model is to be trusted.
    #[must_use]
    pub fn charge(&self) -> Charge {
        match (self.row_count() >= FEWEST_ROWS, &self.model) {
            (false, _) => Charge::FewRows,
            (true, None) => Charge::NoModel,
            (true, Some(_)) => self.skill.charge(),
        }
    }

    /// How many models it has made.
    #[must_use]
    pub fn model_count(&self) -> u64 {
        self.models
    }

    /// Its newest model.
    #[must_use]
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    /// Whether it is time for a new model.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let is_over = |last| now.since(last) >= self.interval;
        self.row_count() >= FEWEST_ROWS && self.last_model.is_none_or(is_over)
    }

    /// Grows a new model from what it knows: some hundred milliseconds of work.
    ///
    /// # Errors
    /// When the rows do not make a forest; they always should.
    pub fn retrain(&mut self, now: Timestamp) -> Result<Arc<Model>, GrowError> {
        self.last_model = Some(now);
        self.models += 1;
        let seed = Draws::new(self.seed ^ self.models.rotate_left(32)).next();
        let samples = Samples::new(
            features::schema(),
            [self.rows.values(), self.explored.values()].concat(),
        )?;
        let labels = [self.rows.labels(), self.explored.labels()].concat();
        let forest = grow_regressor(&samples, &labels, &self.preset.growth(), seed)?;
        let training = Training {
            rows: labels.len() as u64,
            seed,
            ..Training::default()
        };
        let model = Model::new(ModelKind::Ranker, forest, vec![UNKNOWN; FEATURE_COUNT], training)
            .expect("a forest of numbers with a fill for each feature is a ranker");
        let model = Arc::new(model);
        self.model = Some(Arc::clone(&model));
        Ok(model)
    }
}

/// Takes in what `notebook` holds, and tells `slot` how far its model is to be trusted.
pub fn attend(learner: &mut Learner, notebook: &Notebook, slot: &ModelSlot) {
    take_in(learner, notebook);
    slot.trust(learner.charge());
}

/// One look at what has happened: takes in what `notebook` holds, makes a new model if it is time to, and tells `slot`
/// about both. To be called about once a second; says whether there is a new model.
///
/// # Errors
/// As [`Learner::retrain`]; the model before stays.
pub fn study(learner: &mut Learner, notebook: &Notebook, slot: &ModelSlot, now: Timestamp) -> Result<bool, GrowError> {
    take_in(learner, notebook);
    let is_due = learner.is_due(now);
    let made = if is_due {
        learner.retrain(now).map(|model| slot.put(model))
    } else {
        Ok(())
    };
    slot.trust(learner.charge());
    made.map(|()| is_due)
}

fn take_in(learner: &mut Learner, notebook: &Notebook) {
    let mut rows = Vec::new();
    notebook.drain(&mut rows);
    for row in &rows {
        learner.take(row);
    }
}

#[cfg(test)]
pub(crate) mod tests;
