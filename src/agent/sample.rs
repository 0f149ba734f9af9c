//! Two readings make a sample: the arithmetic of the agent, without a clock and without a file.

use std::time::Duration;

/// What a scope has counted up to one moment, and what it may use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// CPU time used so far, in core-seconds.
    pub cpu_seconds: f64,
    /// The CPU cores the scope may use at once.
    pub cpu_limit_cores: f64,
    /// Memory in use now.
    pub memory_bytes: u64,
    /// The memory the scope may use.
    pub memory_limit_bytes: u64,
    /// Bytes sent so far.
    pub sent_bytes: u64,
    /// Bytes received so far.
    pub received_bytes: u64,
}

/// The figures of one window between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The reading at the end of the window.
    pub reading: Reading,
    /// How long the window was.
    pub window: Duration,
    /// CPU in use over the window, 0 to 100 percent of what the scope may use.
    pub cpu_percent: f64,
    /// Memory in use at the end of the window, 0 to 100 percent of what the scope may use.
    pub ram_percent: f64,
    /// Bytes sent per second of the window.
    pub sent_per_second: f64,
    /// Bytes received per second of the window.
    pub received_per_second: f64,
}

impl Sample {
    /// The sample of the `window` between two readings. A counter that went back (a restart, a removed interface)
    /// counts as no growth, and an empty window as no use.
    #[must_use]
    pub fn between(earlier: &Reading, later: &Reading, window: Duration) -> Self {
        let seconds = window.as_secs_f64();
        let cpu_used = (later.cpu_seconds - earlier.cpu_seconds).max(0.0);
        Self {
            reading: *later,
            window,
            cpu_percent: percent(cpu_used, seconds * later.cpu_limit_cores),
            ram_percent: percent(later.memory_bytes as f64, later.memory_limit_bytes as f64),
            sent_per_second: rate(earlier.sent_bytes, later.sent_bytes, seconds),
            received_per_second: rate(earlier.received_bytes, later.received_bytes, seconds),
        }
    }
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (100.0 * part / whole).clamp(0.0, 100.0)
    } else {
        0.0
    }
}

fn rate(earlier: u64, later: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        later.saturating_sub(earlier) as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Reading = Reading {
        cpu_seconds: 10.0,
        cpu_limit_cores: 0.5,
        memory_bytes: 256,
        memory_limit_bytes: 1024,
        sent_bytes: 1_000,
        received_bytes: 500,
    };

    #[track_caller]
    fn check(later: Reading, window: Duration, expected: [f64; 4]) {
        let sample = Sample::between(&START, &later, window);
        let figures = [
            sample.cpu_percent,
            sample.ram_percent,
            sample.sent_per_second,
            sample.received_per_second,
        ];
        assert_eq!(figures, expected);
    }

    #[test]
    fn half_a_core_in_use_fills_a_limit_of_half_a_core() {
        let later = Reading {
            cpu_seconds: 11.0,
            sent_bytes: 5_000,
            received_bytes: 900,
            ..START
        };
        check(later, Duration::from_secs(2), [100.0, 25.0, 2_000.0, 200.0]);
    }

    #[test]
    fn more_than_the_limit_reads_as_the_limit() {
        let later = Reading {
            cpu_seconds: 13.0,
            memory_bytes: 4_096,
            ..START
        };
        check(later, Duration::from_secs(2), [100.0, 100.0, 0.0, 0.0]);
    }

    #[test]
    fn counters_that_go_back_are_no_use() {
        let later = Reading {
            cpu_seconds: 1.0,
            sent_bytes: 0,
            received_bytes: 0,
            ..START
        };
        check(later, Duration::from_secs(1), [0.0, 25.0, 0.0, 0.0]);
    }

    #[test]
    fn an_empty_window_is_no_use() {
        let later = Reading {
            cpu_seconds: 11.0,
            sent_bytes: 5_000,
            ..START
        };
        check(later, Duration::ZERO, [0.0, 25.0, 0.0, 0.0]);
    }
}
