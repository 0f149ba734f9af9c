//! What went wrong with a request, in the kinds that an operator tells apart.

use std::error::Error;
use std::io;
use std::ops::AddAssign;

use http::StatusCode;

/// Why a request did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection could be opened.
    Connect,
    /// No complete answer within the plan's timeout, the wait for a connection included.
    Timeout,
    /// The connection ended before the answer did.
    Reset,
    /// An answer that blames the request.
    Status4xx,
    /// An answer that blames the gateway or a backend.
    Status5xx,
    /// Anything else: what came back was not HTTP.
    Other,
}

impl Failure {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Connect,
        Self::Timeout,
        Self::Reset,
        Self::Status4xx,
        Self::Status5xx,
        Self::Other,
    ];

    /// The kind's name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Status4xx => "status_4xx",
            Self::Status5xx => "status_5xx",
            Self::Other => "other",
        }
    }

    /// Whether `status` is a failure, and which.
    pub(super) fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            status if status.is_client_error() => Some(Self::Status4xx),
            status if status.is_server_error() => Some(Self::Status5xx),
            _ => None,
        }
    }

    /// What an error of the connection means.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        let ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        if ended || cause(error).is_some_and(is_end_of_connection) {
            Self::Reset
        } else {
            Self::Other
        }
    }
}

/// How many requests failed, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures([u64; Failure::ALL.len()]);

impl Failures {
    /// How many failed by `kind`.
    #[must_use]
    pub const fn count(&self, kind: Failure) -> u64 {
        self.0[kind as usize]
    }

    /// How many failed.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn add(&mut self, kind: Failure) {
        self.0[kind as usize] += 1;
    }
}

impl AddAssign for Failures {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

fn cause(error: &hyper::Error) -> Option<&io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

fn is_end_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof | Kind::NotConnected
    )
}
