//! The nearest rows, by an index that kdtree keeps.

use kdtree::KdTree;
use kdtree::distance::squared_euclidean;
use ndarray::Array2;
use ndarray::ArrayView1;

use crate::training::contenders::Fitted;
use crate::training::contenders::Lesson;

/// How many neighbours are asked; with few rows, as many as the root of their number.
const NEIGHBOURS: usize = 25;

struct Neighbours {
    index: KdTree<f64, usize, Vec<f64>>,
    classes: usize,
    asked: usize,
    width: usize,
}

/// Puts the rows of `lesson` into an index.
pub(super) fn fit(lesson: &Lesson) -> Result<Box<dyn Fitted>, String> {
    let width = lesson.records.ncols();
    let mut index = KdTree::new(width);
    for (row, &label) in lesson.records.rows().into_iter().zip(&lesson.labels) {
        index.add(row.to_vec(), label).map_err(|error| error.to_string())?;
    }
    Ok(Box::new(Neighbours {
        index,
        classes: lesson.classes,
        asked: NEIGHBOURS.min(lesson.labels.len().isqrt()).max(1),
        width,
    }))
}

impl Neighbours {
    fn row(&self, row: ArrayView1<'_, f64>) -> Vec<f64> {
        let mut shares = vec![0.0; self.classes];
        // The index refuses only rows of another width and infinite ones, of which there are none.
        let nearest = self
            .index
            .nearest(&row.to_vec(), self.asked, &squared_euclidean)
            .unwrap_or_default();
        for &(_, &label) in &nearest {
            shares[label] += 1.0 / nearest.len() as f64;
        }
        shares
    }
}

impl Fitted for Neighbours {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        records.rows().into_iter().flat_map(|row| self.row(row)).collect()
    }

    fn bytes(&self) -> usize {
        self.index.size() * (self.width * size_of::<f64>() + size_of::<usize>())
    }
}
