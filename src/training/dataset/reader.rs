//! Reading a data set that may be torn, short of columns, or somebody else's.
//!
//! A row that cannot be used is skipped and named; only a table without a single usable row is an error.

use std::fmt;

use csv::ReaderBuilder;
use csv::StringRecord;
use csv::Trim;
use thiserror::Error;

use crate::forest::METRICS;
use crate::training::dataset::COLUMNS;
use crate::training::dataset::Origin;
use crate::training::dataset::Row;
use crate::training::dataset::Seen;
use crate::training::dataset::Table;
use crate::training::dataset::Window;
use crate::units::Timestamp;

/// The paper's second CPU column: filled where `cpu_percent` is empty.
const CPU_STAMP: &str = "cpu_stamp";
/// The columns that the paper's table has too: all up to here.
const SHARED: usize = 6;
/// How many skipped rows are named; a file of the wrong kind would name thousands.
const NAMED: usize = 5;

/// Why a row is skipped that a kill or a full disk cut off.
const TORN: &str = "torn: its end is missing";

/// Why a data set cannot be read. The file's name is for the caller to say.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DatasetError {
    /// Nothing, not even a header.
    #[error("the file is empty; record a data set with a pool's `dataset` key")]
    Empty,
    /// The first line is not even text.
    #[error("this is no header, since it is not UTF-8; the first line must name {}", COLUMNS.join(", "))]
    NoText,
    /// The header lacks columns.
    #[error("missing columns: {}; the first line must name {}", .0.join(", "), COLUMNS.join(", "))]
    Columns(Vec<String>),
    /// A header, but nothing to learn from.
    #[error("no row can be used{skipped}; record a data set while the gateway serves traffic")]
    NoRows {
        /// What was skipped.
        skipped: Skipped,
    },
}

impl DatasetError {
    /// The line, counted from 1, that is to blame, where there is one.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::NoText | Self::Columns(_) => Some(1),
            Self::Empty | Self::NoRows { .. } => None,
        }
    }
}

/// Rows that could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// How many of them lack their end.
    pub torn: usize,
    /// How many of them were read before.
    pub duplicates: usize,
    /// How many of them are the header again: files were put together.
    pub headers: usize,
    /// Line, counted from 1, and reason of the first few that are neither duplicates nor headers.
    pub first: Vec<(u64, String)>,
}

impl Skipped {
    /// Counts a row whose end is missing.
    pub(crate) fn add_torn(&mut self, line: u64) {
        self.torn += 1;
        self.add(line, TORN.to_owned());
    }

    /// Counts a row that was read before.
    pub(crate) fn add_duplicate(&mut self) {
        self.count += 1;
        self.duplicates += 1;
    }

    /// Counts the header, which was read before.
    fn add_header(&mut self) {
        self.count += 1;
        self.headers += 1;
    }

    /// Counts a row that cannot be used for `reason`.
    pub(crate) fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((line, reason));
        }
    }

    /// Counts what `other` has counted; what that has named was of another file.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.torn += other.torn;
        self.duplicates += other.duplicates;
        self.headers += other.headers;
    }

    /// How many more cannot be used than those named.
    #[must_use]
    pub fn unnamed(&self) -> usize {
        self.count - self.duplicates - self.headers - self.first.len()
    }

    /// Those that are not named, in words.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        let others = [
            (self.unnamed(), "more row(s) cannot be used"),
            (self.duplicates, "row(s) were read before"),
            (self.headers, "line(s) repeat the header"),
        ];
        let known = others.into_iter().filter(|&(count, _)| count > 0);
        known.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, reason) in &self.first {
            write!(f, "; line {line}: {reason}")?;
        }
        self.others().iter().try_for_each(|other| write!(f, "; {other}"))
    }
}

impl Table {
    /// The table that `text` is: a recorded data set or the paper's own table; every row once.
    ///
    /// # Errors
    /// When there is no header, columns are missing from it, or no row can be used.
    pub fn read(text: &[u8]) -> Result<Self, DatasetError> {
        Self::read_unseen(text, &mut Seen::default())
    }

    /// As [`Self::read`], without the rows that were `seen` before, in this text or another.
    ///
    /// # Errors
    /// When there is no header, columns are missing from it, or no row can be used.
    pub fn read_unseen(text: &[u8], seen: &mut Seen) -> Result<Self, DatasetError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .trim(Trim::All)
            .from_reader(text);
        let mut records = reader.records();
        let header = records.next().ok_or(DatasetError::Empty)?;
        let header = header.map_err(|_| DatasetError::NoText)?;
        let columns = Columns::find(&header)?;
        let is_ended = text.ends_with(b"\n");
        let mut table = Self {
            origin: columns.origin(),
            rows: vec![],
            skipped: Skipped::default(),
            ignored: vec![],
        };
        table.ignored = columns.ignored(&header);
        let mut records = records.peekable();
        while let Some(record) = records.next() {
            let is_torn = records.peek().is_none() && !is_ended;
            let is_header = record.as_ref().is_ok_and(|record| *record == header);
            match read_row(record, &columns, is_torn) {
                _ if is_header => table.skipped.add_header(),
                Ok(row) if seen.add(&row) => table.rows.push(row),
                Ok(_) => table.skipped.add_duplicate(),
                Err((line, reason)) if reason == TORN => table.skipped.add_torn(line),
                Err((line, reason)) => table.skipped.add(line, reason),
            }
        }
        if table.rows.is_empty() {
            Err(DatasetError::NoRows { skipped: table.skipped })
        } else {
            Ok(table)
        }
    }
}

