//! The end of a gateway: a signal, then no new connections, then patience with what is in flight.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownSignal;
use pingora::server::ShutdownSignalWatch;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;

use crate::proxy::Shared;
use crate::server::Ending;

/// How often it is looked whether anything is still in flight.
const LOOK: Duration = Duration::from_millis(10);

/// Waits for SIGTERM, SIGINT or SIGQUIT and drains; a second signal ends the waiting.
pub(super) struct Signals {
    shared: Arc<Shared>,
    draining: watch::Sender<bool>,
    ending: Arc<OnceLock<Ending>>,
}

impl Signals {
    pub(super) fn new(shared: Arc<Shared>, draining: watch::Sender<bool>) -> Self {
        Self {
            shared,
            draining,
            ending: Arc::default(),
        }
    }

    /// Where the ending is noted.
    pub(super) fn ending(&self) -> Arc<OnceLock<Ending>> {
        Arc::clone(&self.ending)
    }

    async fn drain(&self, terminate: &mut Option<Signal>, interrupt: &mut Option<Signal>) -> Ending {
        let patience = self.shared.current.look().config.drain_timeout;
        log::info!(in_flight = self.shared.telemetry.in_flight.count(); "draining, for at most {patience:?}");
        self.shared.telemetry.start_draining();
        self.draining.send_replace(true);
        tokio::select! {
            () = self.nothing_in_flight() => Ending::Drained,
            () = tokio::time::sleep(patience) => Ending::Forced,
            () = received(terminate) => Ending::Forced,
            () = received(interrupt) => Ending::Forced,
        }
    }

    /// Kept-alive connections end as soon as they are told, so no connection means no request.
    async fn nothing_in_flight(&self) {
        let telemetry = &self.shared.telemetry;
        while telemetry.connections.count() > 0 || telemetry.in_flight.count() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut terminate = signal(SignalKind::terminate()).ok();
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        let mut quit = signal(SignalKind::quit()).ok();
        self.shared.telemetry.start();
        tokio::select! {
            () = received(&mut quit) => {}
            () = received(&mut terminate) => {}
            () = received(&mut interrupt) => {}
        }
        let ending = self.drain(&mut terminate, &mut interrupt).await;
        match ending {
            Ending::Drained => log::info!("drained"),
            Ending::Forced => {
                log::warn!(in_flight = self.shared.telemetry.in_flight.count(); "not drained, ending all the same");
            }
        }
        let _ = self.ending.set(ending);
        ShutdownSignal::FastShutdown
    }
}

async fn received(signal: &mut Option<Signal>) {
    let heard = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending().await
    }
}
