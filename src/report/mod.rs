//! One look for what every command shows: tables and charts, pages of them, progress in [`progress`].
//!
//! Pure text: where it goes, how wide that is and whether it understands escape codes comes in as a [`Look`].

mod axis;
mod chart;
mod page;
pub mod progress;
mod table;

pub use axis::Axis;
pub use axis::Scale;
pub use chart::Chart;
pub use chart::Line;
pub use chart::MOST_LINES;
pub use page::Page;
pub use table::Column;
pub use table::Table;

/// What the place that text goes to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A file, a pipe or a log: no escape codes, no width, nothing redrawn.
    Plain,
    /// A terminal.
    Terminal {
        /// Columns of the terminal.
        width: usize,
        /// Whether escape codes for emphasis are welcome (`NO_COLOR` is not set).
        color: bool,
    },
}

/// What stands for a number that is not known.
pub const UNKNOWN: &str = "-";

/// `milliseconds` with as many digits as matter: `0.42`, `12.3`, `1234`; a dash where nothing was measured.
#[must_use]
pub fn milliseconds(milliseconds: f64) -> String {
    if milliseconds.is_nan() {
        return UNKNOWN.to_owned();
    }
    let decimals = match milliseconds {
        small if small < 10.0 => 2,
        medium if medium < 100.0 => 1,
        _ => 0,
    };
    format!("{milliseconds:.decimals$}")
}

/// How latencies are spread; the points of a line are a part of the answers and the milliseconds that it did not exceed.
#[must_use]
pub fn latency_curves(lines: Vec<Line>) -> Chart {
    Chart {
        x: Axis::new("part of the answers", Scale::Nines),
        y: Axis::new("latency, ms", Scale::Logarithmic),
        lines,
    }
}

/// `bytes` in the largest binary unit that leaves a number of at least 1: `512 B`, `1.5 KiB`, `3.0 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_keep_the_digits_that_matter() {
        let shown = [0.417, 12.34, 1234.5, f64::NAN].map(milliseconds).join(" ");
        assert_eq!(shown, "0.42 12.3 1234 -");
    }

    #[test]
    fn sizes_take_the_largest_fitting_unit() {
        let shown = [0, 1023, 1536, 3 << 30, u64::MAX].map(size).join(", ");
        assert_eq!(shown, "0 B, 1023 B, 1.5 KiB, 3.0 GiB, 16777216.0 TiB");
    }
}
