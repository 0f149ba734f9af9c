//! What came of a run: counts, rates and latencies that can be added up over several runs.
//!
//! Latency is that of answers below status 400 and of timeouts, which count with the time waited for them: leaving
//! those out would flatter a target that stalls. Fast failures (a refusal, a reset, an error page) are counted as
//! errors only: they would flatter a target that fails quickly.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::traffic::Failure;
use crate::traffic::exchange::Answer;
use crate::traffic::failure::Failures;

/// The figures of one run, or of several in a row.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How long the runs took, from the first request to the last answer.
    pub elapsed: Duration,
    /// Requests that came to an end, good or bad.
    pub requests: u64,
    /// Answers of any status.
    pub answers: u64,
    /// Answers with a status below 400.
    pub successes: u64,
    /// The rest, by kind.
    pub failures: Failures,
    /// How long successes and timeouts took.
    pub latencies: Latencies,
    /// Bytes of all answers' bodies.
    pub bytes_received: u64,
    /// Answers by the backend named in `x-sylvan-backend`; empty unless the gateway sends that header.
    pub by_backend: BTreeMap<String, u64>,
}

impl Summary {
    /// Adds the run `other`, which came before or after.
    pub fn merge(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.requests += other.requests;
        self.answers += other.answers;
        self.successes += other.successes;
        self.failures += other.failures;
        self.latencies.merge(&other.latencies);
        self.bytes_received += other.bytes_received;
        for (backend, answers) in &other.by_backend {
            *self.by_backend.entry(backend.clone()).or_default() += answers;
        }
    }

    /// Answers per second, whatever their status.
    #[must_use]
    pub fn achieved_rps(&self) -> f64 {
        per_second(self.answers, self.elapsed)
    }

    /// Successes per second.
    #[must_use]
    pub fn goodput_rps(&self) -> f64 {
        per_second(self.successes, self.elapsed)
    }

    fn record(&mut self, outcome: Result<Answer, Failure>, latency: Duration) {
        self.requests += 1;
        let failure = match outcome {
            Ok(answer) => self.count(answer),
            Err(failure) => Some(failure),
        };
        match failure {
            None => self.successes += 1,
            Some(failure) => self.failures.add(failure),
        }
        if matches!(failure, None | Some(Failure::Timeout)) {
            self.latencies.record(latency);
        }
    }

    fn count(&mut self, answer: Answer) -> Option<Failure> {
        self.answers += 1;
        self.bytes_received += answer.bytes;
        if let Some(backend) = answer.backend {
            *self.by_backend.entry(backend).or_default() += 1;
        }
        Failure::of_status(answer.status)
    }
}

/// A distribution of latencies, exact to three digits from a microsecond up.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that the share `quantile` (0 to 1) of requests did not exceed, in milliseconds; 0 of none.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// The mean in milliseconds; 0 of none.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        self.0.mean() / 1000.0
    }

    /// For each tenth of a nine (0, 0.21, 0.37, ... 0.9, ... 0.99) the part of requests and the latency that it did not
    /// exceed, in milliseconds, as far as there are requests beyond; nothing of none.
    #[must_use]
    pub fn curve_ms(&self) -> Vec<(f64, f64)> {
        let parts = (0..).map(|tenth| 1.0 - 10_f64.powf(-f64::from(tenth) / 10.0));
        parts
            .take_while(|part| (1.0 - part) * self.count() as f64 >= 1.0)
            .map(|part| (part, self.quantile_ms(part)))
            .collect()
    }

    /// The longest in milliseconds; 0 of none.
    #[must_use]
    pub fn max_ms(&self) -> f64 {
        self.0.max() as f64 / 1000.0
    }

    fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0
            .record(micros)
            .expect("a histogram that resizes itself takes every value");
    }

    fn merge(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("a histogram that resizes itself takes every value");
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three significant digits are allowed"))
    }
}

/// The live figures of a run: the last second of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// Answers per second since the previous pulse.
    pub rate_rps: f64,
    /// The median latency since the previous pulse, in milliseconds.
    pub p50_ms: f64,
    /// The latency that 1 % exceeded since the previous pulse, in milliseconds.
    pub p99_ms: f64,
    /// Failures since the start of the run.
    pub errors: u64,
}

/// The figures so far, and those since the last pulse.
#[derive(Debug, Default)]
pub(super) struct Tally {
    earlier: Summary,
    recent: Summary,
}

impl Tally {
    pub(super) fn record(&mut self, outcome: Result<Answer, Failure>, latency: Duration) {
        self.recent.record(outcome, latency);
    }

