//! Whether a request means the same to everybody who reads it: what another reader might take differently is refused
//! here, before a route or a backend sees it.

use http::HeaderMap;
use http::HeaderValue;
use http::Version;
use http::header;
use pingora::http::RequestHeader;

use crate::proxy::refusal::Refusal;
use crate::routing::is_safe_path;

/// The request's host, once its form is found to be good.
pub(super) fn check(request: &RequestHeader) -> Result<&str, Refusal> {
    check_target(request)?;
    check_framing(&request.headers)?;
    host(request)
}

/// The target is a path from the root, or a whole URI. Pingora's own view of it is a path in any case, so the bytes that
/// came are looked at.
fn check_target(request: &RequestHeader) -> Result<(), Refusal> {
    if !is_origin_form(request) && !is_whole_uri(request.raw_path()) {
        return Err(Refusal::BAD_TARGET);
    }
    if is_safe_path(request.uri.path()) {
        Ok(())
    } else {
        Err(Refusal::UNSAFE_PATH)
    }
}

/// Whether the target is a path from the root.
pub(super) fn is_origin_form(request: &RequestHeader) -> bool {
    request.raw_path().starts_with(b"/")
}

fn is_whole_uri(target: &[u8]) -> bool {
    let has_scheme = |scheme: &[u8]| {
        target
            .get(..scheme.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(scheme))
    };
    has_scheme(b"http://") || has_scheme(b"https://")
}

/// RFC 9112 section 6.1 and RFC 9110 section 8.6: one length, or the one coding that this gateway undoes.
fn check_framing(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let is_list = lengths.next().is_some_and(|length| length.as_bytes().contains(&b','));
    if is_list || lengths.next().is_some() {
        return Err(Refusal::BAD_LENGTH);
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_chunked(coding)) || codings.next().is_some() {
        return Err(Refusal::UNKNOWN_CODING);
    }
    Ok(())
}

fn host(request: &RequestHeader) -> Result<&str, Refusal> {
    let named = request
        .headers
        .get(header::HOST)
        .map(|host| host.to_str().unwrap_or_default());
    match (named, request.uri.host(), request.version) {
        (Some(host), ..) | (None, Some(host), _) if is_host(host) => Ok(host),
        // HTTP/1.0 knows no Host; such a request can match a route that asks for none.
        (None, None, Version::HTTP_10) => Ok(""),
        _ => Err(Refusal::NO_HOST),
    }
}

/// What a name, an address or a port is written with (RFC 3986 section 3.2.2, without its rarely meant delimiters).
fn is_host(host: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    !host.is_empty() && host.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_form(path: &[u8], headers: &[(&'static str, &'static str)], expected: Result<&str, Refusal>) {
        let mut request = RequestHeader::build("GET", path, None).unwrap();
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        assert_eq!(check(&request), expected, "{headers:?}");
    }

    #[test]
    fn a_path_or_a_whole_uri_is_a_target() {
        check_form(b"/x", &[("host", "a.example:80")], Ok("a.example:80"));
        check_form(b"http://a.example/x", &[("host", "a.example")], Ok("a.example"));
        check_form(b"x", &[("host", "a")], Err(Refusal::BAD_TARGET));
        check_form(b"*", &[("host", "a")], Err(Refusal::BAD_TARGET));
        check_form(b"/../x", &[("host", "a")], Err(Refusal::UNSAFE_PATH));
    }

    #[test]
    fn a_host_is_one_name_or_address() {
        check_form(b"/", &[("host", "[::1]:80")], Ok("[::1]:80"));
        for host in ["", "a b", "a,b", "a/b", "user@a"] {
            check_form(b"/", &[("host", host)], Err(Refusal::NO_HOST));
        }
        check_form(b"/", &[], Err(Refusal::NO_HOST));
    }

    #[test]
    fn a_body_has_one_length_or_is_chunked() {
        let with = |name, value| [("host", "a"), (name, value)];
        check_form(b"/", &with("content-length", "5"), Ok("a"));
        check_form(b"/", &with("content-length", "5, 5"), Err(Refusal::BAD_LENGTH));
        check_form(
            b"/",
            &[("host", "a"), ("content-length", "5"), ("content-length", "5")],
            Err(Refusal::BAD_LENGTH),
        );
        check_form(b"/", &with("transfer-encoding", "Chunked"), Ok("a"));
        check_form(
            b"/",
            &with("transfer-encoding", "gzip, chunked"),
            Err(Refusal::UNKNOWN_CODING),
        );
    }
}
