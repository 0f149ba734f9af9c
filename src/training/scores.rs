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
}

/// The scores of `model` on `rows` of the classes `labels`, `majority` being training's most frequent class. `rows`
/// are not empty.
pub(crate) fn judge(model: &Model, rows: &[Vec<Option<f32>>], labels: &[usize], majority: usize) -> Scores {
    let vote = |row: &Vec<Option<f32>>| {
        let raw: Vec<f32> = row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        model.vote(&raw)
    };
    let votes: Vec<usize> = rows.iter().map(vote).collect();
    let recall = (0..model.forest().outputs())
        .map(|class| recall(&votes, labels, class))
        .collect();
    score(&votes, labels, majority, recall)
}

fn score(votes: &[usize], labels: &[usize], majority: usize, recall: Vec<Option<f64>>) -> Scores {
    let share = |count: usize| count as f64 / labels.len() as f64;
    let known: Vec<f64> = recall.iter().copied().flatten().collect();
    Scores {
        rows: labels.len(),
        accuracy: share(votes.iter().zip(labels).filter(|(vote, label)| vote == label).count()),
        balanced_accuracy: known.iter().sum::<f64>() / known.len() as f64,
        majority_accuracy: share(labels.iter().filter(|&&label| label == majority).count()),
        recall,
    }
}

fn recall(votes: &[usize], labels: &[usize], class: usize) -> Option<f64> {
    let of_class: Vec<usize> = votes
        .iter()
        .zip(labels)
        .filter(|&(_, &label)| label == class)
        .map(|(&vote, _)| vote)
        .collect();
    let right = of_class.iter().filter(|&&vote| vote == class).count();
    (!of_class.is_empty()).then(|| right as f64 / of_class.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lopsided_vote_scores_high_but_not_in_balance() {
        let (votes, labels) = ([0, 0, 0, 0], [0, 0, 0, 1]);
        let recalls: Vec<_> = (0..3).map(|class| recall(&votes, &labels, class)).collect();
        assert_eq!(recalls, [Some(1.0), Some(0.0), None]);
        let scores = score(&votes, &labels, 0, recalls);
        assert_eq!(
            (scores.accuracy, scores.balanced_accuracy, scores.majority_accuracy),
            (0.75, 0.5, 0.75)
        );
    }
}
