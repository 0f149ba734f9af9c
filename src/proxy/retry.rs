//! Whether a failed attempt is followed by another.

use pingora::Error;
use pingora::ErrorType;
use pingora_proxy::Session;

use crate::proxy::context::Context;
use crate::proxy::verdict;
use crate::units::Timestamp;

/// A connection could not be made, so nothing of the request was sent: whatever its method, another backend may have
/// it, as often as the pool allows.
pub(super) fn after_connect_failure(context: &mut Context, mut error: Box<Error>, now: Timestamp) -> Box<Error> {
    let status = verdict::status_of_error(&error).unwrap_or(502);
    let tried = context.give_up(verdict::of_error(&error), status, now);
    error.set_retry(tried <= context.retries_allowed());
    error
}

/// The connection broke while in use. Only where a kept-alive connection turned out to be closed, and the request can
/// be repeated whole and without harm, is it sent again; the attempt's verdict is left to the request's end. A backend
/// that is silent because the client is has done nothing wrong.
pub(super) fn after_error(
    session: &Session,
    context: &Context,
    mut error: Box<Error>,
    client_reused: bool,
) -> Box<Error> {
    let is_clients_turn = context.waits_for_client() || session.was_upgraded();
    if *error.etype() == ErrorType::ReadTimedout && is_clients_turn {
        error.as_down();
    }
    let is_repeatable = session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
    if is_repeatable {
        error.retry.decide_reuse(client_reused);
    } else {
        error.set_retry(false);
    }
    error
}
