//! The attempts in flight at one backend: how many, since when, and what they should cost.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::pool::statistics::figure::Moment;
use crate::units::Timestamp;

/// A count and the sum of the beginnings that belong to it, in one word, so that neither is ever read without the
/// other: the count in the low bits, above it the sum in ticks, modulo 2^44.
///
/// The sum wraps, and so does the count times the present, so their difference, the sum of the ages, is right as long
/// as it is below half the modulus: 4.5 years, for a thousand attempts a day and a half each.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    word: AtomicU64,
    cost_nanos: AtomicU64,
    /// When it last ceased to be empty.
    busy_since: Moment,
    /// How long those that are gone were there, all together.
    gone_nanos: AtomicU64,
}

/// A million attempts in flight at one backend are more than there are sockets for.
const COUNT_BITS: u32 = 20;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const SUM_BITS: u32 = u64::BITS - COUNT_BITS;
/// A tick is 2^14 ns, 16 us.
const TICK_BITS: u32 = 14;

impl InFlight {
    /// Counts an attempt that begins at `now` and is expected to cost `cost`; how many were there before.
    pub(crate) fn enter(&self, now: Timestamp, cost: Duration) -> u32 {
        self.cost_nanos.fetch_add(nanos(cost), Ordering::Relaxed);
        // Relaxed: the word stands for itself.
        let before = (self.word.fetch_add(entry(now), Ordering::Relaxed) & COUNT_MASK) as u32;
        if before == 0 {
            self.busy_since.store(now);
        }
        before
    }

    /// Notes how long an attempt was there that is about to leave.
    pub(crate) fn waited(&self, time: Duration) {
        self.gone_nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }

    /// When it last ceased to be empty.
    pub(crate) fn busy_since(&self) -> Timestamp {
        self.busy_since.load()
    }

    /// How long attempts have been there until `now`, all together: the integral of their number.
    pub(crate) fn presence(&self, now: Timestamp) -> Duration {
        let age = age_nanos(self.word.load(Ordering::Relaxed), now);
        Duration::from_nanos(age.saturating_add(self.gone_nanos.load(Ordering::Relaxed)))
    }

    /// Takes out the attempt that began at `began` with the expected cost `cost`.
    pub(crate) fn leave(&self, began: Timestamp, cost: Duration) {
        let before = self.word.fetch_sub(entry(began), Ordering::Relaxed);
        debug_assert!(before & COUNT_MASK > 0, "left more often than entered");
        self.cost_nanos.fetch_sub(nanos(cost), Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u32 {
        (self.word.load(Ordering::Relaxed) & COUNT_MASK) as u32
    }

    /// How long those in flight have waited, over how long they should take; 0 when nobody waits.
    pub(crate) fn age_ratio(&self, now: Timestamp) -> f32 {
        let word = self.word.load(Ordering::Relaxed);
        let cost = self.cost_nanos.load(Ordering::Relaxed);
        if word & COUNT_MASK == 0 || cost == 0 {
            return 0.0;
        }
        // Count and cost are two words: between them an attempt may have come or gone, so the ratio is bounded.
        (age_nanos(word, now) as f32 / cost as f32).min(MAX_AGE_RATIO)
    }
}

/// Attempts that wait a hundred times as long as they should are stuck, however much longer.
const MAX_AGE_RATIO: f32 = 100.0;

/// The sum of the ages of those in flight, in nanoseconds.
fn age_nanos(word: u64, now: Timestamp) -> u64 {
    let age = ticks(now)
        .wrapping_mul(word & COUNT_MASK)
        .wrapping_sub(word >> COUNT_BITS)
        & (u64::MAX >> COUNT_BITS);
    // An attempt may have begun after `now` was read: a little below zero, which is a lot modulo 2^44.
    if age >> (SUM_BITS - 1) == 0 {
        age << TICK_BITS
    } else {
        0
    }
}

fn ticks(at: Timestamp) -> u64 {
    at.nanos() >> TICK_BITS
}

/// What an attempt adds to the word: its beginning and a one.
fn entry(began: Timestamp) -> u64 {
    ticks(began) << COUNT_BITS | 1
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Duration = Duration::from_millis(10);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_seconds(1.8e9).plus(Duration::from_millis(ms))
    }

    #[track_caller]
    fn check(in_flight: &InFlight, ms: u64, expected: f32) {
        let ratio = in_flight.age_ratio(at(ms));
        assert!((ratio - expected).abs() < 0.01, "{ratio} instead of {expected}");
    }

    #[test]
    fn ages_are_compared_with_costs() {
        let in_flight = InFlight::default();
        assert_eq!(in_flight.enter(at(0), COST), 0);
        assert_eq!(in_flight.enter(at(10), COST), 1);
        check(&in_flight, 20, 1.5);
        in_flight.leave(at(0), COST);
        check(&in_flight, 20, 1.0);
        in_flight.leave(at(10), COST);
        assert_eq!(in_flight.count(), 0);
        check(&in_flight, 20, 0.0);
    }

    #[test]
    fn an_attempt_from_the_future_has_no_age() {
        let in_flight = InFlight::default();
        in_flight.enter(at(10), COST);
        check(&in_flight, 0, 0.0);
    }

    #[test]
    fn ages_stay_right_in_a_crowd() {
        let in_flight = InFlight::default();
        for _ in 0..100_000 {
            in_flight.enter(at(0), COST);
        }
        check(&in_flight, 20, 2.0);
        assert_eq!(in_flight.count(), 100_000);
    }
}
