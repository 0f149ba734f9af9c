//! How many attempts were in flight when a backend was polled, and around it: what its metrics are to be seen with.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::elementary::ln;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::Moment;
use crate::units::Timestamp;

/// What the last poll left.
#[derive(Debug)]
pub(crate) struct Polled {
    at: Moment,
    /// The integral of the number in flight until then.
    presence_nanos: AtomicU64,
    in_flight: Figure,
    /// Mean number in flight between that poll and the one before.
    mean: Figure,
    /// NaN while nothing is known, and so is the least.
    ln_cpu_per_request: Figure,
    least_ln_cpu_per_request: Figure,
}

impl Default for Polled {
    fn default() -> Self {
        Self {
            at: Moment::default(),
            presence_nanos: AtomicU64::new(0),
            in_flight: Figure::default(),
            mean: Figure::default(),
            ln_cpu_per_request: Figure::new(f32::NAN),
            least_ln_cpu_per_request: Figure::new(f32::NAN),
        }
    }
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
    /// ln of the part of the CPU in use over that mean of the time before: of what a request uses, as long as nobody else
    /// does; NaN before the second poll that tells.
    pub ln_cpu_per_request: f32,
    /// The least of these over about two minutes: when nobody else did. Where none waits it is -ln of the cores. NaN until
    /// there were enough requests to tell.
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
        if self.at.is_set() {
            let mean = self.mean_until(presence, now);
            self.mean.store(mean);
            self.learn(mean, cpu, self.at.seconds_until(now));
        }
        self.in_flight.store(in_flight as f32);
        self.presence_nanos.store(nanos(presence), Ordering::Relaxed);
        self.at.store(now);
    }

    /// What `mean` requests in flight used of the CPU in the `seconds` since the poll before.
    fn learn(&self, mean: f32, cpu: f32, seconds: f32) {
        let risen = self.least_ln_cpu_per_request.load() + seconds / LEAST_SECONDS;
        self.least_ln_cpu_per_request.store(risen);
        if cpu.is_nan() {
            return;
        }
        let per_request = ln(cpu.max(LEAST_CPU) / (mean + A_LITTLE));
        self.ln_cpu_per_request.store(per_request);
        if mean >= TELLING {
            // `min` takes the other for NaN.
            self.least_ln_cpu_per_request.store(per_request.min(risen));
        }
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
        assert!(poll(0, 0.75).0.is_nan(), "nobody knows for how many");
        poll(2, 0.75);
        let (now, least) = poll(8, 1.5);
        assert!((now - 0.5).abs() < 0.02, "{now}");
        assert!((0.25..0.27).contains(&least), "{least}");
        let (same, risen) = poll(14, f32::NAN);
        assert_eq!(same, now, "what is not said changes nothing");
        assert!(((risen / least).ln() - 0.05).abs() < 1e-3, "{risen}");
    }

    #[test]
    fn before_the_first_poll_nothing_is_known() {
        let seen = Polled::default().occupancy(Duration::from_secs(3), Timestamp::from_seconds(1000.0));
        assert_eq!((seen.at_poll, seen.mean_before, seen.mean_since), (0.0, 0.0, 0.0));
        assert!(seen.ln_cpu_per_request.is_nan() && seen.least_ln_cpu_per_request.is_nan());
    }
}
