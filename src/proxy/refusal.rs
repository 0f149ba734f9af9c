//! Answers of the gateway's own: short, with a number to find the request by.

use bytes::Bytes;
use http::header;
use pingora::Error;
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora_proxy::FailToProxy;
use pingora_proxy::Session;

use crate::proxy::context::Context;
use crate::proxy::verdict;

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    reason: &'static str,
}

impl Refusal {
    pub(super) const NO_HOST: Self = Self {
        status: 400,
        reason: "the request has no Host header, or one that is no host",
    };
    pub(super) const BAD_TARGET: Self = Self {
        status: 400,
        reason: "the request target is neither a path nor a whole URI",
    };
    pub(super) const BAD_LENGTH: Self = Self {
        status: 400,
        reason: "the request has more than one Content-Length",
    };
    pub(super) const UNKNOWN_CODING: Self = Self {
        status: 501,
        reason: "the only transfer coding understood here is chunked",
    };
    pub(super) const UNSAFE_PATH: Self = Self {
        status: 400,
        reason: "the path has dot segments, or an encoded slash, backslash or NUL",
    };
    pub(super) const NO_ROUTE: Self = Self {
        status: 404,
        reason: "no route matches",
    };
    pub(super) const BODY_TOO_LARGE: Self = Self {
        status: 413,
        reason: "the request body is over the limit",
    };
    pub(super) const HEADER_TOO_LARGE: Self = Self {
        status: 431,
        reason: "the request header is over the limit",
    };

    fn of_status(status: u16) -> Self {
        let reason = match status {
            400 => "the request cannot be understood, or more came before it was answered",
            408 => "the request did not arrive in time",
            413 => "the request body is over the limit",
            502 => "the backend could not be reached, or broke off",
            503 => "no backend is available",
            504 => "the backend did not answer in time",
            _ => "the gateway failed",
        };
        Self { status, reason }
    }

    /// Whether the connection can go on: the request was understood, and is at its end.
    fn keeps_connection(self, session: &mut Session) -> bool {
        self == Self::NO_ROUTE && session.is_body_empty()
    }
}

/// Answers a request that is not passed on.
pub(super) async fn answer(session: &mut Session, context: &Context, refusal: Refusal) -> Result<()> {
    if !refusal.keeps_connection(session) {
        session.set_keepalive(None);
    }
    respond(session, context, refusal).await
}

/// Answers a request that failed with `error`, where that is still possible.
pub(super) async fn explain(session: &mut Session, context: &Context, error: &Error) -> FailToProxy {
    let status = verdict::status_of_error(error);
    let begun = session
        .response_written()
        .is_some_and(|response| !response.status.is_informational());
    if let Some(status) = status.filter(|_| !begun && !session.was_upgraded()) {
        session.set_keepalive(None);
        if let Err(error) = respond(session, context, Refusal::of_status(status)).await {
            log::debug!("an error response could not be sent: {error}");
        }
    }
    FailToProxy {
        error_code: status.unwrap_or(0),
        can_reuse_downstream: false,
    }
}

async fn respond(session: &mut Session, context: &Context, refusal: Refusal) -> Result<()> {
    let id = format!("{:016x}", context.id());
    let body = format!("{} {}\nrequest id: {id}\n", refusal.status, refusal.reason);
    let mut response = ResponseHeader::build(refusal.status, Some(4))?;
    response.insert_header(header::CONTENT_TYPE, "text/plain; charset=utf-8")?;
    response.insert_header(header::CONTENT_LENGTH, body.len())?;
    response.insert_header(header::CACHE_CONTROL, "no-store")?;
    response.insert_header("x-request-id", id)?;
    let is_head = session.req_header().method == http::Method::HEAD;
    session.write_response_header(Box::new(response), is_head).await?;
    if !is_head {
        session.write_response_body(Some(Bytes::from(body)), true).await?;
    }
    Ok(())
}
