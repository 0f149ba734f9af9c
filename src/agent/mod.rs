//! The backend-side metrics endpoint: how full a machine, a process or a control group is, for the gateway to poll.
//!
//! A [`Source`] counts, a [`Sampler`] turns two readings into figures once per interval, and [`router`] answers every
//! request from the last sample, so that a poll costs nothing. What it does not do: keep history, or push anything.
//! The gateway's side of the conversation is in `tasks`; the sample shop embeds a [`Sampler`] with its own source.

mod cgroup;
mod endpoint;
mod exposition;
mod network;
mod procfs;
mod sample;
mod sampler;
mod source;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use self::endpoint::router;
pub use self::network::bind;
pub use self::network::listen_address;
pub use self::network::serve;
pub use self::network::terminated;
pub use self::sample::Reading;
pub use self::sample::Sample;
pub use self::sampler::Sampler;
pub use self::source::ProcessMemory;
pub use self::source::Scope;
pub use self::source::Source;

/// What one agent measures, how often, and where it answers.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where it answers; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What it measures.
    pub scope: Scope,
    /// The CPU cores that count as 100 percent; what the scope may use when not given.
    pub cores: Option<f64>,
    /// The time between two samples, and so the window that every figure covers.
    pub interval: Duration,
}

/// Runs an agent until SIGTERM or Ctrl-C. `ready` is told the bound address once.
///
/// # Errors
/// `AddrInUse` (and the system's other reasons) when `listen` cannot be bound; `NotFound` or `Unsupported` when the
/// scope cannot be measured here. The text says what to do.
pub async fn run(options: Options, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let source = options.scope.open(options.cores)?;
    let listener = bind(options.listen)?;
    ready(listener.local_addr()?);
    let sampler = Arc::new(Sampler::default());
    tokio::select! {
        served = serve(listener, router(Arc::clone(&sampler)), terminated()) => served,
        () = sampler.keep_sampling(source, options.interval) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
