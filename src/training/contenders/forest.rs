//! The forest that the gateway serves.

use ndarray::Array2;

use crate::forest::Classes;
use crate::forest::Forest;
use crate::forest::Samples;
use crate::forest::Schema;
use crate::forest::grow_classifier;
use crate::training::contenders::Fitted;
use crate::training::contenders::Lesson;
use crate::training::contenders::Setting;

/// Grows it as `sylvan train` does.
pub(super) fn fit(lesson: &Lesson, setting: &Setting) -> Result<Box<dyn Fitted>, String> {
    let names = (0..lesson.records.ncols()).map(|column| column.to_string()).collect();
    let schema = Schema::new(names).ok_or("there are no features")?;
    let values = lesson.records.iter().map(|&value| value as f32).collect();
    let grown = Samples::new(schema, values).and_then(|samples| {
        let classes = Classes::new(lesson.labels.clone(), lesson.classes)?;
        grow_classifier(&samples, &classes, &setting.params, setting.seed)
    });
    match grown {
        Ok(forest) => Ok(Box::new(forest)),
        Err(error) => Err(error.to_string()),
    }
}

impl Fitted for Forest {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let mut scores = vec![0.0; self.outputs()];
        let mut shares = Vec::with_capacity(records.nrows() * scores.len());
        let mut features = Vec::with_capacity(records.ncols());
        for row in records.rows() {
            features.clear();
            features.extend(row.iter().map(|&value| value as f32));
            self.class_scores(&features, &mut scores);
            shares.extend(scores.iter().map(|&score| f64::from(score)));
        }
        shares
    }

    fn bytes(&self) -> usize {
        // A node takes eight bytes, a leaf a share for each class besides; half of the nodes and one a tree are leaves.
        let leaves = self.node_count().div_ceil(2) + self.tree_count() / 2;
        self.node_count() * 8 + leaves * self.outputs() * size_of::<f32>()
    }
}
