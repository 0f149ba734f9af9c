//! What all backends of a pool have taught together: what each route class usually costs, and how latency grows with
//! load.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::elementary::exp;
use crate::elementary::ln;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::line::FleetLineSums;
use crate::pool::statistics::line::Line;
use crate::units::Timestamp;

/// The kind of a request, as far as its cost goes: its route and method. Known by number within its pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteClass(u8);

impl RouteClass {
    /// How many a pool tells apart.
    pub const COUNT: usize = 64;
    /// The one that all share for which there is no number left.
    pub const OTHERS: Self = Self(Self::COUNT as u8 - 1);

    /// The class with this number; beyond the last it is [`Self::OTHERS`].
    #[must_use]
    pub const fn new(number: usize) -> Self {
        if number < Self::COUNT {
            Self(number as u8)
        } else {
            Self::OTHERS
        }
    }

    /// Its number, below [`Self::COUNT`].
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// What a pool's backends have taught together; carried from one generation of the configuration to the next.
#[derive(Debug)]
pub struct Fleet {
    classes: [ClassCost; RouteClass::COUNT],
    /// Over all classes, for those that have not been seen yet; in ln of seconds.
    usual: Figure,
    /// The two halves of the line in one word.
    line: AtomicU64,
    /// Attempts a second at all backends.
    rate: Figure,
    fold_at: AtomicU64,
}

/// What one route class usually costs.
#[derive(Debug, Default)]
struct ClassCost {
    /// The mean of ln of its answers' latency in seconds, as the bits of an f64.
    mean: AtomicU64,
    /// How many answers have been taken in, up to [`MEMORY_ANSWERS`].
    answers: AtomicU32,
    /// How many of the classes that were seen are cheaper.
    rank: AtomicU8,
}

/// The mean cost of a class follows about this many answers.
const MEMORY_ANSWERS: u32 = 4000;
/// What is not known yet costs ten milliseconds.
const USUAL_SECONDS: f32 = 0.01;
/// What all backends know is gathered this often, by whichever attempt ends then.
const FOLD_INTERVAL: Duration = Duration::from_millis(250);

impl Default for Fleet {
    fn default() -> Self {
        let fleet = Self {
            classes: std::array::from_fn(|_| ClassCost::default()),
            usual: Figure::new(USUAL_SECONDS.ln()),
            line: AtomicU64::new(0),
            rate: Figure::default(),
            fold_at: AtomicU64::new(0),
        };
        fleet.set_line(FleetLineSums::default().line());
        fleet
    }
}

impl Fleet {
    /// Forgets what `class` costs: its number was given to another route.
    pub fn forget(&self, class: RouteClass) {
        self.class(class).answers.store(0, Ordering::Relaxed);
    }

    /// What an answer to `class` usually takes.
    #[must_use]
    pub fn usual_latency(&self, class: RouteClass) -> Duration {
        Duration::try_from_secs_f32(exp(self.ln_cost(class))).unwrap_or_default()
    }

    /// How many of the classes seen so far are cheaper than `class`.
    #[must_use]
    pub fn rank(&self, class: RouteClass) -> u8 {
        self.class(class).rank.load(Ordering::Relaxed)
    }

    /// Attempts a second, over about the last one.
    #[must_use]
    pub fn rate(&self) -> f32 {
        self.rate.load()
    }

    /// How slow `latency` is for `class`: the ln of how many times as long as usual.
    pub(crate) fn slowness(&self, class: RouteClass, latency: Duration) -> f32 {
        ln_seconds(latency) - self.ln_cost(class)
    }

    /// Takes in the latency of an answer.
    pub(crate) fn learn(&self, class: RouteClass, latency: Duration) {
        self.class(class).learn(f64::from(ln_seconds(latency)));
    }

    /// How latency grows with load, both as multiples.
    pub(crate) fn line(&self) -> Line {
        Line::from_word(self.line.load(Ordering::Relaxed))
    }

