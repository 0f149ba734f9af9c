//! The page of `--html`: for each scenario the figures, how latencies are spread, and who got which share when.

use crate::cli::simulate::of_scenario;
use crate::cli::simulate::overall;
use crate::report;
use crate::report::Axis;
use crate::report::Chart;
use crate::report::Line;
use crate::report::MOST_LINES;
use crate::report::Page;
use crate::report::Scale;
use crate::simulation::CURVE;
use crate::simulation::Comparison;
use crate::simulation::Report;

/// Places on the time axis of a chart of shares.
const MOMENTS: usize = 100;

/// The page of `reports`, which are compared in `comparison`.
pub(super) fn page(reports: &[Report], comparison: &Comparison) -> String {
    let mut page = Page::new("Selectors in simulated worlds");
    page.paragraph(
        "Every selector met the same requests and the same faults. Figures are means over the seeds; mean/best and \
         p99/best are against the best classical selector of the scenario.",
    );
    for (scenario, selectors) in &comparison.scenarios {
        let own: Vec<&Report> = reports.iter().filter(|report| report.scenario == *scenario).collect();
        page.heading(scenario);
        page.table(&of_scenario(selectors));
        page.chart(
            "Latency by the part of the answers that were no slower",
            &latencies(&own),
        );
        let first = own.first().map(|report| report.seed);
        for report in own.iter().filter(|report| Some(report.seed) == first) {
            let name = format!(
                "{}: share of each backend over time, seed {}",
                report.selector, report.seed
            );
            page.folded_chart(&name, &shares(report));
        }
    }
    if comparison.scenarios.len() > 1 && !comparison.overall.is_empty() {
        page.heading("All scenarios");
        page.table(&overall(comparison));
    }
    page.html()
}

/// One line for each selector, averaged over its seeds.
fn latencies(reports: &[&Report]) -> Chart {
    let mut names: Vec<&str> = Vec::new();
    for report in reports {
        if !names.contains(&report.selector.as_str()) {
            names.push(&report.selector);
        }
    }
    let line = |name: &&str| {
        let own: Vec<&&Report> = reports.iter().filter(|report| report.selector == *name).collect();
        let mean = |place: usize| own.iter().map(|report| report.curve_ms[place]).sum::<f64>() / own.len() as f64;
        Line {
            name: (*name).to_owned(),
            points: CURVE
                .iter()
                .enumerate()
                .map(|(place, part)| (*part, mean(place)))
                .collect(),
        }
    };
    report::latency_curves(names.iter().map(line).collect())
}

/// One line for each backend.
fn shares(report: &Report) -> Chart {
    let seconds = report.shares.len().div_ceil(MOMENTS).max(1);
    let backends = report.shares.first().map_or(0, Vec::len).min(MOST_LINES);
    let line = |backend: usize| Line {
        name: format!("backend {backend}"),
        points: report
            .shares
            .chunks(seconds)
            .enumerate()
            .map(|(moment, counts)| ((moment * seconds) as f64, share(counts, backend)))
            .collect(),
    };
    Chart {
        x: Axis::new("seconds", Scale::Linear),
        y: Axis::new("share of the requests, %", Scale::Linear),
        lines: (0..backends).map(line).collect(),
    }
}

/// The part of `backend` in some seconds, in percent; not a number when nothing was sent.
fn share(counts: &[Vec<u32>], backend: usize) -> f64 {
    let all: u32 = counts.iter().flatten().sum();
    let own: u32 = counts.iter().filter_map(|second| second.get(backend)).sum();
    100.0 * f64::from(own) / f64::from(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_parts_of_what_was_sent() {
        let counts = [vec![1, 3], vec![2, 2]];
        assert_eq!([0, 1].map(|backend| share(&counts, backend)), [37.5, 62.5]);
        assert!(share(&[], 0).is_nan());
    }
}
