//! Keep-alive connections to one address, opened on demand up to a limit.
//!
//! The last one returned is the first one taken, so that a low rate keeps few connections busy and the rest idle out.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;

use crate::traffic::Failure;

/// Sends requests over one connection.
pub(super) type Sender = http1::SendRequest<Full<Bytes>>;

/// The connections of one run.
#[derive(Debug)]
pub(super) struct Connections {
    address: SocketAddr,
    permits: Semaphore,
    idle: Mutex<Vec<Sender>>,
}

/// One connection, lent out; dropped without [`Lease::give_back`], it is closed.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pub(super) sender: Sender,
    /// Whether an earlier request used the connection: only then may its end be no fault of the other side.
    pub(super) is_reused: bool,
    connections: &'a Connections,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    pub(super) fn new(address: SocketAddr, limit: usize) -> Self {
        let permits = Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            address,
            permits,
            idle: Mutex::default(),
        }
    }

    /// An idle connection, or a new one; waits, first come first served, while all are lent out.
    pub(super) async fn take(&self) -> Result<Lease<'_>, Failure> {
        let permit = self.permits.acquire().await.map_err(|_closed| Failure::Other)?;
        let idle = self.take_idle().await;
        let is_reused = idle.is_some();
        let sender = match idle {
            Some(sender) => sender,
            None => open(self.address).await?,
        };
        Ok(Lease {
            sender,
            is_reused,
            connections: self,
            _permit: permit,
        })
    }

    /// The most recently used connection that is still open.
    async fn take_idle(&self) -> Option<Sender> {
        loop {
            let mut sender = self.idle().pop()?;
            if sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Sender>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// Keeps the connection for the next request; its answer has been read to the end.
    pub(super) fn give_back(self) {
        self.connections.idle().push(self.sender);
    }
}

async fn open(address: SocketAddr) -> Result<Sender, Failure> {
    let stream = TcpStream::connect(address).await.map_err(|_| Failure::Connect)?;
    // Requests are written whole; without this a small one could wait for an acknowledgement.
    stream.set_nodelay(true).map_err(|_| Failure::Connect)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Failure::Connect)?;
    // It ends with its sender; its errors reach the request that they concern.
    tokio::spawn(connection);
    Ok(sender)
}
