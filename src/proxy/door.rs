//! What stands in front of the data path, one level below HTTP: how many connections may be open, how long a header
//! may take, when a request's time is up, and when a kept-alive connection has waited long enough.
//!
//! Pingora bounds each read and nothing longer, so a client that sends a byte now and then could stay for ever. The
//! door follows each connection from phase to phase ([`Connection`]) and ends it when one takes too long.

use std::future::Future;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use http::HeaderValue;
use pingora::apps::HttpServerApp;
use pingora::apps::ReusedHttpStream;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::server::ShutdownWatch;
use pingora_proxy::HttpProxy;

use crate::clock;
use crate::proxy::Proxy;
use crate::proxy::Shared;
use crate::proxy::connection::Alarm;
use crate::proxy::connection::Connection;
use crate::proxy::connection::Phase;
use crate::proxy::connection::Watched;
use crate::shutdown::stopped;
use crate::telemetry::Counted;
use crate::units::Timestamp;

tokio::task_local! {
    static CONNECTION: Arc<Connection>;
}

/// Tells the door that the header of this task's request was complete at `now`.
pub(super) fn header_arrived(now: Timestamp) {
    let _ = CONNECTION.try_with(|connection| connection.enter(Phase::Response, now));
}

/// Tells the door that this task's connection was upgraded at `now`.
pub(super) fn upgraded(now: Timestamp) {
    let _ = CONNECTION.try_with(|connection| connection.enter(Phase::Upgraded, now));
}

/// The address of this task's client, as a header says it.
pub(super) fn client() -> Option<HeaderValue> {
    CONNECTION
        .try_with(|connection| connection.client.clone())
        .ok()
        .flatten()
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

    async fn serve(&self, stream: Stream, shutdown: &ShutdownWatch, connection: Arc<Connection>) {
        let mut alarm = Alarm::new(&self.shared.current.look().config.timeouts);
        let mut watch = shutdown.clone();
        let mut stopping = pin!(stopped(&mut watch));
        let mut session = ServerSession::new_http1(Box::new(Watched {
            stream,
            connection: Arc::clone(&connection),
        }));
        // Without a time of Pingora's own: the alarm sees to it.
        session.set_keepalive((!*shutdown.borrow()).then_some(0));
        session.set_pipelining_enabled(true);
        loop {
            let mut request = pin!(self.proxy.process_new_http(session, shutdown));
            let next = poll_fn(|context| {
                if let Poll::Ready(next) = request.as_mut().poll(context) {
                    return Poll::Ready(next);
                }
                let is_idle = connection.phase() == Phase::Idle;
                if is_idle && stopping.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                // Dropping Pingora's future closes the connection.
                alarm.poll(&connection, context).map(|()| self.expired(&connection))
            });
            let Some((stream, settings)) = next.await.map(ReusedHttpStream::consume) else {
                return;
            };
            alarm.follow(&self.shared.current.look().config.timeouts);
            connection.enter(Phase::Idle, clock::now());
            session = ServerSession::new_http1(stream);
            if let Some(settings) = settings {
                settings.apply_to_session(&mut session);
            }
        }
    }

    /// Counts what took too long; nothing follows on its connection.
    fn expired(&self, connection: &Connection) -> Next {
        if connection.phase() == Phase::Header {
            self.shared.telemetry.header_timeouts.increment();
        }
        None
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
        let connection = Arc::new(Connection::new(&stream, clock::now()));
        let served = self.serve(stream, shutdown, Arc::clone(&connection));
        CONNECTION.scope(connection, served).await;
        None
    }

    async fn cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}
