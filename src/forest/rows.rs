//! A batch of rows to be scored, laid out for the walk: where they are not too long, each has the length that it asks for.

use crate::forest::heap::PLACES;
use crate::forest::heap::Row;

/// Rows of one width, reused from decision to decision.
#[derive(Clone, Debug)]
pub struct Rows {
    values: Vec<f32>,
    width: usize,
    /// From the beginning of a row to the next.
    stride: usize,
}

impl Rows {
    /// No rows yet of `width` features, with room for `capacity` of them.
    #[must_use]
    pub fn new(width: usize, capacity: usize) -> Self {
        let stride = width.max(PLACES);
        Self {
            values: Vec::with_capacity(capacity.saturating_mul(stride)),
            width,
            stride,
        }
    }

    /// How many features a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.stride
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Forgets the rows, keeps the room.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// A further row of zeros, to be filled in. Allocates only beyond the capacity.
    pub fn add(&mut self) -> &mut [f32] {
        let start = self.values.len();
        self.values.resize(start + self.stride, 0.0);
        &mut self.values[start..start + self.width]
    }

    /// The row at `index`, which is below [`Self::len`].
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.stride..][..self.width]
    }

    /// Changes every row.
    pub fn for_each(&mut self, mut change: impl FnMut(&mut [f32])) {
        for row in self.values.chunks_exact_mut(self.stride) {
            change(&mut row[..self.width]);
        }
    }

    /// The rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.stride).map(|row| &row[..self.width])
    }

    /// The row at `index` as the walk wants it; `None` when there is none, or it is too long for that.
    pub(super) fn long(&self, index: usize) -> Option<&Row> {
        self.values
            .get(index * self.stride..)?
            .get(..self.stride)?
            .try_into()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_one_after_another() {
        let mut rows = Rows::new(2, 2);
        rows.add().copy_from_slice(&[1.0, 2.0]);
        rows.add()[0] = 3.0;
        let expected: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, 0.0]];
        assert!(rows.iter().eq(expected));
        assert_eq!(rows.len(), 2);
        rows.clear();
        assert!(rows.is_empty());
    }
}
