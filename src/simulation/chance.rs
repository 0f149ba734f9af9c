//! Random numbers of a world: independent streams from one seed, and the distributions that a world needs.
//!
//! Logarithms and the like are `libm`'s, in Rust: those of C libraries differ in their last bits, and with them a
//! whole run.

use std::f64::consts::TAU;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::simulation::scenario::Demand;
use crate::units::Draws;

/// What numbers are drawn for. Each purpose has a stream of its own, so that a change to one leaves the others alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Arrivals,
    Phases,
    Gateways,
    Routes,
    Demands,
    Decisions,
    Faults,
    Polls,
    Noise,
    Jitter,
    Worlds,
    Tutor,
}

/// The numbers for `purpose` under `seed`; `part` tells apart what is drawn for several times.
pub(crate) fn stream(seed: u64, purpose: Purpose, part: usize) -> Draws {
    let mut draws = Draws::new(seed);
    let mixed = draws.next() ^ ((purpose as u64) << 56) ^ part as u64;
    Draws::new(Draws::new(mixed).next())
}

/// Exponential with a mean of 1.
pub(crate) fn exponential(draws: &mut Draws) -> f64 {
    -libm::log(1.0 - draws.fraction())
}

/// Normal with a mean of 0 and a standard deviation of 1.
///
/// Box and Muller: A note on the generation of random normal deviates, 1958; the second of each pair is not used.
pub(crate) fn normal(draws: &mut Draws) -> f64 {
    let radius = (2.0 * exponential(draws)).sqrt();
    radius * libm::cos(TAU * draws.fraction())
}

/// Any duration of `range`, in seconds.
pub(crate) fn within(range: &RangeInclusive<Duration>, draws: &mut Draws) -> f64 {
    between(*range.start(), *range.end(), draws)
}

/// The work of one request, in seconds.
pub(crate) fn demand(demand: &Demand, draws: &mut Draws) -> f64 {
    match demand {
        Demand::Constant(demand) => demand.as_secs_f64(),
        Demand::Uniform { low, high } => between(*low, *high, draws),
        Demand::Exponential { mean } => mean.as_secs_f64() * exponential(draws),
        Demand::Lognormal { mean, sigma } => {
            mean.as_secs_f64() * libm::exp(sigma * normal(draws) - sigma * sigma / 2.0)
        }
    }
}

fn between(low: Duration, high: Duration, draws: &mut Draws) -> f64 {
    let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
    low + (high - low) * draws.fraction()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_mean(demand_of: &Demand) {
        let mut draws = stream(1, Purpose::Demands, 0);
        let count = 200_000;
        let mean = (0..count).map(|_| demand(demand_of, &mut draws)).sum::<f64>() / f64::from(count);
        assert!((mean / demand_of.mean() - 1.0).abs() < 0.01, "{mean} for {demand_of:?}");
    }

    #[test]
    fn demands_have_their_means() {
        let ms = Duration::from_millis;
        check_mean(&Demand::Constant(ms(3)));
        check_mean(&Demand::Uniform {
            low: ms(2),
            high: ms(5),
        });
        check_mean(&Demand::Exponential { mean: ms(80) });
        check_mean(&Demand::Lognormal {
            mean: ms(20),
            sigma: 0.3,
        });
        check_mean(&Demand::Lognormal {
            mean: ms(20),
            sigma: 1.0,
        });
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let first = |purpose, part| stream(7, purpose, part).next();
        let numbers = [
            first(Purpose::Arrivals, 0),
            first(Purpose::Arrivals, 1),
            first(Purpose::Routes, 0),
            first(Purpose::Routes, 1),
        ];
        let mut distinct = numbers.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), numbers.len());
    }
}
