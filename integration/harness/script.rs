//! What an origin and those who answer for it share.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::AtomicU64;

/// What an origin counts, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Its answers carry this as `x-origin`.
    pub(crate) name: String,
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    /// The status of `/healthz`; its requests are not counted.
    pub(crate) health: AtomicU16,
    /// Whether each connection is closed before its first request is read.
    pub(crate) hangs_up: AtomicBool,
    /// How many milliseconds a greeting takes.
    pub(crate) delay_ms: AtomicU64,
}
