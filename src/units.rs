//! Numbers that cannot be confused: a moment, a weight, a share.
//!
//! Nothing here reads a clock; `crate::clock` does, and hands a [`Timestamp`] down.

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

/// A moment: nanoseconds since the Unix epoch on a clock that never steps back within a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `nanos` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `seconds` after the Unix epoch; what lies before it becomes the epoch itself.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        // `as` saturates: negative and NaN become 0.
        Self((seconds * 1e9) as u64)
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the Unix epoch, with a fraction (about 0.2 us of precision today).
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `duration` after this one; the end of time when that overflows.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// How much a backend counts beside its neighbours: 1 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(NonZeroU16);

impl Weight {
    /// What a backend weighs when nothing is said.
    pub const ONE: Self = Self(NonZeroU16::MIN);
    /// The largest weight; pingora-load-balancing expands a weight to that many entries.
    pub const MAX: u16 = 1000;

    /// The weight `value`, or `None` outside 1 to 1000.
    #[must_use]
    pub fn new(value: u16) -> Option<Self> {
        if value > Self::MAX {
            None
        } else {
            NonZeroU16::new(value).map(Self)
        }
    }

    /// The number itself.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

/// A part of a whole, 0 to 1; written as a percentage.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0.0);
    /// Half of it.
    pub const HALF: Self = Self(0.5);

    /// The share `fraction`, or `None` outside 0 to 1.
    #[must_use]
    pub fn new(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// The share as a fraction of one.
    #[must_use]
    pub const fn fraction(self) -> f64 {
        self.0
    }

    /// Whether `part` of `whole` lies below this share.
    #[must_use]
    pub fn exceeds(self, part: usize, whole: usize) -> bool {
        (part as f64) < self.0 * whole as f64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

/// A temperature in whole degrees Celsius.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Celsius(pub u16);

impl fmt::Display for Celsius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}C", self.0)
    }
}

/// Random numbers of one request, worked out from its draw: the same draw gives the same numbers.
///
/// SplitMix64 (Steele, Lea and Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws(u64);

impl Draws {
    /// The numbers that follow from `draw`.
    #[must_use]
    pub const fn new(draw: u64) -> Self {
        Self(draw)
    }

    /// The next number, any of them equally likely.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // Lemire's multiply-shift; the bias is below bound / 2^64.
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// The next fraction, from 0 up to but without 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Puts `items` into an order in which any is equally likely to be anywhere (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let earlier = Timestamp::from_seconds(1.0);
        let later = Timestamp::from_seconds(1.5);
        assert_eq!(later.since(earlier), Duration::from_millis(500));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }

    #[test]
    fn weights_stay_between_one_and_a_thousand() {
        assert_eq!(Weight::new(0), None);
        assert_eq!(Weight::new(1), Some(Weight::ONE));
        assert_eq!(Weight::new(1000).map(Weight::number), Some(1000));
        assert_eq!(Weight::new(1001), None);
    }

    #[test]
    fn draws_follow_from_their_seed_and_stay_in_bounds() {
        let (mut one, mut same) = (Draws::new(7), Draws::new(7));
        for _ in 0..1000 {
            let fraction = one.fraction();
            assert!((0.0..1.0).contains(&fraction) && fraction == same.fraction());
            assert!(one.below(3) < 3 && same.below(3) < 3);
        }
        assert_eq!(one.below(0), 0);
    }

    #[test]
    fn a_share_exceeds_a_smaller_part() {
        assert!(Share::HALF.exceeds(1, 3));
        assert!(!Share::HALF.exceeds(1, 2));
        assert_eq!(Share::new(1.1), None);
    }
}
