//! That distilling is repeatable, and that there is something to it.

use super::*;
use crate::forest::encode;

fn plan(threads: usize) -> Plan {
    Plan {
        rounds: 2,
        worlds: 8,
        arrivals: 2000,
        decisions: 60,
        seed: 1,
        growth: Growth {
            params: GrowParams {
                trees: 8,
                depth: 4,
                rows_per_tree: 1000,
                feature_share: 0.6,
                leaf_prior: 20.0,
                ..GrowParams::default()
            },
            boosting: Boosting { stages: 8, rate: 0.3 },
        },
        threads: NonZeroUsize::new(threads).unwrap(),
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads| encode(&distil(&plan(threads), "", |_| ()).unwrap().model);
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn costs_are_explained_in_worlds_that_were_not_seen() {
    let mut told = Vec::new();
    let distilled = distil(&plan(2), "", |progress| told.push(progress)).unwrap();
    assert!(
        distilled.rounds[1].explained_before > Some(0.1),
        "{:?}",
        distilled.rounds
    );
    assert!(told.contains(&Progress::Played { round: 2, worlds: 8 }));
    assert_eq!(told.last(), Some(&Progress::Comparing));
}

#[test]
fn without_worlds_there_is_no_model() {
    let empty = Plan { worlds: 0, ..plan(1) };
    assert!(matches!(distil(&empty, "", |_| ()), Err(DistilError::NoDecisions)));
}
