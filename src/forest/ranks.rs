//! The columns as linfa may see them: ranks in place of values.
//!
//! linfa-trees takes values that differ by less than 1e-5 for equal, whatever their unit, and skips a split after a
//! value that any row shares, even a row outside the node, so that deeper nodes miss splits. A tree depends on the
//! order of the values alone. So each column is replaced by the rank of its values (neighbours differ by 1) and
//! rows of equal rank are spread over a quarter to either side in a seeded order. Thresholds are mapped back to values
//! that divide the rows in the same way.

use crate::forest::Samples;
use crate::units::Draws;

/// Rows of equal rank lie within this distance of it, so that no two ranks meet.
const SPREAD: f64 = 0.25;

/// Every column of the samples as ranks, and the values behind them.
#[derive(Debug)]
pub(crate) struct Ranks {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    /// The different values, ascending.
    distinct: Vec<f32>,
    /// For each row the place of its value in `distinct`.
    ranks: Vec<u32>,
}

impl Ranks {
    /// The ranks of every column of `samples`.
    pub(crate) fn new(samples: &Samples) -> Self {
        let columns = (0..samples.schema().width())
            .map(|feature| Column::new(samples, feature))
            .collect();
        Self { columns }
    }

    /// The columns that have anything to split.
    pub(crate) fn varying(&self) -> Vec<usize> {
        (0..self.columns.len())
            .filter(|&feature| self.columns[feature].distinct.len() > 1)
            .collect()
    }

    /// The ranks of `rows` in the column `feature`, equal ones spread apart in an order drawn from `draws`.
    pub(crate) fn spread(&self, feature: usize, rows: &[usize], draws: &mut Draws) -> Vec<f64> {
        let ranks = &self.columns[feature].ranks;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        draws.shuffle(&mut order);
        order.sort_by_key(|&at| ranks[rows[at]]);
        let mut spread = vec![0.0; rows.len()];
        for equal in order.chunk_by(|&a, &b| ranks[rows[a]] == ranks[rows[b]]) {
            let step = 2.0 * SPREAD / equal.len() as f64;
            for (place, &at) in equal.iter().enumerate() {
                spread[at] = f64::from(ranks[rows[at]]) - SPREAD + step * (place as f64 + 0.5);
            }
        }
        spread
    }

    /// The value that divides the rows as `threshold` divides their ranks: smaller ones lie below it.
    pub(crate) fn value(&self, feature: usize, threshold: f64) -> f32 {
        let distinct = &self.columns[feature].distinct;
        // `as` saturates: a threshold below every rank becomes 0.
        let right = threshold.ceil() as usize;
        match (
            right.checked_sub(1).and_then(|left| distinct.get(left)),
            distinct.get(right),
        ) {
            (Some(&left), Some(&right)) => between(left, right),
            (None, Some(&first)) => first,
            (_, None) => f32::INFINITY,
        }
    }

    #[cfg(test)]
    pub(crate) fn rank(&self, feature: usize, row: usize) -> f64 {
        f64::from(self.columns[feature].ranks[row])
    }
}

impl Column {
    fn new(samples: &Samples, feature: usize) -> Self {
        let values: Vec<f32> = (0..samples.count()).map(|row| samples.row(row)[feature]).collect();
        let mut distinct = values.clone();
        distinct.sort_by(f32::total_cmp);
        distinct.dedup();
        let ranks = values
            .iter()
            .map(|&value| distinct.partition_point(|&other| other < value) as u32)
            .collect();
        Self { distinct, ranks }
    }
}

/// A value above `left` and not above `right`: halfway where rounding allows.
fn between(left: f32, right: f32) -> f32 {
    let middle = ((f64::from(left) + f64::from(right)) / 2.0) as f32;
    if middle > left { middle } else { right }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Schema;

    fn ranks(values: &[f32]) -> Ranks {
        Ranks::new(&Samples::new(Schema::new(vec!["x".into()]).unwrap(), values.to_vec()).unwrap())
    }

    fn spread(values: &[f32]) -> Vec<f64> {
        let rows: Vec<usize> = (0..values.len()).collect();
        ranks(values).spread(0, &rows, &mut Draws::new(1))
    }

    #[test]
    fn neighbours_are_far_apart_whatever_their_unit() {
        assert_eq!(spread(&[3e-9, 1e-9, 2e9]), [1.0, 0.0, 2.0]);
    }

    #[test]
    fn five_thousand_equal_values_are_told_apart_by_linfa() {
        let mut spread = spread(&[7.0; 5000]);
        spread.sort_by(f64::total_cmp);
        assert!(spread.windows(2).all(|pair| pair[1] - pair[0] > 9e-5));
        assert!(spread[0] > -SPREAD && spread[4999] < SPREAD);
    }

    #[test]
    fn zeros_of_either_sign_are_equal() {
        assert!(ranks(&[0.0, -0.0]).varying().is_empty());
    }

    #[test]
    fn a_threshold_divides_values_as_it_divided_ranks() {
        let ranks = ranks(&[10.0, 20.0, 40.0]);
        assert_eq!(ranks.value(0, -0.1), 10.0);
        assert_eq!(ranks.value(0, 0.1), 15.0);
        assert_eq!(ranks.value(0, 1.0), 15.0);
        assert_eq!(ranks.value(0, 1.1), 30.0);
        assert_eq!(ranks.value(0, 2.1), f32::INFINITY);
    }

    #[test]
    fn adjacent_floats_are_divided_too() {
        let above = f32::from_bits(1.0_f32.to_bits() + 1);
        assert_eq!(between(1.0, above), above);
        assert_eq!(between(-f32::MAX, f32::MAX), 0.0);
    }
}
