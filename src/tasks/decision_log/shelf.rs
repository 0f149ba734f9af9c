//! The directory of a decision log: rows in the current file and in a few older ones, and the models that they refer
//! to, never more than a bound in all.
//!
//! `decisions.jsonl` is the current file; full, it becomes `decisions-000001.jsonl` and so on. `DIGEST.forest` is a
//! model. Nothing is synced: what is written survives the death of the process, and memory cards are spared.

use std::collections::BTreeSet;
use std::fs;
use std::fs::DirEntry;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use sha2::Digest;
use sha2::Sha256;

use crate::forest::Model;
use crate::forest::encode;
use crate::tasks::replace::Durability;
use crate::tasks::replace::replace;

const CURRENT: &str = "decisions.jsonl";
/// The files that share the bound; the oldest one goes as a whole.
const FILES: u64 = 8;
/// Rows are written when they are as long as this together, or at the end of a batch.
const LONGEST_WRITE: usize = 256 << 10;
/// Hexadecimal digits of a model's name: the first of its SHA-256.
const DIGITS: usize = 16;

/// A model, ready to be written.
#[derive(Debug)]
pub(super) struct KeptModel {
    pub(super) model: Arc<Model>,
    /// What it is called.
    pub(super) digest: String,
    bytes: Vec<u8>,
}

impl KeptModel {
    pub(super) fn new(model: &Arc<Model>) -> Self {
        let bytes = encode(model);
        let digest = Sha256::digest(&bytes);
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        Self {
            model: Arc::clone(model),
            digest: digits.take(DIGITS / 2).collect(),
            bytes,
        }
    }
}

/// The directory, as its writer has it. Files are opened anew for each write, so one that was moved away or a disk
/// that has room again comes right by itself.
#[derive(Debug)]
pub(super) struct Shelf {
    dir: PathBuf,
    /// Bytes that a file may take with the models that it is the first to need.
    share: u64,
    /// Bytes that the current one takes so; `None` until it has been looked at.
    filled: Option<u64>,
    /// The models that rows of the current file refer to.
    models: BTreeSet<String>,
    rows: String,
    row_count: u64,
    written: u64,
    lost: u64,
}

impl Shelf {
    /// The log in `dir`, of at most `max_size` bytes. Nothing is opened yet.
    pub(super) fn new(dir: &Path, max_size: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            share: max_size / FILES,
            filled: None,
            models: BTreeSet::new(),
            rows: String::new(),
            row_count: 0,
            written: 0,
            lost: 0,
        }
    }

    /// Takes in `row`, which refers to `model`; written at the latest by [`Self::flush`].
    pub(super) fn put(&mut self, row: &str, model: Option<&KeptModel>) -> io::Result<()> {
        let taken = self.take(row, model);
        if taken.is_err() {
            self.lost += 1;
        }
        taken
    }

    fn take(&mut self, row: &str, model: Option<&KeptModel>) -> io::Result<()> {
        let filled = self.filled()?;
        if filled > 0 && filled + row.len() as u64 > self.share {
            self.turn()?;
        } else if self.rows.len() > LONGEST_WRITE {
            self.flush()?;
        }
        // One that takes more than half a file would push out the rows that it is to explain.
        let fits = |model: &&KeptModel| model.bytes.len() as u64 <= self.share / 2;
        if let Some(model) = model.filter(fits) {
            self.keep(model)?;
        }
        self.rows.push_str(row);
        self.row_count += 1;
        self.fill(row.len());
        Ok(())
    }

    /// Writes what was taken in.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let (rows, count) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.row_count));
        if rows.is_empty() {
            return Ok(());
        }
        let appended = append(&self.dir.join(CURRENT), &rows);
        match appended {
            Ok(()) => self.written += count,
            Err(_) => {
                self.lost += count;
                // Who knows what is there now.
                self.filled = None;
            }
        }
        appended
    }

    /// How many rows were written and how many lost since the last time.
    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.written), std::mem::take(&mut self.lost))
    }

    fn fill(&mut self, bytes: usize) {
        self.filled = self.filled.map(|filled| filled + bytes as u64);
    }

    fn filled(&mut self) -> io::Result<u64> {
        if let Some(filled) = self.filled {
            return Ok(filled);
        }
        fs::create_dir_all(&self.dir)?;
        let contents = Contents::of(&self.dir)?;
        let filled = contents.filled();
        contents.make_room(self.share * (FILES - 1))?;
        self.models.clear();
        self.filled = Some(filled);
        Ok(filled)
    }

    /// Writes `model`, unless rows of the current file have asked for it before: anew with every file, so that a model
    /// is never older than the last file that needs it.
    fn keep(&mut self, model: &KeptModel) -> io::Result<()> {
        if self.models.contains(&model.digest) {
            return Ok(());
        }
        let file = model_file(&self.dir, &model.digest);
        replace(&file, &model.bytes, Durability::System)?;
        self.models.insert(model.digest.clone());
        self.fill(model.bytes.len());
        Ok(())
    }

    /// Begins a new file, and makes room for it.
    fn turn(&mut self) -> io::Result<()> {
        self.flush()?;
        let last = Contents::of(&self.dir)?.older.last().map_or(0, |older| older.number);
        let current = self.dir.join(CURRENT);
        match fs::rename(&current, self.dir.join(format!("decisions-{:06}.jsonl", last + 1))) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.models.clear();
        Contents::of(&self.dir)?.make_room(self.share * (FILES - 1))?;
        self.filled = Some(0);
        Ok(())
    }
}

