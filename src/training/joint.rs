//! Joint rows: what all backends of a pool said at one poll, and which of them then did best.
//!
//! The features are taken at a poll, the outcome is that of the window *after* it: the same poll's own outcome
//! belongs to the past, and would teach the forest to explain load instead of foreseeing it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::training::dataset::Row;
use crate::training::dataset::Window;

/// Rows of one pool this close belong to one round of polls, should a writer stamp them one by one.
const ROUND_SPREAD: Duration = Duration::from_millis(100);
/// Rounds further apart than this many usual intervals do not follow each other: nobody polled in between.
const LONGEST_GAP: u32 = 3;
/// What a failed request counts for, in milliseconds: a backend must not win by failing fast.
const ERROR_COST_MS: f64 = 1000.0;

/// The rows a classifier is trained on, in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Joint {
    /// The backends in the order of their numbers; their places are the classes.
    pub(crate) backends: Vec<Member>,
    /// For each row the metrics of each backend in turn.
    pub(crate) features: Vec<Vec<Option<f32>>>,
    /// For each row which backend did best in the window after it.
    pub(crate) best: Vec<usize>,
    /// What could not be used.
    pub(crate) dropped: Dropped,
}

/// A backend of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its number in the data set.
    pub(crate) server_id: u32,
    /// Its address when it was last polled.
    pub(crate) address: String,
}

/// Polls that make no row, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// A backend was not polled, or its metrics did not arrive.
    pub incomplete: usize,
    /// No poll followed in time.
    pub unfollowed: usize,
    /// Fewer than two backends served anything in the window after, so that nothing could be compared.
    pub uncontested: usize,
}

impl Joint {
    /// The joint rows of `rows`, which are of one pool; of any number of backends.
    pub(crate) fn new(rows: &[Row]) -> Self {
        let rounds = rounds(rows);
        let backends = members(&rounds);
        let usual = usual_interval(&rounds);
        let mut joint = Self {
            backends,
            features: vec![],
            best: vec![],
            dropped: Dropped::default(),
        };
        for (at, round) in rounds.iter().enumerate() {
            let Some(features) = joint.features_of(round) else {
                joint.dropped.incomplete += 1;
                continue;
            };
            let next = rounds
                .get(at + 1)
                .filter(|next| start(next).since(start(round)) <= usual * LONGEST_GAP);
            let Some(next) = next else {
                joint.dropped.unfollowed += 1;
                continue;
            };
            match joint.best_of(next) {
                Some(best) => {
                    joint.features.push(features);
                    joint.best.push(best);
                }
                None => joint.dropped.uncontested += 1,
            }
        }
        joint
    }

    /// The metrics of every backend in this round; `None` when one was not measured.
    fn features_of(&self, round: &Round) -> Option<Vec<Option<f32>>> {
        let measured = |member: &Member| {
            let metrics = row_of(round, member)?.metrics;
            metrics.iter().any(Option::is_some).then_some(metrics)
        };
        let metrics: Option<Vec<_>> = self.backends.iter().map(measured).collect();
        metrics.map(|metrics| metrics.concat())
    }

    /// The backend with the lowest cost in the window that `round` ends; of equals the first.
    fn best_of(&self, round: &Round) -> Option<usize> {
        let cost_of = |member: &Member| row_of(round, member)?.window.and_then(cost);
        let costs = self
            .backends
            .iter()
            .enumerate()
            .filter_map(|(place, member)| Some((place, cost_of(member)?)));
        let costs: Vec<(usize, f64)> = costs.collect();
        let best = costs.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        (costs.len() >= 2).then_some(best.0)
    }
}

/// The rows of one round of polls, by `server_id`.
type Round<'a> = Vec<&'a Row>;

/// The mean latency of a window in milliseconds, a failed request counting for [`ERROR_COST_MS`]; `None` when
/// nothing was served.
fn cost(window: Window) -> Option<f64> {
    let served = window.requests.saturating_sub(window.errors);
    let latency = if served == 0 {
        0.0
    } else {
        window.mean_latency_ms? * served as f64
    };
    (window.requests > 0).then(|| (latency + ERROR_COST_MS * window.errors as f64) / window.requests as f64)
}

fn rounds(rows: &[Row]) -> Vec<Round<'_>> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by_key(|row| (row.timestamp, row.server_id));
    let mut rounds: Vec<Round> = Vec::new();
    for row in sorted {
        match rounds.last_mut() {
            Some(round) if belongs(row, round) => round.push(row),
            _ => rounds.push(vec![row]),
        }
    }
    rounds
}

fn belongs(row: &Row, round: &Round) -> bool {
    row.timestamp.since(start(round)) <= ROUND_SPREAD && round.iter().all(|other| other.server_id != row.server_id)
}

fn start(round: &Round) -> crate::units::Timestamp {
    round.first().map_or_else(Default::default, |row| row.timestamp)
}

fn row_of<'a>(round: &Round<'a>, member: &Member) -> Option<&'a Row> {
    round.iter().find(|row| row.server_id == member.server_id).copied()
}

