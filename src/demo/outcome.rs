//! What a demo found, as a table for people and as JSON for programs.

use serde::Serialize;

use crate::demo::stage::Files;
use crate::report;
use crate::report::Column;
use crate::report::Look;
use crate::report::Table;

/// What a demo found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One for each selector, round robin first.
    pub phases: Vec<Phase>,
    /// What became of the traffic while selectors were swapped.
    pub swap: Swap,
    /// What the trainer said.
    pub training: String,
    /// What was left behind.
    pub files: Files,
}

/// One selector.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub selector: String,
    /// At a load that both shops can carry easily.
    pub moderate: Load,
    /// Close to what round robin can carry.
    pub high: Load,
    /// Answers per second at saturation.
    pub throughput_rps: f64,
}

/// One rate of arrivals.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Requests per second that were meant to be sent.
    pub rate_rps: f64,
    /// The mean latency, in milliseconds from the intended sending time.
    pub mean_ms: f64,
    /// Its median.
    pub p50_ms: f64,
    /// Its 95th percentile.
    pub p95_ms: f64,
    /// Its 99th percentile.
    pub p99_ms: f64,
    /// Requests without a good answer.
    pub errors: u64,
    /// Each backend's part of the requests, the smaller shop first.
    pub share: Vec<f64>,
}

/// The traffic while selectors were swapped.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Swap {
    /// Requests sent.
    pub requests: u64,
    /// Requests without a good answer.
    pub errors: u64,
}

impl Swap {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            errors: self.errors + other.errors,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    phases: Vec<Row<'a>>,
    high_load: Vec<Row<'a>>,
    swap: Swap,
}

#[derive(Serialize)]
struct Row<'a> {
    selector: &'a str,
    throughput_rps: f64,
    #[serde(flatten)]
    load: &'a Load,
}

impl Outcome {
    /// The table for a terminal: both loads of every selector.
    #[must_use]
    pub fn table(&self, look: Look) -> String {
        let numbers = ["rate/s", "mean ms", "p50 ms", "p95 ms", "p99 ms", "errors", "most/s"];
        let columns = [Column::text("load"), Column::text("selector")].into_iter();
        let columns = columns
            .chain(numbers.map(Column::number))
            .chain([Column::text("shares")]);
        let mut table = Table::new(columns);
        for (name, load) in [
            ("moderate", Phase::moderate as fn(&Phase) -> &Load),
            ("high", Phase::high),
        ] {
            for phase in &self.phases {
                table.push(cells(name, phase, load(phase)));
            }
        }
        table.text(look)
    }

    /// The same for JSON: `phases` at the moderate load, `high_load`, and `swap`.
    #[must_use]
    pub fn json(&self) -> impl Serialize + '_ {
        let rows = |load: fn(&Phase) -> &Load| self.phases.iter().map(|phase| row(phase, load(phase))).collect();
        Document {
            phases: rows(Phase::moderate),
            high_load: rows(Phase::high),
            swap: self.swap,
        }
    }
}

impl Phase {
    fn moderate(&self) -> &Load {
        &self.moderate
    }

    fn high(&self) -> &Load {
        &self.high
    }
}

fn row<'a>(phase: &'a Phase, load: &'a Load) -> Row<'a> {
    Row {
        selector: &phase.selector,
        throughput_rps: phase.throughput_rps,
        load,
    }
}

fn cells(name: &str, phase: &Phase, load: &Load) -> Vec<String> {
    let milliseconds = [load.mean_ms, load.p50_ms, load.p95_ms, load.p99_ms].map(report::milliseconds);
    let shares: Vec<String> = load
        .share
        .iter()
        .map(|share| format!("{:.0} %", share * 100.0))
        .collect();
    let mut cells = vec![name.to_owned(), phase.selector.clone(), format!("{:.0}", load.rate_rps)];
    cells.extend(milliseconds);
    cells.extend([
        load.errors.to_string(),
        format!("{:.0}", phase.throughput_rps),
        shares.join(" / "),
    ]);
    cells
}
