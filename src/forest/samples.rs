//! What a forest is grown from: rows of finite numbers, and what each row is to be taken for.

use crate::forest::Forest;
use crate::forest::GrowError;
use crate::forest::Schema;

/// Training rows, row by row, every value finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    schema: Schema,
    values: Vec<f32>,
}

impl Samples {
    /// Rows over `schema`, laid end to end in `values`.
    ///
    /// # Errors
    /// When there is no row, the last one is incomplete, there are more than `u32::MAX`, or a value is not finite:
    /// linfa panics on NaN or overflows the stack, so missing values are filled before.
    pub fn new(schema: Schema, values: Vec<f32>) -> Result<Self, GrowError> {
        let width = schema.width();
        if values.is_empty() || values.len() % width != 0 || u32::try_from(values.len() / width).is_err() {
            return Err(GrowError::Shape {
                values: values.len(),
                width,
            });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(GrowError::NotFinite {
                row: at / width,
                feature: schema.names()[at % width].clone(),
            });
        }
        Ok(Self { schema, values })
    }

    /// The rows at these indices, which are below [`Self::count`]; at least one.
    pub(crate) fn some(&self, rows: &[usize]) -> Self {
        Self {
            schema: self.schema.clone(),
            values: rows.iter().flat_map(|&row| self.row(row)).copied().collect(),
        }
    }

    /// The names of the columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many rows there are; never zero.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.schema.width()
    }

    /// The row at `index`, which is below [`Self::count`].
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        let width = self.schema.width();
        &self.values[index * width..][..width]
    }
}

/// Which class each row belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    labels: Vec<usize>,
    count: usize,
}

impl Classes {
    /// `labels`, each below `count`.
    ///
    /// # Errors
    /// When `count` is not 2 to [`Forest::MAX_OUTPUTS`], or a label is not below it.
    pub fn new(labels: Vec<usize>, count: usize) -> Result<Self, GrowError> {
        if !(2..=Forest::MAX_OUTPUTS).contains(&count) {
            return Err(GrowError::Classes { count });
        }
        match labels.iter().position(|&label| label >= count) {
            Some(row) => Err(GrowError::Label {
                row,
                label: labels[row],
                count,
            }),
            None => Ok(Self { labels, count }),
        }
    }

    /// The class of each row.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// How many classes there are, also those that no row belongs to.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(vec!["cpu".into(), "ram".into()]).unwrap()
    }

    #[track_caller]
    fn refused(values: &[f32], expected: GrowError) {
        assert_eq!(Samples::new(schema(), values.to_vec()), Err(expected));
    }

    #[test]
    fn values_that_linfa_cannot_take_are_refused_by_place() {
        refused(
            &[1.0, f32::NAN],
            GrowError::NotFinite {
                row: 0,
                feature: "ram".into(),
            },
        );
        refused(
            &[1.0, 1.0, f32::INFINITY, 0.0],
            GrowError::NotFinite {
                row: 1,
                feature: "cpu".into(),
            },
        );
        refused(&[], GrowError::Shape { values: 0, width: 2 });
        refused(&[1.0], GrowError::Shape { values: 1, width: 2 });
    }

    #[test]
    fn labels_lie_below_the_number_of_classes() {
        assert_eq!(
            Classes::new(vec![0, 2], 2),
            Err(GrowError::Label {
                row: 1,
                label: 2,
                count: 2
            })
        );
        assert_eq!(Classes::new(vec![0], 1), Err(GrowError::Classes { count: 1 }));
        assert!(Classes::new(vec![0, 1], 2).is_ok());
    }
}
