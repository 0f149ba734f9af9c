//! The data path: Pingora's hooks in the order in which a request meets them. Each hook is a line into the file that
//! does its work: `arrival` -> `departure` -> `headers` -> `retry` -> `refusal`, with `verdict` saying what an error
//! means and `context` remembering it all. `door` stands in front of them, one level below HTTP.

mod arrival;
mod connection;
mod context;
mod departure;
mod door;
mod form;
mod headers;
mod refusal;
mod retry;
mod upgrade;
mod verdict;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::Error;
use pingora::ErrorType::HTTPStatus;
use pingora::Result;
use pingora::http::RequestHeader;
use pingora::http::ResponseHeader;
use pingora::modules::http::HttpModules;
use pingora::upstreams::peer::HttpPeer;
use pingora_proxy::FailToProxy;
use pingora_proxy::ProxyHttp;
use pingora_proxy::ProxyWarnLogContext;
use pingora_proxy::Session;

use crate::clock;
use crate::generation::Current;
use crate::telemetry::Telemetry;
use crate::units::Draws;

pub use context::Context;
pub use door::Door;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    /// The configuration in charge.
    pub current: Arc<Current>,
    /// Counts and states of the process.
    pub telemetry: Arc<Telemetry>,
    /// The addresses that the listeners are bound to, in the configuration's order.
    pub listeners: Vec<SocketAddr>,
    sequence: AtomicU64,
    seed: u64,
}

impl Shared {
    /// What requests share; `seed` is where their chance comes from.
    #[must_use]
    pub fn new(current: Arc<Current>, telemetry: Arc<Telemetry>, listeners: Vec<SocketAddr>, seed: u64) -> Self {
        Self {
            current,
            telemetry,
            listeners,
            sequence: AtomicU64::new(0),
            seed,
        }
    }

    /// The number of the next request, and its draws.
    fn next_request(&self) -> (u64, Draws) {
        // Relaxed: numbers need only differ.
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        (sequence, Draws::new(self.seed ^ sequence.rotate_left(32)))
    }
}

/// The gateway, as Pingora sees it.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

impl Proxy {
    /// The gateway over `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    /// Called when a request's header is complete.
    fn new_ctx(&self) -> Context {
        let now = clock::now();
        door::header_arrived(now);
        Context::new(&self.shared, now)
    }

    /// None: an unused module would cost every request an allocation.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> Result<bool> {
        match arrival::admit(session, &self.shared.listeners, context) {
            Ok(()) => Ok(false),
            Err(refusal) => refusal::answer(session, context, refusal).await.map(|()| true),
        }
    }

    async fn upstream_peer(&self, session: &mut Session, context: &mut Context) -> Result<Box<HttpPeer>> {
        departure::depart(session, context, clock::now())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        context: &mut Context,
    ) -> Result<()> {
        headers::to_backend(session, request, context)
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut Context,
    ) -> Result<()> {
        arrival::count_body(context, body.as_ref().map_or(0, Bytes::len), end)
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        context: &mut Context,
        error: Box<Error>,
    ) -> Box<Error> {
        retry::after_connect_failure(context, error, clock::now())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        if self.shared.telemetry.is_draining() {
            // The client is told that its connection ends, instead of finding out.
            session.set_keepalive(None);
        }
        headers::to_client(session, response, context, clock::now())
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        context: &mut Context,
        client_reused: bool,
    ) -> Box<Error> {
        retry::after_error(session, context, error, client_reused)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, context: &mut Context) -> FailToProxy {
        refusal::explain(session, context, error).await
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, context: &mut Context) {
        let status = session.response_written().map(|response| response.status.as_u16());
        context.settle(status, error.map(verdict::of_error), clock::now());
    }

    /// Failed requests are counted in metrics; a line for each would let a client fill the disk.
    fn suppress_error_log(&self, _session: &Session, context: &Context, error: &Error) -> bool {
        log::debug!("request {:016x} failed: {error}", context.id());
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        context: &Context,
        error: &Error,
        _warning: ProxyWarnLogContext,
    ) -> bool {
        log::debug!(
            "request {:016x}, an attempt failed, trying another: {error}",
            context.id()
        );
        true
    }
}

/// An error that the client is answered with `status`.
fn status_error(status: u16, why: &'static str) -> Box<Error> {
    Error::explain(HTTPStatus(status), why)
}
