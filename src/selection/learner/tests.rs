//! What a learner keeps, makes of it, and goes on with.

use std::sync::LazyLock;

use proptest::prelude::any;
use proptest::proptest;

use super::*;
use crate::selection::Features;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1000.0).plus(Duration::from_secs(seconds))
}

/// A row of noise whose label follows from its CPU: above a half it is slow.
fn row(draws: &mut Draws) -> LearnedRow {
    let mut features: Features = [0.0; FEATURE_COUNT];
    features.fill_with(|| draws.fraction() as f32);
    let noise = draws.fraction() as f32 - 0.5;
    LearnedRow {
        features,
        label: if features[10] > 0.5 { 1.0 } else { 0.0 } + noise,
        forecast: None,
        is_explored: draws.below(10) == 0,
    }
}

fn learner(preset: LearnerPreset, rows: usize) -> Learner {
    let mut learner = Learner::new(preset, 7);
    let mut draws = Draws::new(1);
    (0..rows).for_each(|_| learner.take(&row(&mut draws)));
    learner
}

/// A model that has learned that a backend with more than half its CPU in use is slow, and nothing else.
pub(crate) fn model_of_cpu() -> Arc<Model> {
    static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| learner(LearnerPreset::Small, 3000).retrain(at(0)).unwrap());
    Arc::clone(&MODEL)
}

#[test]
fn three_hundred_rows_make_a_model() {
    let mut learner = learner(LearnerPreset::Small, 299);
    assert!(!learner.is_due(at(0)));
    assert_eq!(learner.charge(), Charge::FewRows);
    learner.take(&row(&mut Draws::new(2)));
    assert!(learner.is_due(at(0)));
    assert_eq!(learner.charge(), Charge::NoModel);
    learner.retrain(at(0)).unwrap();
    assert_eq!(learner.charge(), Charge::Unproven);
    assert!(!learner.is_due(at(29)) && learner.is_due(at(30)));
}

#[test]
fn a_model_that_foresees_is_put_in_charge() {
    let mut learner = learner(LearnerPreset::Small, 1000);
    let model = learner.retrain(at(0)).unwrap();
    let mut draws = Draws::new(3);
    for _ in 0..1000 {
        let mut row = row(&mut draws);
        row.forecast = Some(crate::selection::forest::forecast(model.forest(), &row.features));
        learner.take(&row);
    }
    assert_eq!(learner.charge(), Charge::InCharge, "{:?}", learner.skill());
}

#[test]
fn exploring_rows_outlast_all_others() {
    let mut learner = Learner::new(LearnerPreset::Small, 7);
    let mut draws = Draws::new(1);
    let mut take = |is_explored, count| {
        for _ in 0..count {
            learner.take(&LearnedRow {
                is_explored,
                ..row(&mut draws)
            });
        }
    };
    take(true, 10);
    take(false, 10_000);
    assert_eq!(learner.row_count(), 3010);
}

#[test]
fn the_same_outcomes_make_the_same_models() {
    let models = || {
        let mut learner = learner(LearnerPreset::Small, 600);
        let first = learner.retrain(at(0)).unwrap();
        (first, learner.retrain(at(30)).unwrap())
    };
    let (first, second) = models();
    assert_eq!((Arc::clone(&first), second), models());
    assert_ne!(first, models().1);
}

#[test]
fn a_learner_goes_on_where_it_stopped() {
    let mut learner = learner(LearnerPreset::Small, 4000);
    learner.retrain(at(0)).unwrap();
    let decoded = Learner::decode(&learner.encode(), LearnerPreset::Small, 7).unwrap();
    assert_eq!(decoded.encode(), learner.encode());
    assert_eq!(decoded.row_count(), learner.row_count());
    assert_eq!(decoded.model(), learner.model());
}

#[test]
fn a_larger_preset_takes_over_a_smaller_ones_state() {
    let small = learner(LearnerPreset::Small, 4000).encode();
    assert_eq!(
        Learner::decode(&small, LearnerPreset::Standard, 7).unwrap().encode(),
        small
    );
}

#[test]
fn a_learner_that_is_to_learn_less_keeps_the_newest() {
    let mut learner = learner(LearnerPreset::Standard, 6000);
    let before = learner.clone();
    learner.adapt(LearnerPreset::Small, Duration::from_secs(5));
    assert_eq!(learner.rows.len(), 3000);
    let newest: Vec<f32> = before.rows.rows().map(|row| row.1).skip(2000).collect();
    assert_eq!(learner.rows.rows().map(|row| row.1).collect::<Vec<_>>(), newest);
    learner.retrain(at(0)).unwrap();
    assert!(!learner.is_due(at(4)) && learner.is_due(at(5)));
}

#[test]
fn an_adopted_model_has_to_prove_itself() {
    let mut learner = learner(LearnerPreset::Small, 1000);
    learner.adopt(model_of_cpu(), at(0));
    assert_eq!(learner.charge(), Charge::Unproven);
    assert!(!learner.is_due(at(29)) && learner.is_due(at(30)));
}

#[test]
fn time_that_jumps_stops_no_learner_for_good() {
    let mut learner = learner(LearnerPreset::Small, 1000);
    learner.retrain(at(100_000)).unwrap();
    assert!(!learner.is_due(at(0)) && learner.is_due(at(100_030)) && learner.is_due(at(10_000_000)));
}

proptest! {
    #[test]
    fn altered_state_is_refused(at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = learner(LearnerPreset::Small, 20).encode();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        assert_eq!(Learner::decode(&bytes, LearnerPreset::Small, 7), Err(StateError::Damaged));
        bytes.truncate(place);
        assert_eq!(Learner::decode(&bytes, LearnerPreset::Small, 7), Err(StateError::Damaged));
    }
}
