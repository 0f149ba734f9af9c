//! That distilling is repeatable, and that there is something to it.

use super::*;
use crate::forest::GrowParams;
use crate::forest::encode;

pub(crate) fn plan(threads: usize) -> Plan {
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
            boosting: Boosting::new(8, 0.3),
        },
        threads: NonZeroUsize::new(threads).unwrap(),
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads| encode(&distil(&plan(threads), "", &mut NoShelf, |_| ()).unwrap().model);
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn costs_are_explained_in_worlds_that_were_not_seen() {
    let mut told = Vec::new();
    let distilled = distil(&plan(2), "", &mut NoShelf, |progress| told.push(progress)).unwrap();
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
    assert!(matches!(
        distil(&empty, "", &mut NoShelf, |_| ()),
        Err(DistilError::NoDecisions)
    ));
}

/// Rounds in memory, of which some were lost.
#[derive(Default)]
struct Rounds(Vec<Vec<u8>>);

impl Shelf for Rounds {
    fn get(&mut self, number: u32) -> Option<Round> {
        Round::decode(self.0.get(number as usize - 1)?, &plan(1), number)
    }

    fn put(&mut self, number: u32, round: &Round) {
        self.0.push(round.encode(&plan(1), number));
    }
}

#[test]
fn what_was_interrupted_goes_on_to_the_same_model() {
    let mut shelf = Rounds::default();
    let mut told = Vec::new();
    let whole = distil(&plan(2), "", &mut shelf, |_| ()).unwrap();
    shelf.0.truncate(1);
    let resumed = distil(&plan(2), "", &mut shelf, |progress| told.push(progress)).unwrap();
    assert_eq!(resumed, whole);
    let played = |round| told.contains(&Progress::Played { round, worlds: 1 });
    assert!(!played(1) && played(2));
}