    pub(super) fn pulse(&mut self, elapsed: Duration, period: Duration) -> Pulse {
        let recent = std::mem::take(&mut self.recent);
        self.earlier.merge(&recent);
        Pulse {
            elapsed,
            rate_rps: per_second(recent.answers, period),
            p50_ms: recent.latencies.quantile_ms(0.5),
            p99_ms: recent.latencies.quantile_ms(0.99),
            errors: self.earlier.failures.total(),
        }
    }

    pub(super) fn summary(&self, elapsed: Duration) -> Summary {
        let mut summary = self.earlier.clone();
        summary.merge(&self.recent);
        Summary { elapsed, ..summary }
    }
}

/// The summary of `good` answers that took `latency` and `bad` server errors, for tests elsewhere.
#[cfg(test)]
pub(crate) fn summary_of(good: u64, bad: u64, latency: Duration) -> Summary {
    let answer = |status| Answer {
        status,
        bytes: 0,
        backend: None,
    };
    let mut summary = Summary::default();
    for _ in 0..good {
        summary.record(Ok(answer(http::StatusCode::OK)), latency);
    }
    for _ in 0..bad {
        summary.record(Ok(answer(http::StatusCode::INTERNAL_SERVER_ERROR)), Duration::ZERO);
    }
    summary
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        0.0
    } else {
        count as f64 / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn answer(status: StatusCode) -> Result<Answer, Failure> {
        Ok(Answer {
            status,
            bytes: 10,
            backend: Some("a".into()),
        })
    }

    fn recorded(outcomes: [(Result<Answer, Failure>, u64); 2]) -> Summary {
        let mut summary = Summary {
            elapsed: Duration::from_secs(2),
            ..Summary::default()
        };
        for (outcome, latency_ms) in outcomes {
            summary.record(outcome, Duration::from_millis(latency_ms));
        }
        summary
    }

    #[track_caller]
    fn check(summary: &Summary, expected: &str) {
        let Summary {
            requests,
            answers,
            successes,
            bytes_received,
            by_backend,
            ..
        } = summary;
        let (errors, measured) = (summary.failures.total(), summary.latencies.count());
        let shown = format!(
            "{requests} requests, {answers} answers, {successes} good, {errors} bad, {measured} measured, \
             {bytes_received} bytes, {by_backend:?}, {}/s, {:.0} ms",
            summary.goodput_rps(),
            summary.latencies.max_ms()
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn quick_failures_do_not_count_as_short_latencies() {
        let summary = recorded([(answer(StatusCode::OK), 50), (answer(StatusCode::BAD_GATEWAY), 1)]);
        check(
            &summary,
            r#"2 requests, 2 answers, 1 good, 1 bad, 1 measured, 20 bytes, {"a": 2}, 0.5/s, 50 ms"#,
        );
    }

    #[test]
    fn timeouts_count_with_the_time_waited() {
        let summary = recorded([(answer(StatusCode::SEE_OTHER), 50), (Err(Failure::Timeout), 1000)]);
        check(
            &summary,
            r#"2 requests, 1 answers, 1 good, 1 bad, 2 measured, 10 bytes, {"a": 1}, 0.5/s, 1000 ms"#,
        );
    }

    #[test]
    fn merged_slices_add_up() {
        let mut summary = recorded([(answer(StatusCode::OK), 50), (Err(Failure::Reset), 1)]);
        summary.merge(&recorded([(answer(StatusCode::OK), 80), (Err(Failure::Reset), 1)]));
        check(
            &summary,
            r#"4 requests, 2 answers, 2 good, 2 bad, 2 measured, 20 bytes, {"a": 2}, 0.5/s, 80 ms"#,
        );
        assert_eq!(summary.failures.count(Failure::Reset), 2);
    }

    #[test]
    fn a_curve_ends_where_the_requests_do() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.curve_ms(), []);
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms));
        }
        let curve = latencies.curve_ms();
        assert_eq!((curve[0].0, curve[0].1.round(), curve[10].1.round()), (0.0, 1.0, 90.0));
        assert_eq!((curve.len(), curve[20].1.round()), (21, 99.0));
    }

    #[test]
    fn a_pulse_shows_only_what_is_new_and_loses_nothing() {
        let mut tally = Tally::default();
        tally.record(answer(StatusCode::OK), Duration::from_millis(50));
        let second = Duration::from_secs(1);
        let rates = [tally.pulse(second, second), tally.pulse(second * 2, second)].map(|pulse| pulse.rate_rps);
        assert_eq!((rates, tally.summary(second).successes), ([1.0, 0.0], 1));
    }
}
