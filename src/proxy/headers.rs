//! What a request and a response carry across the gateway.

use http::HeaderName;
use http::HeaderValue;
use http::StatusCode;
use http::Version;
use http::header;
use http::uri::PathAndQuery;
use pingora::Error;
use pingora::ErrorType::InvalidHTTPHeader;
use pingora::Result;
use pingora::http::RequestHeader;
use pingora::http::ResponseHeader;
use pingora_proxy::Session;

use crate::proxy::context::Context;
use crate::proxy::door;
use crate::proxy::form;
use crate::units::Timestamp;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const VIA: HeaderValue = HeaderValue::from_static("1.1 sylvan");
const HTTP: HeaderValue = HeaderValue::from_static("http");

/// Tells the backend who asked for what. A client's own X-Forwarded-* are replaced: at the edge nobody in front is to
/// be believed.
pub(super) fn to_backend(session: &Session, request: &mut RequestHeader, context: &mut Context) -> Result<()> {
    give_origin_form(request)?;
    if let Some(client) = door::client() {
        request.insert_header(X_FORWARDED_FOR, client)?;
    }
    request.insert_header(X_FORWARDED_PROTO, HTTP)?;
    match session.get_header(header::HOST) {
        Some(host) => request.insert_header(X_FORWARDED_HOST, host.clone())?,
        None => {
            request.remove_header(&X_FORWARDED_HOST);
            // An HTTP/1.0 request may come without one, but goes on as HTTP/1.1, which may not.
            let address = context.attempt().map(|attempt| attempt.backend().address().to_owned());
            request.insert_header(header::HOST, address.unwrap_or_default())?;
        }
    }
    request.append_header(header::VIA, VIA)?;
    Ok(())
}

/// A target that came as a whole URI goes on as its path: that is the form for an origin (RFC 9112 section 3.2.1).
fn give_origin_form(request: &mut RequestHeader) -> Result<()> {
    if form::is_origin_form(request) {
        return Ok(());
    }
    let path = request
        .uri
        .path_and_query()
        .map_or("/", PathAndQuery::as_str)
        .to_owned();
    request.set_raw_path(path.as_bytes())
}

/// Notes the response's first byte, and takes out what is not for the client. A gateway need not sign responses (RFC
/// 9110, section 7.6.3).
pub(super) fn to_client(
    session: &Session,
    response: &mut ResponseHeader,
    context: &mut Context,
    now: Timestamp,
) -> Result<()> {
    let is_upgrade = response.status == StatusCode::SWITCHING_PROTOCOLS;
    if is_upgrade && !session.is_upgrade_req() {
        return Err(Error::explain(InvalidHTTPHeader, "a 101 that nobody asked for").into_up());
    }
    if response.status.is_informational() && !is_upgrade {
        return Ok(());
    }
    if let Some(attempt) = context.attempt() {
        attempt.answered(now);
        if is_upgrade {
            attempt.upgrade();
            door::upgraded(now);
        }
    }
    if !is_upgrade {
        remove_hop_fields(response);
        fit_version(session, response);
    }
    Ok(())
}

/// A gateway speaks its own version, and no chunks to who cannot read them: then the connection's end is the body's.
fn fit_version(session: &Session, response: &mut ResponseHeader) {
    response.set_version(Version::HTTP_11);
    if session.req_header().version == Version::HTTP_10 {
        response.remove_header(&header::TRANSFER_ENCODING);
    }
    // Such a response has no body (RFC 9110 section 15.3.5), and its length would be taken for the next one's.
    if response.status == StatusCode::NO_CONTENT {
        response.remove_header(&header::CONTENT_LENGTH);
    }
}

/// Takes out what was meant for this gateway only (RFC 9110, section 7.6.1); Pingora does so for requests alone.
/// `Trailer` goes too: over HTTP/1.1 trailers are not passed on.
fn remove_hop_fields(response: &mut ResponseHeader) {
    if response.headers.contains_key(header::CONNECTION) {
        remove_nominated(response);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, header::TRAILER] {
        if response.headers.contains_key(&name) {
            response.remove_header(&name);
        }
    }
}

fn remove_nominated(response: &mut ResponseHeader) {
    let nominations = response
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let nominated: Vec<HeaderName> = nominations
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in nominated.iter().chain([&header::CONNECTION]) {
        response.remove_header(name);
    }
}
