//! A request arrives: it is measured against the limits, and a route is found for it.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Version;
use http::header;
use pingora::Result;
use pingora_proxy::Session;

use crate::config::Config;
use crate::proxy::context::Context;
use crate::proxy::form;
use crate::proxy::refusal::Refusal;
use crate::proxy::status_error;
use crate::routing::RequestView;
use crate::units::Draws;

/// Admits a request and notes its route, or says why not.
pub(super) fn admit(session: &mut Session, listeners: &[SocketAddr], context: &mut Context) -> Result<(), Refusal> {
    set_timeouts(session, context.config());
    // RFC 9110 section 15.2: an HTTP/1.0 client knows no 1xx.
    let is_old = session.req_header().version == Version::HTTP_10;
    session.set_ignore_info_resp(is_old);
    let listener = listener(session, listeners);
    let generation = Arc::clone(context.generation());
    let unrouted = generation.unrouted.get(listener).map(Arc::clone);
    context.routed(None, unrouted);
    check_limits(session, context.config())?;
    let view = view(session)?;
    let route = generation.routes.find(&view).ok_or(Refusal::NO_ROUTE)?;
    context.routed(Some(route.pool), route.stats.get(listener).map(Arc::clone));
    context.described(route.class(view.method), affinity(session));
    Ok(())
}

/// Requests of one client stay together, where the selector cares.
fn affinity(session: &Session) -> Option<u64> {
    let bits = match session.client_addr()?.as_inet()?.ip().to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        // A client's network: the rest of the address changes by the day.
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    };
    Some(Draws::new(bits).next())
}

/// Counts `bytes` of a request's body, for bodies that do not say their length.
pub(super) fn count_body(context: &mut Context, bytes: usize, end: bool) -> Result<()> {
    if context.take_body(bytes, end) > context.config().limits.max_body_bytes {
        return Err(status_error(413, "the request body is over the limit").into_down());
    }
    Ok(())
}

/// The position of the listener that the client connected to. One bound to an unspecified address sees connections
/// to all addresses of the host, so there the port decides.
fn listener(session: &Session, listeners: &[SocketAddr]) -> usize {
    let Some(local) = session.server_addr().and_then(|address| address.as_inet()) else {
        return 0;
    };
    let is_bound = |bound: &SocketAddr| bound.port() == local.port() && (bound.ip().is_unspecified() || bound == local);
    listeners.iter().position(is_bound).unwrap_or(0)
}

fn set_timeouts(session: &mut Session, config: &Config) {
    let idle = config.timeouts.idle;
    session.set_read_timeout(Some(idle));
    session.set_write_timeout(Some(idle));
    session.set_total_drain_timeout(Some(idle));
}

fn check_limits(session: &Session, config: &Config) -> Result<(), Refusal> {
    let header_bytes = session
        .as_http1()
        .map_or(0, |session| session.get_headers_raw_bytes().len());
    if header_bytes as u64 > config.limits.max_header_bytes {
        return Err(Refusal::HEADER_TOO_LARGE);
    }
    let length = session
        .get_header(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > config.limits.max_body_bytes) {
        return Err(Refusal::BODY_TOO_LARGE);
    }
    Ok(())
}

fn view(session: &Session) -> Result<RequestView<'_>, Refusal> {
    let request = session.req_header();
    Ok(RequestView {
        host: form::check(request)?,
        path: request.uri.path(),
        method: &request.method,
        headers: &request.headers,
    })
}
