//! What the benchmarks stand on: a pool in the middle of its work.

use std::sync::Arc;
use std::time::Duration;

use sylvan::pool::Attempt;
use sylvan::pool::Backend;
use sylvan::pool::BackendIndex;
use sylvan::pool::BackendMetrics;
use sylvan::pool::HealthPolicy;
use sylvan::pool::Member;
use sylvan::pool::Pool;
use sylvan::pool::RouteClass;
use sylvan::pool::Verdict;
use sylvan::selection::RequestFacts;
use sylvan::units::Draws;
use sylvan::units::Timestamp;
use sylvan::units::Weight;

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

/// A pool that learns, each backend with some attempts in flight, some answered, and metrics.
pub(crate) struct Rig {
    pub(crate) pool: Arc<Pool>,
    _busy: Vec<Attempt>,
}

impl Rig {
    pub(crate) fn new(backends: usize) -> Self {
        let member = |ordinal: u32| Member {
            backend: Arc::new(Backend::new(format!("10.0.0.{ordinal}:80"), ordinal, false)),
            weight: Weight::ONE,
        };
        let members = (0..backends as u32).map(member).collect();
        let pool = Pool::new("bench".to_owned(), members, HealthPolicy::BY_RESULTS)
            .learning(Arc::default(), Duration::from_secs(15));
        let pool = Arc::new(pool);
        let mut draws = Draws::new(1);
        let busy = (0..backends)
            .flat_map(|position| occupy(&pool, BackendIndex::new(position), &mut draws))
            .collect();
        Self { pool, _busy: busy }
    }
}

/// A request with its own draw and affinity.
pub(crate) fn request(sequence: u64) -> RequestFacts {
    let draw = Draws::new(sequence).next();
    RequestFacts {
        sequence,
        draw,
        affinity: Some(draw),
        route_class: RouteClass::new(sequence as usize % 3),
        ..RequestFacts::default()
    }
}

/// Has a backend answer some requests, keep others waiting, and be polled.
fn occupy(pool: &Arc<Pool>, index: BackendIndex, draws: &mut Draws) -> Vec<Attempt> {
    let begin = |number: usize, at| pool.begin(index, RouteClass::new(number % 3), at);
    for number in 0..30 {
        let mut attempt = begin(number, NOW).expect("the backend is there");
        let answered = NOW.plus(Duration::from_millis(1 + draws.below(30) as u64));
        attempt.answered(answered);
        attempt.finish(Verdict::Success, answered);
    }
    pool.measure(
        index,
        BackendMetrics {
            cpu_percent: (100.0 * draws.fraction()) as f32,
            ram_percent: 50.0,
            bytes_sent: 1e5,
            bytes_recv: 1e4,
            at: NOW,
        },
    );
    (0..draws.below(5)).filter_map(|number| begin(number, NOW)).collect()
}
