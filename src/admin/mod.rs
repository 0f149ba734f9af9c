//! The admin listener: is it alive, is it ready, what does it count, what does it know of its backends.
//!
//! It reads the generation in charge and the telemetry, and asks the reload task by a message. `/healthz`, `/readyz`
//! and `/metrics` are open to whoever reaches the listener; `/api` asks for the token where one is configured.

mod access;
mod api;
mod forest;
mod readiness;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::routing::post;
use tokio::sync::mpsc;

use crate::generation::Current;
use crate::telemetry::Asker;
use crate::telemetry::Exposition;
use crate::telemetry::Telemetry;
use crate::units::Timestamp;

/// What the admin listener reads, and whom it asks.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The configuration in charge.
    pub current: Arc<Current>,
    /// Counts and states of the process.
    pub telemetry: Arc<Telemetry>,
    /// Turns them into text.
    pub exposition: Arc<Exposition>,
    /// Where reloads are asked for.
    pub askers: mpsc::Sender<Asker>,
    /// When the process started.
    pub started: Timestamp,
}

/// The pages of the admin listener.
pub fn router(admin: Admin) -> Router {
    let api = Router::new()
        .route("/api/pools", get(api::pools))
        .route("/api/reload", post(api::reload))
        .route_layer(axum::middleware::from_fn_with_state(admin.clone(), access::check));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .merge(api)
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    match readiness::why_not_ready(&admin, crate::clock::now()) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match admin.exposition.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
