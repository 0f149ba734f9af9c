//! `health_check` and `outlier_detection`: how a pool learns which of its backends work.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::uri::Authority;

use crate::config::HealthCheck;
use crate::config::OutlierDetection;
use crate::config::Probe;
use crate::config::check::metrics;
use crate::config::error::quoted;
use crate::config::quantity::show_duration;
use crate::config::read::Located;
use crate::config::read::Refusal;
use crate::config::read::Section;
use crate::units::Share;

const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3_600);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
const THRESHOLD: RangeInclusive<u64> = 1..=100;
/// Two.
const HEALTHY_THRESHOLD: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// Three.
const UNHEALTHY_THRESHOLD: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
const STATUSES: RangeInclusive<u16> = 100..=599;
const MOST_STATUSES: usize = 64;
const DEFAULT_STATUSES: (u16, u16) = (200, 299);
const EJECTION_TIME: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);
const BASE_EJECTION_TIME: Duration = Duration::from_secs(1);
const MAX_EJECTION_TIME: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Tcp,
}

pub(super) fn health_check(section: &Section<'_>) -> Option<HealthCheck> {
    section.optional("health_check")?.section(checks)?
}

fn checks(section: &Section<'_>) -> Option<HealthCheck> {
    let kinds = [("http", Kind::Http), ("tcp", Kind::Tcp)];
    let kind = section.required("type", "http").and_then(|node| node.choice(&kinds));
    let probe = probe(section, kind);
    let interval = section.or("interval", DEFAULT_INTERVAL, |node| node.duration(INTERVAL));
    let timeout = timeout(section, interval);
    let healthy_threshold = section.or("healthy_threshold", HEALTHY_THRESHOLD, threshold);
    let unhealthy_threshold = section.or("unhealthy_threshold", UNHEALTHY_THRESHOLD, threshold);
    Some(HealthCheck {
        probe: probe?,
        interval,
        timeout,
        healthy_threshold,
        unhealthy_threshold,
    })
}

/// An unknown type is read as `http`, the one with all the keys.
fn probe(section: &Section<'_>, kind: Option<Kind>) -> Option<Probe> {
    if kind == Some(Kind::Tcp) {
        for key in ["path", "host", "expect"] {
            section.inapplicable(key, "is for `type: http`");
        }
        return Some(Probe::Tcp);
    }
    let http = Probe::Http {
        path: section.or("path", "/".to_owned(), metrics::path),
        host: section.optional("host").and_then(host),
        statuses: section.or("expect", vec![DEFAULT_STATUSES], |node| node.section(statuses)),
    };
    kind.map(|_| http)
}

/// Probes that take longer than the time between two of them would pile up.
fn timeout(section: &Section<'_>, interval: Duration) -> Duration {
    let Some(node) = section.optional("timeout") else {
        return DEFAULT_TIMEOUT.min(interval);
    };
    let timeout = node.duration(TIMEOUT).unwrap_or(DEFAULT_TIMEOUT.min(interval));
    if timeout > interval {
        let message = format!("`timeout` is longer than the interval of {}", show_duration(&interval));
        node.refuse(message, "use a shorter timeout or a longer interval");
    }
    timeout
}

fn threshold(node: Located<'_>) -> Option<NonZeroU32> {
    node.number(THRESHOLD)
        .and_then(|number| u32::try_from(number).ok())
        .and_then(NonZeroU32::new)
}

fn host(node: Located<'_>) -> Option<String> {
    node.parsed("a host such as shop.example", |text| match text.parse::<Authority>() {
        Ok(authority) if !text.contains('@') => Ok(authority.to_string()),
        _ => Err(Refusal::new(
            format!("{} is not a host", quoted(text)),
            "write it as in shop.example or shop.example:8080",
        )),
    })
}

fn statuses(section: &Section<'_>) -> Vec<(u16, u16)> {
    let nodes = section
        .required("status", "[200-299]")
        .and_then(|node| node.items(MOST_STATUSES));
    nodes.unwrap_or_default().into_iter().filter_map(status_range).collect()
}

/// `200`, or `200-299`.
fn status_range(node: Located<'_>) -> Option<(u16, u16)> {
    let (text, remedy) = (
        node.plain("a status such as 200")?,
        "write a status as in 200, or a range as in 200-299",
    );
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let range = parse_status(low)
        .zip(parse_status(high))
        .filter(|(low, high)| low <= high);
    if range.is_none() {
        node.refuse(format!("{} is not a status or a range of them", quoted(text)), remedy);
    }
    range
}

fn parse_status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| STATUSES.contains(status))
}

pub(super) fn outlier_detection(section: &Section<'_>) -> OutlierDetection {
    let default = OutlierDetection {
        error_rate: Share::HALF,
        max_ejection: Share::HALF,
        base_ejection_time: BASE_EJECTION_TIME,
        max_ejection_time: MAX_EJECTION_TIME,
    };
    section.or("outlier_detection", default, |node| node.section(ejection))
}

fn ejection(section: &Section<'_>) -> OutlierDetection {
    let base_ejection_time = section.or("base_ejection_time", BASE_EJECTION_TIME, |node| {
        node.duration(EJECTION_TIME)
    });
    OutlierDetection {
        error_rate: section.or("error_rate", Share::HALF, |node| node.share(Share::new(0.01)?)),
        max_ejection: section.or("max_ejection", Share::HALF, |node| node.share(Share::NONE)),
        base_ejection_time,
        max_ejection_time: max_ejection_time(section, base_ejection_time),
    }
}

fn max_ejection_time(section: &Section<'_>, base: Duration) -> Duration {
    let Some(node) = section.optional("max_ejection_time") else {
        return MAX_EJECTION_TIME.max(base);
    };
    let longest = node.duration(EJECTION_TIME).unwrap_or(MAX_EJECTION_TIME.max(base));
    if longest < base {
        let message = format!(
            "`max_ejection_time` is shorter than the first ejection of {}",
            show_duration(&base)
        );
        node.refuse(
            message,
            "use a longer `max_ejection_time` or a shorter `base_ejection_time`",
        );
    }
    longest
}
