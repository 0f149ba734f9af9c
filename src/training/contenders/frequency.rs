//! What needs no features: how frequent the classes were.

use ndarray::Array2;

use crate::training::contenders::Fitted;
use crate::training::contenders::Lesson;

/// The share of each class in training.
pub(super) struct Frequency(Vec<f64>);

/// Counts the classes of `lesson`.
pub(super) fn fit(lesson: &Lesson) -> Frequency {
    let share = |class| {
        let count = lesson.labels.iter().filter(|&&label| label == class).count();
        count as f64 / lesson.labels.len() as f64
    };
    Frequency((0..lesson.classes).map(share).collect())
}

impl Fitted for Frequency {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        (0..records.nrows()).flat_map(|_| self.0.iter().copied()).collect()
    }

    fn bytes(&self) -> usize {
        self.0.len() * size_of::<f64>()
    }
}
