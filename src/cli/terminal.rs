//! What the standard streams can show, and where results go.

use std::env;
use std::fs;
use std::io;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use console::Term;
use serde::Serialize;

use crate::report::Look;

/// The look of results, on the standard output.
pub(crate) fn output() -> Look {
    look(&Term::stdout())
}

/// The look of progress, on the standard error stream.
pub(crate) fn progress() -> Look {
    look(&Term::stderr())
}

/// Whether `file` is a name for the standard output.
pub(crate) fn is_output(file: &Path) -> bool {
    file == Path::new("-")
}

/// Writes a result to `file`, or to the standard output when that is meant.
pub(crate) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if is_output(file) {
        return Ok(io::stdout().write_all(text.as_bytes())?);
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Writes a result as JSON, as [`write()`] does.
pub(crate) fn write_json(file: &Path, result: &impl Serialize) -> anyhow::Result<()> {
    write(file, &(serde_json::to_string_pretty(result)? + "\n"))
}

fn look(term: &Term) -> Look {
    if !term.is_term() {
        return Look::Plain;
    }
    let (_height, width) = term.size();
    // https://no-color.org: any value but an empty one switches color off.
    let color = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Look::Terminal {
        width: usize::from(width),
        color,
    }
}
