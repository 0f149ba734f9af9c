//! What an evaluation found, as tables for people and as JSON for programs.

use std::time::Duration;

use serde::Serialize;

use crate::evaluation::Comparison;
use crate::evaluation::Interval;
use crate::evaluation::gateway::Reading;
use crate::report;
use crate::report::Column;
use crate::report::Table;
use crate::traffic::Failure;
use crate::traffic::Summary;

/// What an error counts as in a mean that is compared, as in `sylvan simulate` and `sylvan train`: somebody has to try
/// again, and failing fast is not being fast.
const ERROR_MS: f64 = 1_000.0;

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
    /// The mean latency of each slice with its errors, each as a second; `None` of a slice without requests.
    pub costs_ms: Vec<Option<f64>>,
    /// The 99th percentile of each slice's answers; `None` when none was good.
    pub p99s_ms: Vec<Option<f64>>,
    /// Successes per second of each slice at saturation; empty if that was not measured.
    pub throughputs_rps: Vec<f64>,
    /// When each slice began, since the first of all.
    pub began: Vec<Duration>,
    /// Requests of each slice that each backend got, in the pool's order; a rival's slices are empty.
    pub requests: Vec<Vec<f64>>,
    /// CPU of each backend at the end of each slice, in percent; empty without a metrics source.
    pub cpu_percents: Vec<Vec<f64>>,
    /// Whether each backend was down or ejected when each slice began or ended.
    pub outs: Vec<Vec<bool>>,
}

impl Phase {
    pub(super) fn new(selector: &str) -> Self {
        Self {
            selector: selector.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, summary: &Summary, saturated: Option<&Summary>, reading: Reading) {
        self.costs_ms.push(cost_ms(summary));
        let has_p99 = summary.successes > 0;
        self.p99s_ms.push(has_p99.then(|| summary.latencies.quantile_ms(0.99)));
        self.throughputs_rps.extend(saturated.map(Summary::goodput_rps));
        self.summary.merge(summary);
        self.requests.push(reading.requests);
        self.cpu_percents.push(reading.cpu_percent);
        self.outs.push(reading.is_out);
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

/// The mean latency with every error as a second; a timeout counts with the time waited for it already.
fn cost_ms(summary: &Summary) -> Option<f64> {
    let Summary {
        latencies, failures, ..
    } = summary;
    let errors = failures.total() - failures.count(Failure::Timeout);
    let all = latencies.count() + errors;
    let sum_ms = latencies.mean_ms() * latencies.count() as f64 + ERROR_MS * errors as f64;
    (all > 0).then(|| sum_ms / all as f64)
}

/// Said of a selector most of whose requests failed.
fn failed(phase: &Phase) -> Option<String> {
    let Summary {
        requests,
        successes,
        failures,
        ..
    } = &phase.summary;
    if failures.total() * 2 <= *requests {
        return None;
    }
    let much = if *successes == 0 {
        "none of the requests succeeded"
    } else {
        "most of the requests failed"
    };
    let kinds = Failure::ALL.map(|kind| (failures.count(kind), kind.name()));
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} x {name}"))
        .collect();
    Some(format!(
        "{much} under {}: {} of {requests}; these ratios compare errors",
        phase.selector,
        kinds.join(", ")
    ))
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
                shown(comparison.throughput),
                comparison.verdict.name().to_owned(),
            ]);
        }
        table
    }

    /// What makes the verdicts worth less, a sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.phases.iter().filter_map(failed).chain(self.out()).collect()
    }

    /// The backends that were missing in slices, of everybody together.
    fn out(&self) -> Option<String> {
        let slices: Vec<&Vec<bool>> = self.phases.iter().flat_map(|phase| &phase.outs).collect();
        let missing = |(backend, address): (usize, &String)| {
            let count = slices.iter().filter(|slice| slice.get(backend) == Some(&true)).count();
            (count > 0).then(|| format!("{address} in {count} of {} slices", slices.len()))
        };
        let missing: Vec<String> = self.backends.iter().enumerate().filter_map(missing).collect();
        (!missing.is_empty()).then(|| format!("backends were down or ejected: {}", missing.join(", ")))
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
    let mut cells = vec![phase.selector.clone()];
    let figures = latencies_ms(phase);
    cells.extend(figures.map(|it| it.map_or_else(|| "-".to_owned(), report::milliseconds)));
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

/// Mean, median, 95th and 99th percentile; of no good answers there are none.
fn latencies_ms(phase: &Phase) -> [Option<f64>; 4] {
    let latencies = &phase.summary.latencies;
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| latencies.quantile_ms(quantile));
    [latencies.mean_ms(), p50, p95, p99].map(|it| (phase.summary.successes > 0).then_some(it))
}

fn percents(values: impl IntoIterator<Item = f64>) -> String {
    let parts: Vec<String> = values.into_iter().map(|value| format!("{value:.0}")).collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    format!("{} %", parts.join(" / "))
}

fn shown(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || "-".to_owned(),
        |Interval { ratio, low, high }| format!("{ratio:.3} x ({low:.3} to {high:.3})"),
    )
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
    mean_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    achieved_rps: f64,
    throughput_rps: Option<f64>,
    share: Vec<f64>,
    cpu_percent: Vec<f64>,
}

#[derive(Serialize)]
struct ComparisonRow<'a> {
    selector: &'a str,
    baseline: &'a str,
    mean_ratio: Option<[f64; 3]>,
    p99_ratio: Option<[f64; 3]>,
    throughput_ratio: Option<[f64; 3]>,
    verdict: &'a str,
}

fn row(phase: &Phase) -> Row<'_> {
    let [mean_ms, p50_ms, p95_ms, p99_ms] = latencies_ms(phase);
    Row {
        selector: &phase.selector,
        requests: phase.summary.requests,
        errors: phase.summary.failures.total(),
        mean_ms,
        p50_ms,
        p95_ms,
        p99_ms,
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
        mean_ratio: comparison.mean.map(parts),
        p99_ratio: comparison.p99.map(parts),
        throughput_ratio: comparison.throughput.map(parts),
        verdict: comparison.verdict.name(),
    }
}

#[cfg(test)]
mod tests;
