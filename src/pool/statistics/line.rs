//! A straight line through what was seen of late: latency over load.

use crate::pool::statistics::figure::fade;
use crate::units::Timestamp;

/// `latency = intercept + slope * load`, both above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) intercept: f32,
    pub(crate) slope: f32,
}

/// Sums for a least-squares line that forgets over `SECONDS`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineSums<const SECONDS: u32> {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    at: Timestamp,
}

/// The fleet's line forgets over a minute.
pub(crate) type FleetLineSums = LineSums<60>;

/// Where nothing was seen yet, latency is taken to grow by a fifth with each request in flight.
const PRIOR: Line = Line {
    intercept: 0.8,
    slope: 0.2,
};
/// How much the prior counts: this many rows at each of the first four loads, twenty in all.
const PRIOR_ROWS_AT_A_LOAD: f64 = 5.0;
const PRIOR_LOADS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
/// Neither part of the line is below this share of the mean: latency never falls with load, and never is all load.
const LEAST_SHARE: f64 = 0.01;

impl Default for Line {
    fn default() -> Self {
        PRIOR
    }
}

impl Line {
    /// The value at `x`.
    pub(crate) fn at(self, x: f32) -> f32 {
        self.intercept + self.slope * x
    }

    /// The part of the value at a load of one that grows with load.
    pub(crate) fn share_of_load(self) -> f32 {
        self.slope / (self.intercept + self.slope)
    }

    /// Both numbers in one word, so that neither is ever read without the other.
    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.intercept.to_bits()) << 32 | u64::from(self.slope.to_bits())
    }

    pub(crate) fn from_word(word: u64) -> Self {
        Self {
            intercept: f32::from_bits((word >> 32) as u32),
            slope: f32::from_bits(word as u32),
        }
    }
}

impl<const SECONDS: u32> LineSums<SECONDS> {
    /// Takes in a point.
    pub(crate) fn add(&mut self, x: f32, y: f32, now: Timestamp) {
        *self = self.faded(now);
        self.add_weighed(f64::from(x), f64::from(y), 1.0);
    }

    /// The sums as they count at `now`.
    pub(crate) fn faded(self, now: Timestamp) -> Self {
        let left = f64::from(fade(now.since(self.at).as_secs_f32(), SECONDS as f32));
        Self {
            weight: self.weight * left,
            x: self.x * left,
            y: self.y * left,
            xx: self.xx * left,
            xy: self.xy * left,
            at: self.at.max(now),
        }
    }

    /// Both sums together, when both count at the same time.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            weight: self.weight + other.weight,
            x: self.x + other.x,
            y: self.y + other.y,
            xx: self.xx + other.xx,
            xy: self.xy + other.xy,
            at: self.at.max(other.at),
        }
    }

    /// How many points there are, as far as they are not forgotten.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// The line through the points and the prior.
    pub(crate) fn line(self) -> Line {
        self.line_beside(PRIOR, PRIOR_ROWS_AT_A_LOAD)
    }

    /// The line through the points and `rows` points of `prior` at each of four loads.
    pub(crate) fn line_beside(mut self, prior: Line, rows: f64) -> Line {
        for x in PRIOR_LOADS {
            self.add_weighed(x, f64::from(prior.at(x as f32)), rows);
        }
        let (x, y) = (self.x / self.weight, self.y / self.weight);
        let spread = self.xx / self.weight - x * x;
        let slope = (self.xy / self.weight - x * y) / spread.max(f64::EPSILON);
        let slope = slope.clamp(LEAST_SHARE * y / x, (1.0 - LEAST_SHARE) * y / x);
        Line {
            intercept: (y - slope * x) as f32,
            slope: slope as f32,
        }
    }

    fn add_weighed(&mut self, x: f64, y: f64, weight: f64) {
        self.weight += weight;
        self.x += weight * x;
        self.y += weight * y;
        self.xx += weight * x * x;
        self.xy += weight * x * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000_000);

    fn sums(points: impl Iterator<Item = (f32, f32)>) -> FleetLineSums {
        let mut sums = FleetLineSums::default();
        points.for_each(|(x, y)| sums.add(x, y, NOW));
        sums
    }

    #[track_caller]
    fn check(line: Line, intercept: f32, slope: f32) {
        assert!(
            (line.intercept - intercept).abs() + (line.slope - slope).abs() < 0.02,
            "{line:?}"
        );
    }

    #[test]
    fn without_points_it_is_the_prior() {
        check(FleetLineSums::default().line(), 0.8, 0.2);
    }

    #[test]
    fn many_points_outweigh_the_prior() {
        check(
            sums((0..10_000).map(|n| (n as f32 % 10.0, 0.5 + 0.3 * (n as f32 % 10.0)))).line(),
            0.5,
            0.3,
        );
    }

    #[test]
    fn latency_never_falls_with_load() {
        let line = sums((0..10_000).map(|n| (1.0 + n as f32 % 10.0, 11.0 - n as f32 % 10.0))).line();
        assert!(line.slope > 0.0 && line.intercept > 0.0, "{line:?}");
    }

    #[test]
    fn a_steep_rise_keeps_an_intercept() {
        let line = sums((0..10_000).map(|n| (1.0 + n as f32 % 10.0, (n as f32 % 10.0).powi(2)))).line();
        assert!(line.slope > 0.0 && line.intercept > 0.0, "{line:?}");
    }

    #[test]
    fn points_are_forgotten() {
        let old = sums((0..10_000).map(|n| (n as f32 % 10.0, 10.0)));
        check(
            old.faded(NOW.plus(std::time::Duration::from_secs(3600))).line(),
            0.8,
            0.2,
        );
    }
}
