//! Waiting for what must become true: polled, bounded, and with a message. The only place that sleeps.

use std::fmt::Display;
use std::time::Duration;

/// How long a shared, busy machine may take for what is normally at once.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);

/// The first `Some` that `probe` yields; fails with `what` when there is none for a long time.
#[track_caller]
pub(crate) fn eventually<T>(what: impl Display, probe: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    within(PATIENCE, what, probe)
}

/// As [`eventually`], within `patience`.
#[track_caller]
pub(crate) fn within<T>(
    patience: Duration,
    what: impl Display,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let asked_at = std::panic::Location::caller();
    async move {
        let polling = async {
            loop {
                if let Some(value) = probe().await {
                    return value;
                }
                pause(POLL).await;
            }
        };
        let found = tokio::time::timeout(patience, polling).await;
        found.unwrap_or_else(|_| panic!("waited {patience:?} in vain at {asked_at}: {what}"))
    }
}

/// Lets `duration` pass where the passing of time is the test: what must not happen meanwhile.
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
