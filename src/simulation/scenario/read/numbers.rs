//! Numbers with fractions: a world needs them, a gateway's configuration does not.

use std::ops::Range;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::error::quoted;
use crate::config::read::Located;

/// The longest world, and the longest anything in it.
const LONGEST: Duration = Duration::from_secs(100_000);
const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// A number within `bounds`, as `2` or `0.5`.
pub(super) fn decimal(node: Located<'_>, bounds: RangeInclusive<f64>) -> Option<f64> {
    let text = node.plain("a number")?;
    within(node, text, plain(text), bounds, "a number such as 2 or 0.5")
}

/// A percentage within `bounds`, which are parts of 1.
pub(super) fn percentage(node: Located<'_>, bounds: RangeInclusive<f64>) -> Option<f64> {
    let text = node.plain("a percentage")?;
    let percent = text.strip_suffix('%').and_then(plain);
    let bounds = bounds.start() * 100.0..=bounds.end() * 100.0;
    within(node, text, percent, bounds, "a percentage such as 70%").map(|percent| percent / 100.0)
}

/// A duration from `least`, as `150s` or `0.5ms`.
pub(super) fn span(node: Located<'_>, least: Duration) -> Option<Duration> {
    let text = node.plain("a duration")?;
    let seconds = UNITS
        .iter()
        .find_map(|(unit, factor)| Some(plain(text.strip_suffix(unit)?)? * factor));
    let bounds = least.as_secs_f64()..=LONGEST.as_secs_f64();
    within(node, text, seconds, bounds, "a duration such as 0.5ms, 30s or 10m").map(Duration::from_secs_f64)
}

/// Two durations `[least, most]`, in this order.
pub(super) fn spread(node: Located<'_>) -> Option<RangeInclusive<Duration>> {
    let items = node.items(2)?;
    let [low, high] = items.as_slice() else {
        node.refuse("one duration is no range", "write two: [5s, 30s]");
        return None;
    };
    let (low, high) = (
        span(*low, Duration::from_millis(1))?,
        span(*high, Duration::from_millis(1))?,
    );
    if low > high {
        node.refuse(
            "the first duration is longer than the second",
            "write the shorter one first",
        );
        return None;
    }
    Some(low..=high)
}

/// A stretch of time; `from` and `to` are where its ends are written, if they are.
pub(super) fn window(from: Option<Located<'_>>, to: Option<Located<'_>>) -> Option<Range<Duration>> {
    let start = from.map_or(Some(Duration::ZERO), |node| span(node, Duration::ZERO))?;
    let end = to.map_or(Some(LONGEST), |node| span(node, Duration::ZERO))?;
    if start >= end {
        if let Some(node) = to {
            node.refuse("it ends before it begins", "write a later time than `from`");
        }
        return None;
    }
    Some(start..end)
}

/// Digits with at most one point: no signs, exponents, infinities.
fn plain(text: &str) -> Option<f64> {
    let is_decimal =
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| is_decimal)
}

fn within(
    node: Located<'_>,
    text: &str,
    number: Option<f64>,
    bounds: RangeInclusive<f64>,
    expected: &str,
) -> Option<f64> {
    match number {
        Some(number) if bounds.contains(&number) => return Some(number),
        Some(_) => node.refuse(format!("{} is out of bounds", quoted(text)), allowed(&bounds, expected)),
        None => node.refuse(
            format!("{} is not what belongs here", quoted(text)),
            format!("write {expected}"),
        ),
    }
    None
}

fn allowed(bounds: &RangeInclusive<f64>, expected: &str) -> String {
    let unit = match expected {
        text if text.contains('%') => "%",
        text if text.contains("ms") => "s",
        _ => "",
    };
    format!("use {}{unit} to {}{unit}", bounds.start(), bounds.end())
}
