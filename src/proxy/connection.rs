//! One client's connection: what it is waiting for and since when, and the stream that notices its first byte.

use std::future::Future;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use pingora::protocols::GetProxyDigest;
use pingora::protocols::GetSocketDigest;
use pingora::protocols::GetTimingDigest;
use pingora::protocols::Peek;
use pingora::protocols::Shutdown;
use pingora::protocols::SocketDigest;
use pingora::protocols::Ssl;
use pingora::protocols::Stream;
use pingora::protocols::TimingDigest;
use pingora::protocols::UniqueID;
use pingora::protocols::UniqueIDType;
use pingora::protocols::raw_connect::ProxyDigest;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Sleep;

use crate::clock;
use crate::config::Timeouts;
use crate::units::Timestamp;

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first byte of another request.
    Idle,
    /// The end of a request's header.
    Header,
    /// The end of a response.
    Response,
    /// Nothing that is bounded: it was upgraded, and only the silence between two bytes counts.
    Upgraded,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Idle, Self::Header, Self::Response, Self::Upgraded];
}

/// What is known of a connection beside its bytes. One task writes and reads it, so that order is no question.
#[derive(Debug)]
pub(super) struct Connection {
    /// The [`Phase`], by its place in [`Phase::ALL`].
    phase: AtomicU8,
    /// When it began, in nanoseconds.
    since: AtomicU64,
    /// The client's address, as a header says it: written once for all requests of a connection.
    pub(super) client: Option<HeaderValue>,
}

impl Connection {
    /// The connection of `stream`, made at `now` to send a request.
    pub(super) fn new(stream: &Stream, now: Timestamp) -> Self {
        let digest = stream.get_socket_digest();
        let client = digest.as_ref().and_then(|digest| digest.peer_addr()?.as_inet());
        Self {
            client: client.and_then(|client| client.ip().to_canonical().to_string().try_into().ok()),
            phase: AtomicU8::new(Phase::Header as u8),
            since: AtomicU64::new(now.nanos()),
        }
    }

    pub(super) fn enter(&self, phase: Phase, now: Timestamp) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.since.store(now.nanos(), Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        let place = usize::from(self.phase.load(Ordering::Relaxed));
        Phase::ALL.get(place).copied().unwrap_or(Phase::Upgraded)
    }

    /// How long its phase may go on; `None` without end.
    fn time_left(&self, timeouts: &Timeouts, now: Timestamp) -> Option<Duration> {
        // A moment longer than the backend's read timeout, which started later and can still be answered with 504.
        const GRACE: Duration = Duration::from_millis(100);
        let allowed = match self.phase() {
            Phase::Idle => timeouts.idle,
            Phase::Header => timeouts.header,
            Phase::Response => timeouts.request.saturating_add(GRACE),
            Phase::Upgraded => return None,
        };
        let since = Timestamp::from_nanos(self.since.load(Ordering::Relaxed));
        Some(allowed.saturating_sub(now.since(since)))
    }
}

/// Wakes a connection's task when a phase has gone on for too long.
///
/// A request takes well under a second and its bounds are seconds, so the timer is not set anew for each phase: it runs
/// for as long as the shortest bound, and only when it ends is it looked what was due.
#[derive(Debug)]
pub(super) struct Alarm {
    timeouts: Timeouts,
    timer: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        Self {
            timeouts: timeouts.clone(),
            timer: Box::pin(tokio::time::sleep(shortest(timeouts))),
        }
    }

    /// Goes by `timeouts` from now on. A timer that runs is of use only as long as no bound is shorter than it.
    pub(super) fn follow(&mut self, timeouts: &Timeouts) {
        if *timeouts != self.timeouts {
            *self = Self::new(timeouts);
        }
    }

    /// Ready when the phase of `connection` is over its time.
    pub(super) fn poll(&mut self, connection: &Connection, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let left = connection
                .time_left(&self.timeouts, clock::now())
                .unwrap_or(Duration::MAX);
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.timer.set(tokio::time::sleep(left.min(shortest(&self.timeouts))));
        }
    }
}

fn shortest(timeouts: &Timeouts) -> Duration {
    timeouts.idle.min(timeouts.header).min(timeouts.request)
}

/// A connection's stream, which notes when the first byte of a request arrives.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) stream: Stream,
    pub(super) connection: Arc<Connection>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before && self.connection.phase() == Phase::Idle {
            self.connection.enter(Phase::Header, clock::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Watched {
    async fn shutdown(&mut self) {
        self.stream.shutdown().await;
    }
}

impl UniqueID for Watched {
    fn id(&self) -> UniqueIDType {
        self.stream.id()
    }
}

/// Plain: what ends TLS has to pass it on here.
impl Ssl for Watched {}

impl GetTimingDigest for Watched {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.stream.get_timing_digest()
    }
}

impl GetProxyDigest for Watched {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.stream.get_proxy_digest()
    }
}

impl GetSocketDigest for Watched {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.stream.get_socket_digest()
    }
}

impl Peek for Watched {}
