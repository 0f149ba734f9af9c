//! What a source says at one poll, and what it means beside the poll before: arithmetic without a clock or a socket.

use crate::pool::BackendMetrics;
use crate::units::Timestamp;

/// What a source says of a backend at one poll; `None` is what it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) cpu: Option<Cpu>,
    /// Memory in use, 0 to 100 percent.
    pub(super) ram_percent: Option<f64>,
    pub(super) sent: Option<Traffic>,
    pub(super) received: Option<Traffic>,
}

/// The CPU in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cpu {
    /// Percent of what the backend may use, over the source's own window.
    Percent(f64),
    /// Seconds that all CPUs together were busy, and seconds that they were there, since they started to count.
    Seconds { busy: f64, total: f64 },
}

/// Bytes in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Traffic {
    /// A second, over the source's own window.
    PerSecond(f64),
    /// Since the source started to count.
    Total(f64),
}

/// A reading, and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Taken {
    pub(super) reading: Reading,
    pub(super) at: Timestamp,
}

impl Reading {
    /// Whether the source says nothing that can be used.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Taken {
    /// The figures that follow from this reading and the one before. NaN stands for what does not follow: what the
    /// source does not say, the growth of a counter that was never read before, or one that went back because the
    /// source began anew.
    pub(super) fn metrics(&self, previous: Option<&Self>) -> BackendMetrics {
        let (now, before) = (&self.reading, previous.map(|previous| &previous.reading));
        let seconds = previous.map_or(0.0, |previous| self.at.since(previous.at).as_secs_f64());
        let rate = |now, before| rate(now, before, seconds);
        BackendMetrics {
            cpu_percent: percent(cpu_percent(now.cpu, before.and_then(|before| before.cpu))),
            ram_percent: percent(now.ram_percent),
            bytes_sent: figure(rate(now.sent, before.and_then(|before| before.sent))),
            bytes_recv: figure(rate(now.received, before.and_then(|before| before.received))),
            at: self.at,
        }
    }
}

fn cpu_percent(now: Option<Cpu>, before: Option<Cpu>) -> Option<f64> {
    match (now?, before) {
        (Cpu::Percent(percent), _) => Some(percent),
        (
            Cpu::Seconds { busy, total },
            Some(Cpu::Seconds {
                busy: busy_before,
                total: total_before,
            }),
        ) => Some(100.0 * growth(busy, busy_before)? / growth(total, total_before).filter(|total| *total > 0.0)?),
        (Cpu::Seconds { .. }, _) => None,
    }
}

fn rate(now: Option<Traffic>, before: Option<Traffic>, seconds: f64) -> Option<f64> {
    match (now?, before) {
        (Traffic::PerSecond(rate), _) => Some(rate),
        (Traffic::Total(now), Some(Traffic::Total(before))) if seconds > 0.0 => Some(growth(now, before)? / seconds),
        (Traffic::Total(_), _) => None,
    }
}

/// How much a counter grew; `None` when it went back.
fn growth(now: f64, before: f64) -> Option<f64> {
    (now >= before).then_some(now - before)
}

fn percent(value: Option<f64>) -> f32 {
    // Above 100 is a burst beyond a quota, or two clocks that differ a little. `min` would turn NaN into 100.
    figure(value).clamp(0.0, 100.0)
}

/// The value as selectors take it: finite and not negative, or NaN.
fn figure(value: Option<f64>) -> f32 {
    let single = value.map_or(f32::NAN, |value| value as f32);
    if single.is_finite() && single >= 0.0 {
        single
    } else {
        f32::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(busy: f64, total: f64, bytes: f64) -> Reading {
        let traffic = Some(Traffic::Total(bytes));
        Reading {
            cpu: Some(Cpu::Seconds { busy, total }),
            ram_percent: Some(40.0),
            sent: traffic,
            received: traffic,
        }
    }

    fn given(percent: f64, rate: f64) -> Reading {
        let traffic = Some(Traffic::PerSecond(rate));
        Reading {
            cpu: Some(Cpu::Percent(percent)),
            ram_percent: Some(percent),
            sent: traffic,
            received: traffic,
        }
    }

    /// Two seconds lie between the readings; `None` stands for NaN.
    #[track_caller]
    fn check(before: Option<Reading>, now: Reading, expected: [Option<f32>; 4]) {
        let before = before.map(|reading| Taken {
            reading,
            at: Timestamp::from_seconds(1.0),
        });
        let it = Taken {
            reading: now,
            at: Timestamp::from_seconds(3.0),
        }
        .metrics(before.as_ref());
        let figures = [it.cpu_percent, it.ram_percent, it.bytes_sent, it.bytes_recv];
        assert_eq!(figures.map(|figure| (!figure.is_nan()).then_some(figure)), expected);
    }

    #[test]
    fn counters_are_compared_with_the_poll_before() {
        let expected = [Some(75.0), Some(40.0), Some(500.0), Some(500.0)];
        check(
            Some(counted(10.0, 100.0, 2_000.0)),
            counted(13.0, 104.0, 3_000.0),
            expected,
        );
    }

    #[test]
    fn the_first_reading_of_a_counter_says_nothing() {
        check(None, counted(10.0, 100.0, 2_000.0), [None, Some(40.0), None, None]);
    }

    #[test]
    fn counters_that_went_back_give_no_figures() {
        let before = Some(counted(1e6, 1e7, 1e12));
        check(before, counted(10.0, 100.0, 2_000.0), [None, Some(40.0), None, None]);
    }

    #[test]
    fn cpus_that_counted_nothing_give_no_figure() {
        let same = counted(10.0, 100.0, 2_000.0);
        check(Some(same), same, [None, Some(40.0), Some(0.0), Some(0.0)]);
    }

    #[test]
    fn figures_of_the_source_stand_as_they_are() {
        check(None, given(12.5, 7.0), [Some(12.5), Some(12.5), Some(7.0), Some(7.0)]);
        check(
            Some(given(1.0, 1.0)),
            given(12.5, 7.0),
            [Some(12.5), Some(12.5), Some(7.0), Some(7.0)],
        );
    }

    #[test]
    fn a_percentage_ends_at_a_hundred() {
        check(
            None,
            given(104.0, 0.0),
            [Some(100.0), Some(100.0), Some(0.0), Some(0.0)],
        );
    }

    #[test]
    fn nonsense_is_no_figure() {
        for nonsense in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            check(None, given(nonsense, nonsense), [None; 4]);
        }
    }

    #[test]
    fn two_readings_of_one_moment_give_no_rate() {
        let at = Timestamp::from_seconds(1.0);
        let before = Taken {
            reading: counted(1.0, 2.0, 3.0),
            at,
        };
        let after = Taken {
            reading: counted(2.0, 4.0, 9.0),
            at,
        };
        assert!(after.metrics(Some(&before)).bytes_sent.is_nan());
    }
}
