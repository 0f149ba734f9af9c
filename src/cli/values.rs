//! How durations and rates are written on the command line.

use std::time::Duration;

use crate::traffic::Rate;

/// Reads `500ms`, `1.5s`, `10m` or `1h`; anything but zero.
///
/// # Errors
/// What is wrong with `text`, and how to write it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text).ok_or("write a number and a unit, such as `30s`")?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "" => return Err(format!("the unit is missing; write `{text}s` for seconds")),
        _ => return Err(format!("`{unit}` is not a unit; use ms, s, m or h")),
    };
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| "that is too long".to_owned())?;
    if duration.is_zero() {
        Err("a duration must be longer than zero".to_owned())
    } else {
        Ok(duration)
    }
}

/// Reads what [`duration`] does, and `0s`.
///
/// # Errors
/// As [`duration`].
pub(crate) fn duration_or_none(text: &str) -> Result<Duration, String> {
    match split(text) {
        Some((0.0, _)) => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

/// Reads `200/s`, `12000/m` or `90/h`; anything but zero.
///
/// # Errors
/// What is wrong with `text`, and how to write it.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let (number, unit) = split(text).ok_or("write a number and a unit, such as `200/s`")?;
    let seconds = match unit {
        "/s" => 1.0,
        "/m" => 60.0,
        "/h" => 3600.0,
        "" => return Err(format!("the unit is missing; write `{text}/s` for requests per second")),
        _ => return Err(format!("`{unit}` is not a unit; use /s, /m or /h")),
    };
    Rate::per_second(number / seconds).ok_or_else(|| "a rate must be above zero".to_owned())
}

/// The number that `text` begins with, and the rest.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, expected: &str) {
        let shown = duration(text).map_or_else(|error| error, |duration| format!("{duration:?}"));
        assert_eq!(shown, expected);
    }

    #[track_caller]
    fn check_rate(text: &str, expected: &str) {
        let shown = rate(text).map_or_else(|error| error, |rate| rate.to_string());
        assert_eq!(shown, expected);
    }

    #[test]
    fn durations_carry_units() {
        check_duration("500ms", "500ms");
        check_duration("1.5s", "1.5s");
        check_duration("10m", "600s");
        check_duration("2h", "7200s");
    }

    #[test]
    fn wrong_durations_say_how_to_write_them() {
        check_duration("30", "the unit is missing; write `30s` for seconds");
        check_duration("30x", "`x` is not a unit; use ms, s, m or h");
        check_duration("-1s", "write a number and a unit, such as `30s`");
        check_duration("0s", "a duration must be longer than zero");
        check_duration("99999999999999999999h", "that is too long");
    }

    #[test]
    fn rates_carry_units() {
        check_rate("200/s", "200/s");
        check_rate("12000/m", "200/s");
        check_rate("90/h", "0.025/s");
    }

    #[test]
    fn wrong_rates_say_how_to_write_them() {
        check_rate("200", "the unit is missing; write `200/s` for requests per second");
        check_rate("200/d", "`/d` is not a unit; use /s, /m or /h");
        check_rate("fast", "write a number and a unit, such as `200/s`");
        check_rate("0/s", "a rate must be above zero");
    }
}
