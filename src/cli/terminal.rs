//! What the standard streams can show, and where results go.

use std::env;
use std::fmt::Display;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
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

/// Prints a result. Whoever reads it may have seen enough, as `head` has: that is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints one line of a result.
pub(crate) fn print_line(line: impl Display) -> anyhow::Result<()> {
    print(&format!("{line}\n"))
}

/// Says something beside the results, on the standard error stream. Nobody may be there to hear it.
pub(crate) fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a result to `file`, or to the standard output when that is meant.
pub(crate) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if is_output(file) {
        return print(text);
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Writes a result as JSON, as [`write()`] does.
pub(crate) fn write_json(file: &Path, result: &impl Serialize) -> anyhow::Result<()> {
    write(file, &(serde_json::to_string_pretty(result)? + "\n"))
}

/// Fails as [`write()`] would; what is in `file` stays, and where there is none yet, none is made.
pub(crate) fn check_writable(file: &Path) -> anyhow::Result<()> {
    if is_output(file) {
        return Ok(());
    }
    let opened = match fs::metadata(file) {
        // Whoever reads a pipe would take this for the end.
        Ok(found) if !found.is_file() && !found.is_dir() => Ok(()),
        Ok(_) => OpenOptions::new().append(true).open(file).map(drop),
        Err(error) if error.kind() == ErrorKind::NotFound => try_out(file),
        Err(error) => Err(error),
    };
    opened.with_context(|| format!("cannot write {}", file.display()))
}

fn try_out(file: &Path) -> io::Result<()> {
    File::create_new(file)?;
    fs::remove_file(file)
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
