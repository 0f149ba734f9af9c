//! How long one backend took to answer of late, in two ways of forgetting.

use std::time::Duration;

use parking_lot::Mutex;

use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::Moment;
use crate::pool::statistics::figure::fade;
use crate::units::Timestamp;

/// The plain average forgets over two seconds: fast enough for a brownout, slow enough not to follow single answers.
const AVERAGE_SECONDS: f32 = 2.0;
/// Every answer counts at least this much, so that at a high rate the last fifty decide.
const AVERAGE_FLOOR: f32 = 0.02;
/// An average that nothing is added to fades, so that a backend that was slow is asked again.
const IDLE_SECONDS: f32 = 5.0;
/// The peak forgets over ten, Finagle's default.
const PEAK_SECONDS: f32 = 10.0;

/// Averages of the latencies of answers; errors are no answers. In seconds.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    turn: Mutex<()>,
    average: Figure,
    peak: Figure,
    at: Moment,
}

impl Latencies {
    pub(crate) fn record(&self, latency: Duration, now: Timestamp) {
        let latency = latency.as_secs_f32();
        let _turn = self.turn.lock();
        let idle = self.at.seconds_until(now);
        self.average
            .approach(latency, (1.0 - fade(idle, AVERAGE_SECONDS)).max(AVERAGE_FLOOR));
        if latency > self.peak.load() {
            self.peak.store(latency);
        } else {
            self.peak.approach(latency, 1.0 - fade(idle, PEAK_SECONDS));
        }
        self.at.store(now);
    }

    /// The average over about two seconds or fifty answers, fading while there are none; `None` before the first one.
    pub(crate) fn average(&self, now: Timestamp) -> Option<f32> {
        let faded = || self.average.load() * fade(self.at.seconds_until(now), IDLE_SECONDS);
        self.at.is_set().then(faded)
    }

    /// The average over about ten seconds that jumps to peaks and fades while there are no answers; `None` before the
    /// first one.
    pub(crate) fn peak(&self, now: Timestamp) -> Option<f32> {
        let faded = || self.peak.load() * fade(self.at.seconds_until(now), PEAK_SECONDS);
        self.at.is_set().then(faded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What (average, peak) in ms are at `now` after answers of (second, ms).
    #[track_caller]
    fn check(answers: &[(f64, u64)], now: f64, expected: (f32, f32)) {
        let latencies = Latencies::default();
        let at = |second| Timestamp::from_seconds(1000.0 + second);
        for (second, ms) in answers {
            latencies.record(Duration::from_millis(*ms), at(*second));
        }
        let found = (
            latencies.average(at(now)).unwrap() * 1000.0,
            latencies.peak(at(now)).unwrap() * 1000.0,
        );
        let distance = (found.0 - expected.0).abs() + (found.1 - expected.1).abs();
        assert!(distance < 0.1, "{found:?}");
    }

    #[test]
    fn the_first_answer_is_taken_whole() {
        check(&[(0.0, 40)], 0.0, (40.0, 40.0));
    }

    #[test]
    fn peaks_are_jumped_to_and_left_slowly() {
        let left = |tau: f32| 110.0 + 90.0 * (-2.0 / tau).exp();
        check(&[(0.0, 200), (2.0, 110)], 2.0, (left(2.0), left(10.0)));
        check(&[(0.0, 100), (0.0, 200)], 0.0, (102.0, 200.0));
    }

    #[test]
    fn averages_fade_while_nothing_is_answered() {
        check(
            &[(0.0, 200)],
            10.0,
            (200.0 * (-2.0_f32).exp(), 200.0 * (-1.0_f32).exp()),
        );
    }
}
