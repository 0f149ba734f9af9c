//! What a forest is to learn: the class of a row, or a number.
//!
//! linfa-trees only tells labels apart, and only with two of them are its trees the same every time (with more, ties
//! and sums follow the order of a hash map). So each tree answers a question of its own with yes or no, and its
//! leaves are given their values afterwards.

use crate::forest::Classes;

/// What the leaves estimate, and what each tree asks.
#[derive(Debug)]
pub(crate) enum Goal<'a> {
    /// Tree `t` asks whether a row is of class `t` modulo their number; with two classes, whether it is of the second.
    Classes(&'a Classes),
    /// Tree `t` asks whether a row's number lies above a threshold of its own.
    Numbers {
        /// The number of each row, less the mean of all.
        centred: Vec<f32>,
        /// The same in ascending order.
        sorted: Vec<f32>,
        /// By how much the trees' thresholds are moved, as a share of their range.
        shift: f64,
    },
}

impl Goal<'_> {
    /// The goal to estimate by how much each of `numbers`, which are finite, differs from their mean.
    pub(crate) fn numbers(numbers: &[f32]) -> Self {
        Self::numbers_from(numbers, 0.0)
    }

    /// The same, the thresholds of the trees moved along by `shift`, of which the whole part does not count.
    pub(crate) fn numbers_from(numbers: &[f32], shift: f64) -> Self {
        let mean = numbers.iter().copied().map(f64::from).sum::<f64>() / numbers.len() as f64;
        let centred: Vec<f32> = numbers
            .iter()
            .map(|&number| (f64::from(number) - mean) as f32)
            .collect();
        let mut sorted = centred.clone();
        sorted.sort_by(f32::total_cmp);
        Self::Numbers { centred, sorted, shift }
    }

    /// The number of each row less the mean of all; nothing where classes are asked for.
    pub(crate) fn centred(&self) -> &[f32] {
        match self {
            Self::Classes(_) => &[],
            Self::Numbers { centred, .. } => centred,
        }
    }

    /// How many values a leaf has.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.count(),
            Self::Numbers { .. } => 1,
        }
    }

    /// The question of tree number `tree` of `trees`, as a function of the row.
    pub(crate) fn question(&self, tree: usize, trees: usize) -> impl Fn(usize) -> bool {
        let asked = match self {
            Self::Classes(classes) if classes.count() == 2 => 1,
            Self::Classes(classes) => tree % classes.count(),
            Self::Numbers { .. } => 0,
        };
        let threshold = self.threshold(tree, trees);
        move |row| match self {
            Self::Classes(classes) => classes.labels()[row] == asked,
            Self::Numbers { centred, .. } => centred[row] > threshold,
        }
    }

    /// Adds what row `row` says to `sums`, one per output.
    pub(crate) fn add(&self, row: usize, sums: &mut [f64]) {
        match self {
            Self::Classes(classes) => sums[classes.labels()[row]] += 1.0,
            Self::Numbers { centred, .. } => sums[0] += f64::from(centred[row]),
        }
    }

    /// The quantile 0.1 + 0.8 (t + 0.5) / T: spread thresholds let a vote of yes and no rank like a regression, and
    /// stay clear of the tails, where linfa prunes a tree down to its root.
    fn threshold(&self, tree: usize, trees: usize) -> f32 {
        let Self::Numbers { sorted, shift, .. } = self else {
            return 0.0;
        };
        let place = (tree as f64 + 0.5) / trees as f64;
        let quantile = 0.1 + 0.8 * if *shift > 0.0 { (place + shift).fract() } else { place };
        let place = (quantile * sorted.len() as f64) as usize;
        sorted[place.min(sorted.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_ask_for_thresholds_between_the_tails() {
        let numbers: Vec<f32> = (0..100).map(|number| number as f32).collect();
        let goal = Goal::numbers(&numbers);
        let yes = |tree| (0..100).filter(|&row| goal.question(tree, 4)(row)).count();
        assert_eq!([yes(0), yes(1), yes(2), yes(3)], [79, 59, 39, 19]);
    }

    #[test]
    fn trees_take_the_classes_in_turn() {
        let classes = Classes::new(vec![0, 1, 2], 3).unwrap();
        let asked = |tree| {
            (0..3)
                .filter(|&row| Goal::Classes(&classes).question(tree, 9)(row))
                .collect::<Vec<_>>()
        };
        assert_eq!([asked(0), asked(1), asked(2), asked(3)], [[0], [1], [2], [0]]);
    }
}
