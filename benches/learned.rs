//! A model that was learned from noise, as large as they get.

use sylvan::selection::FEATURE_COUNT;
use sylvan::selection::LearnedRow;
use sylvan::selection::Learner;
use sylvan::selection::LearnerPreset;
use sylvan::units::Draws;

/// A learner that is full of noise, so that its trees are as large as they get.
pub(crate) fn full_learner(preset: LearnerPreset) -> Learner {
    let mut learner = Learner::new(preset, 1);
    let mut draws = Draws::new(2);
    for number in 0..7000 {
        let mut features = [0.0; FEATURE_COUNT];
        features.fill_with(|| (8.0 * draws.fraction()) as f32);
        learner.take(&LearnedRow {
            label: features.iter().sum::<f32>() / 16.0 + draws.fraction() as f32,
            features,
            forecast: None,
            is_explored: number % 4 == 0,
        });
    }
    learner
}
