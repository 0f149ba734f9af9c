//! How many attempts were in flight when a backend was polled, and around it: what its metrics are to be seen with.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
}

impl Polled {
    /// Takes note of a poll at `now`.
    pub(crate) fn poll(&self, in_flight: u32, presence: Duration, now: Timestamp) {
        if self.at.is_set() {
            self.mean.store(self.mean_until(presence, now));
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
        polled.poll(1, Duration::from_secs(5), at(0.0));
        polled.poll(4, Duration::from_secs(11), at(2.0));
        let seen = polled.occupancy(Duration::from_secs(12), at(4.0));
        let expected = Occupancy {
            at_poll: 4.0,
            mean_before: 3.0,
            mean_since: 0.5,
        };
        assert_eq!(seen, expected);
    }

    #[test]
    fn before_the_first_poll_nothing_is_known() {
        let seen = Polled::default().occupancy(Duration::from_secs(3), Timestamp::from_seconds(1000.0));
        assert_eq!(seen, Occupancy::default());
    }
}
