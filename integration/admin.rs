//! The admin listener: health, metrics, pools, reload, and who may ask.

use std::net::SocketAddr;

use http::Request;
use serde_json::Value;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Launched;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;

const TOKEN: &str = "0123456789abcdef0123";

async fn open() -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    (Gateway::start(&Written::to(&[&origin])).await, origin)
}

#[tokio::test]
async fn health_and_readiness_are_green() {
    let (gateway, _origin) = open().await;
    assert_eq!(fetch(gateway.admin(), "/healthz").await.status, 200);
    assert_eq!(fetch(gateway.admin(), "/readyz").await.status, 200);
    assert_eq!(fetch(gateway.admin(), "/nowhere").await.status, 404);
}

/// Requests that have ended; they are counted a moment after their client has read the last byte.
fn requests(metrics: &Metrics) -> f64 {
    metrics.sum("sylvan_requests_total", &[])
}

#[tokio::test]
async fn requests_are_counted_once_by_route_and_by_backend() {
    let (gateway, origin) = open().await;
    for path in ["/", "/status/404", "/status/503", "/"] {
        fetch(gateway.address(), path).await;
    }
    let metrics = gateway
        .until("four requests are counted", |metrics| requests(metrics) == 4.0)
        .await;
    let class = |class: &str| {
        let labels = [
            "listener=\"web\"",
            "route=\"everything\"",
            "pool=\"main\"",
            &format!("code_class=\"{class}\""),
        ];
        metrics.sum("sylvan_requests_total", &labels)
    };
    assert_eq!([class("2xx"), class("4xx"), class("5xx")], [2.0, 1.0, 1.0]);
    let backend = format!("backend=\"{}\"", origin.address());
    let outcome = |outcome: &str| {
        metrics.sum(
            "sylvan_backend_requests_total",
            &[&backend, &format!("outcome=\"{outcome}\"")],
        )
    };
    assert_eq!([outcome("success"), outcome("error_status")], [3.0, 1.0]);
    assert_eq!(metrics.sum("sylvan_request_duration_seconds_count", &[]), 4.0);
    assert_eq!(
        metrics.sum("sylvan_selector_decisions_total", &["selector=\"round_robin\""]),
        4.0
    );
}

#[tokio::test]
async fn a_request_without_a_route_is_counted_too() {
    let origin = Origin::start("a").await;
    let config = Written::to(&[]).route("shop", "{ hosts: [shop.example] }", &origin);
    let gateway = Gateway::start(&config).await;
    assert_eq!(fetch(gateway.address(), "/").await.status, 404);
    let metrics = gateway
        .until("the request is counted", |metrics| requests(metrics) == 1.0)
        .await;
    assert_eq!(
        metrics.sum("sylvan_requests_total", &["route=\"none\"", "code_class=\"4xx\""]),
        1.0
    );
}

#[tokio::test]
async fn a_client_cannot_invent_labels() {
    let (gateway, _origin) = open().await;
    fetch(gateway.address(), "/").await;
    let before = gateway
        .until("a request is counted", |metrics| requests(metrics) == 1.0)
        .await;
    fetch(gateway.address(), "/invented-path?and=query").await;
    gateway
        .connect()
        .await
        .send(Request::get("/").header("host", "invented.example"), "")
        .await;
    let after = gateway
        .until("all are counted", |metrics| requests(metrics) == 3.0)
        .await;
    assert_eq!(after.samples(), before.samples());
}

#[tokio::test]
async fn the_scrape_says_what_it_is() {
    let (gateway, _origin) = open().await;
    let reply = fetch(gateway.admin(), "/metrics").await;
    assert!(
        reply.header("content-type").contains("text"),
        "{}",
        reply.header("content-type")
    );
    assert!(reply.text().ends_with("# EOF\n"));
}

#[tokio::test]
async fn pools_are_shown_with_their_backends() {
    let (gateway, origin) = open().await;
    fetch(gateway.address(), "/").await;
    let reply = fetch(gateway.admin(), "/api/pools").await;
    assert_eq!(
        (reply.status, reply.header("content-type").as_str()),
        (200, "application/json")
    );
    let pools: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let text = pools.to_string();
    for word in ["main", "round_robin", &origin.address().to_string()] {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
}

#[tokio::test]
async fn a_reload_is_asked_for_by_post_and_answered_with_the_generation() {
    let (gateway, _origin) = open().await;
    let (status, answer) = gateway.reload().await;
    assert_eq!(
        (status, answer.get("generation")),
        (200, Some(&Value::from(2))),
        "{answer}"
    );
    assert_eq!(fetch(gateway.admin(), "/api/reload").await.status, 405);
}

/// The status of `METHOD path` at `admin` with this `Authorization`.
async fn ask(admin: SocketAddr, method: &str, path: &str, authorization: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", authorization);
    Connection::open(admin).await.send(request, "").await.status
}

#[tokio::test]
async fn beyond_loopback_the_api_asks_for_the_token() {
    let origin = Origin::start("a").await;
    let admin = format!("admin: {{ bind: 0.0.0.0:0, token: \"{TOKEN}\" }}");
    let gateway = Gateway::start_unready(&Written::to(&[&origin]).top(&admin)).await;
    let admin = SocketAddr::from(([127, 0, 0, 1], gateway.admin().port()));
    for (method, path) in [("GET", "/api/pools"), ("POST", "/api/reload")] {
        assert_eq!(fetch(admin, "/api/pools").await.status, 401);
        assert_eq!(ask(admin, method, path, "").await, 401, "{path}");
        assert_eq!(ask(admin, method, path, TOKEN).await, 401, "{path}");
        assert_eq!(
            ask(admin, method, path, &format!("Bearer {TOKEN}x")).await,
            401,
            "{path}"
        );
        assert_eq!(
            ask(admin, method, path, &format!("Bearer {TOKEN}")).await,
            200,
            "{path}"
        );
    }
    assert_eq!(fetch(admin, "/healthz").await.status, 200);
}

#[tokio::test]
async fn an_open_listener_keeps_its_token_when_the_file_drops_it() {
    let origin = Origin::start("a").await;
    let guarded = format!("admin: {{ bind: 0.0.0.0:0, token: \"{TOKEN}\" }}");
    let gateway = Gateway::start_unready(&Written::to(&[&origin]).top(&guarded)).await;
    let admin = SocketAddr::from(([127, 0, 0, 1], gateway.admin().port()));
    gateway.replace(&Written::to(&[&origin]).top("admin: { bind: 127.0.0.1:0 }"));
    let (authorization, reloaded) = (format!("Bearer {TOKEN}"), "sylvan_config_generation 2");
    eventually("it reloaded", async || {
        fetch(admin, "/metrics").await.text().contains(reloaded).then_some(())
    })
    .await;
    assert_eq!(ask(admin, "GET", "/api/pools", "").await, 401);
    assert_eq!(ask(admin, "GET", "/api/pools", &authorization).await, 200);
}

#[tokio::test]
async fn beyond_loopback_without_a_token_it_does_not_start() {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin]).top("admin: { bind: 0.0.0.0:0 }");
    let mut process = Launched::new(&config, &["run", "-c", "gateway.yaml"]);
    assert_eq!(process.exit().await, 2);
}
