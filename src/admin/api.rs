//! The API's answers: view types of their own, so that the core can change without breaking a client.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::admin::Admin;
use crate::admin::forest::ForestView;
use crate::admin::forest::forest_view;
use crate::clock;
use crate::config;
use crate::config::ModelUse;
use crate::forest::Model;
use crate::generation::ServedPool;
use crate::pool::HealthState;
use crate::pool::Member;
use crate::selection::Charge;
use crate::units::Timestamp;

#[derive(Debug, Serialize)]
struct PoolView {
    name: String,
    selector: String,
    model: Option<ModelView>,
    /// Absent unless the selector learns.
    #[serde(skip_serializing_if = "Option::is_none")]
    forest: Option<ForestView>,
    backends: Vec<BackendView>,
}

#[derive(Debug, Serialize)]
struct ModelView {
    rows: u64,
    /// Why the model does not choose; absent when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_because: Option<String>,
}

#[derive(Debug, Serialize)]
struct BackendView {
    address: String,
    server_id: u32,
    weight: u16,
    state: &'static str,
    ejected: bool,
    on_probation: bool,
    in_flight: u32,
    upgraded: u32,
    requests: u64,
    errors: u64,
    /// Its part of all the pool's requests so far.
    share: f64,
    mean_latency_ms: Option<f64>,
    metrics: Option<MetricsView>,
}

#[derive(Debug, Serialize)]
struct MetricsView {
    cpu_percent: Option<f32>,
    ram_percent: Option<f32>,
    bytes_sent: Option<f32>,
    bytes_recv: Option<f32>,
    age_seconds: f64,
}

#[derive(Debug, Serialize)]
struct ReloadView {
    generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    needs_restart: Vec<String>,
}

/// Every pool with its backends.
pub(super) async fn pools(State(admin): State<Admin>) -> Response {
    let now = clock::now();
    let generation = admin.current.take();
    let view = |(served, pool): (&ServedPool, &config::Pool)| {
        let progress = admin.telemetry.progress.of(&pool.name);
        pool_view(served, forest_view(served, &pool.selector, progress, now), now)
    };
    let views: Vec<PoolView> = generation
        .pools
        .iter()
        .zip(&generation.config.pools)
        .map(view)
        .collect();
    Json(views).into_response()
}

/// Reloads the configuration and says how it went: 200 when a new generation is in charge, 422 when not.
pub(super) async fn reload(State(admin): State<Admin>) -> Response {
    let (asker, answer) = oneshot::channel();
    if admin.askers.send(asker).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping\n").into_response();
    }
    let Ok(reload) = answer.await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping\n").into_response();
    };
    let status = if reload.error.is_none() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let view = ReloadView {
        generation: reload.generation,
        error: reload.error,
        needs_restart: reload.needs_restart,
    };
    (status, Json(view)).into_response()
}

fn pool_view(served: &ServedPool, forest: Option<ForestView>, now: Timestamp) -> PoolView {
    let pool = &served.pool;
    let all: u64 = pool
        .members()
        .iter()
        .map(|member| member.backend.totals().requests)
        .sum();
    let model = served.model.current().map(|model| ModelView {
        rows: model.training().rows,
        idle_because: why_idle(served, &model),
    });
    PoolView {
        name: pool.name().to_owned(),
        selector: served.selector_name.clone(),
        model,
        forest,
        backends: pool
            .members()
            .iter()
            .map(|member| backend_view(member, all, now))
            .collect(),
    }
}

/// Why the model does not choose.
fn why_idle(served: &ServedPool, model: &Model) -> Option<String> {
    if served.model_use == ModelUse::Learned {
        let charge = served.model.charge();
        return (charge != Charge::InCharge).then(|| charge.to_string());
    }
    let fits = model.check_pool(served.pool.members().len());
    fits.err().map(|error| format!("{error}; {}", error.remedy()))
}

fn backend_view(member: &Member, all: u64, now: Timestamp) -> BackendView {
    let backend = &member.backend;
    let totals = backend.totals();
    BackendView {
        address: backend.address().to_owned(),
        server_id: backend.ordinal(),
        weight: member.weight.number(),
        state: state_name(backend.state()),
        ejected: backend.is_ejected(now),
        on_probation: backend.is_on_probation(now),
        in_flight: backend.in_flight(),
        upgraded: backend.upgraded(),
        requests: totals.requests,
        errors: totals.errors,
        share: totals.requests as f64 / all.max(1) as f64,
        mean_latency_ms: (totals.answers > 0).then(|| totals.latency.as_secs_f64() * 1e3 / totals.answers as f64),
        metrics: metrics_view(backend, now),
    }
}

fn metrics_view(backend: &crate::pool::Backend, now: Timestamp) -> Option<MetricsView> {
    let metrics = backend.metrics()?;
    // JSON knows no NaN: a figure that the source did not have is null.
    let known = |figure: f32| figure.is_finite().then_some(figure);
    Some(MetricsView {
        cpu_percent: known(metrics.cpu_percent),
        ram_percent: known(metrics.ram_percent),
        bytes_sent: known(metrics.bytes_sent),
        bytes_recv: known(metrics.bytes_recv),
        age_seconds: now.since(metrics.at).as_secs_f64(),
    })
}

fn state_name(state: HealthState) -> &'static str {
    match state {
        HealthState::Unknown => "unknown",
        HealthState::Up => "up",
        HealthState::Down => "down",
    }
}
