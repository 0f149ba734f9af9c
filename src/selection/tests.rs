//! What every selector must keep to, and what each of them prefers. What a forest does is in `forest::tests`.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::any;
use proptest::proptest;

use crate::pool::Attempt;
use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::Pool;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::selection::ForestOptions;
use crate::selection::LeastRequests;
use crate::selection::ModelSlot;
use crate::selection::Reason;
use crate::selection::Registry;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::SelectorContext;
use crate::units::Draws;
use crate::units::Timestamp;
use crate::units::Weight;

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000_000);

/// A pool of backends with these weights.
pub(crate) fn pool(weights: &[u16]) -> Arc<Pool> {
    let member = |(ordinal, weight): (u32, &u16)| Member {
        backend: Arc::new(Backend::new(format!("10.0.0.{ordinal}:80"), ordinal, false)),
        weight: Weight::new(*weight).unwrap_or(Weight::ONE),
    };
    Arc::new(Pool::new(
        "shop".to_owned(),
        (0..).zip(weights).map(member).collect(),
        HealthPolicy::BY_RESULTS,
    ))
}

/// A pool that learns of backends with these weights, the first of them at place `turn`, counted backwards.
fn learning(weights: &[u16], turn: usize) -> Arc<Pool> {
    let pool = pool(weights);
    let mut members = pool.members().to_vec();
    members.rotate_left(turn);
    let pool = Pool::new("shop".to_owned(), members, HealthPolicy::BY_RESULTS);
    Arc::new(pool.learning(Arc::default(), Duration::from_secs(3)))
}

/// The selector of type `name` for `pool`.
pub(crate) fn selector(name: &str, pool: &Pool) -> Arc<dyn Selector> {
    let (model, fallback): (_, Arc<dyn Selector>) = (Arc::<ModelSlot>::default(), Arc::new(LeastRequests::of_all()));
    let context = SelectorContext {
        members: pool.members(),
        model: &model,
        fallback: &fallback,
        forest: ForestOptions::online(),
    };
    (Registry::default().get(name).unwrap().build)(&context)
}

