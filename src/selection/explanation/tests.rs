//! That what is explained is what was decided.

use proptest::proptest;

use super::*;
use crate::selection::Charge;
use crate::selection::Choice;
use crate::selection::Decision;
use crate::selection::Reason;
use crate::selection::Stage;
use crate::selection::forest::tests::model_of_compared_cpu;
use crate::selection::model_of_cpu;
use crate::selection::tests::NOW;
use crate::selection::tests::request;

/// The forest's choice on `stage`, and what was kept of it.
fn decide(stage: &Stage, sequence: u64) -> (Choice, Decision) {
    let snapshot = stage.pool.snapshot(NOW);
    let facts = request(sequence);
    let choice = stage.choose_for(&facts);
    let decision = Decision::new(&stage.pool, &snapshot, &facts, &choice, &stage.model);
    (choice, decision)
}

fn replay(decision: &Decision) -> Explanation {
    let sights: Vec<Sight> = decision
        .candidates
        .iter()
        .map(|candidate| candidate.1.clone())
        .collect();
    explain(decision.view, &sights, decision.request.draw, decision.model.as_deref()).unwrap()
}

#[track_caller]
fn check_replay(stage: &Stage, sequence: u64) {
    let (choice, decision) = decide(stage, sequence);
    assert_eq!(decision.candidates[replay(&decision).winner].0, choice.backend);
}

proptest! {
    #[test]
    fn the_replay_chooses_what_was_chosen(
        states in proptest::collection::vec((0_usize..4, 0.0_f32..1.0), 1..40),
        sequence: u64,
    ) {
        check_replay(&Stage::new(&states).with_model(model_of_cpu()), sequence);
        check_replay(&Stage::new(&states).with_model(model_of_compared_cpu()), sequence);
        // Many of these are ties, which the draw decides.
        let alike: Vec<(usize, f32)> = states.iter().map(|state| (state.0 / 2, 0.5)).collect();
        check_replay(&Stage::new(&alike), sequence);
    }

    #[test]
    fn contributions_sum_up_to_the_difference_from_the_mean(
        states in proptest::collection::vec((0_usize..4, 0.0_f32..1.0), 1..6),
    ) {
        for model in [model_of_cpu(), model_of_compared_cpu()] {
            let (_, decision) = decide(&Stage::new(&states).with_model(model), 1);
            let explanation = replay(&decision);
            let weight = explanation.forest_weight.unwrap();
            for candidate in explanation.candidates {
                let estimate = candidate.estimate.unwrap();
                assert!(estimate.is_bounded || (estimate.counted - weight * estimate.raw).abs() < 1e-6, "{estimate:?}");
                let sum: f64 = estimate.contributions.iter().sum();
                assert!((sum - f64::from(estimate.raw - estimate.of_mean)).abs() < 1e-5, "{estimate:?}");
            }
        }
    }
}

#[test]
fn what_differs_is_what_contributes() {
    let stage = Stage::new(&[(1, 0.9), (1, 0.1)]).with_model(model_of_cpu());
    let (choice, decision) = decide(&stage, 1);
    assert_eq!((choice.reason, decision.charge), (Reason::Model, Charge::InCharge));
    let explanation = replay(&decision);
    let contributions = &explanation.candidates[0].estimate.as_ref().unwrap().contributions;
    let names = crate::selection::FEATURE_NAMES;
    for (name, contribution) in names.iter().zip(contributions) {
        assert_eq!(*contribution > 0.1, *name == "cpu", "{name}: {contribution}");
    }
}

#[test]
fn the_parts_make_the_score() {
    let sight = |in_flight: f32, route_deviation: f32| {
        let mut features = vec![0.0; crate::selection::FEATURE_COUNT];
        (features[features::IN_FLIGHT], features[features::ROUTE_DEVIATION]) = (in_flight, route_deviation);
        Sight { weight: 2.0, features }
    };
    let explanation = explain(View::Alone, &[sight(3.0, 0.5), sight(1.0, 0.0)], 1, None).unwrap();
    let [first, second] = &explanation.candidates[..] else {
        panic!("two candidates")
    };
    assert!((first.in_flight - 2_f32.ln()).abs() < 1e-6 && (first.route_deviation - 0.4).abs() < 1e-6);
    assert_eq!(
        (second.in_flight, second.route_deviation, second.score),
        (0.0, 0.0, 0.0)
    );
    assert_eq!((explanation.winner, explanation.ties), (1, 1));
    assert_eq!(explanation.forest_weight, None);
    assert_eq!(explain(View::Alone, &[], 1, None), None);
}
