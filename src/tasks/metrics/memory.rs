//! What one round of polls leaves for the next, so that growth can be told from sums.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::config::Dataset;
use crate::config::MetricsSource;
use crate::pool::BackendMetrics;
use crate::pool::Totals;
use crate::tasks::metrics::reading::Reading;
use crate::tasks::metrics::reading::Taken;
use crate::telemetry::DatasetLog;
use crate::training::dataset::Window;
use crate::units::Timestamp;

/// What is remembered of a pool.
#[derive(Debug, Default)]
pub(super) struct Memory {
    backends: BTreeMap<String, BackendMemory>,
    log: Option<(Dataset, DatasetLog)>,
}

/// What is remembered of a backend.
#[derive(Debug, Default)]
pub(super) struct BackendMemory {
    /// The last reading, and where it came from.
    last: Option<(Endpoint, Taken)>,
    /// What was served up to the round before.
    totals: Option<Totals>,
    is_failing: bool,
}

/// What counts from one start: another endpoint's counters have nothing to do with it.
type Endpoint = (SocketAddr, String);

/// How a source changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Bad,
    Good,
}

impl Memory {
    /// Takes out what is remembered of the backend at `address`.
    pub(super) fn take(&mut self, address: &str) -> BackendMemory {
        self.backends.remove(address).unwrap_or_default()
    }

    /// Remembers these backends for the next round, and no others.
    pub(super) fn keep(&mut self, backends: impl Iterator<Item = (String, BackendMemory)>) {
        self.backends = backends.collect();
    }

    /// The log of `dataset`: the one of the round before while the configuration of it stays.
    pub(super) fn log(&mut self, dataset: Option<&Dataset>) -> Option<&mut DatasetLog> {
        if self.log.as_ref().map(|log| &log.0) != dataset {
            self.log = dataset.map(|it| (it.clone(), DatasetLog::open(it.file.clone(), it.max_size)));
        }
        self.log.as_mut().map(|log| &mut log.1)
    }
}

impl BackendMemory {
    /// What was served since the call before; `None` at the first.
    pub(super) fn window_to(&mut self, totals: Totals) -> Option<Window> {
        self.totals.replace(totals).map(|before| window(before, totals))
    }

    /// The figures of `reading`, beside the last one that came from the same endpoint.
    pub(super) fn figures(
        &mut self,
        source: &MetricsSource,
        address: SocketAddr,
        reading: Reading,
        at: Timestamp,
    ) -> BackendMetrics {
        let (endpoint, now) = ((address, source.path.clone()), Taken { reading, at });
        let before = self
            .last
            .replace((endpoint.clone(), now))
            .filter(|last| last.0 == endpoint);
        now.metrics(before.as_ref().map(|last| &last.1))
    }

    /// Notes whether a poll failed; says when that changes how the source stands.
    pub(super) fn turn(&mut self, is_failing: bool) -> Option<Turn> {
        let was_failing = std::mem::replace(&mut self.is_failing, is_failing);
        (is_failing != was_failing).then_some(if is_failing { Turn::Bad } else { Turn::Good })
    }
}

fn window(before: Totals, now: Totals) -> Window {
    // A backend that left the pool and came back between two rounds counts from zero.
    let before = if now.requests < before.requests {
        Totals::default()
    } else {
        before
    };
    let requests = now.requests - before.requests;
    let answers = now.answers.saturating_sub(before.answers);
    let latency = now.latency.saturating_sub(before.latency);
    Window {
        requests,
        // The two sums are read one after the other, and a failure may come in between.
        errors: now.errors.saturating_sub(before.errors).min(requests),
        mean_latency_ms: (answers > 0).then(|| latency.as_secs_f64() * 1e3 / answers as f64),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::MetricsKind;
    use crate::tasks::metrics::reading::Traffic;

    fn totals(requests: u64, errors: u64, answers: u64, latency_ms: u64) -> Totals {
        Totals {
            requests,
            errors,
            answers,
            latency: Duration::from_millis(latency_ms),
        }
    }

    fn sent(bytes: f64) -> Reading {
        Reading {
            sent: Some(Traffic::Total(bytes)),
            ..Reading::default()
        }
    }

    #[track_caller]
    fn check_window(before: Totals, now: Totals, requests: u64, errors: u64, mean_latency_ms: Option<f64>) {
        let mut memory = BackendMemory::default();
        assert_eq!(memory.window_to(before), None);
        assert_eq!(
            memory.window_to(now),
            Some(Window {
                requests,
                errors,
                mean_latency_ms
            })
        );
    }

    #[test]
    fn a_window_holds_what_was_added() {
        check_window(totals(10, 1, 9, 900), totals(14, 2, 12, 960), 4, 1, Some(20.0));
    }

    #[test]
    fn a_window_without_answers_has_no_latency() {
        check_window(totals(10, 1, 9, 900), totals(10, 1, 9, 900), 0, 0, None);
        check_window(totals(10, 1, 9, 900), totals(12, 3, 9, 900), 2, 2, None);
    }

    #[test]
    fn a_window_never_holds_more_errors_than_requests() {
        check_window(totals(10, 1, 9, 900), totals(11, 3, 9, 900), 1, 1, None);
    }

    #[test]
    fn a_backend_that_counts_anew_has_a_window_from_zero() {
        check_window(totals(10, 1, 9, 900), totals(2, 1, 1, 30), 2, 1, Some(30.0));
    }

    #[test]
    fn another_endpoint_is_another_count() {
        let source = |path: &str| MetricsSource {
            kind: MetricsKind::Prometheus,
            port: None,
            path: path.to_owned(),
            interval: Duration::from_secs(1),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 9100));
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], 9100));
        let at = Timestamp::from_seconds;
        let mut memory = BackendMemory::default();
        assert!(
            memory
                .figures(&source("/a"), address, sent(1e3), at(1.0))
                .bytes_sent
                .is_nan()
        );
        assert_eq!(
            memory.figures(&source("/a"), address, sent(2e3), at(2.0)).bytes_sent,
            1e3
        );
        assert!(
            memory
                .figures(&source("/a"), elsewhere, sent(1e9), at(3.0))
                .bytes_sent
                .is_nan()
        );
        assert!(
            memory
                .figures(&source("/b"), elsewhere, sent(2e9), at(4.0))
                .bytes_sent
                .is_nan()
        );
    }

    #[test]
    fn a_source_turns_only_when_it_changes() {
        let mut memory = BackendMemory::default();
        let turns: Vec<_> = [false, true, true, false, false]
            .map(|failing| memory.turn(failing))
            .into();
        assert_eq!(turns, [None, Some(Turn::Bad), None, Some(Turn::Good), None]);
    }
}
