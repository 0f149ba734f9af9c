//! The two services of the process: the data path, and everything beside it.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora::server::ListenFds;
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use pingora::services::Service;
use pingora::services::listening::Service as PingoraService;
use tokio::sync::mpsc;

use crate::admin;
use crate::admin::Admin;
use crate::clock;
use crate::proxy::Door;
use crate::proxy::Proxy;
use crate::proxy::Shared;
use crate::shutdown::Shutdown;
use crate::shutdown::stopped;
use crate::tasks;
use crate::tasks::load::Source;
use crate::tasks::reload::Reloader;
use crate::telemetry::Asker;
use crate::telemetry::Exposition;

/// The data path, listening on `addresses` once it is given their sockets.
pub(super) fn proxy(
    conf: &Arc<ServerConf>,
    shared: &Arc<Shared>,
    addresses: &[(String, SocketAddr)],
) -> PingoraService<Door> {
    let proxy = pingora_proxy::http_proxy(conf, Proxy::new(Arc::clone(shared)));
    let door = Door::new(proxy, Arc::clone(shared), max_connections(shared));
    let mut service = PingoraService::new("proxy".to_owned(), door);
    for (_, address) in addresses {
        service.add_tcp(&address.to_string());
    }
    service.threads = Some(conf.threads);
    service
}

/// Raises the limit of open files as far as it goes, and leaves two of them for each connection: the client's and the
/// backend's.
fn max_connections(shared: &Shared) -> u32 {
    /// Sockets, logs, models, probes and polls of the process itself.
    const RESERVED: u64 = 128;
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let affordable = u32::try_from(files.saturating_sub(RESERVED) / 2)
        .unwrap_or(u32::MAX)
        .max(16);
    let configured = shared.current.look().config.limits.max_connections.map(u32::from);
    configured.unwrap_or(affordable)
}

/// Everything beside the data path, on one thread of its own.
pub(super) fn background(
    source: Source,
    text: &str,
    shared: Arc<Shared>,
    listener: Option<TcpListener>,
) -> impl Service + 'static {
    let reloader = Reloader::new(source, Arc::clone(&shared.current), Arc::clone(&shared.telemetry), text);
    Background {
        shared,
        parts: Mutex::new(Some((reloader, listener))),
    }
}

struct Background {
    shared: Arc<Shared>,
    parts: Mutex<Option<(Reloader, Option<TcpListener>)>>,
}

#[async_trait]
impl Service for Background {
    async fn start_service(&mut self, _fds: Option<ListenFds>, shutdown: ShutdownWatch, _listeners_per_fd: usize) {
        let Some((reloader, listener)) = self.parts.lock().take() else {
            return;
        };
        let (current, telemetry) = (&self.shared.current, &self.shared.telemetry);
        let (ask, askers) = mpsc::channel(8);
        // Each a task of its own: a reload that waits for a name to resolve must not hold up the probes.
        let tasks = [
            tokio::spawn(reloader.run(askers, shutdown.clone())),
            tokio::spawn(tasks::health::run(Arc::clone(current), shutdown.clone())),
            tokio::spawn(tasks::metrics::run(
                Arc::clone(current),
                Arc::clone(telemetry),
                shutdown.clone(),
            )),
            tokio::spawn(tasks::models::run(
                Arc::clone(current),
                Arc::clone(telemetry),
                shutdown.clone(),
            )),
            tokio::spawn(serve_admin(listener, admin(&self.shared, ask), shutdown)),
        ];
        futures::future::join_all(tasks).await;
    }

    fn name(&self) -> &str {
        "background"
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }
}

fn admin(shared: &Shared, askers: mpsc::Sender<Asker>) -> Admin {
    let (current, telemetry) = (Arc::clone(&shared.current), Arc::clone(&shared.telemetry));
    let exposition = Arc::new(Exposition::new(
        Arc::clone(&current),
        Arc::clone(&telemetry),
        clock::now,
    ));
    Admin {
        current,
        telemetry,
        exposition,
        askers,
        started: clock::now(),
    }
}

async fn serve_admin(listener: Option<TcpListener>, admin: Admin, mut shutdown: Shutdown) {
    // Without an admin listener the sender must live on, or the reload task would think that everybody has gone.
    let router = admin::router(admin);
    let Some(listener) = listener else {
        return stopped(&mut shutdown).await;
    };
    let served = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => {
            let end = async move { stopped(&mut shutdown).await };
            axum::serve(listener, router).with_graceful_shutdown(end).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        log::error!("the admin listener failed: {error}");
    }
}
