//! Rounds on the disk, beside the model that is being made.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::terminal;
use crate::distillation::Plan;
use crate::distillation::Round;
use crate::distillation::Shelf;
use crate::tasks::replace::Durability;
use crate::tasks::replace::beside;
use crate::tasks::replace::replace;

/// A directory of rounds.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    directory: PathBuf,
    plan: &'a Plan,
}

impl<'a> Directory<'a> {
    /// That of the model `out`, for rounds of `plan`.
    pub(super) fn new(out: &Path, plan: &'a Plan) -> Self {
        Self {
            directory: beside(out, "rounds"),
            plan,
        }
    }

    /// Makes room for rounds, and says what the work must do without: rounds that are of no use because they are of
    /// another plan or damaged, or a place to keep them.
    pub(super) fn open(&self) {
        let directory = self.directory.display();
        if self.is_foreign() {
            terminal::tell(format_args!(
                "the rounds in {directory} are of another plan or damaged: they are not used, and replaced"
            ));
        }
        if let Err(error) = fs::create_dir_all(&self.directory) {
            self.tell_of(&error);
        }
    }

    fn is_foreign(&self) -> bool {
        let first = fs::read(self.file(1));
        first.is_ok_and(|bytes| Round::decode(&bytes, self.plan, 1).is_none())
    }

    fn tell_of(&self, error: &io::Error) {
        let directory = self.directory.display();
        terminal::tell(format_args!(
            "{directory}: rounds cannot be kept there: {error}; an interrupted run begins anew"
        ));
    }

    /// Removes the rounds, which are no longer needed, and leaves alone what else is there. They can be made again, so
    /// that what is left of them is a nuisance at most.
    pub(super) fn clear(self) {
        for number in 1..=self.plan.rounds {
            let _ = fs::remove_file(self.file(number));
        }
        let _ = fs::remove_dir(&self.directory);
    }

    fn file(&self, number: u32) -> PathBuf {
        self.directory.join(format!("round-{number}"))
    }
}

impl Shelf for Directory<'_> {
    fn get(&mut self, number: u32) -> Option<Round> {
        let round = Round::decode(&fs::read(self.file(number)).ok()?, self.plan, number)?;
        let directory = self.directory.display();
        terminal::tell(format_args!("round {number} is in {directory} and need not be played"));
        Some(round)
    }

    fn put(&mut self, number: u32, round: &Round) {
        let bytes = round.encode(self.plan, number);
        if let Err(error) = replace(&self.file(number), &bytes, Durability::System) {
            self.tell_of(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distillation::tests::plan;

    #[test]
    fn rounds_of_another_plan_are_noticed_before_the_work() {
        let (place, plan) = (tempfile::tempdir().unwrap(), plan(1));
        let shelf = Directory::new(&place.path().join("x.forest"), &plan);
        shelf.open();
        assert!(!shelf.is_foreign());
        fs::write(shelf.file(1), "another").unwrap();
        assert!(shelf.is_foreign());
    }

    #[test]
    fn what_others_keep_in_the_directory_stays() {
        let (place, plan) = (tempfile::tempdir().unwrap(), plan(1));
        let round = Round {
            decisions: crate::forest::Decisions::default(),
            explained_before: None,
        };
        for kept in [false, true] {
            let mut shelf = Directory::new(&place.path().join("x.forest"), &plan);
            shelf.open();
            shelf.put(1, &round);
            let (own, other) = (shelf.file(1), shelf.directory.join("notes"));
            if kept {
                fs::write(&other, "kept").unwrap();
            }
            assert!(own.exists());
            shelf.clear();
            assert!(!own.exists());
            assert_eq!(other.exists(), kept);
            assert_eq!(place.path().join("x.forest.rounds").exists(), kept);
        }
    }
}
