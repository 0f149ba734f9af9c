//! What a request and a response carry across the gateway.

use http::HeaderName;
use http::HeaderValue;
use http::StatusCode;
use http::header;
use pingora::Result;
use pingora::http::RequestHeader;
use pingora::http::ResponseHeader;
use pingora_proxy::Session;

use crate::proxy::context::Context;
use crate::proxy::door;
use crate::units::Timestamp;

const VIA: HeaderValue = HeaderValue::from_static("1.1 sylvan");
const HTTP: HeaderValue = HeaderValue::from_static("http");

/// Tells the backend who asked for what. A client's own X-Forwarded-* are replaced: at the edge nobody in front is to
/// be believed.
pub(super) fn to_backend(session: &Session, request: &mut RequestHeader) -> Result<()> {
    if let Some(client) = session.client_addr().and_then(|address| address.as_inet()) {
        request.insert_header("x-forwarded-for", client.ip().to_string())?;
    }
    request.insert_header("x-forwarded-proto", HTTP)?;
    match session.get_header(header::HOST) {
        Some(host) => request.insert_header("x-forwarded-host", host.clone())?,
        None => drop(request.remove_header("x-forwarded-host")),
    }
    request.append_header(header::VIA, VIA)?;
    Ok(())
}

/// Notes the response's first byte, and says who passed it on.
pub(super) fn to_client(response: &mut ResponseHeader, context: &mut Context, now: Timestamp) -> Result<()> {
    let is_upgrade = response.status == StatusCode::SWITCHING_PROTOCOLS;
    if response.status.is_informational() && !is_upgrade {
        return Ok(());
    }
    if let Some(attempt) = context.attempt() {
        attempt.answered(now);
        if is_upgrade {
            attempt.upgrade();
            door::upgraded();
        }
    }
    if !is_upgrade {
        remove_hop_fields(response);
    }
    response.append_header(header::VIA, VIA)?;
    Ok(())
}

/// Takes out what was meant for this gateway only (RFC 9110, section 7.6.1); Pingora does so for requests alone.
fn remove_hop_fields(response: &mut ResponseHeader) {
    let nominations = response.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let nominated: Vec<HeaderName> =
        nominations.flat_map(|names| names.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in nominated.iter().map(HeaderName::as_str).chain(["connection", "keep-alive", "proxy-connection"]) {
        response.remove_header(name);
    }
}