/// The row files in `dir`, oldest first.
///
/// # Errors
/// When it cannot be read.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let contents = Contents::of(dir)?;
    let older = contents.older.into_iter().map(|older| older.path);
    Ok(older.chain(contents.current.map(|current| current.path)).collect())
}

/// Where the model of this digest is kept beside rows in `dir`.
#[must_use]
pub fn model_file(dir: &Path, digest: &str) -> PathBuf {
    dir.join(format!("{digest}.forest"))
}

/// What a directory holds of a log; other files in it are nobody's business.
#[derive(Debug, Default)]
struct Contents {
    current: Option<Kept>,
    /// In the order of their numbers.
    older: Vec<Kept>,
    /// Oldest first.
    models: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// Of an older file of rows.
    number: u64,
    length: u64,
    changed: SystemTime,
}

impl Contents {
    fn of(dir: &Path) -> io::Result<Self> {
        let mut contents = Self::default();
        for entry in fs::read_dir(dir)? {
            contents.add(&entry?)?;
        }
        contents.older.sort_by_key(|older| older.number);
        contents.models.sort_by_key(|model| model.changed);
        Ok(contents)
    }

    fn add(&mut self, entry: &DirEntry) -> io::Result<()> {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == CURRENT {
            self.current = Some(Kept::of(entry, 0)?);
        } else if let Some(number) = number(&name) {
            self.older.push(Kept::of(entry, number)?);
        } else if is_model(&name) {
            self.models.push(Kept::of(entry, 0)?);
        }
        Ok(())
    }

    /// Bytes that the current file takes, with the models that are newer than the one before it.
    fn filled(&self) -> u64 {
        let begin = self.older.last().map_or(SystemTime::UNIX_EPOCH, |older| older.changed);
        let models = self.models.iter().filter(|model| model.changed >= begin);
        models.chain(&self.current).map(|kept| kept.length).sum()
    }

    /// Removes the oldest files of rows, each with the models that only rows up to there refer to, until no more than
    /// `bytes` are left; in the end the oldest models.
    fn make_room(self, bytes: u64) -> io::Result<()> {
        let all = self.older.iter().chain(&self.models).chain(&self.current);
        let mut left: u64 = all.map(|kept| kept.length).sum();
        let mut models = self.models.into_iter().peekable();
        for older in self.older {
            if left <= bytes {
                return Ok(());
            }
            left -= older.remove()?;
            while let Some(model) = models.next_if(|model| model.changed < older.changed) {
                left -= model.remove()?;
            }
        }
        for model in models {
            if left <= bytes {
                break;
            }
            left -= model.remove()?;
        }
        Ok(())
    }
}

impl Kept {
    fn of(entry: &DirEntry, number: u64) -> io::Result<Self> {
        let metadata = entry.metadata()?;
        Ok(Self {
            path: entry.path(),
            number,
            length: metadata.len(),
            changed: metadata.modified()?,
        })
    }

    /// Removes it; how much that makes free.
    fn remove(&self) -> io::Result<u64> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(self.length),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("decisions-")?.strip_suffix(".jsonl")?;
    digits.parse().ok()
}

/// Whether a file of this name is a model of a log, whole or left half-written.
fn is_model(name: &str) -> bool {
    let is_digest = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split_once(".forest")
        .is_some_and(|(digest, rest)| is_digest(digest) && (rest.is_empty() || rest.starts_with(".new")))
}

/// Appends `rows`, on a line of their own even where the last one was torn.
fn append(file: &Path, rows: &str) -> io::Result<()> {
    let mut file = File::options().create(true).read(true).append(true).open(file)?;
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    file.write_all(rows.as_bytes())
}

#[cfg(test)]
mod tests;
