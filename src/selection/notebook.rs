//! Which decisions are learned from, and what is kept of them until and after their outcome is known.
//!
//! Requests are taken by chance alone, never by their outcome: what is slow must be seen as often as it happens.

use parking_lot::Mutex;

use crate::pool::Outcome;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::LearnerPreset;
use crate::selection::ModelSlot;
use crate::selection::Reason;
use crate::selection::RequestFacts;
use crate::selection::features::Features;
use crate::selection::features::View;
use crate::selection::features::blank_metrics;
use crate::selection::features::features;
use crate::selection::forest::base_score;
use crate::selection::forest::forecast;
use crate::units::Draws;

/// Where the request path leaves what a learner takes.
///
/// A short lock, taken for one request in a dozen at a thousand requests a second: as many rows a second are kept as a
/// learner has use for.
#[derive(Debug)]
pub struct Notebook {
    preset: LearnerPreset,
    finished: Mutex<Vec<LearnedRow>>,
}

/// What is kept of a decision until its outcome is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    features: Features,
    base: f32,
    forecast: Option<f32>,
    is_explored: bool,
    is_blank: bool,
}

/// A decision and its outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedRow {
    /// What was seen of the backend.
    pub features: Features,
    /// How much slower it was than the base score says, in ln of latency.
    pub label: f32,
    /// What the model of the time said of that, if there was one.
    pub forecast: Option<f32>,
    /// Whether chance sent the request there.
    pub is_explored: bool,
}

/// Outcomes that wait for a learner; with none to take them, older ones stay and newer ones are dropped.
const MOST_WAITING: usize = 4096;
/// The share of rows whose metrics are hidden from the learner, so that a model knows what to do without them.
const BLANK_SHARE: f64 = 0.15;
/// Sets these draws apart from those that the choice was made with.
const SALT: u64 = 0x7d3b_9c05_e61a_2f88;

impl Notebook {
    /// A notebook for a learner of `preset`.
    #[must_use]
    pub fn new(preset: LearnerPreset) -> Self {
        Self {
            preset,
            finished: Mutex::new(Vec::with_capacity(MOST_WAITING)),
        }
    }

    /// How much its learner has use for.
    #[must_use]
    pub fn preset(&self) -> LearnerPreset {
        self.preset
    }

    /// What to keep of `choice` for `request` until its outcome is known; `None` for most requests. To be called before
    /// the attempt begins.
    #[must_use]
    pub fn note(
        &self,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        choice: &Choice,
        model: &ModelSlot,
    ) -> Option<Lesson> {
        let mut draws = Draws::new(request.draw ^ SALT);
        let is_explored = choice.reason == Reason::Explore;
        let rate = pool.fleet()?.rate();
        if !is_explored && draws.fraction() >= f64::from(self.preset.rows_per_second() / rate) {
            return None;
        }
        let features = features(pool, request, choice.backend);
        Some(Lesson {
            features,
            base: base_score(&features, pool.relative_weight(choice.backend) as f32),
            forecast: model.with_ranker(|_, ranker| {
                let own = ranker.filter(|ranker| ranker.view == View::Alone)?;
                Some(forecast(own.model.forest(), &features))
            }),
            is_explored,
            is_blank: draws.fraction() < BLANK_SHARE,
        })
    }

    /// Enters what `lesson` was noted of, now that its outcome is known.
    pub fn record(&self, lesson: Lesson, outcome: &Outcome) {
        let Some(slowness) = outcome.slowness else { return };
        let mut finished = self.finished.lock();
        if finished.len() < MOST_WAITING {
            finished.push(lesson.finish(slowness));
        }
    }

    /// Moves everything that was entered since the last time into `rows`.
    pub fn drain(&self, rows: &mut Vec<LearnedRow>) {
        rows.append(&mut self.finished.lock());
    }
}

impl Lesson {
    fn finish(mut self, slowness: f32) -> LearnedRow {
        if self.is_blank {
            blank_metrics(&mut self.features);
        }
        LearnedRow {
            features: self.features,
            label: slowness - self.base,
            forecast: self.forecast,
            is_explored: self.is_explored,
        }
    }
}
