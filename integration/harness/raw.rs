//! A client that says exactly what it is told, when it is told; and an address that never answers a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::harness::pause;

/// Longer than any timeout that a test sets.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bare TCP connection.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: TcpStream,
    opened: Instant,
}

impl Raw {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let opened = Instant::now();
        let stream = TcpStream::connect(address)
            .await
            .expect("the gateway accepts connections");
        let _ = stream.set_nodelay(true);
        Self { stream, opened }
    }

    /// Sends `bytes` on a connection of their own and yields all that comes back until it is closed, or nothing
    /// more comes.
    pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut raw = Self::open(address).await;
        raw.send(bytes).await;
        raw.read_for(Duration::from_millis(1500)).await
    }

    /// Sends `bytes`, as far as the other side takes them.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends `bytes` one at a time with `gap` between them until all are sent or the other side closes.
    pub(crate) async fn trickle(&mut self, bytes: &str, gap: Duration) {
        for byte in bytes.as_bytes() {
            if self.stream.write_all(&[*byte]).await.is_err() || self.is_over().await {
                return;
            }
            pause(gap).await;
        }
    }

    /// Whether the other side has closed and nothing is left to be read.
    async fn is_over(&mut self) -> bool {
        let mut byte = [0];
        !matches!(
            timeout(Duration::from_millis(1), self.stream.peek(&mut byte)).await,
            Err(_) | Ok(Ok(1))
        )
    }

    /// All that comes until `end` was read, or the connection is closed.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.contains(end) {
            match self.read_part(PATIENCE).await {
                Some(part) => text.push_str(&part),
                None => break,
            }
        }
        text
    }

    /// All that comes until the connection is closed, or nothing comes for `quiet`.
    pub(crate) async fn read_for(&mut self, quiet: Duration) -> String {
        let mut text = String::new();
        while let Some(part) = self.read_part(quiet).await {
            text.push_str(&part);
        }
        text
    }

    /// How long after it was opened the other side closed it; fails when that takes too long.
    pub(crate) async fn lifetime(mut self) -> Duration {
        self.closed().await;
        self.opened.elapsed()
    }

    /// Waits until the other side closes; how long that took from now.
    pub(crate) async fn closed(&mut self) -> Duration {
        let asked = Instant::now();
        let closing = async { while self.read_part(PATIENCE).await.is_some() {} };
        timeout(PATIENCE, closing)
            .await
            .expect("the gateway closes the connection");
        asked.elapsed()
    }

    async fn read_part(&mut self, patience: Duration) -> Option<String> {
        let mut part = [0; 16 << 10];
        let count = timeout(patience, self.stream.read(&mut part)).await.ok()?.ok()?;
        part.get(..count)
            .filter(|part| !part.is_empty())
            .map(|part| String::from_utf8_lossy(part).into_owned())
    }
}

/// An address whose queue of connections is full, so that further ones are neither accepted nor refused; as long as
/// what comes with it is kept.
pub(crate) async fn deaf_address() -> (SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let listener = socket.listen(1).expect("a listening socket");
    let address = listener.local_addr().expect("a bound socket");
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    (address, (listener, waiting))
}
