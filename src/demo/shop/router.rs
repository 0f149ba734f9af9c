//! The shop's URLs. A handler turns its request into a visit; a worker answers and draws the page.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Form;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::COOKIE;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;

use crate::demo::shop::basket;
use crate::demo::shop::html;
use crate::demo::shop::pages;
use crate::demo::shop::pages::Problem;
use crate::demo::shop::pages::Visit;
use crate::demo::shop::pages::Visitor;
use crate::demo::shop::reply::Format;
use crate::demo::shop::reply::draw;
use crate::demo::shop::reply::refuse;
use crate::demo::shop::visit;
use crate::demo::shop::visit::Arguments;
use crate::demo::shop::workers::Workers;

/// The largest form: a name, an address and two numbers need a few hundred bytes.
const LARGEST_BODY: usize = 16 * 1024;

/// The shop's routes over `workers`.
pub(super) fn router(workers: Workers) -> Router {
    Router::new()
        .route("/", get(catalogue))
        .route("/catalogue", get(catalogue))
        .route("/product/{id}", get(product))
        .route("/search", get(search))
        .route("/basket", get(view_basket).post(add_to_basket))
        .route("/checkout", post(check_out))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/style.css", get(style))
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(workers))
}

type Shop = State<Arc<Workers>>;

async fn catalogue(State(shop): Shop, format: Format, Query(arguments): Query<Arguments>) -> Response {
    respond(&shop, format, visit::catalogue(&arguments)).await
}

async fn product(State(shop): Shop, format: Format, Path(id): Path<String>) -> Response {
    respond(&shop, format, visit::product(&id)).await
}

async fn search(State(shop): Shop, format: Format, Query(arguments): Query<Arguments>) -> Response {
    respond(&shop, format, visit::search(&arguments)).await
}

async fn view_basket(State(shop): Shop, format: Format, headers: HeaderMap) -> Response {
    respond(&shop, format, Ok(Visit::Basket(visitor(&headers)))).await
}

async fn add_to_basket(State(shop): Shop, format: Format, headers: HeaderMap, form: Submitted) -> Response {
    let visit = submitted(form).and_then(|form| visit::add_to_basket(visitor(&headers), &form));
    let mut response = respond(&shop, format, visit).await;
    if format == Format::Html && response.status() == StatusCode::OK {
        // A reload of the page must not put another one in.
        *response.status_mut() = StatusCode::SEE_OTHER;
        response
            .headers_mut()
            .insert(LOCATION, HeaderValue::from_static("/basket"));
    }
    response
}

async fn check_out(State(shop): Shop, format: Format, headers: HeaderMap, form: Submitted) -> Response {
    let visit = submitted(form).and_then(|form| visit::check_out(visitor(&headers), &form));
    respond(&shop, format, visit).await
}

async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, html::STYLE)
}

async fn missing(format: Format) -> Response {
    let text = "there is no such page; begin at /catalogue";
    refuse(format, &Problem::Missing(text.to_owned()))
}

async fn wrong_method(format: Format) -> Response {
    let problem = Problem::Invalid("this page is not for that method".to_owned());
    let mut response = refuse(format, &problem);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// A form, or why it is none.
type Submitted = Result<Form<Arguments>, FormRejection>;

fn submitted(form: Submitted) -> Result<Arguments, Problem> {
    match form {
        Ok(Form(arguments)) => Ok(arguments),
        Err(rejection) => Err(Problem::Invalid(rejection.body_text())),
    }
}

fn visitor(headers: &HeaderMap) -> Visitor {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    Visitor {
        basket: pairs
            .find(|(name, _)| *name == basket::COOKIE)
            .map(|(_, value)| value.to_owned()),
    }
}

async fn respond(shop: &Workers, format: Format, visit: Result<Visit, Problem>) -> Response {
    let response = match visit {
        Ok(visit) => {
            shop.run(Box::new(move |store| match pages::answer(store, visit) {
                Ok(answer) => draw(format, &answer),
                Err(problem) => refuse(format, &problem),
            }))
            .await
        }
        Err(problem) => Err(problem),
    };
    response.unwrap_or_else(|problem| refuse(format, &problem))
}
