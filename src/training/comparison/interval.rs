//! How far chance alone could have moved a score: a bootstrap over stretches of time.
//!
//! Rows that follow each other are alike, so single rows would promise more than they hold; whole stretches of them are
//! drawn instead (Künsch: The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17,
//! 1989). All methods are judged by the same draws, so that differences are paired.

use crate::training::measures::Confusion;
use crate::training::measures::Forecasts;
use crate::training::measures::Ranking;
use crate::training::measures::mean_area;
use crate::units::Draws;

/// Stretches that time is divided into.
const STRETCHES: usize = 100;
/// How often they are drawn.
const RESAMPLES: usize = 400;
/// What lies outside of an interval at either end.
const TAIL: f64 = 0.025;

/// For each resample how often each stretch was drawn.
#[derive(Debug)]
pub(super) struct Resamples {
    counts: Vec<Vec<f64>>,
    /// How many rows there are.
    rows: usize,
    stretches: usize,
}

/// The scores of one method in each resample.
#[derive(Debug)]
pub(super) struct Resampled {
    pub(super) balanced_accuracy: Vec<f64>,
    pub(super) area: Vec<f64>,
}

impl Resamples {
    /// Those of `rows` rows in the order of time.
    pub(super) fn new(rows: usize, seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let stretches = STRETCHES.min(rows);
        let mut drawn = || {
            let mut counts = vec![0.0; stretches];
            for _ in 0..stretches {
                counts[draws.below(stretches)] += 1.0;
            }
            counts
        };
        Self {
            counts: (0..RESAMPLES).map(|_| drawn()).collect(),
            rows,
            stretches,
        }
    }

    /// The scores of `forecasts`, whose rows are in the order of time.
    pub(super) fn scores(&self, forecasts: &Forecasts, rankings: &[Ranking]) -> Resampled {
        let mut parts = vec![Confusion::new(forecasts.classes); self.stretches];
        for (row, (&label, vote)) in forecasts.labels.iter().zip(forecasts.votes()).enumerate() {
            parts[self.stretch(row)].add(label, vote, 1.0);
        }
        let balanced = |counts: &Vec<f64>| {
            let mut all = Confusion::new(forecasts.classes);
            parts
                .iter()
                .zip(counts)
                .for_each(|(part, &count)| all.merge(part, count));
            all.balanced_accuracy()
        };
        let area = |counts: &Vec<f64>| mean_area(rankings, |row| counts[self.stretch(row)]).unwrap_or(f64::NAN);
        Resampled {
            balanced_accuracy: self.counts.iter().map(balanced).collect(),
            area: self.counts.iter().map(area).collect(),
        }
    }

    fn stretch(&self, row: usize) -> usize {
        row * self.stretches / self.rows
    }
}

/// The middle 95 % of `values`; those that are not numbers say nothing.
pub(super) fn middle(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let mut known: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    let last = known.len().saturating_sub(1) as f64;
    let at = |part: f64| known.get((part * last).round() as usize).copied().unwrap_or(f64::NAN);
    [at(TAIL), at(1.0 - TAIL)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forecasts that are right in `share` of the rows.
    fn forecasts(rows: usize, share: f64) -> Forecasts {
        let mut draws = Draws::new(5);
        let mut forecasts = Forecasts::new(2);
        for row in 0..rows {
            let label = row % 2;
            let is_yes = (label == 1) == (draws.fraction() < share);
            forecasts.labels.push(label);
            forecasts.folds.push(0);
            forecasts.shares.extend(if is_yes { [0.2, 0.8] } else { [0.8, 0.2] });
        }
        forecasts
    }

    #[test]
    fn an_interval_holds_the_score_and_shrinks_with_more_rows() {
        let width = |rows| {
            let forecasts = forecasts(rows, 0.8);
            let resampled = Resamples::new(rows, 1).scores(&forecasts, &forecasts.rankings());
            let [low, high] = middle(resampled.balanced_accuracy.into_iter());
            assert!(low < 0.8 && 0.8 < high, "{low} to {high}");
            let [low_area, high_area] = middle(resampled.area.into_iter());
            assert!((low - low_area).abs() < 0.02 && (high - high_area).abs() < 0.02);
            high - low
        };
        assert!(2.0 * width(6400) < width(400));
    }

    #[test]
    fn resamples_without_a_score_are_left_out() {
        let [low, high] = middle([1.0, f64::NAN, 3.0].into_iter());
        assert_eq!((low, high), (1.0, 3.0));
        assert!(middle([f64::NAN].into_iter())[0].is_nan());
    }
}
