//! The newest rows, in place of the oldest.

use crate::selection::FEATURE_COUNT;
use crate::selection::Features;

/// Up to a number of rows and what each was labelled with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ring {
    capacity: usize,
    values: Vec<f32>,
    labels: Vec<f32>,
    /// Where the next row goes.
    next: usize,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            values: Vec::new(),
            labels: Vec::new(),
            next: 0,
        }
    }

    /// The newest rows of it, in a ring of another size.
    pub(super) fn resized(&self, capacity: usize) -> Self {
        let mut resized = Self::new(capacity);
        for (row, label) in self.rows() {
            resized.push(row.try_into().expect("each row has all features"), label);
        }
        resized
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Adds a row, in place of the oldest when there is no room. A row that is not finite teaches nothing.
    pub(super) fn push(&mut self, features: &Features, label: f32) {
        if !label.is_finite() || !features.iter().all(|feature| feature.is_finite()) {
            return;
        }
        if self.len() < self.capacity {
            self.values.extend(features);
            self.labels.push(label);
        } else {
            self.values[self.next * FEATURE_COUNT..][..FEATURE_COUNT].copy_from_slice(features);
            self.labels[self.next] = label;
        }
        self.next = (self.next + 1) % self.capacity;
    }

    /// The rows end to end, in the order of [`Self::labels`].
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// The rows from the oldest to the newest.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&[f32], f32)> {
        let start = if self.len() < self.capacity { 0 } else { self.next };
        let order = (start..self.len()).chain(0..start);
        order.map(|place| {
            (
                &self.values[place * FEATURE_COUNT..][..FEATURE_COUNT],
                self.labels[place],
            )
        })
    }
}
