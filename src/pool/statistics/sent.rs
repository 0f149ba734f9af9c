//! How much was sent to one backend of late.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::pool::statistics::figure::fade;
use crate::units::Timestamp;

/// Attempts begun: all of them, those since the last poll, and their rate.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    count: AtomicU64,
    count_at_poll: AtomicU64,
    /// The rate's bits above the tick it holds for, so that neither is read without the other.
    rate: AtomicU64,
}

/// The rate forgets over a second.
const RATE_SECONDS: f32 = 1.0;
/// A tick is 2^20 ns, about a millisecond; 32 bits of them wrap after 52 days, when an idle backend may for once be
/// taken for a busy one.
const TICK_BITS: u32 = 20;
const TICK_SECONDS: f32 = (1_u64 << TICK_BITS) as f32 / 1e9;

impl Sent {
    pub(crate) fn record(&self, now: Timestamp) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let added = |word| Some(pack(rate_at(word, now) + 1.0 / RATE_SECONDS, now));
        // Relaxed: the word stands for itself. It is always replaced, so the result says nothing.
        let _ = self.rate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added);
    }

    /// Starts to count anew what was sent since the poll.
    pub(crate) fn polled(&self) {
        self.count_at_poll
            .store(self.count.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Attempts begun since the last poll.
    pub(crate) fn since_poll(&self) -> u64 {
        self.count
            .load(Ordering::Relaxed)
            .saturating_sub(self.count_at_poll.load(Ordering::Relaxed))
    }

    /// Attempts a second, over about the last one.
    pub(crate) fn rate(&self, now: Timestamp) -> f32 {
        rate_at(self.rate.load(Ordering::Relaxed), now)
    }
}

fn tick(at: Timestamp) -> u32 {
    (at.nanos() >> TICK_BITS) as u32
}

fn pack(rate: f32, at: Timestamp) -> u64 {
    u64::from(rate.to_bits()) << 32 | u64::from(tick(at))
}

fn rate_at(word: u64, now: Timestamp) -> f32 {
    // Another thread's `now` may be a tick ahead: backwards is no time at all.
    let ticks = tick(now).wrapping_sub(word as u32) as i32;
    let ticks = ticks.max(0);
    f32::from_bits((word >> 32) as u32) * fade(ticks as f32 * TICK_SECONDS, RATE_SECONDS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_steady_stream_shows_its_rate() {
        let sent = Sent::default();
        let mut now = Timestamp::from_seconds(1.8e9);
        for _ in 0..2000 {
            now = now.plus(Duration::from_millis(5));
            sent.record(now);
        }
        assert!((sent.rate(now) - 200.0).abs() < 2.0, "{}", sent.rate(now));
        assert!(sent.rate(now.plus(Duration::from_secs(5))) < 2.0);
    }

    #[test]
    fn what_was_sent_is_counted_from_the_poll_on() {
        let sent = Sent::default();
        for _ in 0..3 {
            sent.record(Timestamp::from_seconds(1.0));
        }
        sent.polled();
        sent.record(Timestamp::from_seconds(2.0));
        assert_eq!(sent.since_poll(), 1);
    }
}
