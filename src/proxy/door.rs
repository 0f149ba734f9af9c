//! What stands in front of the data path, one level below HTTP: how many connections may be open, how long a header
//! may take, when a request's time is up, and when a kept-alive connection has waited long enough.
//!
//! Pingora bounds each read and nothing longer, so a client that sends a byte now and then could stay for ever. The
//! door holds a connection between two requests itself, sees the first byte of the next one, and starts the clock.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::HttpServerApp;
use pingora::apps::ReusedHttpStream;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::server::ShutdownWatch;
use pingora::time::timeout;
use pingora_proxy::HttpProxy;

use crate::clock;
use crate::config::Timeouts;
use crate::proxy::Proxy;
use crate::proxy::Shared;
use crate::shutdown::stopped;
use crate::telemetry::Counted;
use crate::units::Timestamp;

/// The connection that a task serves.
#[derive(Debug, Default)]
struct Connection {
    /// When the header of the request at hand was complete; zero until then.
    header_at: AtomicU64,
    /// Whether the connection was upgraded: nothing bounds it any more but the silence between two bytes.
    upgraded: AtomicBool,
}

impl Connection {
    fn since_header(&self, now: Timestamp) -> Option<Duration> {
        let at = self.header_at.load(Ordering::Relaxed);
        (at > 0).then(|| now.since(Timestamp::from_nanos(at)))
    }
}

tokio::task_local! {
    static CONNECTION: Arc<Connection>;
}

/// Tells the door that the header of this task's request was complete at `now`.
pub(super) fn header_arrived(now: Timestamp) {
    let _ = CONNECTION.try_with(|connection| connection.header_at.store(now.nanos(), Ordering::Relaxed));
}

/// Tells the door that this task's connection was upgraded.
pub(super) fn upgraded() {
    let _ = CONNECTION.try_with(|connection| connection.upgraded.store(true, Ordering::Relaxed));
}

/// The door to a data path.
pub struct Door {
    proxy: Arc<HttpProxy<Proxy>>,
    shared: Arc<Shared>,
    max_connections: u32,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// How a request ended for its connection.
type Next = Option<ReusedHttpStream>;

impl Door {
    /// A door to `proxy` that lets at most `max_connections` in at once.
    #[must_use]
    pub fn new(proxy: HttpProxy<Proxy>, shared: Arc<Shared>, max_connections: u32) -> Self {
        Self {
            proxy: Arc::new(proxy),
            shared,
            max_connections,
        }
    }

    fn timeouts(&self) -> Timeouts {
        self.shared.current.look().config.timeouts.clone()
    }

    async fn serve(&self, stream: Stream, shutdown: &ShutdownWatch) {
        let mut timeouts = self.timeouts();
        let mut session = ServerSession::new_http1(stream);
        session.set_keepalive((!*shutdown.borrow()).then_some(whole_seconds(timeouts.idle)));
        let mut next = self.serve_request(session, shutdown, &timeouts).await;
        while let Some((mut stream, settings)) = next.map(ReusedHttpStream::consume) {
            timeouts = self.timeouts();
            if !next_request_comes(&mut stream, shutdown, timeouts.idle).await {
                return;
            }
            let mut session = ServerSession::new_http1(stream);
            if let Some(settings) = settings {
                settings.apply_to_session(&mut session);
            }
            next = self.serve_request(session, shutdown, &timeouts).await;
        }
    }

    /// Serves one request within its times; dropping Pingora's future closes the connection.
    async fn serve_request(&self, session: ServerSession, shutdown: &ShutdownWatch, timeouts: &Timeouts) -> Next {
        let Ok(connection) = CONNECTION.try_with(Arc::clone) else {
            return None;
        };
        connection.header_at.store(0, Ordering::Relaxed);
        let mut request = pin!(self.proxy.process_new_http(session, shutdown));
        // A request may be given less time than a header.
        let first = timeouts.header.min(timeouts.request);
        if let Ok(next) = timeout(first, &mut request).await {
            return next;
        }
        if connection.since_header(clock::now()).is_none() {
            if let Ok(next) = timeout(timeouts.header.saturating_sub(first), &mut request).await {
                return next;
            }
        }
        let Some(taken) = connection.since_header(clock::now()) else {
            self.shared.telemetry.header_timeouts.increment();
            return None;
        };
        finish_in_time(request, &connection, timeouts.request.saturating_sub(taken)).await
    }
}

#[async_trait]
impl ServerApp for Door {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let (_counted, before) = Counted::enter(&self.shared.telemetry, |telemetry| &telemetry.connections);
        if before >= self.max_connections {
            self.shared.telemetry.connections_refused.increment();
            return None;
        }
        CONNECTION.scope(Arc::default(), self.serve(stream, shutdown)).await;
        None
    }

    async fn cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

/// Waits for the end of a request whose header is there. The backend's own timeouts come first and are answered with
/// 504; this is for what trickles on for longer than a request may take.
async fn finish_in_time(request: impl Future<Output = Next> + Unpin, connection: &Connection, left: Duration) -> Next {
    let mut request = request;
    // A moment longer than the backend's read timeout, which started later and can still be answered.
    const GRACE: Duration = Duration::from_millis(100);
    match timeout(left + GRACE, &mut request).await {
        Ok(next) => next,
        Err(_) if connection.upgraded.load(Ordering::Relaxed) => request.await,
        Err(_) => None,
    }
}

/// Whether another request begins on a kept-alive connection before `idle` is over or the gateway stops.
async fn next_request_comes(stream: &mut Stream, shutdown: &ShutdownWatch, idle: Duration) -> bool {
    let mut shutdown = shutdown.clone();
    let mut first_byte = [0];
    tokio::select! {
        biased;
        peeked = timeout(idle, stream.try_peek(&mut first_byte)) => matches!(peeked, Ok(Ok(true))),
        () = stopped(&mut shutdown) => false,
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}
