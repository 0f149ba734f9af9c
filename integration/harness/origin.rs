//! A scripted backend: what it does with a request stands in the request's path (`answers`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use tokio::io::BufStream;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

use crate::harness::answers::Next;
use crate::harness::answers::answer;
use crate::harness::message::Head;
use crate::harness::script::Script;

/// A backend on a port of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Origin {
    address: SocketAddr,
    script: Arc<Script>,
    listening: Option<JoinHandle<()>>,
}

impl Origin {
    /// An origin called `name`, on a free port.
    pub(crate) async fn start(name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let script = Script {
            name: name.to_owned(),
            health: AtomicU16::new(200),
            ..Script::default()
        };
        let mut origin = Self {
            address,
            script: Arc::new(script),
            listening: None,
        };
        origin.listen(listener);
        origin
    }

    /// Where it listens, or listened.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that it has read the header of, without health probes.
    pub(crate) fn requests(&self) -> u64 {
        self.script.requests.load(Ordering::SeqCst)
    }

    /// Connections that it has accepted.
    pub(crate) fn connections(&self) -> u64 {
        self.script.connections.load(Ordering::SeqCst)
    }

    /// From now on `/healthz` is answered with `status`.
    pub(crate) fn set_health(&self, status: u16) {
        self.script.health.store(status, Ordering::SeqCst);
    }

    /// From now on a greeting takes this many milliseconds.
    pub(crate) fn set_delay(&self, milliseconds: u64) {
        self.script.delay_ms.store(milliseconds, Ordering::SeqCst);
    }

    /// From now on connections are accepted and closed at once.
    pub(crate) fn hang_up(&self) {
        self.script.hangs_up.store(true, Ordering::SeqCst);
    }

    /// Dies: the listener and all connections are closed, as when its process is killed.
    pub(crate) async fn kill(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            let _ = listening.await;
        }
    }

    /// Comes back on its old port.
    pub(crate) async fn revive(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port it had");
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        self.listening = Some(tokio::spawn(accept(listener, Arc::clone(&self.script))));
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }
}

/// Serves until it is aborted, and takes its connections with it.
async fn accept(listener: TcpListener, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        script.connections.fetch_add(1, Ordering::SeqCst);
        if !script.hangs_up.load(Ordering::SeqCst) {
            connections.spawn(serve(stream, Arc::clone(&script)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, script: Arc<Script>) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufStream::new(stream);
    let mut served = 0;
    while let Some(head) = Head::read(&mut stream, served).await {
        served += 1;
        if head.target != "/healthz" {
            script.requests.fetch_add(1, Ordering::SeqCst);
        }
        match answer(stream, &head, &script).await {
            Ok(Next::Request(next)) => stream = next,
            Ok(Next::Nothing) | Err(_) => return,
        }
    }
}
