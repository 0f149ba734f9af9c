//! Sylvan, an edge gateway that learns where to send each request.
//!
//! **The life of a request** is the order of the modules: it arrives at the [`proxy`]'s door, takes the
//! [`generation`] in charge with it, finds its route in [`routing`], and is described to a [`selection::Selector`]
//! together with a snapshot of its [`pool`]; the choice becomes an attempt, the attempt a verdict, and the verdict
//! what the pool knows the next time. Beside it, the [`tasks`] probe and poll backends and put changed
//! [`config`]urations and models in charge.
//!
//! A module uses only modules of lower floors; `integration/layering.rs` proves it, and ARCHITECTURE.md says why.

// Floor 0: words.
pub mod counters;
mod elementary;
pub mod units;

// Floor 1: nouns; none of them knows another.
pub mod config;
pub mod forest;
pub mod pool;

// Floor 2: decisions, pure functions over floor 1.
pub mod generation;
pub mod routing;
pub mod selection;

// Floor 3: the core at work without a network; distillation works in the simulation's worlds.
pub mod distillation;
pub mod report;
pub mod simulation;
pub mod training;

// Floor 4: the outside world.
pub mod admin;
pub mod clock;
pub mod proxy;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;

// Roof: what runs.
pub mod agent;
pub mod cli;
#[cfg(feature = "demo")]
pub mod demo;
pub mod evaluation;
pub mod process;
pub mod server;
pub mod traffic;
