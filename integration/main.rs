//! The real binary on real sockets. Each file is one topic, each test a claim over the harness.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod admin;
mod compression;
mod decision_log;
mod evaluate;
mod forest;
mod forwarding;
mod harness;
mod health;
mod layering;
mod lifecycle;
mod reload;
mod retries;
mod routing;
mod timeouts;
mod train;
mod websocket;
