//! From a recorded data set to a model: read, join, prepare, grow, judge. Pure: text in, model and model card out.
//!
//! [`dataset`] is the one definition of the data set's columns, for its writer too. [`train()`] is the whole way;
//! files, progress and the terminal are the business of `cli`.

pub mod dataset;
mod joint;
mod model_card;
mod preprocess;
mod scores;
mod summary;
mod train;

pub use summary::Summary;
pub use train::TrainError;
pub use train::TrainRequest;
pub use train::Trained;
pub use train::train;
