//! The data set: one row per backend and poll, the paper's columns first and in its order.
//!
//! A row holds what the backend said at the poll, and what the gateway saw of it in the window since the poll
//! before. An empty field is a missing value. The writer uses [`header`] and [`Row::append_to`], the reader is
//! [`Table::read`]; `reader` also knows the paper's own table.

mod reader;

pub use reader::DatasetError;
pub use reader::Skipped;

use std::collections::BTreeSet;

use crate::forest::METRICS;
use crate::units::Timestamp;

/// The columns of a recorded data set, in order.
///
/// | column | meaning |
/// |---|---|
/// | `timestamp` | when the round of polls began, in seconds since the Unix epoch; the same for a pool's whole round |
/// | `cpu_percent`, `ram_percent` | 0 to 100 of what the backend may use |
/// | `bytes_sent`, `bytes_recv` | bytes per second since the poll before |
/// | `server_id` | a stable number of the backend in its pool, from 0 |
/// | `requests` | attempts that ended in the window since the poll before, failed ones included |
/// | `errors` | how many of them failed |
/// | `mean_latency_ms` | of those that did not fail, from dispatch to the final response header; empty without any |
/// | `pool`, `address` | which backend `server_id` is |
pub const COLUMNS: [&str; 11] = [
    "timestamp",
    METRICS[0],
    METRICS[1],
    METRICS[2],
    METRICS[3],
    "server_id",
    "requests",
    "errors",
    "mean_latency_ms",
    "pool",
    "address",
];

/// The first line of a recorded data set, with its newline.
#[must_use]
pub fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// One backend at one poll.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When the round of polls began; written to the millisecond.
    pub timestamp: Timestamp,
    /// The [`METRICS`] in their order; `None` where the source did not say.
    pub metrics: [Option<f32>; METRICS.len()],
    /// A stable number of the backend in its pool.
    pub server_id: u32,
    /// What was served since the poll before; `None` in the paper's table.
    pub window: Option<Window>,
    /// The pool's name.
    pub pool: String,
    /// The backend's address.
    pub address: String,
}

/// What the gateway saw of a backend between two polls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Attempts that ended, failed ones included.
    pub requests: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Mean latency of those that did not fail, in milliseconds; `None` without any.
    pub mean_latency_ms: Option<f64>,
}

impl Row {
    /// Appends the row and its newline to `line`. Nothing but the growth of `line` is allocated in the usual case.
    pub fn append_to(&self, line: &mut String) {
        use std::fmt::Write;
        // Writing to a String cannot fail.
        let millis = self.timestamp.nanos().saturating_add(500_000) / 1_000_000;
        let _ = write!(line, "{}.{:03}", millis / 1000, millis % 1000);
        for metric in self.metrics {
            line.push(',');
            let _ = metric.map_or(Ok(()), |value| write!(line, "{value}"));
        }
        let _ = write!(line, ",{},", self.server_id);
        match self.window {
            Some(window) => {
                let _ = write!(line, "{},{},", window.requests, window.errors);
                let _ = window.mean_latency_ms.map_or(Ok(()), |mean| write!(line, "{mean:.3}"));
            }
            None => line.push_str(",,"),
        }
        for text in [&self.pool, &self.address] {
            line.push(',');
            append_text(text, line);
        }
        line.push('\n');
    }
}

/// Appends `text`, in quotes where CSV needs them (RFC 4180).
fn append_text(text: &str, line: &mut String) {
    if text.contains([',', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}

/// Where a table came from, by its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Recorded by this gateway: [`COLUMNS`].
    Recorded,
    /// The paper's: single backends without outcomes, the CPU in one of two columns.
    Paper,
}

/// The rows that were read, so that none counts twice: files are rotated, copied, and named twice.
#[derive(Clone, Debug, Default)]
pub struct Seen(BTreeSet<String>);

impl Seen {
    /// Whether `row` is new.
    fn add(&mut self, row: &Row) -> bool {
        let mut line = String::new();
        row.append_to(&mut line);
        self.add_key(&line)
    }

    /// Whether a row that `key` tells from others is new.
    pub(crate) fn add_key(&mut self, key: &str) -> bool {
        self.0.insert(key.to_owned())
    }
}

/// A data set in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Where it came from.
    pub origin: Origin,
    /// The usable rows, in the file's order.
    pub rows: Vec<Row>,
    /// What could not be used.
    pub skipped: Skipped,
    /// Columns that mean nothing here.
    pub ignored: Vec<String>,
}

impl Table {
    /// How many rows lack each of the [`METRICS`].
    #[must_use]
    pub fn missing(&self) -> [usize; METRICS.len()] {
        std::array::from_fn(|metric| self.rows.iter().filter(|row| row.metrics[metric].is_none()).count())
    }
}

#[cfg(test)]
mod tests;
