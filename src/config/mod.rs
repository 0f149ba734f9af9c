//! YAML text in, a [`Config`] or every error out; no disk, no environment, no clock.
//!
//! [`Config`] is what a file means and cannot be wrong in itself. The way there: `outline` and `yaml` make a
//! `document` of a text, `read` takes typed values from it, and `check` knows which. Whether files exist and names
//! resolve is for those who open them.

mod check;
mod content;
mod document;
pub(crate) mod error;
mod outline;
mod place;
mod quantity;
pub(crate) mod read;
mod variables;
pub(crate) mod yaml;

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::units::Celsius;
use crate::units::Share;
use crate::units::Weight;

pub use check::Checked;
pub use check::MetricsUse;
pub use check::ModelUse;
pub use check::Problem;
pub use check::SelectorType;
pub use check::parse;
pub use check::parse_with_selector;
pub use check::refused;
pub use error::ConfigErrors;
pub use error::Finding;
pub use error::Severity;
pub use error::render;
pub use yaml::Source;
pub use yaml::with_selector;
pub use yaml::without_dataset;

/// What a configuration file means.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The admin listener; `None` when there is none.
    pub admin: Option<Admin>,
    /// What is logged.
    pub log: Log,
    /// What only a restart changes.
    pub runtime: Runtime,
    /// How long the gateway waits.
    pub timeouts: Timeouts,
    /// How much the gateway takes.
    pub limits: Limits,
    /// How long a stopping gateway waits for what is in flight.
    pub drain_timeout: Duration,
    /// The sockets, in file order; never empty, names unique.
    pub listeners: Vec<Listener>,
    /// The rules, in file order: the first match wins.
    pub routes: Vec<Route>,
    /// The pools, by name.
    pub pools: Vec<Pool>,
}

/// The admin listener.
#[derive(Clone, PartialEq, Eq)]
pub struct Admin {
    /// Its socket address.
    pub bind: SocketAddr,
    /// The bearer token that `/api` asks for; always there when `bind` is beyond loopback.
    pub token: Option<String>,
}

/// Shows everything but the token.
impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("Admin")
            .field("bind", &self.bind)
            .field("token", &token)
            .finish()
    }
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least severe level that is written.
    pub level: log::LevelFilter,
}

/// What only a restart changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Worker threads of the data path; `None` is one per core.
    pub threads: Option<NonZeroUsize>,
    /// Where state is kept that outlives the process.
    pub state_dir: PathBuf,
    /// Nothing is trained while more threads than this run or wait to, for each core; `None` is no limit.
    pub max_load: Option<NonZeroU32>,
    /// Nothing is trained while the machine is hotter than this; `None` is no limit.
    pub max_temperature: Option<Celsius>,
}

/// How long the gateway waits; every one of Pingora's timeouts is set from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From accept, or from the first byte on a reused connection, to the end of the request header.
    pub header: Duration,
    /// To connect to a backend.
    pub connect: Duration,
    /// From the request header to the end of the response; off for upgraded connections.
    pub request: Duration,
    /// Between two bytes in either direction, and between two requests on a connection.
    pub idle: Duration,
}

/// How much the gateway takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request line and header together.
    pub max_header_bytes: u64,
    /// Bytes of a request body.
    pub max_body_bytes: u64,
    /// Client connections at once; `None` derives it from the process's file limit.
    pub max_connections: Option<NonZeroU32>,
}

/// A socket that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, in metrics and messages.
    pub name: String,
    /// Its socket address.
    pub bind: SocketAddr,
}

/// A rule: which requests go to which pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name, unique; in metrics and messages.
    pub name: String,
    /// What a request must have.
    pub matches: Match,
    /// Index into [`Config::pools`].
    pub pool: usize,
}

/// What a request must have for a route; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Host names, lower case, without port; `*.shop.example` matches one or more labels in front.
    pub hosts: Vec<String>,
    /// The path equals this, or goes on after it at a `/`.
    pub path_prefix: Option<String>,
    /// Request methods.
    pub methods: Vec<http::Method>,
    /// Header names and the exact value each must have; sorted by name.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
}

