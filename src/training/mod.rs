//! From a recorded data set to a model: read, join, prepare, grow, judge. Pure: text in, model and model card out.
//!
//! [`dataset`] is the one definition of the data set's columns, for its writer too. [`train()`] is the whole way;
//! files, progress and the terminal are the business of `cli`.

mod comparison;
mod contenders;
pub mod dataset;
mod decisions;
mod examples;
mod folds;
mod importance;
mod joint;
mod measures;
mod model_card;
mod preprocess;
mod scores;
mod sieve;
mod summary;
mod train;

pub use comparison::Comparison;
pub use comparison::FoldSummary;
pub use comparison::MethodScores;
pub use comparison::MethodSummary;
pub use comparison::STEPS;
pub use comparison::Watcher;
pub use comparison::compare;
pub use decisions::Decisions;
pub use examples::Input;
pub use summary::ClassSummary;
pub use summary::DroppedSummary;
pub use summary::ImportanceSummary;
pub use summary::Summary;
pub use train::TrainError;
pub use train::TrainRequest;
pub use train::Trained;
pub use train::train;
