//! What it costs to begin and to end an attempt, statistics and all: `cargo bench --bench record`.

mod chooser;
mod learned;
mod rig;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::BatchSize;
use criterion::Criterion;

use sylvan::pool::Attempt;
use sylvan::pool::BackendIndex;
use sylvan::pool::Pool;
use sylvan::pool::RouteClass;
use sylvan::pool::Verdict;
use sylvan::units::Timestamp;

use crate::chooser::selector;
use crate::rig::NOW;
use crate::rig::Rig;
use crate::rig::request;

fn record(criterion: &mut Criterion) {
    let learning = Arc::clone(&Rig::new(4).pool);
    let plain = Pool::new(
        "plain".to_owned(),
        learning.members().to_vec(),
        learning.policy().clone(),
    );
    for (name, pool) in [("plain", Arc::new(plain)), ("learning", learning)] {
        let mut now = NOW;
        criterion.bench_function(&format!("begin/{name}"), |bencher| {
            bencher.iter_batched(|| (), |()| black_box(begin(&pool, NOW)), BatchSize::SmallInput);
        });
        criterion.bench_function(&format!("finish/{name}"), |bencher| {
            bencher.iter_batched(
                || {
                    now = now.plus(Duration::from_micros(700));
                    begin(&pool, now)
                },
                |mut attempt| {
                    let answered = attempt.began().plus(Duration::from_millis(5));
                    attempt.answered(answered);
                    black_box(attempt.finish(Verdict::Success, answered))
                },
                BatchSize::SmallInput,
            );
        });
    }
}

/// All that the selection adds to a request: decide, begin, end.
fn serve(criterion: &mut Criterion) {
    for name in ["least_requests", "forest"] {
        let rig = Rig::new(4);
        let selector = selector(name, &rig.pool);
        let (mut sequence, mut now) = (0, NOW);
        criterion.bench_function(&format!("serve/{name}"), |bencher| {
            bencher.iter(|| {
                sequence += 1;
                now = now.plus(Duration::from_micros(700));
                let facts = request(sequence);
                let choice = selector
                    .select(&rig.pool.snapshot(now), &facts)
                    .expect("all are eligible");
                let mut attempt = begin_at(&rig.pool, choice.backend, now);
                attempt.answered(now);
                black_box(attempt.finish(Verdict::Success, now))
            });
        });
    }
}

fn begin(pool: &Arc<Pool>, now: Timestamp) -> Attempt {
    begin_at(pool, BackendIndex::new(0), now)
}

fn begin_at(pool: &Arc<Pool>, index: BackendIndex, now: Timestamp) -> Attempt {
    pool.begin(index, RouteClass::default(), now)
        .expect("the backend is there")
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    record(&mut criterion);
    serve(&mut criterion);
    criterion.final_summary();
}
