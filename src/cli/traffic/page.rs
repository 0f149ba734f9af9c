//! The page of `--html`: the figures, how latencies are spread, and how the run went second by second.

use crate::cli::traffic::course::Course;
use crate::cli::traffic::course::Moment;
use crate::cli::traffic::table;
use crate::report;
use crate::report::Axis;
use crate::report::Chart;
use crate::report::Line;
use crate::report::Page;
use crate::report::Scale;
use crate::traffic::Load;
use crate::traffic::Plan;
use crate::traffic::Summary;

type Figure = fn(&Moment) -> f64;

/// The page of `summary`, which came of `plan` against `url`.
pub(super) fn page(url: &str, plan: &Plan, summary: &Summary, course: &Course) -> String {
    let mut page = Page::new(&format!("Traffic to {url}"));
    page.paragraph(&sent(plan));
    page.table(&table(summary));
    page.heading("Latency");
    page.paragraph(
        "Of successes, and of timeouts with the time waited for them. Fast failures are not in it: they would flatter a target \
         that fails.",
    );
    let all = Line {
        name: "successes and timeouts".to_owned(),
        points: summary.latencies.curve_ms(),
    };
    page.chart(
        "Latency by the part of the answers that were no slower",
        &report::latency_curves(vec![all]),
    );
    page.chart("Latency over time", &latencies(course));
    page.heading("Answers and errors");
    page.chart("Answers and errors over time", &counts(course));
    page.html()
}

/// What was sent, in a sentence.
fn sent(plan: &Plan) -> String {
    let seed = plan.seed;
    match plan.load {
        Load::Open { rate, .. } => format!(
            "An open loop: {rate} on average, whether or not earlier requests were answered. Latency counts from the moment \
             at which a request was meant to leave. Seed {seed}."
        ),
        Load::Closed { connections } => format!(
            "A closed loop: {connections} connections, each with its next request as soon as it had an answer. It measures the \
             most that gets through, not what users would feel. Seed {seed}."
        ),
    }
}

fn latencies(course: &Course) -> Chart {
    over_time(
        Axis::new("latency, ms", Scale::Logarithmic),
        course,
        [
            ("half of the answers were faster", |moment| moment.p50_ms),
            ("99 of 100 were faster", |moment| moment.p99_ms),
        ],
    )
}

fn counts(course: &Course) -> Chart {
    over_time(
        Axis::new("per second", Scale::Linear),
        course,
        [
            ("answers of any status", Moment::answers_per_second),
            ("errors", Moment::errors_per_second),
        ],
    )
}

fn over_time(y: Axis, course: &Course, figures: [(&str, Figure); 2]) -> Chart {
    let line = |(name, figure): (&str, Figure)| Line {
        name: name.to_owned(),
        points: course
            .moments()
            .iter()
            .map(|moment| (moment.ended_s, figure(moment)))
            .collect(),
    };
    Chart {
        x: Axis::new("seconds", Scale::Linear),
        y,
        lines: figures.map(line).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::traffic::Arrivals;
    use crate::traffic::Mix;
    use crate::traffic::Pulse;
    use crate::traffic::Rate;
    use crate::traffic::Target;

    fn plan() -> Plan {
        Plan {
            target: Target::new(([127, 0, 0, 1], 80).into()),
            load: Load::Open {
                rate: Rate::per_second(200.0).unwrap(),
                arrivals: Arrivals::Poisson,
            },
            duration: Duration::from_secs(3),
            seed: 7,
            mix: Mix::paths(["/"]).unwrap(),
            max_connections: 1,
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_page_says_what_was_sent_and_shows_how_it_went() {
        let mut course = Course::default();
        for second in 1..=3 {
            course.add(&Pulse {
                elapsed: Duration::from_secs(second),
                rate_rps: 200.0,
                p50_ms: 1.0,
                p99_ms: 9.0,
                errors: 0,
            });
        }
        let html = page("http://a/<b>", &plan(), &Summary::default(), &course);
        for part in [
            "<h1>Traffic to http://a/&lt;b&gt;</h1>",
            "200/s on average",
            "Seed 7",
            "requests</td><td>0</td>",
            "99 of 100 were faster",
            "answers of any status",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("no slower"), "no curve of no answers: {html}");
    }
}
