//! Who may use the API.

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::admin::Admin;

/// Lets a request through that carries the configured bearer token, or any where none is configured.
pub(super) async fn check(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let config = admin.current.take().config.admin.clone();
    let Some(token) = config.and_then(|admin| admin.token) else {
        return if is_from_a_page(request.headers()) {
            refuse_page()
        } else {
            next.run(request).await
        };
    };
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if given
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case("bearer") && is_same(given.trim(), &token))
    {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (
        StatusCode::UNAUTHORIZED,
        challenge,
        "the admin token is missing or wrong\n",
    )
        .into_response()
}

/// Browsers say which page a request comes from. Without a token to ask for, no page may make the gateway do anything.
fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
}

fn refuse_page() -> Response {
    (StatusCode::FORBIDDEN, "web pages may not use the API without a token\n").into_response()
}

/// Compares in a time that depends on the lengths alone.
fn is_same(given: &str, token: &str) -> bool {
    let differences = given
        .bytes()
        .zip(token.bytes())
        .fold(0, |differences, (a, b)| differences | (a ^ b));
    given.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_same() {
        assert!(is_same("secret", "secret"));
        assert!(!is_same("secre", "secret"));
        assert!(!is_same("secreT", "secret"));
        assert!(!is_same("", "secret"));
    }
}
