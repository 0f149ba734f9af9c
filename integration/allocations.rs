//! A decision, its beginning and its end allocate nothing, whatever the selector; counted by the allocator itself.

#[path = "../benches/chooser.rs"]
mod chooser;
#[path = "../benches/learned.rs"]
mod learned;
#[path = "../benches/rig.rs"]
mod rig;

use std::time::Duration;

use sylvan::pool::Verdict;
use sylvan::selection::Registry;

use crate::chooser::selector;
use crate::learned::full_learner;
use crate::rig::NOW;
use crate::rig::Rig;
use crate::rig::request;

#[test]
fn a_request_allocates_nothing() {
    for backends in [4, 200] {
        let rig = Rig::new(backends);
        let registry = Registry::default();
        for name in registry.types().map(|kind| kind.name).chain(["forest_online"]) {
            let selector = selector(name, &rig.pool);
            let serve = |sequence: u64| {
                let now = NOW.plus(Duration::from_millis(sequence));
                let facts = request(sequence);
                let choice = selector
                    .select(&rig.pool.snapshot(now), &facts)
                    .expect("all are eligible");
                let mut attempt = rig
                    .pool
                    .begin(choice.backend, facts.route_class, now)
                    .expect("it is there");
                attempt.answered(now);
                attempt.finish(Verdict::Success, now);
            };
            // The first decision of a thread makes room for its rows.
            serve(0);
            let counted = allocation_counter::measure(|| (1..2000).for_each(serve));
            assert_eq!(counted.count_total, 0, "{name} among {backends}");
        }
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(full_learner(sylvan::selection::LearnerPreset::Small)));
    assert!(counted.count_total > 0);
}
