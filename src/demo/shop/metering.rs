//! What the shop tells its own agent: its share of its cores, its memory, and every byte on its connections.

use std::io;
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_util::io::InspectReader;
use tokio_util::io::InspectWriter;

use crate::agent::ProcessMemory;
use crate::agent::Reading;
use crate::agent::Source;
use crate::clock;
use crate::demo::cores::Account;

/// Called with the bytes that pass.
type Count = Box<dyn FnMut(&[u8]) + Send>;

/// Bytes on the shop's connections, headers included.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

/// A listener that counts what passes its connections.
#[derive(Debug)]
pub(super) struct MeteredListener {
    listener: TcpListener,
    traffic: Arc<Traffic>,
}

impl MeteredListener {
    /// Counts into `traffic`.
    pub(super) const fn new(listener: TcpListener, traffic: Arc<Traffic>) -> Self {
        Self { listener, traffic }
    }
}

impl Listener for MeteredListener {
    type Io = InspectReader<InspectWriter<TcpStream, Count>, Count>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // A page goes out in one write; waiting for more would only add to its time. It works without, too.
        let _ = stream.set_nodelay(true);
        let (out, into) = (Arc::clone(&self.traffic), Arc::clone(&self.traffic));
        let writer = InspectWriter::new(stream, Box::new(move |bytes: &[u8]| add(&out.sent, bytes)) as Count);
        let counted = InspectReader::new(
            writer,
            Box::new(move |bytes: &[u8]| add(&into.received, bytes)) as Count,
        );
        (counted, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn add(counter: &AtomicU64, bytes: &[u8]) {
    // Relaxed: a sum that nothing else is ordered by.
    counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
}

/// The shop as its agent sees it.
#[derive(Debug)]
pub(super) struct ShopSource {
    account: Arc<Account>,
    traffic: Arc<Traffic>,
    process: ProcessMemory,
}

impl ShopSource {
    /// The shop in this process.
    pub(super) fn new(account: Arc<Account>, traffic: Arc<Traffic>) -> Self {
        Self {
            account,
            traffic,
            process: ProcessMemory::of(process::id()),
        }
    }
}

impl Source for ShopSource {
    fn read(&mut self) -> io::Result<Reading> {
        Ok(Reading {
            cpu_seconds: self.account.core_seconds(clock::now()),
            cpu_limit_cores: self.account.cores().number(),
            sent_bytes: self.traffic.sent.load(Ordering::Relaxed),
            received_bytes: self.traffic.received.load(Ordering::Relaxed),
            ..self.process.read()?
        })
    }
}