/// A group of backends that answer the same requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its backends in file order; never empty, addresses unique.
    pub backends: Vec<Backend>,
    /// How one of them is chosen.
    pub selector: Selector,
    /// Where CPU, memory and traffic figures come from.
    pub metrics_source: Option<MetricsSource>,
    /// Where the polled figures are kept; there is a metrics source when this is set.
    pub dataset: Option<Dataset>,
    /// Active health checks.
    pub health_check: Option<HealthCheck>,
    /// Passive health checks; always on.
    pub outlier_detection: OutlierDetection,
    /// Below this share of healthy backends all of them are used.
    pub panic_threshold: Share,
    /// How long a returning backend takes to its full share; zero is at once.
    pub slow_start: Duration,
    /// Further attempts on other backends after a connect failure.
    pub retries: u8,
}

/// A member of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// `host:port` as written; resolved by whoever builds the pool.
    pub address: String,
    /// Its share beside the others.
    pub weight: Weight,
    /// `host:port` of its own metrics endpoint, over the source's port.
    pub metrics: Option<String>,
}

/// How a pool chooses a backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// The registered name of the selector type.
    pub kind: String,
    /// The model file, for the types that use one.
    pub model: Option<PathBuf>,
    /// The selector type that serves while the model cannot.
    pub fallback: Option<String>,
    /// How it learns; its default for the types that do not.
    pub learning: Learning,
    /// Where decisions are kept with what they rest on, for the types that learn.
    pub decision_log: Option<DecisionLog>,
}

/// Where a share of the decisions is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionLog {
    /// The directory, no other pool's.
    pub dir: PathBuf,
    /// What it holds never takes more than this many bytes; the oldest goes first.
    pub max_size: u64,
    /// The share of the attempts that are kept.
    pub sample: Share,
}

/// How a selector that learns is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Learning {
    /// Whether it serves.
    pub mode: Mode,
    /// The share of the requests that explore.
    pub explore: Share,
    /// How much is learned.
    pub preset: Preset,
    /// Whether, and how often.
    pub learn: Learn,
}

/// Whether a selector that learns serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Active,
    /// Its fallback does, and it is only asked.
    Shadow,
}

/// How much a selector learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// As much as the machine can afford.
    #[default]
    Auto,
    /// Little.
    Small,
    /// All that helps.
    Standard,
}

/// Whether a selector learns while it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learn {
    /// It makes a new model every so often; `None` is as often as its preset says.
    Online(Option<Duration>),
    /// Its model stays as it is.
    Off,
}

/// Where a pool's CPU, memory and traffic figures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSource {
    /// What the endpoint speaks.
    pub kind: MetricsKind,
    /// The port on each backend's host, unless the backend names its own endpoint.
    pub port: Option<u16>,
    /// The path that is asked for.
    pub path: String,
    /// The time between two polls.
    pub interval: Duration,
}

/// What a metrics endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsKind {
    /// The JSON of `sylvan agent`.
    Agent,
    /// Prometheus text: the agent's, or node_exporter's.
    Prometheus,
}

/// The file that polled figures are kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The CSV file.
    pub file: PathBuf,
    /// The file is rotated at this many bytes; one older file is kept.
    pub max_size: u64,
}

/// Active health checks of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What a probe does.
    pub probe: Probe,
    /// The time between two probes of one backend; jittered by a tenth.
    pub interval: Duration,
    /// How long a probe may take.
    pub timeout: Duration,
    /// Successes in a row that make a backend healthy.
    pub healthy_threshold: NonZeroU32,
    /// Failures in a row that make it unhealthy.
    pub unhealthy_threshold: NonZeroU32,
}

/// What a health probe does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A connection is opened.
    Tcp,
    /// A GET is answered with one of the expected statuses.
    Http {
        /// The path.
        path: String,
        /// The Host header; the pool's name when `None`.
        host: Option<String>,
        /// Inclusive ranges of good statuses; never empty.
        statuses: Vec<(u16, u16)>,
    },
}

/// Passive health checks of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlierDetection {
    /// Above this share of errors (an average over about three seconds) a backend is ejected.
    pub error_rate: Share,
    /// Never more than this share of the pool is ejected at once.
    pub max_ejection: Share,
    /// The first ejection; each further one in a row lasts twice as long.
    pub base_ejection_time: Duration,
    /// The longest ejection.
    pub max_ejection_time: Duration,
}

impl Config {
    /// The pool called `name`.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
