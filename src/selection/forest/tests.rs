//! What a forest selector does with and without its model, and what it sees.

use std::sync::Arc;
use std::time::Duration;

use proptest::proptest;

use super::*;
use crate::config::Mode;
use crate::forest;
use crate::forest::Model;
use crate::forest::ModelKind;
use crate::forest::Schema;
use crate::forest::Training;
use crate::pool::Attempt;
use crate::pool::BackendMetrics;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::selection::Explore;
use crate::selection::LeastRequests;
use crate::selection::SelectorContext;
use crate::selection::learner::tests::model_of_cpu;
use crate::selection::tests::NOW;
use crate::selection::tests::pool;
use crate::selection::tests::request;
use crate::units::Share;
use crate::units::Timestamp;

const CLASS: RouteClass = RouteClass::new(0);

/// A pool that learns, its backends with as many attempts in flight and as much CPU in use as said.
pub(crate) struct Stage {
    pub(crate) pool: Arc<Pool>,
    _busy: Vec<Attempt>,
    pub(crate) model: Arc<ModelSlot>,
}

impl Stage {
    pub(crate) fn new(states: &[(usize, f32)]) -> Self {
        let members = pool(&vec![1; states.len()]).members().to_vec();
        let policy = pool(&[1]).policy().clone();
        let pool = Pool::new("shop".to_owned(), members, policy).learning(Arc::default(), Duration::from_secs(3));
        let pool = Arc::new(pool);
        let mut busy = Vec::new();
        for (position, (count, cpu)) in states.iter().enumerate() {
            let index = BackendIndex::new(position);
            pool.measure(index, metrics(100.0 * cpu));
            busy.extend((0..*count).filter_map(|_| pool.begin(index, CLASS, NOW)));
        }
        Self {
            pool,
            _busy: busy,
            model: Arc::default(),
        }
    }

    pub(crate) fn with_model(self, model: Arc<Model>) -> Self {
        self.model.put(model);
        self
    }

    fn selector(&self, options: ForestOptions) -> Arc<dyn Selector> {
        let fallback: Arc<dyn Selector> = Arc::new(LeastRequests::of_all());
        build(&SelectorContext {
            members: self.pool.members(),
            model: &self.model,
            fallback: &fallback,
            forest: ForestOptions {
                explore: Share::NONE,
                ..options
            },
        })
    }

    fn choose(&self, options: ForestOptions) -> Choice {
        let chosen = self.selector(options).select(&self.pool.snapshot(NOW), &request(1));
        chosen.unwrap()
    }

    /// What the forest, exploring nothing, chooses for `request`.
    pub(crate) fn choose_for(&self, request: &RequestFacts) -> Choice {
        let selector = self.selector(ForestOptions::online());
        selector.select(&self.pool.snapshot(NOW), request).unwrap()
    }

    #[track_caller]
    fn check(&self, expected: usize, reason: Reason) {
        let choice = self.choose(ForestOptions::online());
        assert_eq!((choice.backend.position(), choice.reason), (expected, reason));
    }
}

fn metrics(cpu_percent: f32) -> BackendMetrics {
    BackendMetrics {
        cpu_percent,
        ram_percent: 50.0,
        bytes_sent: 0.5,
        bytes_recv: 0.5,
        at: NOW,
    }
}

/// A model of other features than this build's.
fn other_model() -> Arc<Model> {
    let schema = Schema::new(vec!["x".to_owned()]).unwrap();
    let samples = forest::Samples::new(schema, vec![0.0, 1.0]).unwrap();
    let boosting = forest::Boosting::new(1, 1.0);
    let grown = forest::grow_regressor(
        &samples,
        &[0.0, 1.0],
        &forest::GrowParams::default().boosted(boosting),
        1,
    )
    .unwrap();
    Arc::new(Model::new(ModelKind::Ranker, grown, vec![0.0], Training::default()).unwrap())
}

/// A model that compares: the busier CPU of two costs more.
pub(crate) fn model_of_compared_cpu() -> Arc<Model> {
    Arc::new(ranker_of_compared_cpu(1.0))
}

