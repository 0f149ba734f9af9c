//! What `sylvan demo` runs: the sample shop, and the paper as one command.

pub mod cores;
pub mod shop;
