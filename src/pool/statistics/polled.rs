//! How many attempts were in flight when a backend was polled, and around it: what its metrics are to be seen with.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::elementary::ln;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::Moment;
use crate::units::Timestamp;

/// What the last poll left.
#[derive(Debug, Default)]
pub(crate) struct Polled {
    at: Moment,
    /// The integral of the number in flight until then.
    presence_nanos: AtomicU64,
    in_flight: Figure,
    /// Mean number in flight between that poll and the one before.
    mean: Figure,
    ln_cpu_per_request: Figure,
    least_ln_cpu_per_request: Figure,
}

/// Attempts in flight at one backend, around its last poll.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Occupancy {
    /// At the poll.
    pub at_poll: f32,
    /// The mean of the time before, which its metrics are of.
    pub mean_before: f32,
    /// The mean of the time since.
    pub mean_since: f32,
    /// ln of the part of the CPU in use over that mean of the time before: of what a request uses, as long as nobody else does.
    pub ln_cpu_per_request: f32,
    /// The least of these over about two minutes: when nobody else did. On an idle CPU it is -ln of the cores.
    pub least_ln_cpu_per_request: f32,
}

/// CPU figures below it are noise.
const LEAST_CPU: f32 = 0.02;
/// Added to a mean number in flight that something is divided by.
const A_LITTLE: f32 = 0.1;
/// With fewer in flight, what the CPU does is hardly theirs.
const TELLING: f32 = 0.5;
/// The least rises by a factor of e in as many seconds.
const LEAST_SECONDS: f32 = 120.0;

impl Polled {
    /// Takes note of a poll at `now` that found this part of the `cpu` in use; NaN when it did not say.
    pub(crate) fn poll(&self, in_flight: u32, presence: Duration, cpu: f32, now: Timestamp) {
        let is_first = !self.at.is_set();
        if !is_first {
            self.mean.store(self.mean_until(presence, now));
        }
        let mean = self.mean.load();
        // `max` takes the other for NaN.
        let per_request = ln(cpu.max(LEAST_CPU) / (mean + A_LITTLE));
        self.ln_cpu_per_request.store(per_request);
        let risen = self.least_ln_cpu_per_request.load() + self.at.seconds_until(now) / LEAST_SECONDS;
        if is_first {
            self.least_ln_cpu_per_request.store(per_request);
        } else if mean >= TELLING {
            self.least_ln_cpu_per_request.store(per_request.min(risen));
        }
        self.in_flight.store(in_flight as f32);
        self.presence_nanos.store(nanos(presence), Ordering::Relaxed);
        self.at.store(now);
    }

    /// What is known at `now`.
    pub(crate) fn occupancy(&self, presence: Duration, now: Timestamp) -> Occupancy {
        Occupancy {
            at_poll: self.in_flight.load(),
            mean_before: self.mean.load(),
            mean_since: self.mean_until(presence, now),
            ln_cpu_per_request: self.ln_cpu_per_request.load(),
            least_ln_cpu_per_request: self.least_ln_cpu_per_request.load(),
        }
    }

    fn mean_until(&self, presence: Duration, now: Timestamp) -> f32 {
        let nanos = nanos(presence).saturating_sub(self.presence_nanos.load(Ordering::Relaxed));
        match self.at.nanos_until(now) {
            None | Some(0) => self.in_flight.load(),
            Some(elapsed) => nanos as f32 / elapsed as f32,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_of_the_time_before_and_since() {
        let polled = Polled::default();
        let at = |seconds| Timestamp::from_seconds(1000.0 + seconds);
        polled.poll(1, Duration::from_secs(5), 0.5, at(0.0));
        polled.poll(4, Duration::from_secs(11), 0.5, at(2.0));
        let seen = polled.occupancy(Duration::from_secs(12), at(4.0));
        assert_eq!((seen.at_poll, seen.mean_before, seen.mean_since), (4.0, 3.0, 0.5));
    }

    #[test]
    fn what_a_request_uses_is_known_from_when_nobody_else_used_any() {
        // Three requests in flight for eight seconds: four cores, then twice as much in use, then nobody.
        let polled = Polled::default();
        let poll = |second: u8, cpu| {
            let second = f64::from(second);
            polled.poll(
                3,
                Duration::from_secs_f64(3.0 * second),
                cpu,
                Timestamp::from_seconds(1000.0 + second),
            );
            let seen = polled.occupancy(Duration::ZERO, Timestamp::from_seconds(1000.0 + second));
            (seen.ln_cpu_per_request.exp(), seen.least_ln_cpu_per_request.exp())
        };
        poll(0, 0.75);
        poll(2, 0.75);
        let (now, least) = poll(8, 1.5);
        assert!((now - 0.5).abs() < 0.02, "{now}");
        assert!((0.25..0.27).contains(&least), "{least}");
        assert!(poll(9, f32::NAN).0.is_finite());
    }

    #[test]
    fn before_the_first_poll_nothing_is_known() {
        let seen = Polled::default().occupancy(Duration::from_secs(3), Timestamp::from_seconds(1000.0));
        assert_eq!(seen, Occupancy::default());
    }
}
