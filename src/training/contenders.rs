//! The classifiers that `sylvan train --compare` compares, behind one face: rows in, probabilities of the classes out.
//!
//! All but the forest of this project are linfa's, as it grows them, save for what would make two runs differ or a
//! process end: see [`tree`] for ties, and [`linear`] for which class is which. Rows come filled and scaled.

mod bayes;
mod ensemble;
mod forest;
mod frequency;
mod linear;
mod neighbours;
mod rest;
mod tree;
mod vectors;

use ndarray::Array2;

use crate::forest::GrowParams;
use crate::training::contenders::rest::Rest;

/// What a classifier is fitted to: every value finite, every label below `classes`.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    /// A row each.
    pub(crate) records: Array2<f64>,
    /// The class of each row.
    pub(crate) labels: Vec<usize>,
    /// How many classes there are, at least two.
    pub(crate) classes: usize,
}

impl Lesson {
    /// At most `limit` of the rows, evenly spread over all of them.
    pub(crate) fn thinned(&self, limit: usize) -> Self {
        let count = self.labels.len();
        if count <= limit {
            return self.clone();
        }
        let places: Vec<usize> = (0..limit).map(|place| place * count / limit).collect();
        Self {
            records: self.records.select(ndarray::Axis(0), &places),
            labels: places.iter().map(|&place| self.labels[place]).collect(),
            classes: self.classes,
        }
    }
}

/// A classifier that has been fitted.
pub(crate) trait Fitted {
    /// For each of `records`, row by row, the probability of each class.
    fn shares(&self, records: &Array2<f64>) -> Vec<f64>;
    /// How many bytes of numbers a prediction needs.
    fn bytes(&self) -> usize;
}

/// How classifiers are fitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Trees, depth and leaves of those that are made of trees.
    pub(crate) params: GrowParams,
    /// The seed of every draw.
    pub(crate) seed: u64,
}

/// A kind of classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Always the class that is most frequent in training: what all others have to beat.
    MostFrequent,
    /// One tree of linfa-trees.
    DecisionTree,
    /// The forest that the gateway serves.
    RandomForest,
    /// The random forest of linfa-ensemble.
    LinfaForest,
    /// Boosted trees of two levels, of linfa-ensemble.
    AdaBoost,
    /// Of linfa-logistic.
    LogisticRegression,
    /// With a normal distribution for each feature, of linfa-bayes.
    NaiveBayes,
    /// A support vector machine without a kernel, of linfa-svm.
    LinearSvm,
    /// One with a radial basis function.
    RbfSvm,
    /// The share of each class among the nearest rows.
    KNearest,
}

/// linfa-svm keeps a matrix of all pairs of rows: ten thousand take 800 MB, and a linear one a minute.
const SVM_ROWS: usize = 2000;

impl Method {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 10] = [
        Self::MostFrequent,
        Self::DecisionTree,
        Self::RandomForest,
        Self::LinfaForest,
        Self::AdaBoost,
        Self::LogisticRegression,
        Self::NaiveBayes,
        Self::LinearSvm,
        Self::RbfSvm,
        Self::KNearest,
    ];

    /// What the table calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MostFrequent => "most_frequent",
            Self::DecisionTree => "decision_tree",
            Self::RandomForest => "random_forest",
            Self::LinfaForest => "linfa_forest",
            Self::AdaBoost => "adaboost",
            Self::LogisticRegression => "logistic_regression",
            Self::NaiveBayes => "naive_bayes",
            Self::LinearSvm => "linear_svm",
            Self::RbfSvm => "rbf_svm",
            Self::KNearest => "k_nearest",
        }
    }

    /// The most rows it is fitted to.
    pub(crate) const fn row_limit(self) -> usize {
        match self {
            Self::LinearSvm | Self::RbfSvm => SVM_ROWS,
            _ => usize::MAX,
        }
    }

    /// Fits it to `lesson`, which has rows of at least two classes.
    ///
    /// # Errors
    /// When it cannot be fitted, with the library's words for it.
    pub(crate) fn fit(self, lesson: &Lesson, setting: &Setting) -> Result<Box<dyn Fitted>, String> {
        match self {
            Self::MostFrequent => Ok(Box::new(frequency::fit(lesson))),
            Self::DecisionTree => Rest::fit(lesson, |records, is| tree::fit(records, is, &setting.params)),
            Self::RandomForest => forest::fit(lesson, setting),
            Self::LinfaForest => Rest::fit(lesson, |records, is| ensemble::forest(records, is, setting)),
            Self::AdaBoost => Rest::fit(lesson, |records, is| ensemble::boosted(records, is, setting)),
            Self::LogisticRegression => Rest::fit(lesson, linear::fit),
            Self::NaiveBayes => bayes::fit(lesson),
            Self::LinearSvm => Rest::fit(lesson, vectors::linear),
            Self::RbfSvm => Rest::fit(lesson, vectors::radial),
            Self::KNearest => neighbours::fit(lesson),
        }
    }
}

#[cfg(test)]
mod tests;
