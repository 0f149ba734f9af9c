//! Why nothing was trained, and what to do about it.

use thiserror::Error;

use crate::forest::GrowError;
use crate::forest::ModelError;
use crate::training::joint::Dropped;
use crate::training::train::LEAST_ROWS;

/// Why nothing was trained.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TrainError {
    /// The choice among several pools is the user's.
    #[error("the data set has {} pools; choose one with `--pool`: {}", .0.len(), .0.join(", "))]
    SeveralPools(Vec<String>),
    /// The pool that was chosen is not there.
    #[error("no row is of pool `{wanted}`; the data set has {}", known.join(", "))]
    NoSuchPool {
        /// The pool that was asked for.
        wanted: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// Nothing to choose between.
    #[error("the data set has {found} backend(s), a classifier chooses between two or more; record a larger pool")]
    Backends {
        /// How many backends took part in most polls.
        found: usize,
    },
    /// The paper's table with rows of one backend only.
    #[error("every row is of the same server_id; there is nothing to tell apart")]
    OneClass,
    /// Too little to learn from.
    #[error(
        "{rows} rows to learn from, at least {LEAST_ROWS} are needed (of the polls, {} were incomplete, {} were not \
         followed by another, {} had fewer than two backends at work afterwards); record longer, under \
         `round_robin` and traffic",
        dropped.incomplete, dropped.unfollowed, dropped.uncontested
    )]
    TooFew {
        /// Rows that could be used.
        rows: usize,
        /// Why others could not.
        dropped: Dropped,
    },
    /// Too few rows of all classes but one to learn from and test on them.
    #[error(
        "a comparison needs {least} rows or more of each of two classes; here they have {} (of the polls, {} were \
         incomplete, {} were not followed by another, {} had fewer than two backends at work afterwards); record \
         longer, under `round_robin` and traffic",
        list(counts), dropped.incomplete, dropped.unfollowed, dropped.uncontested
    )]
    TooFewOfAClass {
        /// How many rows each class has.
        counts: Vec<usize>,
        /// How many one needs.
        least: usize,
        /// Why others could not be used.
        dropped: Dropped,
    },
    /// No column has two different values.
    #[error("every metric is constant or missing; check that the agents answer, and record again")]
    Constant,
    /// The forest could not be grown.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// The model could not be put together.
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn list(counts: &[usize]) -> String {
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    counts.join(" and ")
}
