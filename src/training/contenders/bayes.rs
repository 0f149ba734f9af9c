//! Gaussian naive Bayes.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_bayes::GaussianNb;
use linfa_bayes::NaiveBayes;
use ndarray::Array1;
use ndarray::Array2;

use crate::training::contenders::Fitted;
use crate::training::contenders::Lesson;

/// linfa's model, and how many classes there are, also those that it has not seen.
struct Bayes {
    model: GaussianNb<f64, usize>,
    classes: usize,
    width: usize,
}

/// Fits it with linfa's default smoothing of variances.
pub(super) fn fit(lesson: &Lesson) -> Result<Box<dyn Fitted>, String> {
    let dataset = DatasetBase::new(lesson.records.view(), Array1::from(lesson.labels.clone()));
    let model = GaussianNb::params().fit(&dataset).map_err(|error| error.to_string())?;
    Ok(Box::new(Bayes {
        model,
        classes: lesson.classes,
        width: lesson.records.ncols(),
    }))
}

impl Fitted for Bayes {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let (columns, classes) = self.model.predict_proba(records.view());
        let mut shares = vec![0.0; records.nrows() * self.classes];
        for (column, &&class) in columns.columns().into_iter().zip(&classes) {
            for (row, share) in column.iter().enumerate() {
                shares[row * self.classes + class] = *share;
            }
        }
        shares
    }

    fn bytes(&self) -> usize {
        self.classes * (2 * self.width + 1) * size_of::<f64>()
    }
}
