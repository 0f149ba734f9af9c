//! The agent's HTTP routes. Every answer comes from the last sample.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;

use crate::agent::Sample;
use crate::agent::Sampler;
use crate::agent::exposition::PROMETHEUS_TYPE;
use crate::agent::exposition::SampleJson;
use crate::agent::exposition::prometheus_text;

/// `/metrics.json`, `/metrics` and `/healthz` over `sampler`; each is 503 with the reason while there is no sample.
pub fn router(sampler: Arc<Sampler>) -> Router {
    Router::new()
        .route("/metrics.json", get(json))
        .route("/metrics", get(prometheus))
        .route("/healthz", get(health))
        .with_state(sampler)
}

async fn json(State(sampler): State<Arc<Sampler>>) -> Response {
    answer(&sampler, |sample| Json(SampleJson::from(&sample)).into_response())
}

async fn prometheus(State(sampler): State<Arc<Sampler>>) -> Response {
    answer(&sampler, |sample| match prometheus_text(sample) {
        Ok(text) => ([(CONTENT_TYPE, PROMETHEUS_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    })
}

async fn health(State(sampler): State<Arc<Sampler>>) -> Response {
    answer(&sampler, |_| "ok\n".into_response())
}

fn answer(sampler: &Sampler, render: impl FnOnce(Sample) -> Response) -> Response {
    match sampler.latest() {
        Ok(sample) => render(sample),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}
