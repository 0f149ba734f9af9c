//! The JSON of `sylvan agent`.
//!
//! Its rates are taken as they are, not worked out from its totals: an agent counts once a window of its own, and
//! polls that are not in step with it would see no growth at one poll and twice as much at the next.

use serde::Deserialize;
use serde::de::Error;

use crate::tasks::metrics::reading::Cpu;
use crate::tasks::metrics::reading::Reading;
use crate::tasks::metrics::reading::Traffic;

/// No machine moves more bytes in a second.
const MOST: f64 = 1e15;

/// What is used of it; the rest is for others.
#[derive(Debug, Deserialize)]
struct Sample {
    cpu_percent: Option<f64>,
    ram_percent: Option<f64>,
    bytes_sent: Option<f64>,
    bytes_recv: Option<f64>,
}

/// What `text` says.
///
/// # Errors
/// When it is not JSON of that shape.
pub(super) fn read(text: &str) -> serde_json::Result<Reading> {
    let sample: Sample = serde_json::from_str(text)?;
    let figures = [
        sample.cpu_percent,
        sample.ram_percent,
        sample.bytes_sent,
        sample.bytes_recv,
    ];
    if let Some(figure) = figures
        .into_iter()
        .flatten()
        .find(|figure| !(0.0..=MOST).contains(figure))
    {
        return Err(serde_json::Error::custom(format!(
            "{figure} is no figure that an agent gives"
        )));
    }
    Ok(Reading {
        cpu: sample.cpu_percent.map(Cpu::Percent),
        ram_percent: sample.ram_percent,
        sent: sample.bytes_sent.map(Traffic::PerSecond),
        received: sample.bytes_recv.map(Traffic::PerSecond),
    })
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Reading>) {
        assert_eq!(read(text).ok(), expected);
    }

    #[test]
    fn the_agents_figures_are_read() {
        let text = r#"{"cpu_percent":12.5,"ram_percent":40.0,"bytes_sent":1000.0,"bytes_recv":500.5,
            "bytes_sent_total":123,"bytes_recv_total":456,"window_seconds":1.0003}"#;
        check(
            text,
            Some(Reading {
                cpu: Some(Cpu::Percent(12.5)),
                ram_percent: Some(40.0),
                sent: Some(Traffic::PerSecond(1000.0)),
                received: Some(Traffic::PerSecond(500.5)),
            }),
        );
    }

    #[test]
    fn figures_may_be_missing() {
        check(
            r#"{"cpu_percent":null,"ram_percent":40}"#,
            Some(Reading {
                ram_percent: Some(40.0),
                ..Reading::default()
            }),
        );
        check("{}", Some(Reading::default()));
    }

    #[test]
    fn what_is_not_of_that_shape_is_refused() {
        for text in [
            "",
            "ok",
            "[]",
            "7",
            r#"{"cpu_percent":"12"}"#,
            r#"{"cpu_percent":-5}"#,
            r#"{"ram_percent":1e300}"#,
            r#"{"cpu_percent":12.5"#,
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = read(&text);
        }
    }
}
