//! A batch of rows to be scored, laid out for the walk: each row is followed by the slot that leaves compare with.

/// Rows of one width, reused from decision to decision.
#[derive(Clone, Debug)]
pub struct Rows {
    values: Vec<f32>,
    width: usize,
}

impl Rows {
    /// No rows yet of `width` features, with room for `capacity` of them.
    #[must_use]
    pub fn new(width: usize, capacity: usize) -> Self {
        Self {
            values: Vec::with_capacity(capacity.saturating_mul(width + 1)),
            width,
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
        self.values.len() / (self.width + 1)
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
        self.values.resize(start + self.width, 0.0);
        self.values.push(f32::NEG_INFINITY);
        &mut self.values[start..start + self.width]
    }

    /// The row at `index`, which is below [`Self::len`].
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * (self.width + 1)..][..self.width]
    }

    /// Changes every row.
    pub fn for_each(&mut self, mut change: impl FnMut(&mut [f32])) {
        for row in self.values.chunks_exact_mut(self.width + 1) {
            change(&mut row[..self.width]);
        }
    }

    /// The rows, each with its extra slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_ends_in_a_slot_that_its_writer_cannot_reach() {
        let mut rows = Rows::new(2, 2);
        rows.add().copy_from_slice(&[1.0, 2.0]);
        rows.add()[0] = 3.0;
        let expected: [&[f32]; 2] = [&[1.0, 2.0, f32::NEG_INFINITY], &[3.0, 0.0, f32::NEG_INFINITY]];
        assert!(rows.iter().eq(expected));
        assert_eq!(rows.len(), 2);
        rows.clear();
        assert!(rows.is_empty());
    }
}
