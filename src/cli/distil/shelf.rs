//! Rounds on the disk, beside the model that is being made.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

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
    /// Rounds that need not be played.
    pub(super) found: u32,
    /// Why rounds are not kept, if they are not.
    pub(super) trouble: Option<std::io::Error>,
}

impl<'a> Directory<'a> {
    /// That of the model `out`, for rounds of `plan`.
    pub(super) fn new(out: &Path, plan: &'a Plan) -> Self {
        Self {
            directory: beside(out, "rounds"),
            plan,
            found: 0,
            trouble: None,
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether rounds are there that are of no use: those of another plan, or damaged ones.
    pub(super) fn is_foreign(&self) -> bool {
        let first = fs::read(self.file(1));
        first.is_ok_and(|bytes| Round::decode(&bytes, self.plan, 1).is_none())
    }

    /// Removes what is no longer needed.
    pub(super) fn clear(self) -> std::io::Result<()> {
        match fs::remove_dir_all(self.directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn file(&self, number: u32) -> PathBuf {
        self.directory.join(format!("round-{number}"))
    }
}

impl Shelf for Directory<'_> {
    fn get(&mut self, number: u32) -> Option<Round> {
        let round = Round::decode(&fs::read(self.file(number)).ok()?, self.plan, number)?;
        self.found += 1;
        Some(round)
    }

    fn put(&mut self, number: u32, round: &Round) {
        let bytes = round.encode(self.plan, number);
        let kept =
            fs::create_dir_all(&self.directory).and_then(|()| replace(&self.file(number), &bytes, Durability::System));
        self.trouble = kept.err().or(self.trouble.take());
    }
}
