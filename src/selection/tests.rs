//! What every selector must keep to, and what each of them prefers.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::any;
use proptest::proptest;

use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::selection::LeastRequests;
use crate::selection::ModelSlot;
use crate::selection::Registry;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::units::Draws;
use crate::units::Share;
use crate::units::Timestamp;
use crate::units::Weight;

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000_000);

fn policy() -> HealthPolicy {
    HealthPolicy {
        probed: false,
        healthy_threshold: 1,
        unhealthy_threshold: 1,
        error_rate: Share::HALF,
        max_ejection: Share::HALF,
        base_ejection_time: Duration::from_secs(1),
        max_ejection_time: Duration::from_secs(10),
        panic_threshold: Share::HALF,
        slow_start: Duration::ZERO,
    }
}

/// A pool of backends with these weights.
pub(crate) fn pool(weights: &[u16]) -> Arc<Pool> {
    let member = |(ordinal, weight): (u32, &u16)| Member {
        backend: Arc::new(Backend::new(format!("10.0.0.{ordinal}:80"), ordinal, false)),
        weight: Weight::new(*weight).unwrap_or(Weight::ONE),
    };
    Arc::new(Pool::new(
        "shop".to_owned(),
        (0..).zip(weights).map(member).collect(),
        policy(),
    ))
}

/// The selector of type `name` for `pool`.
pub(crate) fn selector(name: &str, pool: &Pool) -> Arc<dyn Selector> {
    let (model, fallback): (_, Arc<dyn Selector>) = (Arc::<ModelSlot>::default(), Arc::new(LeastRequests::of_all()));
    let context = SelectorContext {
        members: pool.members(),
        model: &model,
        fallback: &fallback,
    };
    (Registry::default().get(name).unwrap().build)(&context)
}

fn request(sequence: u64) -> RequestFacts {
    RequestFacts {
        sequence,
        draw: Draws::new(sequence).next(),
        ..RequestFacts::default()
    }
}

/// How 1,000 requests, each over before the next, are spread.
#[track_caller]
fn check_spread(name: &str, weights: &[u16], expected: &[f64]) {
    let pool = pool(weights);
    let selector = selector(name, &pool);
    let mut counts = vec![0.0; weights.len()];
    for sequence in 0..1000 {
        let choice = selector.select(&pool.snapshot(NOW), &request(sequence)).unwrap();
        counts[choice.backend.position()] += 0.001;
    }
    for (count, expected) in counts.iter().zip(expected) {
        assert!((count - expected).abs() < 0.06, "{name}: {counts:?}");
    }
}

#[test]
fn weights_are_kept_to() {
    check_spread("round_robin", &[1, 3], &[0.25, 0.75]);
    check_spread("random", &[1, 3], &[0.25, 0.75]);
}

#[test]
fn equals_are_served_equally() {
    for name in ["round_robin", "random", "least_requests"] {
        check_spread(name, &[1, 1, 1, 1], &[0.25; 4]);
    }
}

#[test]
fn least_requests_prefers_the_idle_backend() {
    let pool = pool(&[1, 1]);
    let selector = selector("least_requests", &pool);
    let busy = pool.begin(BackendIndex::new(0), RouteClass::default(), NOW);
    for sequence in 0..20 {
        let choice = selector.select(&pool.snapshot(NOW), &request(sequence)).unwrap();
        assert_eq!(choice.backend, BackendIndex::new(1));
    }
    drop(busy);
}

#[test]
fn a_slow_starter_gets_a_tenth_of_its_turns_at_first() {
    let slow = HealthPolicy {
        slow_start: Duration::from_secs(10),
        ..policy()
    };
    let pool = Arc::new(Pool::new("shop".to_owned(), pool(&[1, 1]).members().to_vec(), slow));
    let first = BackendIndex::new(0);
    for _ in 0..3 {
        pool.begin(first, RouteClass::default(), NOW)
            .unwrap()
            .finish(Verdict::ConnectFailure, NOW);
    }
    let later = NOW.plus(Duration::from_secs(2));
    pool.begin(first, RouteClass::default(), later)
        .unwrap()
        .finish(Verdict::Success, later);
    let selector = selector("round_robin", &pool);
    let to_first = |sequence| {
        selector
            .select(&pool.snapshot(later), &request(sequence))
            .unwrap()
            .backend
            == first
    };
    let share = (0..1000).filter(|sequence| to_first(*sequence)).count();
    assert!((30..150).contains(&share), "{share} of 1000");
}

#[test]
fn a_classifier_without_a_model_falls_back() {
    let pool = pool(&[1, 1]);
    let choice = selector("classifier", &pool)
        .select(&pool.snapshot(NOW), &request(1))
        .unwrap();
    assert_eq!(choice.reason, crate::selection::Reason::Fallback);
}

proptest! {
    #[test]
    fn no_selector_names_a_backend_that_is_tried_or_ejected(
        tried in proptest::collection::vec(0_usize..6, 0..6),
        ejected in 0_usize..3,
        sequence in any::<u64>(),
    ) {
        let pool = pool(&[1, 2, 3, 1, 2, 3]);
        for position in 0..ejected {
            for _ in 0..3 {
                pool.begin(BackendIndex::new(position), RouteClass::default(), NOW).unwrap().finish(Verdict::ConnectFailure, NOW);
            }
        }
        let mut request = request(sequence);
        for position in &tried {
            request.tried.insert(BackendIndex::new(*position));
        }
        let left = (ejected..6).any(|position| !tried.contains(&position));
        for selector_type in Registry::default().types() {
            let choice = selector(selector_type.name, &pool).select(&pool.snapshot(NOW), &request);
            assert_eq!(choice.is_some(), left, "{}", selector_type.name);
            if let Some(choice) = choice {
                let position = choice.backend.position();
                assert!(position >= ejected && !tried.contains(&position), "{}", selector_type.name);
            }
        }
        let in_flight: u32 = pool.members().iter().map(|member| member.backend.in_flight()).sum();
        assert_eq!(in_flight, 0);
    }
}