/// A model for which the busier CPU of two costs this much more than the mean of both.
fn ranker_of_compared_cpu(cost: f32) -> Model {
    let schema = View::Compared.schema();
    let column = schema.names().iter().position(|name| name == "rel_cpu").unwrap();
    let mut decisions = forest::Decisions::default();
    let mut rows = Rows::new(schema.width(), 2);
    for number in 1..=200 {
        let difference = number as f32 / 400.0;
        rows.clear();
        rows.add()[column] = difference;
        rows.add()[column] = -difference;
        decisions.push(&rows, &[cost, -cost]);
    }
    let fills = vec![0.0; schema.width()];
    let (samples, comparisons) = decisions.into_samples(schema).unwrap();
    let boosting = forest::Boosting::new(1, 1.0);
    let params = forest::GrowParams {
        trees: 4,
        ..forest::GrowParams::default()
    };
    let by_estimate = |_: &[f32], estimate| estimate;
    let grown = forest::grow_ranker(&samples, &comparisons, &params.boosted(boosting), 1, by_estimate).unwrap();
    Model::new(ModelKind::Ranker, grown, fills, Training::default()).unwrap()
}

const FROZEN: Option<crate::selection::LearnerPreset> = None;

#[test]
fn without_a_model_the_fewest_requests_decide() {
    Stage::new(&[(2, 0.1), (1, 0.9), (3, 0.1)]).check(1, Reason::Base);
}

#[test]
fn a_model_in_charge_moves_requests_away_from_what_it_holds_for_slow() {
    Stage::new(&[(1, 0.9), (1, 0.1)])
        .with_model(model_of_cpu())
        .check(1, Reason::Model);
    Stage::new(&[(4, 0.9), (5, 0.1)])
        .with_model(model_of_cpu())
        .check(1, Reason::Model);
}

#[test]
fn a_distilled_model_is_shown_how_the_candidates_compare() {
    let stage = Stage::new(&[(1, 0.9), (1, 0.1)]).with_model(model_of_compared_cpu());
    let frozen = ForestOptions {
        learn: FROZEN,
        ..ForestOptions::online()
    };
    let choice = stage.choose(frozen);
    assert_eq!((choice.backend.position(), choice.reason), (1, Reason::Model));
}

#[test]
fn among_many_candidates_the_forest_for_many_decides() {
    let other = ranker_of_compared_cpu(-1.0).forest().clone();
    let model = Arc::new(ranker_of_compared_cpu(1.0).with_among_many(other).unwrap());
    let chosen = |count: usize| {
        let states: Vec<(usize, f32)> = (0..count)
            .map(|place| (1, if place == 2 { 0.9 } else { 0.1 }))
            .collect();
        let choice = Stage::new(&states)
            .with_model(Arc::clone(&model))
            .choose(ForestOptions {
                learn: FROZEN,
                ..ForestOptions::online()
            });
        assert_eq!(choice.reason, Reason::Model);
        choice.backend.position()
    };
    assert_ne!(chosen(forest::FEW), 2);
    assert_eq!(chosen(forest::FEW + 1), 2);
}

#[test]
fn counts_outweigh_a_model_in_the_end() {
    Stage::new(&[(0, 0.9), (8, 0.1)])
        .with_model(model_of_cpu())
        .check(0, Reason::Model);
}

#[test]
fn a_model_that_is_not_trusted_is_not_asked() {
    let stage = Stage::new(&[(4, 0.9), (5, 0.1)]).with_model(model_of_cpu());
    for charge in [Charge::FewRows, Charge::Unproven, Charge::NoSkill] {
        stage.model.trust(charge);
        assert_eq!(stage.model.charge(), charge);
        stage.check(0, Reason::Base);
    }
}

#[test]
fn a_model_of_other_features_leaves_it_to_the_fallback() {
    let stage = Stage::new(&[(2, 0.1), (1, 0.9)]).with_model(other_model());
    assert_eq!(stage.model.charge(), Charge::OtherModel);
    stage.check(1, Reason::Fallback);
}

#[test]
fn a_frozen_forest_without_a_model_leaves_it_to_the_fallback() {
    let stage = Stage::new(&[(2, 0.1), (1, 0.9)]);
    let frozen = ForestOptions {
        learn: FROZEN,
        ..ForestOptions::online()
    };
    assert_eq!(stage.choose(frozen).reason, Reason::Fallback);
}

