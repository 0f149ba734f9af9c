//! Reading data sets from files, and saying what of them cannot be used.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use sha2::Digest;
use sha2::Sha256;

use crate::cli::Mistake;
use crate::cli::terminal;
use crate::tasks::decision_log;
use crate::training::Decisions;
use crate::training::Input;
use crate::training::dataset::Seen;
use crate::training::dataset::Skipped;
use crate::training::dataset::Table;

/// What was read, and what identifies it.
pub(super) struct Data {
    pub(super) content: Content,
    /// SHA-256 of all files' bytes, one after another.
    pub(super) digest: String,
}

/// What there is to learn from.
pub(super) enum Content {
    /// A recorded data set, or the paper's table.
    Table(Table),
    /// A decision log.
    Decisions(Decisions),
}

impl Data {
    pub(super) fn input(&self) -> Input<'_> {
        match &self.content {
            Content::Table(table) => Input::Table(table),
            Content::Decisions(decisions) => Input::Decisions(decisions),
        }
    }

    /// The table that a model is trained on.
    pub(super) fn table(&self) -> anyhow::Result<&Table> {
        match &self.content {
            Content::Table(table) => Ok(table),
            Content::Decisions(_) => Err(Mistake(
                "no model is trained from a decision log: the `forest` selector learns while it serves; `--compare` says \
                 what can be foreseen from the log"
                    .to_owned(),
            )
            .into()),
        }
    }
}

/// All files as one, and the SHA-256 of their bytes one after another. A directory is a decision log.
pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Data> {
    let mut hasher = Sha256::new();
    let mut seen = Seen::default();
    let mut whole: Option<Content> = None;
    for file in row_files(paths)? {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.update(&text);
        let content = read_file(&file, &text, &mut seen)?;
        whole = match (whole, content) {
            (None, content) => Some(content),
            (Some(Content::Decisions(mut whole)), Content::Decisions(decisions)) => {
                whole.merge(decisions);
                Some(Content::Decisions(whole))
            }
            (Some(Content::Table(mut whole)), Content::Table(table)) if whole.origin == table.origin => {
                whole.rows.extend(table.rows);
                whole.skipped.merge(&table.skipped);
                Some(Content::Table(whole))
            }
            _ => bail!(
                "{}: its columns are not those of {}; train on one kind",
                file.display(),
                names(&paths[..1])
            ),
        };
    }
    Ok(Data {
        content: whole.with_context(|| format!("{}: there are no rows in it", names(paths)))?,
        digest: format!("{:x}", hasher.finalize()),
    })
}

/// The files behind `paths`: those of a decision log where one is a directory.
fn row_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(decision_log::files(path).with_context(|| format!("cannot read {}", path.display()))?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// A decision log is lines of JSON, everything else a table.
fn read_file(file: &Path, text: &[u8], seen: &mut Seen) -> anyhow::Result<Content> {
    if text.first() == Some(&b'{') {
        let decisions = Decisions::read_unseen(text, seen);
        warn(file, &decisions.skipped, &[]);
        return Ok(Content::Decisions(decisions));
    }
    let table = Table::read_unseen(text, seen).map_err(|error| {
        let line = error.line().map_or(String::new(), |line| format!(":{line}"));
        anyhow::Error::new(error).context(format!("{}{line}", file.display()))
    })?;
    warn(file, &table.skipped, &table.ignored);
    Ok(Content::Table(table))
}

/// Names the rows that were `skipped` of `file`, and the columns that were `ignored`.
fn warn(file: &Path, skipped: &Skipped, ignored: &[String]) {
    let file = file.display();
    for (line, reason) in &skipped.first {
        terminal::tell(format_args!("warning: {file}:{line}: {reason}; the row is skipped"));
    }
    for other in skipped.others() {
        terminal::tell(format_args!("warning: {file}: {other}; skipped"));
    }
    if !ignored.is_empty() {
        let ignored = ignored.join(", ");
        terminal::tell(format_args!(
            "warning: {file}:1: unknown columns are ignored: {ignored}"
        ));
    }
}

/// The files as a message names them.
pub(super) fn names(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
