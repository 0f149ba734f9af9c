//! One decision, by selector and by the number of backends: `cargo bench --bench decide`.

mod chooser;
mod learned;
mod rig;

use std::hint::black_box;
use std::time::Duration;

use criterion::BenchmarkId;
use criterion::Criterion;

use crate::chooser::selector;
use crate::rig::NOW;
use crate::rig::Rig;
use crate::rig::request;

const SELECTORS: [&str; 12] = [
    "round_robin",
    "random",
    "least_requests",
    "p2c",
    "ewma",
    "peak_ewma",
    "peak_ewma_all",
    "c3",
    "load_weighted",
    "hash",
    "forest",
    "forest_online",
];

fn decide(criterion: &mut Criterion) {
    for name in SELECTORS {
        let mut group = criterion.benchmark_group(name);
        group
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        for backends in [2, 4, 8, 32, 128, 1024] {
            let rig = Rig::new(backends);
            let selector = selector(name, &rig.pool);
            let mut sequence = 0;
            let now = NOW.plus(Duration::from_millis(40));
            group.bench_function(BenchmarkId::from_parameter(backends), |bencher| {
                bencher.iter(|| {
                    sequence += 1;
                    black_box(selector.select(&rig.pool.snapshot(now), &request(sequence)))
                });
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decide(&mut criterion);
    criterion.final_summary();
}