    /// Whether it is the caller's turn to gather what all backends know; true once in each interval.
    pub(crate) fn takes_turn(&self, now: Timestamp) -> bool {
        let due = self.fold_at.load(Ordering::Relaxed);
        let next = now.plus(FOLD_INTERVAL).nanos();
        // Relaxed: only who takes the turn matters, and of several at once one succeeds.
        now.nanos() >= due
            && self
                .fold_at
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Takes in what all backends know together.
    pub(crate) fn fold(&self, sums: FleetLineSums, rate: f32) {
        self.set_line(sums.line());
        self.rate.store(rate);
        let seen = || self.classes.iter().filter_map(ClassCost::mean);
        let count = seen().count();
        if count > 0 {
            self.usual.store((seen().sum::<f64>() / count as f64) as f32);
        }
        for class in &self.classes {
            let mean = class.mean().unwrap_or_else(|| f64::from(self.usual.load()));
            class
                .rank
                .store(seen().filter(|other| *other < mean).count() as u8, Ordering::Relaxed);
        }
    }

    fn class(&self, class: RouteClass) -> &ClassCost {
        // A class is always in range; see `RouteClass::new`.
        &self.classes[class.number()]
    }

    fn ln_cost(&self, class: RouteClass) -> f32 {
        self.class(class)
            .mean()
            .map_or_else(|| self.usual.load(), |mean| mean as f32)
    }

    fn set_line(&self, line: Line) {
        self.line.store(line.to_word(), Ordering::Relaxed);
    }
}

impl ClassCost {
    fn mean(&self) -> Option<f64> {
        // Acquire pairs with the Release in `learn`: a first answer is seen before it counts.
        (self.answers.load(Ordering::Acquire) > 0).then(|| f64::from_bits(self.mean.load(Ordering::Relaxed)))
    }

    /// A running mean with steps of 1 / min(answers, 4000). Two threads may count the same answer's number; the mean
    /// is moved by both.
    fn learn(&self, value: f64) {
        let number = self
            .answers
            .load(Ordering::Relaxed)
            .saturating_add(1)
            .min(MEMORY_ANSWERS);
        let moved = |bits| {
            let before = if number == 1 { value } else { f64::from_bits(bits) };
            Some((before + (value - before) / f64::from(number)).to_bits())
        };
        // It is always replaced, so the result says nothing.
        let _ = self.mean.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
        self.answers.store(number, Ordering::Release);
    }
}

/// The ln of `latency` in seconds; a microsecond at least, so that it is finite.
fn ln_seconds(latency: Duration) -> f32 {
    ln(latency.as_secs_f32().max(1e-6))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: RouteClass = RouteClass::new(3);
    const DEAR: RouteClass = RouteClass::new(1);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn latency_is_measured_against_its_own_class() {
        let fleet = Fleet::default();
        for _ in 0..100 {
            fleet.learn(CHEAP, ms(4));
            fleet.learn(DEAR, ms(80));
        }
        assert!((fleet.slowness(CHEAP, ms(8)) - 2.0_f32.ln()).abs() < 1e-3);
        assert!((fleet.slowness(DEAR, ms(80))).abs() < 1e-3);
    }

    #[test]
    fn classes_are_ranked_by_cost() {
        let fleet = Fleet::default();
        fleet.learn(DEAR, ms(80));
        fleet.learn(CHEAP, ms(4));
        fleet.fold(FleetLineSums::default(), 0.0);
        assert_eq!((fleet.rank(CHEAP), fleet.rank(DEAR)), (0, 1));
    }

    #[test]
    fn a_class_not_seen_yet_costs_what_is_usual() {
        let fleet = Fleet::default();
        assert_eq!(fleet.usual_latency(CHEAP).as_millis(), 10);
        fleet.learn(DEAR, ms(80));
        fleet.fold(FleetLineSums::default(), 0.0);
        assert!((fleet.usual_latency(CHEAP).as_secs_f32() - 0.08).abs() < 1e-4);
    }

    #[test]
    fn gathering_is_one_attempts_turn_in_each_interval() {
        let fleet = Fleet::default();
        let now = Timestamp::from_seconds(1000.0);
        assert!(fleet.takes_turn(now));
        assert!(!fleet.takes_turn(now.plus(ms(249))));
        assert!(fleet.takes_turn(now.plus(ms(250))));
    }

    #[test]
    fn numbers_beyond_the_last_are_the_others() {
        assert_eq!(RouteClass::new(64), RouteClass::OTHERS);
        assert_eq!(RouteClass::new(63), RouteClass::OTHERS);
        assert_ne!(RouteClass::new(62), RouteClass::OTHERS);
    }
}
