//! Reading data sets from files, and saying what of them cannot be used.

use std::fs;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use sha2::Digest;
use sha2::Sha256;

use crate::training::dataset::Seen;
use crate::training::dataset::Table;

/// A data set and what identifies it.
pub(super) struct Data {
    pub(super) table: Table,
    /// SHA-256 of all files' bytes, one after another.
    pub(super) digest: String,
}

/// All files as one table, and the SHA-256 of their bytes one after another.
pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<Data> {
    let mut hasher = Sha256::new();
    let mut seen = Seen::default();
    let mut whole: Option<Table> = None;
    for file in files {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.update(&text);
        let table = Table::read_unseen(&text, &mut seen).map_err(|error| {
            let line = error.line().map_or(String::new(), |line| format!(":{line}"));
            anyhow::Error::new(error).context(format!("{}{line}", file.display()))
        })?;
        warn(file, &table)?;
        match &mut whole {
            None => whole = Some(table),
            Some(whole) if whole.origin == table.origin => {
                whole.rows.extend(table.rows);
                whole.skipped.merge(&table.skipped);
            }
            Some(_) => bail!(
                "{}: its columns are not those of {}; train on one kind",
                file.display(),
                names(&files[..1])
            ),
        }
    }
    let table = whole.context("no data set was given")?;
    Ok(Data {
        table,
        digest: format!("{:x}", hasher.finalize()),
    })
}

/// Names what `table` could not use of `file`.
fn warn(file: &Path, table: &Table) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let file = file.display();
    for (line, reason) in &table.skipped.first {
        writeln!(out, "warning: {file}:{line}: {reason}; the row is skipped")?;
    }
    if table.skipped.unnamed() > 0 {
        writeln!(
            out,
            "warning: {file}: {} more rows are skipped",
            table.skipped.unnamed()
        )?;
    }
    if !table.ignored.is_empty() {
        writeln!(
            out,
            "warning: {file}:1: unknown columns are ignored: {}",
            table.ignored.join(", ")
        )?;
    }
    Ok(())
}

/// The files as a message names them.
pub(super) fn names(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
