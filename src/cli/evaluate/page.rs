//! The page of `--html`: what the slices prove, in words, and every figure behind it as a table or a chart.

use std::time::Duration;

use crate::evaluation::Comparison;
use crate::evaluation::Evaluation;
use crate::evaluation::Interval;
use crate::evaluation::Phase;
use crate::evaluation::Verdict;
use crate::report;
use crate::report::Axis;
use crate::report::Chart;
use crate::report::Column;
use crate::report::Line;
use crate::report::MOST_LINES;
use crate::report::Page;
use crate::report::Scale;
use crate::report::Table;

/// Words for more and for less of something.
type Words = [&'static str; 2];
const LATENCY: Words = ["longer", "shorter"];
const THROUGHPUT: Words = ["more", "less"];

/// The page of `evaluation`.
pub(super) fn page(evaluation: &Evaluation) -> String {
    let mut page = Page::new("Selectors on live backends");
    page.paragraph(&measured(evaluation));
    if !evaluation.comparisons.is_empty() {
        page.heading("Verdict");
        page.table(&verdicts(evaluation));
        page.paragraph(
            "The verdict is on the mean latency. In brackets is where the figure lies with 95 % confidence; better or worse is \
             said only when all of that is on one side. An error counts as a second. A longer run makes it narrower.",
        );
    }
    for warning in evaluation.warnings() {
        page.paragraph(&format!("Warning: {warning}."));
    }
    page.heading("Figures");
    page.table(&evaluation.figures());
    page.paragraph("Shares and CPU are those of each backend, in the order of the pool.");
    page.heading("Latency");
    page.chart(
        "Latency by the part of the answers that were no slower",
        &report::latency_curves(lines(evaluation, |phase| phase.summary.latencies.curve_ms())),
    );
    page.chart("Mean latency of each slice, an error as a second", &means(evaluation));
    if evaluation.phases.iter().any(is_seen_inside) {
        page.heading("Backends");
    }
    for phase in &evaluation.phases {
        let (selector, backends) = (&phase.selector, &evaluation.backends);
        let shares = by_backend("share of the requests, %", phase, backends, &phase.shares(), 100.0);
        page.folded_chart(&format!("{selector}: share of each backend over the slices"), &shares);
        let cpu = by_backend("CPU, %", phase, backends, &phase.cpu_percents, 1.0);
        page.folded_chart(&format!("{selector}: CPU of each backend over the slices"), &cpu);
    }
    page.html()
}

/// What was done, in a few sentences.
fn measured(evaluation: &Evaluation) -> String {
    let slices = evaluation.phases.first().map_or(0, |phase| phase.costs_ms.len());
    format!(
        "Everyone in turn got the same traffic: {} requests per second on average, in {slices} slices each, which alternate. \
         Seed {}.",
        evaluation.rate_rps, evaluation.seed
    )
}

/// What is known of the backends under a selector; of a rival, whose choices are its own, only the CPU.
fn is_seen_inside(phase: &Phase) -> bool {
    [&phase.requests, &phase.cpu_percents]
        .into_iter()
        .flatten()
        .any(|slice| !slice.is_empty())
}

fn verdicts(evaluation: &Evaluation) -> Table {
    let columns = ["selector", "verdict", "mean latency", "p99 latency", "most throughput"];
    let mut table = Table::new(columns.map(Column::text));
    for comparison in &evaluation.comparisons {
        table.push([
            comparison.selector.clone(),
            verdict(comparison),
            changed(comparison.mean, LATENCY),
            changed(comparison.p99, LATENCY),
            changed(comparison.throughput, THROUGHPUT),
        ]);
    }
    table
}

fn verdict(comparison: &Comparison) -> String {
    let baseline = &comparison.baseline;
    match comparison.verdict {
        Verdict::Better => format!("better than {baseline}"),
        Verdict::Worse => format!("worse than {baseline}"),
        Verdict::NotMeasured => "not measured".to_owned(),
        Verdict::NoDifference => format!("like {baseline}, or chance hides the difference"),
    }
}

/// `46 % shorter (40 to 52 %)`; both ends are named when they are on different sides. No line ends before a `%`.
fn changed(interval: Option<Interval>, words: Words) -> String {
    let Some(Interval { ratio, low, high }) = interval else {
        return "not measured".to_owned();
    };
    let percent = |ratio: f64| (ratio - 1.0).abs() * 100.0;
    let named = |ratio: f64| match format!("{:.0}", percent(ratio)).as_str() {
        "0" => "the same".to_owned(),
        percent => format!("{percent}\u{a0}% {}", words[usize::from(ratio < 1.0)]),
    };
    let ends = if low > 1.0 {
        format!("{:.0} to {:.0}\u{a0}%", percent(low), percent(high))
    } else if high < 1.0 {
        format!("{:.0} to {:.0}\u{a0}%", percent(high), percent(low))
    } else {
        format!("{} to {}", named(low), named(high))
    };
    format!("{} ({ends})", named(ratio))
}

fn lines(evaluation: &Evaluation, points: impl Fn(&Phase) -> Vec<(f64, f64)>) -> Vec<Line> {
    let line = |phase: &Phase| Line {
        name: phase.selector.clone(),
        points: points(phase),
    };
    evaluation.phases.iter().map(line).collect()
}

fn means(evaluation: &Evaluation) -> Chart {
    Chart {
        x: time(),
        y: Axis::new("mean latency, ms", Scale::Linear),
        lines: lines(evaluation, |phase| {
            let costs = moments(phase).zip(&phase.costs_ms);
            costs.filter_map(|(moment, cost)| Some((moment, (*cost)?))).collect()
        }),
    }
}

/// One line for each backend of `figures`, which has a row for each slice, `unit` times as high.
fn by_backend(name: &str, phase: &Phase, backends: &[String], figures: &[Vec<f64>], unit: f64) -> Chart {
    let line = |(backend, address): (usize, &String)| Line {
        name: address.clone(),
        points: moments(phase)
            .zip(figures)
            .filter_map(|(moment, slice)| Some((moment, slice.get(backend)? * unit)))
            .collect(),
    };
    Chart {
        x: time(),
        y: Axis::new(name, Scale::Linear),
        lines: backends.iter().enumerate().take(MOST_LINES).map(line).collect(),
    }
}

/// When each slice began.
fn moments(phase: &Phase) -> impl Iterator<Item = f64> + '_ {
    phase.began.iter().map(Duration::as_secs_f64)
}

