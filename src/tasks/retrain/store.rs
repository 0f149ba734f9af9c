//! A learner's state file: `POOL.learned` in the state directory, half a megabyte at most.
//!
//! It is written beside and renamed, so that it is always one whole state; at most once a minute, since memory cards
//! wear. A state that cannot be read costs what it held, a directory that cannot be written what the next process would
//! have known, and never more.

use std::fs;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::selection::Learner;
use crate::selection::LearnerPreset;
use crate::tasks::replace::Durability;
use crate::tasks::replace::beside;
use crate::tasks::replace::replace;
use crate::tasks::warning::Warning;
use crate::units::Timestamp;

/// The time between two writes.
const PERIOD: Duration = Duration::from_secs(60);
/// Far more than a state takes; what is longer is none.
const LONGEST: u64 = 8 << 20;

/// A state file.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    tried: Option<Timestamp>,
    /// That it cannot be written.
    warning: Warning,
}

impl Store {
    /// The state of `pool` in `directory`.
    pub(super) fn new(directory: &Path, pool: &str) -> Self {
        Self {
            file: directory.join(format!("{pool}.learned")),
            tried: None,
            warning: Warning::default(),
        }
    }

    /// The learner that the file holds, or one that knows nothing. A file that cannot be used is set aside.
    pub(super) fn learner(&self, preset: LearnerPreset, seed: u64) -> Learner {
        let file = self.file.display();
        match self.read() {
            Ok(Some(bytes)) => match Learner::decode(&bytes, preset, seed) {
                Ok(learner) => {
                    log::info!("{file}: learning goes on from {} outcomes", learner.row_count());
                    return learner;
                }
                Err(error) => {
                    let aside = beside(&self.file, "refused");
                    log::warn!("{file}: {error}; it is now {}", aside.display());
                    let _ = fs::rename(&self.file, aside);
                }
            },
            Ok(None) => {}
            Err(error) => log::warn!("{file}: cannot be read: {error}; learning starts anew"),
        }
        Learner::new(preset, seed)
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Whether it may be written again.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.tried.is_none_or(|tried| now.since(tried) >= PERIOD)
    }

    /// Writes `bytes`, and warns when it cannot, but not every time; whether they are written.
    pub(super) fn write(&mut self, bytes: &[u8], now: Timestamp) -> bool {
        self.tried = Some(now);
        let written = self.replace(bytes);
        match &written {
            Ok(()) => drop(self.warning.falls()),
            Err(error) if self.warning.rises(now) => log::warn!(
                "{}: cannot be written: {error}; what is learned is lost at the end of the process; make the directory \
                 writable and leave it a megabyte a pool",
                self.file.display()
            ),
            Err(_) => {}
        }
        written.is_ok()
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        replace(&self.file, bytes, Durability::Disk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_state_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("made/as/needed");
        let mut store = Store::new(&below, "shop");
        assert!(store.read().unwrap().is_none());
        assert!(store.write(b"one", at(0.0)) && store.write(b"two", at(1.0)));
        assert_eq!(store.read().unwrap().as_deref(), Some(b"two".as_slice()));
        assert_eq!(names(&below), ["shop.learned"]);
    }

    #[test]
    fn a_state_is_due_once_a_minute() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::new(directory.path(), "shop");
        assert!(store.is_due(at(1000.0)));
        store.write(b"", at(1000.0));
        assert!(!store.is_due(at(1059.0)) && store.is_due(at(1060.0)));
        // A clock that jumps back holds it up, and forward does not.
        assert!(!store.is_due(at(0.0)) && store.is_due(at(1e9)));
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_warned_of_once_an_hour() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "").unwrap();
        let mut store = Store::new(&directory.path().join("file"), "shop");
        let warned: Vec<Option<Timestamp>> = [1000.0, 1060.0, 4599.0, 4600.0]
            .map(|seconds| {
                assert!(!store.write(b"state", at(seconds)));
                store.warning.told
            })
            .into();
        assert_eq!(
            warned,
            [1000.0, 1000.0, 1000.0, 4600.0].map(|seconds| Some(at(seconds)))
        );
    }

    #[test]
    fn what_is_no_state_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("shop.learned"), "no state").unwrap();
        let learner = Store::new(directory.path(), "shop").learner(LearnerPreset::Small, 1);
        assert_eq!(learner, Learner::new(LearnerPreset::Small, 1));
        assert_eq!(names(directory.path()), ["shop.learned.refused"]);
    }

    #[test]
    fn a_directory_in_the_way_is_no_state() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("shop.learned")).unwrap();
        let learner = Store::new(directory.path(), "shop").learner(LearnerPreset::Small, 1);
        assert_eq!(learner.row_count(), 0);
    }
}
