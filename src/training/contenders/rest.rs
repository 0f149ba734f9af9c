//! Many classes by methods that know two: each class against the rest.

use ndarray::Array2;

use crate::training::contenders::Fitted;
use crate::training::contenders::Lesson;

/// A classifier that knows yes and no.
pub(super) trait Binary {
    /// For each of `records` the probability of a yes.
    fn shares(&self, records: &Array2<f64>) -> Vec<f64>;
    /// How many bytes of numbers a prediction needs.
    fn bytes(&self) -> usize;
}

/// One classifier for each class; for two classes, one for the second.
pub(super) struct Rest {
    members: Vec<Box<dyn Binary>>,
    classes: usize,
}

impl Rest {
    /// Fits them by `fit`, which is handed the rows and whether each is of the class.
    pub(super) fn fit<B: Binary + 'static>(
        lesson: &Lesson,
        fit: impl Fn(&Array2<f64>, Vec<bool>) -> Result<B, String>,
    ) -> Result<Box<dyn Fitted>, String> {
        let first = if lesson.classes == 2 { 1 } else { 0 };
        let member = |class: usize| -> Result<Box<dyn Binary>, String> {
            let is: Vec<bool> = lesson.labels.iter().map(|&label| label == class).collect();
            Ok(Box::new(fit(&lesson.records, is)?))
        };
        let members = (first..lesson.classes).map(member).collect::<Result<_, _>>()?;
        Ok(Box::new(Self {
            members,
            classes: lesson.classes,
        }))
    }
}

impl Fitted for Rest {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let columns: Vec<Vec<f64>> = self.members.iter().map(|member| member.shares(records)).collect();
        if let ([yes], 2) = (columns.as_slice(), self.classes) {
            return yes.iter().flat_map(|&yes| [1.0 - yes, yes]).collect();
        }
        let row = |row: usize| normalised(columns.iter().map(|column| column[row]).collect());
        (0..records.nrows()).flat_map(row).collect()
    }

    fn bytes(&self) -> usize {
        self.members.iter().map(|member| member.bytes()).sum()
    }
}

/// Shares that sum to one; where no class is likely, all are equally so.
fn normalised(mut shares: Vec<f64>) -> Vec<f64> {
    let sum: f64 = shares.iter().sum();
    let count = shares.len() as f64;
    for share in &mut shares {
        *share = if sum > 0.0 { *share / sum } else { 1.0 / count };
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one_even_where_every_class_denies() {
        assert_eq!(normalised(vec![0.5, 0.5, 1.0]), [0.25, 0.25, 0.5]);
        assert_eq!(normalised(vec![0.0, 0.0]), [0.5, 0.5]);
    }
}
