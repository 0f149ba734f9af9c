//! The one reader of time and entropy; everything else is told the time and handed its random numbers.
//!
//! The floors below take a [`Timestamp`] and a `u64` draw as arguments, so that they can be tested and simulated.

use crate::units::Timestamp;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::time::Instant;
use std::time::SystemTime;

/// The golden ratio in 64 bits: consecutive states lie far apart (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014).
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where the process's clock starts: the calendar is read once, the rest is monotone.
static START: LazyLock<Start> = LazyLock::new(Start::capture);

/// The present moment. Follows the monotone clock from the first call on, so a stepped system clock never shows.
#[must_use]
pub fn now() -> Timestamp {
    START.now()
}

/// 64 random bits from the operating system, for seeds; not for secrets.
#[must_use]
pub fn entropy() -> u64 {
    // The keys of the standard library's hasher are the system's entropy, and differ at every call.
    RandomState::new().hash_one(0_u64)
}

/// The SplitMix64 output that follows `state`: one multiplication chain, every bit of `state` in every bit of the result.
#[must_use]
pub const fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(GOLDEN_GAMMA);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbered random draws: the same seed and number give the same draw, without a lock and without a state to share.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    seed: u64,
}

impl Draws {
    /// The draws of `seed`, for what must be repeatable.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { seed }
    }

    /// Draws that differ from process to process.
    #[must_use]
    pub fn unpredictable() -> Self {
        Self::seeded(entropy())
    }

    /// The 64 uniform bits numbered `sequence`.
    #[must_use]
    pub const fn draw(self, sequence: u64) -> u64 {
        splitmix64(self.seed.wrapping_add(sequence.wrapping_mul(GOLDEN_GAMMA)))
    }

    /// The draw numbered `sequence` as a fraction, uniform in [0, 1).
    #[must_use]
    pub fn fraction(self, sequence: u64) -> f64 {
        // The upper 53 bits: as many as an f64 holds exactly.
        (self.draw(sequence) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One reading of both clocks.
#[derive(Debug)]
struct Start {
    calendar: Timestamp,
    monotone: Instant,
}

impl Start {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    fn capture() -> Self {
        // A clock set before 1970 reads as the epoch: only differences matter then.
        let calendar = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            calendar: Timestamp::default().plus(calendar),
            monotone: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        self.calendar.plus(self.monotone.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_steps_back() {
        let moments: Vec<Timestamp> = (0..1000).map(|_| now()).collect();
        assert!(moments.is_sorted());
    }

    #[test]
    fn time_is_the_calendar_of_this_century() {
        assert!(now().seconds() > 1.7e9);
    }

    #[test]
    fn splitmix64_gives_the_published_sequence_of_seed_zero() {
        let outputs = [0, GOLDEN_GAMMA].map(splitmix64);
        assert_eq!(outputs, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn draws_repeat_by_seed_and_differ_without_one() {
        assert_eq!(Draws::seeded(7).draw(3), Draws::seeded(7).draw(3));
        assert_ne!(Draws::seeded(7).draw(3), Draws::seeded(7).draw(4));
        assert_ne!(entropy(), entropy());
    }

    #[test]
    fn fractions_fill_the_unit_interval_evenly() {
        let mean = (0..10_000)
            .map(|sequence| Draws::seeded(1).fraction(sequence))
            .sum::<f64>()
            / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
