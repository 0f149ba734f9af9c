//! How well a model does on rows that it has not seen.

use serde::Serialize;

use crate::forest::Model;

/// A model's votes held against what was the case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// How many rows were held out: the last ones.
    pub rows: usize,
    /// The share of right votes.
    pub accuracy: f64,
    /// The mean of the recalls of the classes that occur.
    pub balanced_accuracy: f64,
    /// What always naming the class that is most frequent in training would have scored.
    pub majority_accuracy: f64,
    /// For each class the share of its rows that were voted for it; `None` where it does not occur.
    pub recall: Vec<Option<f64>>,
    /// For each class, how many of its rows were voted for each.
    pub confusion: Vec<Vec<usize>>,
}

/// The scores of `model` on `rows` of the classes `labels`, `majority` being training's most frequent class. `rows`
/// are not empty.
pub(crate) fn judge(model: &Model, rows: &[Vec<Option<f32>>], labels: &[usize], majority: usize) -> Scores {
    let vote = |row: &Vec<Option<f32>>| {
        let raw: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        model.vote(&raw)
    };
    let votes: Vec<usize> = rows.iter().map(vote).collect();
    score(&votes, labels, majority, model.forest().outputs())
}

fn score(votes: &[usize], labels: &[usize], majority: usize, classes: usize) -> Scores {
    let share = |count: usize| count as f64 / labels.len() as f64;
    let mut confusion = vec![vec![0; classes]; classes];
    for (&vote, &label) in votes.iter().zip(labels) {
        confusion[label][vote] += 1;
    }
    let recall = |(class, row): (usize, &Vec<usize>)| {
        let all: usize = row.iter().sum();
        (all > 0).then(|| row[class] as f64 / all as f64)
    };
    let recall: Vec<Option<f64>> = confusion.iter().enumerate().map(recall).collect();
    let known: Vec<f64> = recall.iter().copied().flatten().collect();
    Scores {
        rows: labels.len(),
        accuracy: share((0..classes).map(|class| confusion[class][class]).sum()),
        balanced_accuracy: known.iter().sum::<f64>() / known.len() as f64,
        majority_accuracy: share(labels.iter().filter(|&&label| label == majority).count()),
        recall,
        confusion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lopsided_vote_scores_high_but_not_in_balance() {
        let (votes, labels) = ([0, 0, 0, 0], [0, 0, 0, 1]);
        let scores = score(&votes, &labels, 0, 3);
        assert_eq!(scores.recall, [Some(1.0), Some(0.0), None]);
        assert_eq!(scores.confusion, [[3, 0, 0], [1, 0, 0], [0, 0, 0]]);
        assert_eq!(
            (scores.accuracy, scores.balanced_accuracy, scores.majority_accuracy),
            (0.75, 0.5, 0.75)
        );
    }
}
