//! A file takes another's place at once: a reader sees the old one or the new one, nothing between.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::fchown;
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

/// Puts `bytes` in the place of `file`, with the mode of what was there, and its owner as far as the system permits. A
/// link stays one: what it leads to is replaced.
///
/// # Errors
/// What the system says; the file before is there then as it was.
pub(crate) fn replace(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let file = &resolved(file);
    // Its own for each process: two that write the same file each put a whole one there.
    let next = beside(file, &format!("new-{}", std::process::id()));
    let replaced = write(&next, file, bytes, durability).and_then(|()| fs::rename(&next, file));
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

/// What `file` leads to; itself, if it is no link or there is nothing yet.
pub(crate) fn resolved(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

/// Gives `file` the mode of `model`, if there is one, and its owner as far as the system permits.
pub(crate) fn resemble(file: &File, model: &Path) -> io::Result<()> {
    let Ok(wanted) = fs::metadata(model) else {
        return Ok(());
    };
    let found = file.metadata()?;
    if (found.uid(), found.gid()) != (wanted.uid(), wanted.gid()) {
        // Only root gives files away; the group alone may be one of ours.
        let _ =
            fchown(file, Some(wanted.uid()), Some(wanted.gid())).or_else(|_| fchown(file, None, Some(wanted.gid())));
    }
    file.set_permissions(wanted.permissions())
}

/// `file` like `model`, which it is before anything is in it: what it will hold may be a secret.
fn write(file: &Path, model: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    if model.exists() {
        options.mode(0o600);
    }
    let mut file = options.open(file)?;
    resemble(&file, model)?;
    file.write_all(bytes)?;
    match durability {
        Durability::Disk => file.sync_all(),
        Durability::System => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::fs::symlink;

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

    #[test]
    fn a_link_stays_one_and_a_mode_stays() {
        let directory = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| directory.path().join(name));
        fs::write(&target, "one").unwrap();
        symlink("target", &link).unwrap();
        for mode in [0o600, 0o640, 0o444] {
            fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
            replace(&link, b"two", Durability::System).unwrap();
            assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777, mode);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_new_is_as_any_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let [plain, new] = ["plain", "new"].map(|name| directory.path().join(name));
        fs::write(&plain, "").unwrap();
        replace(&new, b"", Durability::System).unwrap();
        let [plain, new] = [plain, new].map(|file| fs::metadata(file).unwrap().mode());
        assert_eq!(plain, new);
    }
}
