//! What a forest costs: to score backends, and to be grown anew. `cargo bench --bench forest`.

mod learned;
mod rig;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;

use sylvan::forest::Rows;
use sylvan::pool::BackendIndex;
use sylvan::selection::FEATURE_COUNT;
use sylvan::selection::LearnerPreset;
use sylvan::selection::feature_rows;

use crate::learned::full_learner;
use crate::rig::NOW;
use crate::rig::Rig;
use crate::rig::request;

fn score(criterion: &mut Criterion) {
    let model = full_learner(LearnerPreset::Standard)
        .retrain(NOW)
        .expect("noise makes a forest");
    for backends in [1, 8, 64] {
        let rig = Rig::new(backends);
        let candidates: Vec<BackendIndex> = (0..backends).map(BackendIndex::new).collect();
        let mut rows = Rows::new(FEATURE_COUNT, backends);
        let mut scores = vec![0.0; backends];
        let (facts, now) = (request(1), NOW.plus(Duration::from_millis(40)));
        criterion.bench_function(&format!("features/{backends}"), |bencher| {
            bencher.iter(|| feature_rows(&rig.pool.snapshot(now), &facts, black_box(&candidates), &mut rows));
        });
        criterion.bench_function(&format!("score/{backends}"), |bencher| {
            bencher.iter(|| model.forest().score(black_box(&rows), &mut scores));
        });
    }
}

fn grow(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("retrain");
    group.sample_size(10);
    for (name, preset) in [("standard", LearnerPreset::Standard), ("small", LearnerPreset::Small)] {
        let learner = full_learner(preset);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || learner.clone(),
                |mut learner| learner.retrain(NOW),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    score(&mut criterion);
    grow(&mut criterion);
    criterion.final_summary();
}
