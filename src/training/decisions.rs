//! Decision logs (docs/decision-log.md) as something to learn from: what was seen of the backend that was chosen, and
//! whether its answer then took longer than usual.
//!
//! Of a row only what is needed here is read; `crate::tasks::decision_log` writes it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::selection::FEATURE_COUNT;
use crate::selection::FEATURE_NAMES;
use crate::selection::UNKNOWN;
use crate::training::dataset::Seen;
use crate::training::dataset::Skipped;
use crate::units::Timestamp;

/// The version of rows that is read.
const VERSION: u32 = 1;

/// Decisions in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decisions {
    /// Those that can be learned from, in the file's order.
    pub(crate) rows: Vec<Decided>,
    /// What could not be used.
    pub skipped: Skipped,
}

/// A decision whose outcome is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decided {
    /// When it was made.
    pub(crate) at: Timestamp,
    /// The pool's name.
    pub(crate) pool: String,
    /// What was seen of the backend; `None` where it was not known.
    pub(crate) features: Vec<Option<f32>>,
    /// Whether the answer took longer than its route's usually do.
    pub(crate) is_slow: bool,
}

impl Decisions {
    /// The decisions of `text`, one a line, without those that were `seen` before.
    #[must_use]
    pub fn read_unseen(text: &[u8], seen: &mut Seen) -> Self {
        let mut decisions = Self::default();
        let is_ended = text.ends_with(b"\n");
        let mut lines = text.split(|&byte| byte == b'\n').zip(1..).peekable();
        while let Some((line, number)) = lines.next() {
            let is_torn = lines.peek().is_none() && !is_ended;
            match read(line) {
                _ if line.is_empty() => {}
                Err(_) if is_torn => decisions.skipped.add_torn(number),
                Err(reason) => decisions.skipped.add(number, reason),
                Ok((key, _)) if !seen.add_key(&key) => decisions.skipped.add_duplicate(),
                Ok((_, row)) => decisions.rows.push(row),
            }
        }
        decisions
    }

    /// Takes in what `other` has read.
    pub fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.skipped.merge(&other.skipped);
    }

    /// How many rows lack each feature.
    pub(crate) fn missing(&self) -> [usize; FEATURE_COUNT] {
        std::array::from_fn(|place| self.rows.iter().filter(|row| row.features[place].is_none()).count())
    }
}

/// A decision, and what tells it from others; else why it cannot be used.
fn read(line: &[u8]) -> Result<(String, Decided), String> {
    let row: Line = serde_json::from_slice(line).map_err(|error| format!("no row of a decision log: {error}"))?;
    if row.version != VERSION {
        return Err(format!(
            "a row of version {}, and this release reads {VERSION}",
            row.version
        ));
    }
    let outcome = row.outcome.and_then(|outcome| outcome.slowness);
    let slowness = outcome.ok_or("its outcome says nothing of how long it took")?;
    let chosen = row.candidates.iter().find(|candidate| candidate.backend == row.chosen);
    let chosen = chosen.ok_or("the chosen backend is not among its candidates")?;
    let known = |name: &&str| chosen.features.get(*name).copied().filter(|value| *value != UNKNOWN);
    let decided = Decided {
        at: Timestamp::from_seconds(row.time),
        pool: row.pool,
        features: FEATURE_NAMES.iter().map(known).collect(),
        is_slow: slowness > 0.0,
    };
    Ok((format!("{} {}", row.request, row.attempt), decided))
}

#[derive(Deserialize)]
struct Line {
    version: u32,
    time: f64,
    pool: String,
    request: String,
    attempt: u32,
    chosen: String,
    candidates: Vec<Candidate>,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Candidate {
    backend: String,
    features: BTreeMap<String, f32>,
}

#[derive(Deserialize)]
struct Outcome {
    slowness: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(request: u32, slowness: &str) -> String {
        format!(
            r#"{{"version":1,"time":1795394802.5,"pool":"api","request":"{request:016x}","attempt":1,"chosen":"a",
            "more":[],"candidates":[{{"backend":"a","weight":1,"features":{{"n":2,"cpu":-1}}}}],
            "outcome":{{"slowness":{slowness}}}}}"#
        )
        .replace('\n', "")
    }

    #[track_caller]
    fn check_skipped(line: &str, expected: &str) {
        let decisions = Decisions::read_unseen(format!("{line}\n").as_bytes(), &mut Seen::default());
        let reasons: Vec<&(u64, String)> = decisions.skipped.first.iter().collect();
        assert!(reasons[0].0 == 1 && reasons[0].1.contains(expected), "{reasons:?}");
    }

    #[test]
    fn a_decision_is_what_was_seen_of_the_chosen_and_how_it_went() {
        let text = format!("{}\n{}\n", line(1, "0.3"), line(2, "-0.3"));
        let decisions = Decisions::read_unseen(text.as_bytes(), &mut Seen::default());
        let slow: Vec<bool> = decisions.rows.iter().map(|row| row.is_slow).collect();
        assert_eq!((slow, decisions.skipped.count), (vec![true, false], 0));
        assert_eq!(decisions.rows[0].features[0], Some(2.0));
        let missing = decisions.missing();
        assert_eq!((missing[0], missing[10]), (0, 2));
    }

    #[test]
    fn rows_that_cannot_be_used_are_named_by_line() {
        check_skipped("{}", "no row of a decision log: missing field");
        check_skipped(&line(1, "null"), "says nothing of how long it took");
        check_skipped(&line(1, "1").replace("\"version\":1", "\"version\":7"), "version 7");
        check_skipped(
            &line(1, "1").replace("\"chosen\":\"a\"", "\"chosen\":\"b\""),
            "not among",
        );
        check_skipped("\u{fffd}", "no row");
    }

    #[test]
    fn torn_and_repeated_rows_are_counted() {
        let text = format!("{0}\n{0}\n{1}", line(1, "1"), &line(2, "1")[..50]);
        let skipped = Decisions::read_unseen(text.as_bytes(), &mut Seen::default()).skipped;
        assert_eq!((skipped.count, skipped.duplicates, skipped.torn), (2, 1, 1));
    }
}
