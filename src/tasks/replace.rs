//! A file takes another's place at once: a reader sees the old one or the new one, nothing between.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// What has to be true before the file before is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The new one is on the disk: it outlives a loss of power.
    Disk,
    /// The system has it: it outlives this process, and memory cards are spared.
    System,
}

/// Puts `bytes` in the place of `file`.
///
/// # Errors
/// What the system says; the file before is there then as it was.
pub(crate) fn replace(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    // Its own for each process: two that write the same file each put a whole one there.
    let next = beside(file, &format!("new-{}", std::process::id()));
    let replaced = write(&next, bytes, durability).and_then(|()| fs::rename(&next, file));
    if replaced.is_err() {
        // Half a file helps nobody, least of all on a full disk. It may not even be there.
        let _ = fs::remove_file(next);
    }
    replaced
}

/// `file` with another ending behind its name.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn write(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = File::create(file)?;
    file.write_all(bytes)?;
    match durability {
        Durability::Disk => file.sync_all(),
        Durability::System => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_is_there_as_a_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.yaml");
        for durability in [Durability::Disk, Durability::System] {
            replace(&file, b"one", durability).unwrap();
            replace(&file, b"two", durability).unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"two");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("taken");
        fs::create_dir(&taken).unwrap();
        replace(&taken, b"", Durability::System).unwrap_err();
        assert!(taken.is_dir());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
