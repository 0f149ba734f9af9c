//! What an error of Pingora's means: for the backend a verdict, for the client a status.

use pingora::Error;
use pingora::ErrorSource;
use pingora::ErrorType;

use crate::pool::Verdict;

/// What `error` says of the backend.
pub(super) fn of_error(error: &Error) -> Verdict {
    match (error.esource(), error.etype()) {
        (ErrorSource::Upstream, kind) if is_connect_failure(kind) => Verdict::ConnectFailure,
        (ErrorSource::Upstream, kind) if is_timeout(kind) => Verdict::Timeout,
        (ErrorSource::Upstream, _) => Verdict::Reset,
        // The client's doing or our own: nothing is said of the backend.
        _ => Verdict::Aborted,
    }
}

/// The status that a client is answered with after `error`; `None` when nobody is there to be answered.
pub(super) fn status_of_error(error: &Error) -> Option<u16> {
    match (error.esource(), error.etype()) {
        (_, ErrorType::HTTPStatus(status)) => Some(*status),
        (ErrorSource::Upstream, kind) if is_timeout(kind) => Some(504),
        (ErrorSource::Upstream, _) => Some(502),
        (ErrorSource::Downstream, ErrorType::ReadTimedout) => Some(408),
        (
            ErrorSource::Downstream,
            ErrorType::WriteError | ErrorType::WriteTimedout | ErrorType::ReadError | ErrorType::ConnectionClosed,
        ) => None,
        (ErrorSource::Downstream, _) => Some(400),
        (ErrorSource::Internal | ErrorSource::Unset, _) => Some(500),
    }
}

fn is_connect_failure(kind: &ErrorType) -> bool {
    matches!(
        kind,
        ErrorType::ConnectTimedout
            | ErrorType::ConnectRefused
            | ErrorType::ConnectNoRoute
            | ErrorType::ConnectError
            | ErrorType::TLSHandshakeFailure
            | ErrorType::TLSHandshakeTimedout
            | ErrorType::InvalidCert
            | ErrorType::HandshakeError
    )
}

fn is_timeout(kind: &ErrorType) -> bool {
    matches!(
        kind,
        ErrorType::ConnectTimedout
            | ErrorType::TLSHandshakeTimedout
            | ErrorType::ReadTimedout
            | ErrorType::WriteTimedout
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: Box<Error>, verdict: Verdict, status: Option<u16>) {
        assert_eq!(
            (of_error(&error), status_of_error(&error)),
            (verdict, status),
            "{error}"
        );
    }

    #[test]
    fn a_backend_that_cannot_be_reached_is_a_bad_gateway() {
        check(
            Error::new_up(ErrorType::ConnectRefused),
            Verdict::ConnectFailure,
            Some(502),
        );
        check(
            Error::new_up(ErrorType::ConnectTimedout),
            Verdict::ConnectFailure,
            Some(504),
        );
    }

    #[test]
    fn a_backend_that_is_silent_is_a_gateway_timeout() {
        check(Error::new_up(ErrorType::ReadTimedout), Verdict::Timeout, Some(504));
    }

    #[test]
    fn a_backend_that_breaks_off_is_a_bad_gateway() {
        check(Error::new_up(ErrorType::ConnectionClosed), Verdict::Reset, Some(502));
        check(Error::new_up(ErrorType::InvalidHTTPHeader), Verdict::Reset, Some(502));
    }

    #[test]
    fn a_client_that_leaves_says_nothing_of_the_backend() {
        check(Error::new_down(ErrorType::WriteError), Verdict::Aborted, None);
        check(Error::new_down(ErrorType::ReadTimedout), Verdict::Aborted, Some(408));
        check(Error::new_down(ErrorType::HTTPStatus(413)), Verdict::Aborted, Some(413));
    }
}
