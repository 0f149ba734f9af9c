//! The composition root: a configuration becomes sockets, tasks and a data path that runs until it is told to stop.
//!
//! [`Gateway::builder`] is the way in for a program with a selector of its own; `sylvan run` is a thin line into it.

mod builder;
mod drain;
mod listening;
mod services;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use pingora::server::RunArgs;
use pingora::server::Server;
use pingora::server::configuration::ServerConf;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;

use crate::clock;
use crate::config::Config;
use crate::generation::Current;
use crate::pool::BackendSet;
use crate::proxy::Shared;
use crate::tasks::decision_log;
use crate::tasks::load::LoadError;
use crate::tasks::load::Source;
use crate::tasks::retrain;
use crate::telemetry::Telemetry;

pub use builder::Builder;

/// Why a gateway did not start. All of them are for whoever wrote the configuration to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be put in charge.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A socket cannot be had.
    #[error("{key}: cannot listen on {address}: {cause}; {}", remedy(cause))]
    Bind {
        /// The key in the configuration.
        key: String,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The system's certificates cannot be read, and without them no connector can be made.
    #[error("the system's CA certificates cannot be read; install them, or set SSL_CERT_FILE")]
    Certificates,
}

fn remedy(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied => "use a port from 1024 up, or give the program CAP_NET_BIND_SERVICE",
        ErrorKind::AddrNotAvailable => "use an address of this machine",
        _ => "stop what uses it, or choose another address",
    }
}

/// How a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was in flight any more.
    Drained,
    /// Something was still in flight when its time was up, or a second signal came.
    Forced,
}

/// A gateway that has its sockets and is about to serve.
#[derive(Debug)]
pub struct Gateway {
    source: Source,
    text: String,
    shared: Arc<Shared>,
    listeners: Vec<TcpListener>,
    admin: Option<TcpListener>,
}

impl Gateway {
    /// A gateway to be put together.
    #[must_use]
    pub fn builder(path: impl Into<PathBuf>) -> Builder {
        Builder::new(path.into())
    }

    /// Reads the configuration and takes the sockets, so that what can go wrong goes wrong before anything runs.
    pub(crate) fn start(source: Source) -> Result<Self, StartError> {
        let (checked, text) = source.parse()?;
        for warning in &checked.warnings {
            log::warn!("{warning}");
        }
        let generation = source.build(checked.config, &text, None)?;
        survive_hangups();
        let config = Arc::clone(&generation.config);
        let listeners = bind_all(&config)?;
        let admin = config
            .admin
            .as_ref()
            .map(|admin| bind("admin.bind", admin.bind))
            .transpose()?;
        let addresses = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        let current = Arc::new(Current::new(generation));
        let shared = Arc::new(Shared::new(
            current,
            Arc::new(Telemetry::default()),
            addresses,
            clock::entropy(),
        ));
        Ok(Self {
            source,
            text,
            shared,
            listeners,
            admin,
        })
    }

    /// Where clients connect to, in the configuration's order: name and address.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let config = Arc::clone(&self.shared.current.look().config);
        let names = config.listeners.iter().map(|listener| listener.name.clone());
        names.zip(self.shared.listeners.iter().copied()).collect()
    }

    /// Where the admin listener is, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The least severe level that its configuration wants logged.
    #[must_use]
    pub fn log_level(&self) -> log::LevelFilter {
        self.shared.current.look().config.log.level
    }

    /// Serves until a signal says to stop, and what is in flight is over.
    pub fn run(self) -> Ending {
        let config = Arc::clone(&self.shared.current.look().config);
        let mut server = Server::new_with_opt_and_conf(None, server_conf(&config));
        let (draining, drained) = watch::channel(false);
        let signals = drain::Signals::new(Arc::clone(&self.shared), draining);
        let ending = signals.ending();
        let proxy = services::proxy(&server.configuration, &self.shared, &self.addresses());
        server.add_service(listening::Listening::new(proxy, self.listeners, drained));
        let retraining = retrain::start(Arc::clone(&self.shared.current), Arc::clone(&self.shared.telemetry));
        let writing = decision_log::start(Arc::clone(&self.shared.current));
        server.add_service(services::background(self.source, &self.text, self.shared, self.admin));
        server.run(RunArgs {
            shutdown_signal: Box::new(signals),
        });
        writing.stop();
        retraining.stop();
        ending.get().copied().unwrap_or(Ending::Drained)
    }
}

/// From here on SIGHUP does not end the process; what it asks for is heard once the reload task listens.
fn survive_hangups() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let _entered = runtime.as_ref().map(tokio::runtime::Runtime::enter);
    if runtime.is_err() || signal(SignalKind::hangup()).is_err() {
        log::warn!("SIGHUP ends the gateway until it is ready");
    }
}

fn bind_all(config: &Config) -> Result<Vec<TcpListener>, StartError> {
    let bind_one = |listener: &crate::config::Listener| bind(&format!("listeners.{}", listener.name), listener.bind);
    config.listeners.iter().map(bind_one).collect()
}

fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |cause| StartError::Bind {
        key: key.to_owned(),
        address,
        cause,
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Pingora's own settings, none of them left to its defaults where those would surprise.
fn server_conf(config: &Config) -> ServerConf {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    ServerConf {
        threads: config.runtime.threads.map_or_else(cores, usize::from),
        // Counts attempts, not retries; what a pool allows is decided for each request.
        max_retries: BackendSet::CAPACITY,
        // A miss costs a connect, so there is room for every connection that a small machine can have in use.
        upstream_keepalive_pool_size: 1024,
        // Draining is ours, and over when nothing is in flight; Pingora would sleep through its whole length.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    }
}
