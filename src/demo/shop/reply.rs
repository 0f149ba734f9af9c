//! A page as an HTTP answer, in the format that the visitor asked for.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::header::RETRY_AFTER;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::demo::shop::basket;
use crate::demo::shop::basket::Basket;
use crate::demo::shop::html;
use crate::demo::shop::pages::Answer;
use crate::demo::shop::pages::Problem;
use crate::demo::shop::view::ProblemView;
use crate::demo::shop::view::View;

/// What a page is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Json,
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let is_json = query.split('&').any(|part| part == "format=json")
            || accept.is_some_and(|accept| accept.contains("application/json"));
        Ok(if is_json { Self::Json } else { Self::Html })
    }
}

/// The page of a visit that was answered.
pub(super) fn draw(format: Format, answer: &Answer) -> Response {
    let cookie = answer.basket.as_ref().map(|basket| [(SET_COOKIE, cookie(basket))]);
    (cookie, page(format, &answer.view)).into_response()
}

fn cookie(basket: &Basket) -> String {
    format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax",
        basket::COOKIE,
        basket.to_cookie()
    )
}

fn page(format: Format, view: &View) -> Response {
    match format {
        Format::Html => Html(html::document(view)).into_response(),
        Format::Json => Json(view).into_response(),
    }
}

/// The page of a visit that was not.
pub(super) fn refuse(format: Format, problem: &Problem) -> Response {
    let status = match problem {
        Problem::Invalid(_) => StatusCode::BAD_REQUEST,
        Problem::Missing(_) => StatusCode::NOT_FOUND,
        Problem::Full | Problem::Closed => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Database(error) => {
            log::error!("the database failed: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let view = View::Problem(ProblemView {
        error: problem.to_string(),
    });
    let mut response = (status, page(format, &view)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