#[test]
fn a_shadow_is_noted_and_not_obeyed() {
    let stage = Stage::new(&[(4, 0.9), (5, 0.1)]).with_model(model_of_cpu());
    let choice = stage.choose(ForestOptions {
        mode: Mode::Shadow,
        ..ForestOptions::online()
    });
    assert_eq!((choice.backend.position(), choice.reason), (0, Reason::Policy));
    let proposal = choice.proposal.unwrap();
    assert_eq!(proposal.backend.position(), 1);
    assert!(proposal.gain > 0.0, "{proposal:?}");
}

#[test]
fn a_share_of_the_requests_explores() {
    let stage = Stage::new(&[(9, 0.1), (1, 0.1), (0, 0.1)]);
    let selector = Explore::new(Share::new(0.3).unwrap(), LeastRequests::of_all());
    let explored = (0..1000)
        .filter_map(|sequence| selector.select(&stage.pool.snapshot(NOW), &request(sequence)))
        .filter(|choice| choice.reason == Reason::Explore);
    let positions: Vec<usize> = explored.map(|choice| choice.backend.position()).collect();
    assert!((200..400).contains(&positions.len()), "{}", positions.len());
    assert!(positions.contains(&1) && positions.contains(&2), "the idler of any two");
    assert!(!positions.contains(&0), "never the busier of any two");
}

#[test]
fn one_request_in_two_is_noted_when_twice_as_many_come_as_are_of_use() {
    let notebook = crate::selection::Notebook::new(crate::selection::LearnerPreset::Small);
    let stage = Stage::new(&[(0, 0.1)]);
    let index = BackendIndex::new(0);
    let mut now = NOW;
    // A hundred requests a second, of which fifty are of use.
    for _ in 0..1000 {
        now = now.plus(Duration::from_millis(10));
        let mut attempt = stage.pool.begin(index, CLASS, now).unwrap();
        attempt.answered(now);
        attempt.finish(Verdict::Success, now);
    }
    let choice = Choice::by_policy(index);
    let snapshot = stage.pool.snapshot(now);
    let note = |sequence: &u64| {
        notebook
            .note(&snapshot, &request(*sequence), &choice, &stage.model)
            .is_some()
    };
    let noted = (0..1000).filter(note).count();
    assert!((400..600).contains(&noted), "{noted}");
}

#[test]
fn every_backend_of_a_large_pool_is_chosen_now_and_then() {
    let pool = pool(&[1; 200]);
    let forest = Forest::new(Arc::default(), WithoutModel::Base);
    let mut met = [false; 200];
    for sequence in 0..4000 {
        let choice = forest.select(&pool.snapshot(NOW), &request(sequence)).unwrap();
        met[choice.backend.position()] = true;
    }
    assert_eq!(met.iter().filter(|met| **met).count(), 200);
}

proptest! {
    #[test]
    fn whatever_happens_features_are_finite_and_nothing_stays_in_flight(
        happenings in proptest::collection::vec((0_usize..3, 0_usize..7, 0_u64..3000, 0_usize..70), 0..200),
    ) {
        let stage = Stage::new(&[(0, 0.1), (0, f32::NAN), (0, 2.0)]);
        let mut under_way: Vec<Attempt> = Vec::new();
        // Time may stand still, and threads may report out of order.
        let mut nanos = NOW.nanos();
        for (position, what, ms, class) in happenings {
            nanos = (nanos + ms * 1_000_000).saturating_sub(200_000_000);
            let now = Timestamp::from_nanos(nanos);
            let index = BackendIndex::new(position);
            under_way.extend(stage.pool.begin(index, RouteClass::new(class), now));
            if what > 0 && !under_way.is_empty() {
                let mut attempt = under_way.swap_remove(ms as usize % under_way.len());
                if what % 2 == 0 {
                    attempt.answered(now);
                }
                attempt.finish(Verdict::ALL[what], now);
            }
            let facts = RequestFacts { route_class: RouteClass::new(class), ..request(1) };
            for position in 0..3 {
                let seen = features::features(&stage.pool.snapshot(now), &facts, BackendIndex::new(position));
                assert!(seen.iter().all(|feature| feature.is_finite()), "{seen:?}");
            }
        }
        under_way.clear();
        for member in stage.pool.members() {
            assert_eq!(member.backend.in_flight(), 0);
        }
    }
}
