//! What a route has served, counted where the request already is.

use std::time::Duration;

use crate::counters::Counter;
use crate::counters::Histogram;

/// A class of response status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusClass {
    /// 1xx: upgraded connections end with 101.
    Informational,
    /// 2xx.
    Success,
    /// 3xx.
    Redirection,
    /// 4xx.
    ClientError,
    /// 5xx.
    ServerError,
    /// The client never got a status.
    None,
}

impl StatusClass {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 6] = [
        Self::Informational,
        Self::Success,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
        Self::None,
    ];

    /// The class of `status`.
    #[must_use]
    pub fn of(status: Option<u16>) -> Self {
        match status.unwrap_or(0) / 100 {
            1 => Self::Informational,
            2 => Self::Success,
            3 => Self::Redirection,
            4 => Self::ClientError,
            5 => Self::ServerError,
            _ => Self::None,
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::None => "none",
        }
    }
}

/// The counts of one (listener, route, pool), over all generations of the configuration that have it.
#[derive(Debug)]
pub struct RouteStats {
    /// The listener's name.
    pub listener: String,
    /// The route's name.
    pub route: String,
    /// The pool's name.
    pub pool: String,
    responses: [Counter; StatusClass::ALL.len()],
    duration: Histogram,
    retries: Counter,
}

impl RouteStats {
    /// Counts that start at zero.
    #[must_use]
    pub fn new(listener: &str, route: &str, pool: &str) -> Self {
        Self {
            listener: listener.to_owned(),
            route: route.to_owned(),
            pool: pool.to_owned(),
            responses: Default::default(),
            duration: Histogram::default(),
            retries: Counter::default(),
        }
    }

    /// Takes in a request that ended with `class` after `duration`, having been retried `retries` times.
    pub fn record(&self, class: StatusClass, duration: Duration, retries: usize) {
        if let Some(counter) = self.responses.get(class as usize) {
            counter.increment();
        }
        self.duration.record(duration);
        if retries > 0 {
            self.retries.add(retries as u64);
        }
    }

    /// Requests that ended with `class`.
    #[must_use]
    pub fn responses(&self, class: StatusClass) -> u64 {
        self.responses.get(class as usize).map_or(0, Counter::count)
    }

    /// From the request header to the end of the response.
    #[must_use]
    pub fn duration(&self) -> &Histogram {
        &self.duration
    }

    /// Attempts beyond each request's first.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.count()
    }
}
