//! What an evaluation found, as tables for people and as JSON for programs.

use std::time::Duration;

use serde::Serialize;

use crate::evaluation::Comparison;
use crate::evaluation::Interval;
use crate::evaluation::gateway::Reading;
use crate::report;
use crate::report::Column;
use crate::report::Table;
use crate::traffic::Summary;

/// What an evaluation found.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Requests per second that were meant to be sent.
    pub rate_rps: f64,
    /// What decided arrival times and routes.
    pub seed: u64,
    /// One for each selector, and then for each rival, in the plan's order.
    pub phases: Vec<Phase>,
    /// Every other selector against the first.
    pub comparisons: Vec<Comparison>,
    /// Addresses of the backends, in the pool's order.
    pub backends: Vec<String>,
}

/// One selector, over all of its slices.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Its name.
    pub selector: String,
    /// All slices together.
    pub summary: Summary,
    /// The mean latency of each slice.
    pub means_ms: Vec<f64>,
    /// The 99th percentile of each slice.
    pub p99s_ms: Vec<f64>,
    /// Successes per second of each slice at saturation; empty if that was not measured.
    pub throughputs_rps: Vec<f64>,
    /// When each slice began, since the first of all.
    pub began: Vec<Duration>,
    /// Requests of each slice that each backend got, in the pool's order; a rival's slices are empty.
    pub requests: Vec<Vec<f64>>,
    /// CPU of each backend at the end of each slice, in percent; empty without a metrics source.
    pub cpu_percents: Vec<Vec<f64>>,
}

impl Phase {
    pub(super) fn new(selector: &str) -> Self {
        Self {
            selector: selector.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, summary: &Summary, saturated: Option<&Summary>, reading: Reading) {
        self.means_ms.push(summary.latencies.mean_ms());
        self.p99s_ms.push(summary.latencies.quantile_ms(0.99));
        self.throughputs_rps.extend(saturated.map(Summary::goodput_rps));
        self.summary.merge(summary);
        self.requests.push(reading.requests);
        self.cpu_percents.push(reading.cpu_percent);
    }

    /// Each backend's part of the requests.
    #[must_use]
    pub fn share(&self) -> Vec<f64> {
        parts(&sums(&self.requests))
    }

    /// The same for each slice.
    #[must_use]
    pub fn shares(&self) -> Vec<Vec<f64>> {
        self.requests.iter().map(|requests| parts(requests)).collect()
    }

    /// The CPU of each backend, averaged over the slices; empty without a metrics source.
    #[must_use]
    pub fn cpu_percent(&self) -> Vec<f64> {
        let measured = self.cpu_percents.iter().filter(|backends| !backends.is_empty()).count() as f64;
        let sums = sums(&self.cpu_percents);
        sums.into_iter().map(|sum| sum / measured).collect()
    }

    /// Successes per second at saturation, if that was measured.
    #[must_use]
    pub fn throughput_rps(&self) -> Option<f64> {
        let slices = self.throughputs_rps.len();
        (slices > 0).then(|| self.throughputs_rps.iter().sum::<f64>() / slices as f64)
    }
}

/// Each backend's figures of all slices added up; slices without any do not count.
fn sums(slices: &[Vec<f64>]) -> Vec<f64> {
    let backends = slices.iter().map(Vec::len).max().unwrap_or(0);
    let sum = |backend: usize| slices.iter().filter_map(|slice| slice.get(backend)).sum();
    (0..backends).map(sum).collect()
}

fn parts(values: &[f64]) -> Vec<f64> {
    let all: f64 = values.iter().sum();
    values.iter().map(|value| value / all.max(1.0)).collect()
}

impl Evaluation {
    /// The figures of every selector.
    #[must_use]
    pub fn figures(&self) -> Table {
        let numbers = ["mean ms", "p50 ms", "p95 ms", "p99 ms", "answers/s", "errors", "most/s"];
        let columns = [Column::text("selector")]
            .into_iter()
            .chain(numbers.map(Column::number));
        let mut table = Table::new(columns.chain([Column::text("shares"), Column::text("cpu")]));
        for phase in &self.phases {
            table.push(cells(phase));
        }
        table
    }

