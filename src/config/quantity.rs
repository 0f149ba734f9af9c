//! Amounts as people write them, a number and its unit: `500ms`, `16KiB`, `50%`.

use std::time::Duration;

use crate::units::Celsius;
use crate::units::Share;

/// A kind of amount.
pub(crate) struct Quantity<T> {
    pub(crate) name: &'static str,
    /// How to write one.
    pub(crate) remedy: &'static str,
    pub(crate) parse: fn(&str) -> Option<T>,
    /// As it would be written.
    pub(crate) show: fn(&T) -> String,
}

/// A whole number of `ms`, `s`, `m` or `h`.
pub(crate) const DURATION: Quantity<Duration> = Quantity {
    name: "a duration",
    remedy: "write a whole number and a unit: 500ms, 5s, 10m or 1h",
    parse: |text| amount(text, &DURATION_UNITS).map(Duration::from_millis),
    show: show_duration,
};

/// A whole number of bytes: `B`, `KB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or `TiB`.
pub(crate) const SIZE: Quantity<u64> = Quantity {
    name: "a size",
    remedy: "write a whole number and a unit: 512B, 16KiB, 10MiB or 1GB",
    parse: |text| amount(text, &SIZE_UNITS),
    show: show_size,
};

/// A number from 0 to 100 and `%`.
pub(crate) const SHARE: Quantity<Share> = Quantity {
    name: "a percentage",
    remedy: "write a number from 0 to 100 and %: 50%",
    parse: share,
    show: Share::to_string,
};

/// A whole number of degrees Celsius.
pub(crate) const TEMPERATURE: Quantity<Celsius> = Quantity {
    name: "a temperature",
    remedy: "write whole degrees Celsius and C: 80C, or `off`",
    parse: |text| text.strip_suffix('C')?.parse().ok().map(Celsius),
    show: Celsius::to_string,
};

const DURATION_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// `duration` in the largest unit that keeps it whole.
pub(crate) fn show_duration(duration: &Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    show(millis, &DURATION_UNITS, "0s")
}

/// In the largest binary unit that keeps them whole.
fn show_size(bytes: &u64) -> String {
    let binary = SIZE_UNITS.map(|(unit, factor)| if unit.len() == 2 { ("B", 1) } else { (unit, factor) });
    show(*bytes, &binary, "0B")
}

fn share(text: &str) -> Option<Share> {
    let number = text.strip_suffix('%')?;
    let starts_well = number.starts_with(|c: char| c.is_ascii_digit());
    let is_decimal = starts_well && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let percent: f64 = number.parse().ok().filter(|_| is_decimal)?;
    Share::new(percent / 100.0)
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn show(amount: u64, units: &[(&str, u64)], zero: &str) -> String {
    let whole = units.iter().find(|(_, factor)| amount != 0 && amount % factor == 0);
    whole.map_or(zero.to_owned(), |(unit, factor)| format!("{}{unit}", amount / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, millis: Option<u64>) {
        assert_eq!((DURATION.parse)(text), millis.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        check_duration("500ms", Some(500));
        check_duration("5s", Some(5_000));
        check_duration("10m", Some(600_000));
        check_duration("1h", Some(3_600_000));
        check_duration("0s", Some(0));
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5s",
            "5S",
            "1m30s",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            check_duration(text, None);
        }
    }

    #[test]
    fn a_size_is_a_whole_number_and_a_unit() {
        let sizes = ["16KiB", "10MiB", "1MB", "7B", "2GiB", "5", "5K", "5kb"].map(SIZE.parse);
        let expected = [
            Some(16_384),
            Some(10_485_760),
            Some(1_000_000),
            Some(7),
            Some(1 << 31),
            None,
            None,
            None,
        ];
        assert_eq!(sizes, expected);
    }

    #[test]
    fn a_share_is_a_percentage() {
        assert_eq!(share("50%"), Some(Share::HALF));
        assert_eq!(share("0.1%").map(Share::fraction), Some(0.001));
        for text in ["50", "101%", "-1%", "%", "NaN%", "1e1%", ".%", "inf%"] {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn a_temperature_is_whole_degrees() {
        assert_eq!((TEMPERATURE.parse)("80C"), Some(Celsius(80)));
        for text in ["80", "80F", "C", "-1C", "80.5C", "99999C"] {
            assert_eq!((TEMPERATURE.parse)(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_as_they_would_be_written() {
        let durations = [0, 500, 1_000, 90_000, 600_000, 7_200_000].map(|ms| show_duration(&Duration::from_millis(ms)));
        assert_eq!(durations, ["0s", "500ms", "1s", "90s", "10m", "2h"]);
        assert_eq!(
            [0, 1, 1024, 1_000_000, 1 << 20].map(|bytes| show_size(&bytes)),
            ["0B", "1B", "1KiB", "1000000B", "1MiB"]
        );
    }
}
