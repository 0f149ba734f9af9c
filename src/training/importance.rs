//! What a forest depends on: how much worse it votes when a feature says nothing.
//!
//! A feature is made to say nothing by exchanging its values among the rows (Breiman: Random forests, Machine Learning 45,
//! 2001). What several features say alike, each of them seems to be spared for.

use crate::training::measures::Confusion;
use crate::units::Draws;

/// How often the values of a feature are exchanged.
const REPEATS: usize = 5;
/// More rows take longer and tell no more.
const MOST_ROWS: usize = 2000;

/// Rows that a forest has not seen, and what they are.
pub(crate) struct Unseen<'a> {
    /// Row by row the features.
    pub(crate) rows: Vec<Vec<f32>>,
    /// The class of each row.
    pub(crate) labels: &'a [usize],
    /// How many classes there are.
    pub(crate) classes: usize,
}

impl Unseen<'_> {
    /// How well `vote` does on them: its balanced accuracy.
    pub(crate) fn score(&self, vote: impl Fn(&[f32]) -> usize) -> f64 {
        score(&self.rows, self.labels, self.classes, vote)
    }

    /// For each of the features at `places` what `vote` loses in balanced accuracy, when the feature says nothing.
    pub(crate) fn losses(&self, places: &[usize], vote: impl Fn(&[f32]) -> usize, seed: u64) -> Vec<f64> {
        let count = self.rows.len().min(MOST_ROWS);
        let (rows, labels) = (&self.rows[..count], &self.labels[..count]);
        let whole = score(rows, labels, self.classes, &vote);
        let mut draws = Draws::new(seed);
        let mut loss = |place: usize| {
            let mut repeat = || whole - score(&exchanged(rows, place, &mut draws), labels, self.classes, &vote);
            (0..REPEATS).map(|_| repeat()).sum::<f64>() / REPEATS as f64
        };
        places.iter().map(|&place| loss(place)).collect()
    }
}

fn score(rows: &[Vec<f32>], labels: &[usize], classes: usize, vote: impl Fn(&[f32]) -> usize) -> f64 {
    let votes = rows.iter().map(|row| vote(row));
    Confusion::of(classes, labels, votes).balanced_accuracy()
}

/// `rows`, the values at `place` exchanged among them.
fn exchanged(rows: &[Vec<f32>], place: usize, draws: &mut Draws) -> Vec<Vec<f32>> {
    let mut values: Vec<f32> = rows.iter().map(|row| row[place]).collect();
    draws.shuffle(&mut values);
    let mut rows = rows.to_vec();
    for (row, value) in rows.iter_mut().zip(values) {
        row[place] = value;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_missed_and_what_does_not_is_not() {
        let rows: Vec<Vec<f32>> = (0..400).map(|row| vec![(row % 2) as f32, (row % 3) as f32]).collect();
        let labels: Vec<usize> = (0..400).map(|row| row % 2).collect();
        let unseen = Unseen {
            rows,
            labels: &labels,
            classes: 2,
        };
        let vote = |row: &[f32]| row[0] as usize;
        assert_eq!(unseen.score(vote), 1.0);
        let losses = unseen.losses(&[0, 1], vote, 1);
        assert!((losses[0] - 0.5).abs() < 0.1 && losses[1] == 0.0, "{losses:?}");
        assert_eq!(losses, unseen.losses(&[0, 1], vote, 1));
    }
}
