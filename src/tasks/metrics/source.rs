//! Asks one metrics source once.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::MetricsKind;
use crate::config::MetricsSource;
use crate::tasks::fetch;
use crate::tasks::fetch::FetchError;
use crate::tasks::metrics::agent;
use crate::tasks::metrics::prometheus;
use crate::tasks::metrics::reading::Reading;

/// A source on a local network answers in milliseconds; one that needs longer than this is no guide to the present.
const MAX_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a source gave no reading.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    /// There is no text.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The text is not an agent's.
    #[error("not the JSON of `sylvan agent`: {0}; check the path, or use `type: prometheus`")]
    Json(#[from] serde_json::Error),
    /// The text is well formed, but about something else.
    #[error("none of the known figures is in the answer; point it at `sylvan agent` or node_exporter")]
    NoFigures,
}

/// What the source at `address` says now; given up after the poll's interval, or a second where that is longer.
///
/// # Errors
/// When it does not answer in time, or with something that cannot be used.
pub(super) async fn poll(source: &MetricsSource, address: SocketAddr) -> Result<Reading, PollError> {
    let timeout = source.interval.min(MAX_TIMEOUT);
    let text = fetch::get(address, &address.to_string(), &source.path, timeout).await?;
    read(source.kind, &text)
}

fn read(kind: MetricsKind, text: &str) -> Result<Reading, PollError> {
    let reading = match kind {
        MetricsKind::Agent => agent::read(text)?,
        MetricsKind::Prometheus => prometheus::read(text),
    };
    if reading.is_empty() {
        Err(PollError::NoFigures)
    } else {
        Ok(reading)
    }
}