fn time() -> Axis {
    Axis::new("seconds since the first slice began", Scale::Linear)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(ratio: f64, low: f64, high: f64) -> Option<Interval> {
        Some(Interval { ratio, low, high })
    }

    #[track_caller]
    fn check(found: Option<Interval>, words: Words, expected: &str) {
        assert_eq!(changed(found, words).replace('\u{a0}', " "), expected);
    }

    #[test]
    fn ratios_are_told_in_words() {
        check(interval(1.86, 1.653, 2.076), LATENCY, "86 % longer (65 to 108 %)");
        check(interval(0.54, 0.48, 0.6), LATENCY, "46 % shorter (40 to 52 %)");
        check(
            interval(1.06, 0.923, 1.229),
            LATENCY,
            "6 % longer (8 % shorter to 23 % longer)",
        );
        check(interval(0.9, 0.8, 0.95), THROUGHPUT, "10 % less (5 to 20 %)");
        check(
            interval(1.001, 0.9, 1.1),
            LATENCY,
            "the same (10 % shorter to 10 % longer)",
        );
        check(None, LATENCY, "not measured");
    }

    fn phase(selector: &str, backends: usize) -> Phase {
        Phase {
            selector: selector.to_owned(),
            began: vec![Duration::ZERO, Duration::from_secs(9)],
            costs_ms: vec![Some(5.0), Some(6.0)],
            requests: vec![vec![1.0; backends]; 2],
            cpu_percents: vec![vec![50.0; backends]; 2],
            ..Phase::default()
        }
    }

    #[test]
    fn a_page_has_every_selector_and_what_is_known_of_the_backends() {
        let evaluation = Evaluation {
            rate_rps: 200.0,
            seed: 7,
            phases: vec![phase("forest", 2), phase("<rival>", 0)],
            comparisons: vec![Comparison {
                selector: "<rival>".to_owned(),
                baseline: "forest".to_owned(),
                mean: interval(1.86, 1.653, 2.076),
                p99: interval(1.0, 0.9, 1.1),
                throughput: None,
                verdict: Verdict::Worse,
            }],
            backends: vec!["10.0.0.1:80".to_owned(), "10.0.0.2:80".to_owned()],
        };
        let html = page(&evaluation).replace('\u{a0}', " ");
        for part in [
            "200 requests per second on average, in 2 slices each",
            ">&lt;rival&gt;</td><td class=\"words\">worse than forest</td><td class=\"words\">86 % longer (65 to 108 %)</td>",
            "</i>&lt;rival&gt;</span>",
            "forest: share of each backend over the slices",
            "forest: CPU of each backend over the slices",
            "</i>10.0.0.2:80</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(
            !html.contains("rival&gt;: share"),
            "of a rival's choices nothing is known"
        );
    }
}
