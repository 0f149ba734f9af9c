//! Finding a row in a decision log.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::anyhow;

use crate::cli::Mistake;
use crate::cli::terminal;
use crate::tasks::decision_log::Row;
use crate::tasks::decision_log::files;

/// How many rows are looked at from the end when those behind were torn.
const MOST_TORN: usize = 8;
/// What to do about what is no log.
const NAME_A_LOG: &str = "name the `dir` of a decision log, or a file in it";

/// Which row is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The last one.
    Last,
    /// The one at this place, counted from 1; in a directory over all files, the oldest first.
    Row(NonZeroUsize),
    /// The last one of the request with this number.
    Request(String),
}

/// A row, and where it stood.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) row: Row,
    pub(super) file: PathBuf,
    pub(super) place: String,
}

/// A line that may be the row.
#[derive(Debug)]
struct Line {
    text: String,
    file: PathBuf,
    place: String,
}

/// The row that is `wanted` of the log at `path`, a directory or a file. Rows that cannot be read are skipped, with a
/// warning.
pub(super) fn find(path: &Path, wanted: &Wanted) -> anyhow::Result<Found> {
    let (mut lines, mut count) = (VecDeque::new(), 0);
    for file in row_files(path)? {
        let mut number = 0;
        each_line(&file, |text| {
            (count, number) = (count + 1, number + 1);
            if wanted.may_be(count, &text) {
                lines.truncate(MOST_TORN - 1);
                lines.push_front(Line {
                    text,
                    file: file.clone(),
                    place: format!("{}:{number}", file.display()),
                });
            }
        })
        .with_context(|| format!("{} cannot be read", file.display()))?;
    }
    first_whole(lines, wanted)?.ok_or_else(|| wanted.missing(path, count).into())
}

/// The first of `lines` that is a row, as asked for.
fn first_whole(lines: VecDeque<Line>, wanted: &Wanted) -> anyhow::Result<Option<Found>> {
    let (mut torn, mut found) = (Vec::new(), None);
    for Line { text, file, place } in lines {
        match Row::parse(&text) {
            Ok(row) if wanted.is_met_by(&row) => {
                found = Some(Found { row, file, place });
                break;
            }
            Ok(_) => {}
            Err(error) => torn.push(format!("{place}: {error}")),
        }
    }
    match (wanted, &found, torn.first()) {
        (Wanted::Last | Wanted::Row(_), None, Some(torn)) => Err(anyhow!("{torn}; {NAME_A_LOG}")),
        _ => {
            let tell = |torn| terminal::tell(format_args!("warning: {torn}; the row is skipped"));
            torn.iter().for_each(tell);
            Ok(found)
        }
    }
}

fn row_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    files(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn each_line(file: &Path, mut take: impl FnMut(String)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(file)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        take(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    Ok(())
}

impl Wanted {
    /// Whether the line at `place` may be it: a look that costs less than reading the row.
    fn may_be(&self, place: usize, text: &str) -> bool {
        match self {
            Self::Last => !text.is_empty(),
            Self::Row(row) => row.get() == place,
            Self::Request(request) => text.contains(request.as_str()),
        }
    }

    fn is_met_by(&self, row: &Row) -> bool {
        match self {
            Self::Last | Self::Row(_) => true,
            Self::Request(request) => row.request == *request,
        }
    }

    fn missing(&self, path: &Path, count: usize) -> Mistake {
        let path = path.display();
        Mistake(match self {
            _ if count == 0 => format!("{path}: there are no rows; {NAME_A_LOG}"),
            Self::Last => format!("{path}: there are only empty rows; {NAME_A_LOG}"),
            Self::Row(row) => format!("{path}: there is no row {row}, only {count}"),
            Self::Request(request) => {
                format!("{path}: no row of request `{request}`; only a share of them is kept (`decision_log.sample`)")
            }
        })
    }
}
