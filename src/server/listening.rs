//! The data path's service, with sockets that are already bound and an end of its own.

use std::net::TcpListener;
use std::os::fd::IntoRawFd;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora::server::Fds;
use pingora::server::ListenFds;
use pingora::server::ShutdownWatch;
use pingora::services::Service;
use pingora::services::listening::Service as PingoraService;

use crate::proxy::Door;

/// Hands our sockets to Pingora, which would retry a busy port for half a minute and then live on without it, and
/// our own word to stop: Pingora's comes only when its runtimes are about to go.
pub(super) struct Listening {
    service: PingoraService<Door>,
    sockets: Option<Vec<TcpListener>>,
    draining: ShutdownWatch,
}

impl Listening {
    pub(super) fn new(service: PingoraService<Door>, sockets: Vec<TcpListener>, draining: ShutdownWatch) -> Self {
        Self {
            service,
            sockets: Some(sockets),
            draining,
        }
    }
}

#[async_trait]
impl Service for Listening {
    async fn start_service(&mut self, _fds: Option<ListenFds>, _shutdown: ShutdownWatch, listeners_per_fd: usize) {
        let mut fds = Fds::new();
        for socket in self.sockets.take().unwrap_or_default() {
            // The same text that the service was given for this socket, which is how Pingora finds it.
            let Ok(address) = socket.local_addr() else { continue };
            fds.add(address.to_string(), socket.into_raw_fd());
        }
        self.service
            .start_service(Some(Arc::new(Mutex::new(fds))), self.draining.clone(), listeners_per_fd)
            .await;
    }

    fn name(&self) -> &str {
        "proxy"
    }

    fn threads(&self) -> Option<usize> {
        self.service.threads
    }
}
