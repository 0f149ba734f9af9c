//! How well a model does on rows that it has not seen.

use serde::Serialize;

use crate::forest::Model;
use crate::training::measures::Confusion;

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
    pub confusion: Vec<Vec<u64>>,
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
    let confusion = Confusion::of(classes, labels, votes.iter().copied());
    let of_majority = labels.iter().filter(|&&label| label == majority).count();
    Scores {
        rows: labels.len(),
        accuracy: confusion.accuracy(),
        balanced_accuracy: confusion.balanced_accuracy(),
        majority_accuracy: of_majority as f64 / labels.len() as f64,
        recall: (0..classes).map(|class| confusion.recall(class)).collect(),
        confusion: confusion.rows(),
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
