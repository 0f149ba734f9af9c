//! Why no forest was grown, and what to do about it.

use thiserror::Error;

use crate::forest::Forest;

/// Why no forest was grown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GrowError {
    /// There are no rows, or incomplete ones.
    #[error("{values} values are not whole rows of {width} features; give at least one complete row")]
    Shape {
        /// How many values there were.
        values: usize,
        /// How many a row has.
        width: usize,
    },
    /// A value is NaN or infinite.
    #[error("row {row}: `{feature}` is not a finite number; fill missing values before a forest is grown")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The name of the feature.
        feature: String,
    },
    /// A target is NaN or infinite.
    #[error("row {row}: the target is not a finite number; leave the row out")]
    Target {
        /// The row, counted from 0.
        row: usize,
    },
    /// There are too few or too many classes.
    #[error("{count} classes; use 2 to {}", Forest::MAX_OUTPUTS)]
    Classes {
        /// How many there were to be.
        count: usize,
    },
    /// A row is of a class that does not exist.
    #[error("row {row} is of class {label}; there are {count}, counted from 0")]
    Label {
        /// The row, counted from 0.
        row: usize,
        /// Its class.
        label: usize,
        /// How many classes there are.
        count: usize,
    },
    /// Rows and what they stand for do not match.
    #[error("{rows} rows but {targets} targets; give one target a row")]
    Targets {
        /// How many rows there are.
        rows: usize,
        /// How many targets.
        targets: usize,
    },
    /// A parameter is out of range.
    #[error("{name} is {value}; use {allowed}")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// linfa refused.
    #[error("linfa-trees refused to grow a tree: {0}; please report this with the data")]
    Linfa(String),
}
