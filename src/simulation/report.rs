//! What came of a run.

use serde::Serialize;

use crate::simulation::world::World;

/// What an error counts for in the mean: a user who sees one has waited in vain, and tries again.
const ERROR_MS: f64 = 1_000.0;

/// The parts at which a run's latencies are kept: by tenths, then by ever smaller steps towards the slowest.
pub const CURVE: [f64; 15] = [
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999,
];

/// What came of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The contender's name.
    pub selector: String,
    /// What its world was drawn from.
    pub seed: u64,
    /// Requests that arrived, measured or not; each was answered, well or with an error.
    pub requests: u64,
    /// What the measured ones met with.
    pub figures: Figures,
    /// The latency in milliseconds that each part of [`CURVE`] of the good answers did not exceed.
    pub curve_ms: Vec<f64>,
    /// For each second of the world, how many requests were sent to each backend.
    pub shares: Vec<Vec<u32>>,
}

/// What the measured requests of a run met with. Latencies count from a request's arrival at its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Mean latency, an error counted as a second; not a number when nothing was measured.
    pub mean_ms: f64,
    /// The median of the good answers; not a number when there were none.
    pub p50_ms: f64,
    /// 95 % of the good answers came sooner.
    pub p95_ms: f64,
    /// 99 % of the good answers came sooner.
    pub p99_ms: f64,
    /// 99.9 % of the good answers came sooner.
    pub p999_ms: f64,
    /// The part of the requests that ended in an error.
    pub error_rate: f64,
    /// Good answers per second.
    pub goodput_rps: f64,
}

/// A [`Report`] as a row of JSON: its names, its seed, and its figures beside them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the keys are those of `Report` and `Figures`")]
pub struct Row {
    pub scenario: String,
    pub selector: String,
    pub seed: u64,
    #[serde(flatten)]
    pub figures: Figures,
}

impl From<&Report> for Row {
    fn from(report: &Report) -> Self {
        Self {
            scenario: report.scenario.clone(),
            selector: report.selector.clone(),
            seed: report.seed,
            figures: report.figures,
        }
    }
}

/// Counts while a world is played.
pub(crate) struct Tally {
    scenario: String,
    selector: String,
    seed: u64,
    requests: u64,
    /// What arrives earlier is not measured, in seconds.
    measured_from: f64,
    measured_seconds: f64,
    /// Of the measured good answers, in nanoseconds.
    latencies: Vec<u64>,
    errors: u64,
    shares: Vec<Vec<u32>>,
}

impl Tally {
    pub(crate) fn new(world: &World, selector: &str) -> Self {
        let scenario = &world.scenario;
        let seconds = scenario.duration.as_secs_f64().ceil() as usize;
        Self {
            scenario: scenario.name.clone(),
            selector: selector.to_owned(),
            seed: world.seed,
            requests: 0,
            measured_from: scenario.unmeasured.as_secs_f64(),
            measured_seconds: (scenario.duration - scenario.unmeasured).as_secs_f64(),
            latencies: Vec::with_capacity(world.requests.len()),
            errors: 0,
            shares: vec![vec![0; scenario.backends.len()]; seconds],
        }
    }

    /// A request was sent to `backend`.
    pub(crate) fn dispatched(&mut self, backend: usize, now: f64) {
        let second = self.shares.get_mut(now as usize);
        if let Some(count) = second.and_then(|second| second.get_mut(backend)) {
            *count += 1;
        }
    }

    /// What arrived at `arrived` was answered well.
    pub(crate) fn answered(&mut self, arrived: f64, now: f64) {
        self.requests += 1;
        if arrived >= self.measured_from {
            self.latencies.push(((now - arrived) * 1e9) as u64);
        }
    }

    /// What arrived at `arrived` ended in an error.
    pub(crate) fn failed(&mut self, arrived: f64) {
        self.requests += 1;
        if arrived >= self.measured_from {
            self.errors += 1;
        }
    }

    pub(crate) fn report(mut self) -> Report {
        let figures = self.figures();
        let curve_ms = CURVE.iter().map(|part| quantile_ms(&self.latencies, *part)).collect();
        let Self {
            scenario,
            selector,
            seed,
            requests,
            shares,
            ..
        } = self;
        Report {
            scenario,
            selector,
            seed,
            requests,
            figures,
            curve_ms,
            shares,
        }
    }

    fn figures(&mut self) -> Figures {
        self.latencies.sort_unstable();
        let answers = self.latencies.len() as f64;
        let all = answers + self.errors as f64;
        // Whole nanoseconds: their sum does not depend on their order.
        let sum_ms = self.latencies.iter().map(|latency| u128::from(*latency)).sum::<u128>() as f64 / 1e6;
        Figures {
            mean_ms: (sum_ms + ERROR_MS * self.errors as f64) / all,
            p50_ms: quantile_ms(&self.latencies, 0.5),
            p95_ms: quantile_ms(&self.latencies, 0.95),
            p99_ms: quantile_ms(&self.latencies, 0.99),
            p999_ms: quantile_ms(&self.latencies, 0.999),
            error_rate: if all > 0.0 { self.errors as f64 / all } else { 0.0 },
            goodput_rps: answers / self.measured_seconds,
        }
    }
}

/// The least latency that a part `quantile` of `sorted` does not exceed.
fn quantile_ms(sorted: &[u64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .map_or(f64::NAN, |nanos| *nanos as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).map(|ms| ms * 1_000_000).collect();
        let quantiles = [0.5, 0.95, 0.99, 0.999].map(|quantile| quantile_ms(&hundred, quantile));
        assert_eq!(quantiles, [50.0, 95.0, 99.0, 100.0]);
        assert!(quantile_ms(&[], 0.5).is_nan());
    }
}
