//! Support vector machines, with probabilities by Platt's scaling.

use linfa::DatasetBase;
use linfa::dataset::Pr;
use linfa::traits::Fit;
use linfa::traits::Predict;
use linfa_svm::Svm;
use linfa_svm::SvmParams;
use ndarray::Array1;
use ndarray::Array2;

use crate::training::contenders::rest::Binary;

/// A machine, and how many bytes of numbers it needs.
pub(super) struct Machine {
    svm: Svm<f64, Pr>,
    bytes: usize,
}

/// One that parts the classes by a plane.
pub(super) fn linear(records: &Array2<f64>, is: Vec<bool>) -> Result<Machine, String> {
    let width = records.ncols();
    let machine = fit(Svm::params().linear_kernel(), records, is)?;
    Ok(Machine {
        bytes: (width + 3) * size_of::<f64>(),
        ..machine
    })
}

/// One with a radial basis function, as wide as there are features: scaled ones have a variance of 1.
pub(super) fn radial(records: &Array2<f64>, is: Vec<bool>) -> Result<Machine, String> {
    fit(Svm::params().gaussian_kernel(records.ncols() as f64), records, is)
}

fn fit(params: SvmParams<f64, Pr>, records: &Array2<f64>, is: Vec<bool>) -> Result<Machine, String> {
    let dataset = DatasetBase::new(records.view(), Array1::from(is));
    let dataset = DatasetBase::new(dataset.records, dataset.targets.view());
    let svm = params.eps(1e-3).fit(&dataset).map_err(|error| error.to_string())?;
    let bytes = svm.nsupport() * (records.ncols() + 1) * size_of::<f64>();
    Ok(Machine { svm, bytes })
}

impl Binary for Machine {
    fn shares(&self, records: &Array2<f64>) -> Vec<f64> {
        let shares: Array1<Pr> = self.svm.predict(records);
        shares.iter().map(|share| f64::from(**share)).collect()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}