/// Where each column is; the paper's table has only those it shares.
struct Columns {
    shared: [usize; SHARED],
    cpu_stamp: Option<usize>,
    own: Option<[usize; COLUMNS.len() - SHARED]>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, DatasetError> {
        let at = |name: &str| header.iter().position(|column| column == name);
        let (shared, own) = COLUMNS.split_at(SHARED);
        let is_recorded = own.iter().any(|name| at(name).is_some());
        let needed = if is_recorded { &COLUMNS[..] } else { shared };
        let missing: Vec<String> = needed
            .iter()
            .filter(|name| at(name).is_none())
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            return Err(DatasetError::Columns(missing));
        }
        // Every needed column was just found.
        let place = |index: usize| at(COLUMNS[index]).unwrap_or(usize::MAX);
        Ok(Self {
            shared: std::array::from_fn(place),
            cpu_stamp: at(CPU_STAMP),
            own: is_recorded.then(|| std::array::from_fn(|index| place(SHARED + index))),
        })
    }

    fn origin(&self) -> Origin {
        if self.own.is_some() {
            Origin::Recorded
        } else {
            Origin::Paper
        }
    }

    fn ignored(&self, header: &StringRecord) -> Vec<String> {
        let is_known = |name: &str| name == CPU_STAMP || COLUMNS.contains(&name);
        header
            .iter()
            .filter(|name| !is_known(name) && !name.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    }
}

fn read_row(record: Result<StringRecord, csv::Error>, columns: &Columns, is_torn: bool) -> Result<Row, (u64, String)> {
    let record = record.map_err(|error| (error.position().map_or(0, csv::Position::line), "not UTF-8".to_owned()))?;
    let line = record.position().map_or(0, csv::Position::line);
    // The paper's table is somebody's file and may end without a newline; our writer always ends a row with one.
    if is_torn && columns.own.is_some() {
        return Err((line, TORN.into()));
    }
    parse_row(&record, columns).map_err(|reason| (line, reason))
}

fn parse_row(record: &StringRecord, columns: &Columns) -> Result<Row, String> {
    let [time, cpu, ram, sent, received, id] = columns.shared;
    let cpu_stamp = columns
        .cpu_stamp
        .map(|at| metric(record, at, CPU_STAMP))
        .transpose()?
        .flatten();
    let metrics = [
        metric(record, cpu, METRICS[0])?.or(cpu_stamp),
        metric(record, ram, METRICS[1])?,
        metric(record, sent, METRICS[2])?,
        metric(record, received, METRICS[3])?,
    ];
    let row = Row {
        timestamp: to_the_millisecond(needed(number(record, time, COLUMNS[0])?, COLUMNS[0])?),
        metrics,
        server_id: needed(whole(record, id, COLUMNS[5])?, COLUMNS[5])?,
        window: None,
        pool: String::new(),
        address: String::new(),
    };
    columns.own.map_or(Ok(row.clone()), |own| parse_own(record, own, row))
}

/// Adds the columns that only a recorded data set has.
fn parse_own(record: &StringRecord, own: [usize; COLUMNS.len() - SHARED], row: Row) -> Result<Row, String> {
    if record.len() < COLUMNS.len() {
        return Err(format!("{} fields instead of {}", record.len(), COLUMNS.len()));
    }
    let [requests, errors, latency, pool, address] = own;
    let window = match (whole(record, requests, COLUMNS[6])?, whole(record, errors, COLUMNS[7])?) {
        (Some(requests), Some(errors)) if errors > requests => {
            return Err(format!("{errors} errors in {requests} requests"));
        }
        (Some(requests), Some(errors)) => Some(Window {
            requests,
            errors,
            mean_latency_ms: number(record, latency, COLUMNS[8])?,
        }),
        _ => None,
    };
    let text = |at: usize| record.get(at).unwrap_or_default().to_owned();
    Ok(Row {
        window,
        pool: text(pool),
        address: text(address),
        ..row
    })
}

/// What the writer wrote: a double of seconds is some hundred nanoseconds off.
fn to_the_millisecond(seconds: f64) -> Timestamp {
    // `as` saturates.
    Timestamp::from_nanos(((seconds * 1000.0).round() as u64).saturating_mul(1_000_000))
}

fn needed<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{name} is empty"))
}

fn metric(record: &StringRecord, at: usize, name: &str) -> Result<Option<f32>, String> {
    let value = number(record, at, name)?.map(|value| value as f32);
    match value {
        Some(value) if !value.is_finite() => Err(format!("{name} is too large")),
        value => Ok(value),
    }
}

/// The number in the field at `at`, which must not be negative; `None` when it is empty or the row ends before.
fn number(record: &StringRecord, at: usize, name: &str) -> Result<Option<f64>, String> {
    let field = record.get(at).unwrap_or_default();
    if field.is_empty() {
        return Ok(None);
    }
    let value = field
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite() && *value >= 0.0);
    value
        .map(Some)
        .ok_or_else(|| format!("{name} is `{field}`, not a number from 0 up"))
}

fn whole<T: std::str::FromStr>(record: &StringRecord, at: usize, name: &str) -> Result<Option<T>, String> {
    let field = record.get(at).unwrap_or_default();
    if field.is_empty() {
        return Ok(None);
    }
    field
        .parse()
        .map(Some)
        .map_err(|_| format!("{name} is `{field}`, not a whole number"))
}
