//! When requests arrive: drawn from the seed alone, so the same seed gives the same traffic to whoever is measured.

use std::fmt;
use std::time::Duration;

use crate::units::Draws;

/// Requests per second: positive and finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// The rate of `requests` per second, or `None` unless that is a positive number.
    #[must_use]
    pub fn per_second(requests: f64) -> Option<Self> {
        (requests > 0.0 && requests.is_finite()).then_some(Self(requests))
    }

    /// Requests per second.
    #[must_use]
    pub const fn requests_per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// How arrivals are spread around their rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent of each other, as many users are: exponential gaps, with bursts.
    Poisson,
    /// Evenly spaced.
    Constant,
}

/// One request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, from the start of the run.
    pub after: Duration,
    /// Decides what is asked for.
    pub draw: u64,
}

/// The arrivals of a run, in order.
#[derive(Clone, Debug)]
pub struct Schedule {
    rate: Rate,
    arrivals: Arrivals,
    end: Duration,
    draws: Draws,
    sequence: u64,
    /// Seconds from the start to the previous arrival; only what is random adds up.
    elapsed: f64,
}

impl Schedule {
    /// The arrivals before `end`.
    #[must_use]
    pub const fn new(rate: Rate, arrivals: Arrivals, end: Duration, seed: u64) -> Self {
        Self {
            rate,
            arrivals,
            end,
            draws: Draws::new(seed),
            sequence: 0,
            elapsed: 0.0,
        }
    }

    /// Seconds from the start to the next arrival, which lies `fraction` of the way through the distribution of gaps.
    fn next_seconds(&self, fraction: f64) -> f64 {
        match self.arrivals {
            Arrivals::Constant => self.sequence as f64 / self.rate.0,
            // 1 - fraction lies in (0, 1], so its logarithm is finite: the inverse of the exponential distribution.
            Arrivals::Poisson => self.elapsed - (1.0 - fraction).ln() / self.rate.0,
        }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    /// Each arrival takes two draws, also where its time needs none: the routes of a seed do not depend on the spread.
    fn next(&mut self) -> Option<Arrival> {
        let (gap, draw) = (self.draws.fraction(), self.draws.next());
        self.elapsed = self.next_seconds(gap);
        self.sequence += 1;
        let after = Duration::try_from_secs_f64(self.elapsed)
            .ok()
            .filter(|&after| after < self.end)?;
        Some(Arrival { after, draw })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(arrivals: Arrivals, seed: u64) -> Vec<Arrival> {
        let rate = Rate::per_second(200.0).unwrap();
        Schedule::new(rate, arrivals, Duration::from_secs(50), seed).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_times_and_routes() {
        assert_eq!(schedule(Arrivals::Poisson, 1), schedule(Arrivals::Poisson, 1));
        assert_ne!(schedule(Arrivals::Poisson, 1), schedule(Arrivals::Poisson, 2));
    }

    #[test]
    fn poisson_arrivals_keep_their_rate_and_their_spread() {
        let arrivals = schedule(Arrivals::Poisson, 1);
        // 10,000 expected with a standard deviation of 100.
        assert!((9_600..10_400).contains(&arrivals.len()), "{}", arrivals.len());
        let gaps: Vec<f64> = arrivals
            .windows(2)
            .map(|pair| (pair[1].after - pair[0].after).as_secs_f64())
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let spread = variance.sqrt() / mean;
        assert!(
            (0.95..1.05).contains(&spread),
            "an exponential gap spreads by its mean, this one by {spread}"
        );
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced_from_the_start() {
        let arrivals = schedule(Arrivals::Constant, 1);
        let times: Vec<u128> = arrivals
            .iter()
            .take(3)
            .map(|arrival| arrival.after.as_millis())
            .collect();
        assert_eq!((arrivals.len(), times), (10_000, vec![0, 5, 10]));
    }

    #[test]
    fn a_rate_is_a_positive_number() {
        let accepted = [0.5, 0.0, -1.0, f64::NAN, f64::INFINITY].map(|rate| Rate::per_second(rate).is_some());
        assert_eq!(accepted, [true, false, false, false, false]);
    }
}
