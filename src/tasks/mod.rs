//! What goes on beside the requests: each task is one visible loop with a period and an end.

pub mod decision_log;
pub mod fetch;
pub mod health;
pub mod load;
pub mod metrics;
pub mod models;
pub mod reload;
pub(crate) mod replace;
pub mod retrain;
mod warning;
pub mod worker;
