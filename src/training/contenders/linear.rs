//! Logistic regression. linfa 0.8.1 calls that class positive which is the more frequent one, so it is asked.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::FittedLogisticRegression;
use linfa_logistic::LogisticRegression;
use ndarray::Array1;
use ndarray::Array2;

use crate::training::contenders::rest::Binary;

/// Fits it with linfa's defaults: ridge of 1, at most 100 steps.
pub(super) fn fit(records: &Array2<f64>, is: Vec<bool>) -> Result<FittedLogisticRegression<f64, bool>, String> {
    let dataset = DatasetBase::new(records.view(), Array1::from(is));
    LogisticRegression::default()
        .fit(&dataset)
        .map_err(|error| error.to_string())
}

impl Binary for FittedLogisticRegression<f64, bool> {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let positive = self.predict_probabilities(records);
        let is_yes = self.labels().pos.class;
        positive
            .iter()
            .map(|&share| if is_yes { share } else { 1.0 - share })
            .collect()
    }

    fn bytes(&self) -> usize {
        (self.params().len() + 1) * size_of::<f64>()
    }
}