    /// What the slices prove.
    #[must_use]
    pub fn verdicts(&self) -> Table {
        let columns = ["selector", "against", "mean", "p99", "throughput", "verdict"];
        let mut table = Table::new(columns.map(Column::text));
        for comparison in &self.comparisons {
            table.push([
                comparison.selector.clone(),
                comparison.baseline.clone(),
                shown(comparison.mean),
                shown(comparison.p99),
                comparison.throughput.map_or_else(|| "-".to_owned(), shown),
                comparison.verdict.name().to_owned(),
            ]);
        }
        table
    }

    /// The same for JSON: `rows`, one for each selector, and `comparisons`.
    #[must_use]
    pub fn json(&self) -> impl Serialize + '_ {
        Document {
            rate_rps: self.rate_rps,
            seed: self.seed,
            rows: self.phases.iter().map(row).collect(),
            comparisons: self.comparisons.iter().map(comparison_row).collect(),
        }
    }
}

fn cells(phase: &Phase) -> Vec<String> {
    let latencies = &phase.summary.latencies;
    let quantiles = [0.5, 0.95, 0.99].map(|quantile| latencies.quantile_ms(quantile));
    let mut cells = vec![phase.selector.clone(), report::milliseconds(latencies.mean_ms())];
    cells.extend(quantiles.map(report::milliseconds));
    cells.extend([
        format!("{:.0}", phase.summary.achieved_rps()),
        phase.summary.failures.total().to_string(),
        phase
            .throughput_rps()
            .map_or_else(|| "-".to_owned(), |most| format!("{most:.0}")),
        percents(phase.share().into_iter().map(|share| share * 100.0)),
        percents(phase.cpu_percent()),
    ]);
    cells
}

fn percents(values: impl IntoIterator<Item = f64>) -> String {
    let parts: Vec<String> = values.into_iter().map(|value| format!("{value:.0}")).collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    format!("{} %", parts.join(" / "))
}

fn shown(interval: Interval) -> String {
    format!("{:.3} x ({:.3} to {:.3})", interval.ratio, interval.low, interval.high)
}

#[derive(Serialize)]
struct Document<'a> {
    rate_rps: f64,
    seed: u64,
    rows: Vec<Row<'a>>,
    comparisons: Vec<ComparisonRow<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    selector: &'a str,
    requests: u64,
    errors: u64,
    mean_ms: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    achieved_rps: f64,
    throughput_rps: Option<f64>,
    share: Vec<f64>,
    cpu_percent: Vec<f64>,
}

#[derive(Serialize)]
struct ComparisonRow<'a> {
    selector: &'a str,
    baseline: &'a str,
    mean_ratio: [f64; 3],
    p99_ratio: [f64; 3],
    throughput_ratio: Option<[f64; 3]>,
    verdict: &'a str,
}

fn row(phase: &Phase) -> Row<'_> {
    let latencies = &phase.summary.latencies;
    Row {
        selector: &phase.selector,
        requests: phase.summary.requests,
        errors: phase.summary.failures.total(),
        mean_ms: latencies.mean_ms(),
        p50_ms: latencies.quantile_ms(0.5),
        p95_ms: latencies.quantile_ms(0.95),
        p99_ms: latencies.quantile_ms(0.99),
        achieved_rps: phase.summary.achieved_rps(),
        throughput_rps: phase.throughput_rps(),
        share: phase.share(),
        cpu_percent: phase.cpu_percent(),
    }
}

fn comparison_row(comparison: &Comparison) -> ComparisonRow<'_> {
    let parts = |interval: Interval| [interval.ratio, interval.low, interval.high];
    ComparisonRow {
        selector: &comparison.selector,
        baseline: &comparison.baseline,
        mean_ratio: parts(comparison.mean),
        p99_ratio: parts(comparison.p99),
        throughput_ratio: comparison.throughput.map(parts),
        verdict: comparison.verdict.name(),
    }
}
