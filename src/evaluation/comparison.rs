//! What the slices prove: the ratio of two selectors' latencies, how far chance could have moved it, and a plain word.

use crate::evaluation::Phase;
use crate::units::Draws;

/// Resamplings of the blocks; the ends of the interval are then settled to a hundredth of its width or so.
const RESAMPLES: usize = 4000;

/// One selector against the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The selector.
    pub selector: String,
    /// The one that it is compared with.
    pub baseline: String,
    /// Its mean latency over the baseline's.
    pub mean: Interval,
    /// Its 99th percentile over the baseline's.
    pub p99: Interval,
    /// Its throughput at saturation over the baseline's, if that was measured.
    pub throughput: Option<Interval>,
    /// What follows for the mean latency.
    pub verdict: Verdict,
}

/// A ratio, and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The geometric mean of the blocks' ratios.
    pub ratio: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What an interval says of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is below 1.
    Better,
    /// It holds 1.
    NoDifference,
    /// All of it is above 1.
    Worse,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NoDifference => "no difference",
            Self::Worse => "worse",
        }
    }

    fn of(interval: Interval) -> Self {
        if interval.high < 1.0 {
            Self::Better
        } else if interval.low > 1.0 {
            Self::Worse
        } else {
            Self::NoDifference
        }
    }
}

/// `phase` against `baseline`, slice by slice of the same block: both had the same traffic.
pub(super) fn compare(phase: &Phase, baseline: &Phase, seed: u64) -> Comparison {
    let mean = interval(&phase.means_ms, &baseline.means_ms, seed);
    let throughput = !phase.throughputs_rps.is_empty();
    Comparison {
        selector: phase.selector.clone(),
        baseline: baseline.selector.clone(),
        mean,
        p99: interval(&phase.p99s_ms, &baseline.p99s_ms, seed),
        throughput: throughput.then(|| interval(&phase.throughputs_rps, &baseline.throughputs_rps, seed)),
        verdict: Verdict::of(mean),
    }
}

/// The paired ratio of two rows of figures and its percentile bootstrap interval (Efron and Tibshirani, An Introduction
/// to the Bootstrap, 1993, chapter 13), over the logarithms: a ratio and its inverse are equally far from 1.
fn interval(figures: &[f64], baseline: &[f64], seed: u64) -> Interval {
    let logs: Vec<f64> = figures
        .iter()
        .zip(baseline)
        .map(|(own, other)| (own.max(1e-6) / other.max(1e-6)).ln())
        .collect();
    if logs.is_empty() {
        return Interval {
            ratio: 1.0,
            low: 0.0,
            high: f64::INFINITY,
        };
    }
    let count = logs.len() as f64;
    let mut draws = Draws::new(seed);
    let resample = |_| logs.iter().map(|_| logs[draws.below(logs.len())]).sum::<f64>() / count;
    let mut means: Vec<f64> = (0..RESAMPLES).map(resample).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64) as usize].exp();
    Interval {
        ratio: (logs.iter().sum::<f64>() / count).exp(),
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(figures: &[f64], baseline: &[f64], expected: Verdict) {
        let interval = interval(figures, baseline, 1);
        assert!(
            interval.low <= interval.ratio && interval.ratio <= interval.high,
            "{interval:?}"
        );
        assert_eq!(Verdict::of(interval), expected, "{interval:?}");
    }

    #[test]
    fn a_steady_difference_is_one_however_much_the_blocks_differ() {
        let baseline = [10.0, 40.0, 20.0, 80.0, 15.0, 30.0];
        check(&baseline.map(|it| it * 0.9), &baseline, Verdict::Better);
        check(&baseline.map(|it| it * 1.1), &baseline, Verdict::Worse);
        check(&baseline, &baseline, Verdict::NoDifference);
    }

    #[test]
    fn what_chance_can_do_is_no_difference() {
        check(
            &[9.0, 12.0, 9.5, 10.5],
            &[10.0, 10.0, 10.0, 10.0],
            Verdict::NoDifference,
        );
    }

    #[test]
    fn nothing_measured_proves_nothing() {
        check(&[], &[], Verdict::NoDifference);
    }
}
