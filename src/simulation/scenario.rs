//! A simulated world, as its file describes it: backends, traffic, what goes wrong. Nothing is drawn yet.

mod jitter;
mod random;
mod read;
mod shipped;

use std::ops::Range;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::pool::POLLS_BELIEVED;
use crate::units::Weight;

pub use read::parse;
pub use shipped::SHIPPED;
pub use shipped::Shipped;
pub use shipped::WORLDS;

/// A world to run selectors in.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What reports call it.
    pub name: String,
    /// How long requests arrive; what is in flight then is still served.
    pub duration: Duration,
    /// Requests that arrive earlier are served but not counted.
    pub unmeasured: Duration,
    /// Gateways, each with a pool and a selector of its own; a request arrives at any of them.
    pub gateways: usize,
    /// From a gateway to a backend and back.
    pub round_trip: Duration,
    /// Demand of the arriving requests over what all backends can do when nothing goes wrong.
    pub load: f64,
    /// How arrivals are spread.
    pub arrivals: Arrivals,
    /// What is asked for; shares add up to 1.
    pub routes: Vec<Route>,
    /// Who answers.
    pub backends: Vec<Machine>,
    /// How each gateway reads the backends' metrics.
    pub polls: Polls,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// How arrivals are spread around their mean rate.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent of each other.
    Poisson,
    /// A Markov-modulated Poisson process of two phases, each of an exponential length.
    Bursts {
        /// Rate of the high phase over that of the low one.
        factor: f64,
        /// Mean length of a high phase.
        high: Duration,
        /// Mean length of a low phase.
        low: Duration,
    },
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What faults call it.
    pub name: String,
    /// The part of the requests that are of this kind.
    pub share: f64,
    /// Work of one request: its time on an idle core of speed 1.
    pub demand: Demand,
    /// Bytes that a backend receives for one.
    pub request_bytes: u64,
    /// Bytes that a backend sends for one.
    pub response_bytes: u64,
}

/// A distribution of work.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// Always the same.
    Constant(Duration),
    /// Anything between two bounds, equally likely.
    Uniform {
        /// The least.
        low: Duration,
        /// The most.
        high: Duration,
    },
    /// Memoryless, as queueing theory likes it.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// Lognormal.
    Lognormal {
        /// The mean of the work itself, not of its logarithm.
        mean: Duration,
        /// The standard deviation of its logarithm.
        sigma: f64,
    },
}

/// What one backend is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Requests that run at full speed beside each other.
    pub cores: f64,
    /// Work done in a second by one core.
    pub speed: f64,
    /// Its weight in the pools of the gateways.
    pub weight: Weight,
    /// How requests share the cores.
    pub discipline: Discipline,
    /// Requests that may wait; one more is answered 503 at once.
    pub max_queued: usize,
}

/// How requests share a backend's cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// All that run get the same part of the cores, as under an event loop or a scheduler.
    ProcessorSharing {
        /// Beyond it requests wait.
        max_running: usize,
    },
    /// As many run as there are cores, the others wait in order.
    Fifo,
    /// So many run, sharing the cores; the others wait in order.
    ThreadPool {
        /// Threads.
        threads: usize,
    },
}

/// How each gateway reads the backends' metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Polls {
    /// Between two polls.
    pub interval: Duration,
    /// Standard deviation of the error of a CPU figure, as a part of 1.
    pub cpu_noise: f64,
}

/// Something that goes wrong with some backends.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The positions of the backends it befalls; each draws its own times where times are drawn.
    pub backends: Vec<usize>,
    /// What it is.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Other processes compete for the cores, on and off.
    Antagonist {
        /// Their threads, per core.
        threads_per_core: f64,
        /// How long they run, anything in here equally likely.
        on: RangeInclusive<Duration>,
        /// How long they pause, likewise.
        off: RangeInclusive<Duration>,
    },
    /// Everything takes longer.
    Slowdown {
        /// When.
        during: Range<Duration>,
        /// So many times longer.
        factor: f64,
        /// The part of its CPU use that it reports; less than 1 when it waits for something else than its cores.
        reported_cpu: f64,
    },
    /// Answers errors, quickly.
    Failure {
        /// When.
        during: Range<Duration>,
    },
    /// Its metrics cannot be polled.
    Silence {
        /// When.
        during: Range<Duration>,
    },
    /// Its caches are empty: work is multiplied by `1 + amplitude * exp(-served / requests)`.
    ColdCache {
        /// When they are emptied.
        at: Duration,
        /// How much more work the first request is.
        amplitude: f64,
        /// Requests served until a part of 1/e of it is left.
        requests: f64,
    },
    /// One route takes more work there.
    SlowRoute {
        /// Its position among the routes.
        route: usize,
        /// When.
        during: Range<Duration>,
        /// So many times more.
        factor: f64,
    },
}

impl Scenario {
    /// Mean work of a request, in seconds of a core of speed 1.
    #[must_use]
    pub fn mean_demand(&self) -> f64 {
        self.routes.iter().map(|route| route.share * route.demand.mean()).sum()
    }

    /// Work that all backends together can do in a second when nothing goes wrong.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.backends.iter().map(|machine| machine.cores * machine.speed).sum()
    }

    /// How long the metrics of a poll are believed.
    #[must_use]
    pub fn metrics_lifetime(&self) -> Duration {
        self.polls.interval * POLLS_BELIEVED
    }

    /// Requests per second, on average.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.load * self.capacity() / self.mean_demand()
    }
}

impl Demand {
    /// The mean, in seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(demand) => demand.as_secs_f64(),
            Self::Uniform { low, high } => f64::midpoint(low.as_secs_f64(), high.as_secs_f64()),
            Self::Exponential { mean } | Self::Lognormal { mean, .. } => mean.as_secs_f64(),
        }
    }
}

impl Machine {
    /// How many requests run at once.
    #[must_use]
    pub fn max_running(&self) -> usize {
        match self.discipline {
            Discipline::ProcessorSharing { max_running } => max_running,
            // `as` saturates; cores are few.
            Discipline::Fifo => (self.cores.round() as usize).max(1),
            Discipline::ThreadPool { threads } => threads,
        }
    }
}

#[cfg(test)]
mod tests;