/// The backends that took part in at least half of the rounds, by number: one that left early or came late would
/// make nearly every round incomplete.
fn members(rounds: &[Round]) -> Vec<Member> {
    let mut seen: BTreeMap<u32, (usize, &str)> = BTreeMap::new();
    for row in rounds.iter().flatten() {
        let entry = seen.entry(row.server_id).or_default();
        *entry = (entry.0 + 1, &row.address);
    }
    let regular = seen.into_iter().filter(|(_, (count, _))| count * 2 >= rounds.len());
    regular
        .map(|(server_id, (_, address))| Member {
            server_id,
            address: address.to_owned(),
        })
        .collect()
}

fn usual_interval(rounds: &[Round]) -> Duration {
    let mut intervals: Vec<Duration> = rounds
        .windows(2)
        .map(|pair| start(&pair[1]).since(start(&pair[0])))
        .collect();
    intervals.sort_unstable();
    intervals.get(intervals.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Timestamp;

    /// `(seconds, server_id, cpu, requests, errors, mean latency)`
    type Cells = (f64, u32, f32, u64, u64, f64);

    fn row((seconds, server_id, cpu, requests, errors, latency): Cells) -> Row {
        Row {
            timestamp: Timestamp::from_seconds(1e6 + seconds),
            metrics: [Some(cpu), None, Some(0.0), Some(0.0)],
            server_id,
            window: Some(Window {
                requests,
                errors,
                mean_latency_ms: (requests > errors).then_some(latency),
            }),
            pool: "shop".into(),
            address: format!("host-{server_id}"),
        }
    }

    fn joint(cells: &[Cells]) -> Joint {
        Joint::new(&cells.iter().copied().map(row).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check_best(windows: &[(u64, u64, f64)], expected: Option<usize>) {
        let place = |(id, &(requests, errors, latency)): (usize, &(u64, u64, f64))| {
            [
                (0.0, id as u32, 9.0, 0, 0, 0.0),
                (1.0, id as u32, 9.0, requests, errors, latency),
            ]
        };
        let joint = joint(&windows.iter().enumerate().flat_map(place).collect::<Vec<_>>());
        assert_eq!(joint.best.first().copied(), expected);
    }

    #[test]
    fn features_come_from_a_poll_and_the_class_from_the_window_after_it() {
        let joint = joint(&[
            (0.0, 0, 10.0, 5, 0, 1.0),
            (0.0, 1, 20.0, 5, 0, 9.0),
            (1.0, 0, 30.0, 5, 0, 9.0),
            (1.0, 1, 40.0, 5, 0, 1.0),
        ]);
        let cpus: Vec<_> = joint.features.iter().map(|row| (row[0], row[4])).collect();
        assert_eq!(cpus, [(Some(10.0), Some(20.0))]);
        assert_eq!(joint.best, [1]);
        assert_eq!(
            joint.dropped,
            Dropped {
                unfollowed: 1,
                ..Dropped::default()
            }
        );
        assert_eq!(
            joint.backends[1],
            Member {
                server_id: 1,
                address: "host-1".into()
            }
        );
    }

    #[test]
    fn the_lower_latency_wins_and_errors_cost_a_second_each() {
        check_best(&[(10, 0, 5.0), (10, 0, 4.0)], Some(1));
        check_best(&[(10, 0, 5.0), (10, 1, 1.0)], Some(0));
        check_best(&[(10, 10, 0.0), (10, 0, 500.0)], Some(1));
        check_best(&[(10, 0, 5.0), (10, 0, 5.0)], Some(0));
        check_best(&[(10, 0, 5.0), (10, 0, 7.0), (2, 0, 1.0)], Some(2));
    }

    #[test]
    fn a_window_with_one_backend_at_work_compares_nothing() {
        check_best(&[(10, 0, 5.0), (0, 0, 0.0)], None);
        check_best(&[(0, 0, 0.0), (0, 0, 0.0)], None);
        check_best(&[(10, 0, 5.0), (0, 0, 0.0), (3, 0, 9.0)], Some(0));
    }

    #[test]
    fn stamps_that_differ_by_milliseconds_are_one_round() {
        let joint = joint(&[
            (0.0, 0, 1.0, 0, 0, 0.0),
            (0.004, 1, 2.0, 0, 0, 0.0),
            (1.003, 0, 1.0, 1, 0, 3.0),
            (1.0, 1, 2.0, 1, 0, 2.0),
        ]);
        assert_eq!(joint.best, [1]);
    }

    #[test]
    fn rounds_that_are_incomplete_or_far_apart_are_counted() {
        let both = |seconds: f64| [0, 1].map(|id| (seconds, id, 1.0, 1, 0, 3.0));
        let mut cells: Vec<Cells> = [0.0, 1.0, 2.0, 60.0, 61.0].into_iter().flat_map(both).collect();
        cells.push((62.0, 0, 1.0, 1, 0, 3.0));
        let joint = joint(&cells);
        assert_eq!(joint.best.len(), 3);
        // Neither is a winner known after the last whole round.
        assert_eq!(
            joint.dropped,
            Dropped {
                incomplete: 1,
                unfollowed: 1,
                uncontested: 1
            }
        );
    }

    #[test]
    fn a_backend_that_was_there_only_briefly_is_left_out() {
        let mut cells: Vec<Cells> = (0..9)
            .flat_map(|at| [0, 1].map(|id| (f64::from(at), id, 1.0, 1, 0, 3.0)))
            .collect();
        cells.push((0.0, 2, 1.0, 1, 0, 1.0));
        assert_eq!(joint(&cells).backends.len(), 2);
    }
}