pub(crate) fn request(sequence: u64) -> RequestFacts {
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
        ..HealthPolicy::BY_RESULTS
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

/// Where 20 requests go, when all go to the same backend.
#[track_caller]
fn check_choice(name: &str, pool: &Pool, now: Timestamp, expected: usize) {
    let selector = selector(name, pool);
    for sequence in 0..20 {
        let choice = selector.select(&pool.snapshot(now), &request(sequence)).unwrap();
        assert_eq!(choice.backend.position(), expected, "{name}");
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Has the backend at `position` answer one request from `NOW` on within `latency`.
fn answer(pool: &Arc<Pool>, position: usize, latency: Duration) {
    let mut attempt = pool
        .begin(BackendIndex::new(position), RouteClass::default(), NOW)
        .unwrap();
    attempt.answered(NOW.plus(latency));
    attempt.finish(Verdict::Success, NOW.plus(latency));
}

/// As many attempts in flight at each backend as said.
fn in_flight(pool: &Arc<Pool>, counts: &[usize]) -> Vec<Attempt> {
    let counts = counts.iter().enumerate();
    counts
        .flat_map(|(position, count)| at_once(pool, position, *count))
        .collect()
}

fn at_once(pool: &Arc<Pool>, position: usize, count: usize) -> Vec<Attempt> {
    let begin = |_| {
        pool.begin(BackendIndex::new(position), RouteClass::default(), NOW)
            .unwrap()
    };
    (0..count).map(begin).collect()
}

#[test]
fn latency_aware_selectors_weigh_latency_against_the_queue() {
    let pool = pool(&[1, 1]);
    answer(&pool, 0, ms(10));
    answer(&pool, 1, ms(40));
    for name in ["ewma", "peak_ewma", "peak_ewma_all", "c3"] {
        check_choice(name, &pool, NOW.plus(ms(40)), 0);
    }
    // Twice 10 ms is less than 40 ms, but eight times is not.
    let _busy = in_flight(&pool, &[1]);
    for (name, expected) in [("ewma", 0), ("peak_ewma", 0), ("peak_ewma_all", 0), ("c3", 1)] {
        check_choice(name, &pool, NOW.plus(ms(40)), expected);
    }
}

#[test]
fn a_backend_that_was_asked_and_has_not_answered_waits_for_its_first_answer() {
    let pool = pool(&[1, 1]);
    answer(&pool, 0, ms(10));
    let _busy = in_flight(&pool, &[3, 1]);
    for name in ["ewma", "peak_ewma", "peak_ewma_all", "c3"] {
        check_choice(name, &pool, NOW, 0);
    }
}

#[test]
fn load_is_dealt_out_by_requests_over_utilisation() {
    let pool = pool(&[1, 1, 1]);
    for (second, cpu_percent) in [(0, 50.0), (1, 50.0)] {
        for position in 0..3 {
            let index = BackendIndex::new(position);
            for _ in 0..10 * second * (position + 1) {
                answer(&pool, position, ms(1));
            }
            let at = NOW.plus(Duration::from_secs(second as u64));
            let metrics = BackendMetrics {
                cpu_percent,
                ram_percent: 0.0,
                bytes_sent: 0.0,
                bytes_recv: 0.0,
                at,
            };
            pool.measure(index, metrics);
        }
    }
    let selector = selector("load_weighted", &pool);
    let mut counts = [0; 3];
    for sequence in 0..600 {
        let choice = selector.select(&pool.snapshot(NOW), &request(sequence)).unwrap();
        counts[choice.backend.position()] += 1;
    }
    for (count, expected) in counts.into_iter().zip([100_i32, 200, 300]) {
        assert!((count - expected).abs() <= 3, "{counts:?}");
    }
}

#[test]
fn clients_stay_with_their_backend() {
    let pool = pool(&[1; 8]);
    let selector = selector("hash", &pool);
    let backend = |client| {
        let facts = RequestFacts {
            affinity: Some(client),
            ..request(client)
        };
        selector.select(&pool.snapshot(NOW), &facts).unwrap().backend
    };
    let homes: Vec<BackendIndex> = (0..100).map(backend).collect();
    assert_eq!(homes, (0..100).map(backend).collect::<Vec<_>>());
    let met: std::collections::BTreeSet<_> = homes.iter().collect();
    assert_eq!(met.len(), 8);
}

#[test]
fn a_backend_with_more_than_its_share_passes_clients_on() {
    let pool = pool(&[1; 4]);
    let selector = selector("hash", &pool);
    let facts = RequestFacts {
        affinity: Some(7),
        ..request(7)
    };
    let mut attempts = Vec::new();
    for _ in 0..100 {
        let choice = selector.select(&pool.snapshot(NOW), &facts).unwrap();
        attempts.push(pool.begin(choice.backend, RouteClass::default(), NOW).unwrap());
        let most = pool
            .members()
            .iter()
            .map(|member| member.backend.in_flight())
            .max()
            .unwrap();
        assert!(
            f64::from(most) <= (1.25 * attempts.len() as f64 / 4.0).ceil(),
            "{most} of {}",
            attempts.len()
        );
    }
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
    #[test]
    fn the_same_state_and_draw_give_the_same_choice_whatever_the_order(
        counts in proptest::collection::vec(0_usize..4, 5),
        latencies in proptest::collection::vec(1_u64..1000, 5),
        turn in 0_usize..5,
        sequence in any::<u64>(),
    ) {
        // The selectors without a memory of their own; in a tie the draw decides, so loads are kept apart.
        for name in ["least_requests", "ewma", "peak_ewma_all", "c3", "hash", "forest"] {
            let chosen = |turn: usize| {
                // What is learned depends on the order of the answers, so they come in that of the addresses.
                let position = |ordinal: usize| (ordinal + 5 - turn) % 5;
                let pool = learning(&[2, 3, 5, 7, 11], turn);
                for (ordinal, latency) in latencies.iter().enumerate() {
                    answer(&pool, position(ordinal), Duration::from_micros(1000 * latency + ordinal as u64));
                }
                let _busy: Vec<_> = counts.iter().enumerate().map(|(ordinal, count)| at_once(&pool, position(ordinal), *count)).collect();
                let facts = RequestFacts { affinity: Some(sequence), ..request(sequence) };
                let choice = selector(name, &pool).select(&pool.snapshot(NOW.plus(ms(1000))), &facts).unwrap();
                // Where an exploring request goes depends on the draw alone.
                let is_judged = choice.reason != Reason::Explore;
                is_judged.then(|| pool.backend(choice.backend).unwrap().address().to_owned())
            };
            // (2 + 1) / 3 and (4 + 1) / 5 would tie.
            let loads: Vec<f64> = [2.0, 3.0, 5.0, 7.0, 11.0].iter().zip(&counts).map(|(w, n)| (*n as f64 + 1.0) / w).collect();
            let ties = loads.iter().enumerate().any(|(i, a)| loads.iter().skip(i + 1).any(|b| (a - b).abs() < 1e-9));
            if !ties {
                assert_eq!(chosen(0), chosen(turn), "{name}");
            }
        }
    }
}
