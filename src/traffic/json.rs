//! The summary of a run as JSON; the keys are documented in docs/traffic.md and stay.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::traffic::Failure;
use crate::traffic::Latencies;
use crate::traffic::Load;
use crate::traffic::Plan;
use crate::traffic::Summary;

/// One run, as it is written.
#[derive(Debug, Serialize)]
pub struct SummaryRow<'a> {
    url: String,
    seed: u64,
    load: &'static str,
    rate: Option<f64>,
    connections: Option<usize>,
    duration_s: f64,
    requests: u64,
    achieved_rps: f64,
    goodput_rps: f64,
    errors: BTreeMap<&'static str, u64>,
    latency: Option<LatencyRow>,
    bytes_received: u64,
    by_backend: &'a BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct LatencyRow {
    mean_ms: f64,
    p50_ms: f64,
    p90_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
}

impl<'a> SummaryRow<'a> {
    /// The row of `summary`, which came of `plan` against `url`.
    #[must_use]
    pub fn new(url: &str, plan: &Plan, summary: &'a Summary) -> Self {
        let (load, rate, connections) = match plan.load {
            Load::Open { rate, .. } => ("open", Some(rate.requests_per_second()), None),
            Load::Closed { connections } => ("closed", None, Some(connections)),
        };
        Self {
            url: url.to_owned(),
            seed: plan.seed,
            load,
            rate,
            connections,
            duration_s: summary.elapsed.as_secs_f64(),
            requests: summary.requests,
            achieved_rps: summary.achieved_rps(),
            goodput_rps: summary.goodput_rps(),
            errors: Failure::ALL
                .into_iter()
                .map(|kind| (kind.name(), summary.failures.count(kind)))
                .collect(),
            latency: LatencyRow::new(&summary.latencies),
            bytes_received: summary.bytes_received,
            by_backend: &summary.by_backend,
        }
    }
}

impl LatencyRow {
    /// `None` when nothing was measured: a zero would read as very fast.
    fn new(latencies: &Latencies) -> Option<Self> {
        (latencies.count() > 0).then(|| Self {
            mean_ms: latencies.mean_ms(),
            p50_ms: latencies.quantile_ms(0.5),
            p90_ms: latencies.quantile_ms(0.9),
            p95_ms: latencies.quantile_ms(0.95),
            p99_ms: latencies.quantile_ms(0.99),
            p999_ms: latencies.quantile_ms(0.999),
            max_ms: latencies.max_ms(),
        })
    }
}
