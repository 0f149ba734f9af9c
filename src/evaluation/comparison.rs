//! What the slices prove: the ratio of two selectors' latencies, how far chance could have moved it, and a plain word.

use crate::evaluation::Phase;
use crate::evaluation::student;

/// One selector against the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The selector.
    pub selector: String,
    /// The one that it is compared with.
    pub baseline: String,
    /// Its mean latency over the baseline's, where an error counts as a second; `None` when
    /// a slice had no requests.
    pub mean: Option<Interval>,
    /// Its 99th percentile over the baseline's; `None` when a slice of one of them had no good answer.
    pub p99: Option<Interval>,
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
    /// There is none.
    NotMeasured,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NoDifference => "no difference",
            Self::Worse => "worse",
            Self::NotMeasured => "not measured",
        }
    }

    fn of(interval: Option<Interval>) -> Self {
        let Some(interval) = interval else {
            return Self::NotMeasured;
        };
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
pub(super) fn compare(phase: &Phase, baseline: &Phase) -> Comparison {
    let mean = interval(&phase.costs_ms, &baseline.costs_ms);
    let some = |figures: &[f64]| figures.iter().copied().map(Some).collect::<Vec<_>>();
    Comparison {
        selector: phase.selector.clone(),
        baseline: baseline.selector.clone(),
        mean,
        p99: interval(&phase.p99s_ms, &baseline.p99s_ms),
        throughput: interval(&some(&phase.throughputs_rps), &some(&baseline.throughputs_rps)),
        verdict: Verdict::of(mean),
    }
}

/// The paired ratio of two rows of figures and Student's t interval over the blocks' logarithms: a ratio and its inverse
/// are equally far from 1. A bootstrap of so few blocks is too narrow.
fn interval(figures: &[Option<f64>], baseline: &[Option<f64>]) -> Option<Interval> {
    let pairs = figures.iter().zip(baseline);
    let logs: Vec<f64> = pairs
        .map(|(own, other)| log_ratio(*own, *other))
        .collect::<Option<_>>()?;
    // One block says nothing of how far chance goes.
    let freedom = logs.len().checked_sub(1).filter(|&freedom| freedom > 0)?;
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / freedom as f64;
    let reach = student::quantile_975(freedom) * (variance / count).sqrt();
    Some(Interval {
        ratio: mean.exp(),
        low: (mean - reach).exp(),
        high: (mean + reach).exp(),
    })
}

/// Nothing over nothing is no ratio, and one slice of it makes the whole row none.
fn log_ratio(own: Option<f64>, other: Option<f64>) -> Option<f64> {
    let log = (own? / other?).ln();
    log.is_finite().then_some(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Draws;

    #[track_caller]
    fn check(figures: &[f64], baseline: &[f64], expected: Verdict) {
        let some = |figures: &[f64]| figures.iter().copied().map(Some).collect::<Vec<_>>();
        let interval = interval(&some(figures), &some(baseline));
        assert!(
            interval.is_none_or(|it| it.low <= it.ratio && it.ratio <= it.high),
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
        check(&[], &[], Verdict::NotMeasured);
        check(&[1.0, 0.0], &[1.0, 2.0], Verdict::NotMeasured);
        check(&[0.0, 0.0], &[0.0, 0.0], Verdict::NotMeasured);
        assert_eq!(interval(&[Some(1.0), None], &[Some(1.0), Some(1.0)]), None);
    }

    /// A draw of the normal distribution (Box and Muller, 1958).
    fn normal(draws: &mut Draws) -> f64 {
        let (length, angle) = (1.0 - draws.fraction(), draws.fraction());
        (-2.0 * length.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    #[track_caller]
    fn check_noise(blocks: usize) {
        let mut draws = Draws::new(7);
        let mut figures = || -> Vec<_> { (0..blocks).map(|_| Some((0.3 * normal(&mut draws)).exp())).collect() };
        let differs = (0..2000).filter(|_| Verdict::of(interval(&figures(), &figures())) != Verdict::NoDifference);
        let share = differs.count() as f64 / 2000.0;
        assert!((0.03..=0.07).contains(&share), "{share} of {blocks} blocks");
    }

    #[test]
    fn noise_is_a_difference_in_one_of_twenty() {
        check_noise(6);
        check_noise(12);
    }
}
