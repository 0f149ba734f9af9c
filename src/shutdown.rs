//! How what runs hears that it should end.

use tokio::sync::watch;

/// Turns true when the process, or a part of it, should end.
pub type Shutdown = watch::Receiver<bool>;

/// Resolves when `shutdown` has turned true.
pub async fn stopped(shutdown: &mut Shutdown) {
    if shutdown.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody is left who could say so: the process is ending anyway.
        std::future::pending().await
    }
}
