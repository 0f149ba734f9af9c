//! How long the gateway waits: for clients, and for backends.

use std::time::Duration;

use http::Request;

use crate::harness::Gateway;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::Raw;
use crate::harness::Written;
use crate::harness::deaf_address;
use crate::harness::fetch;
use crate::harness::pause;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GAP: Duration = Duration::from_millis(40);

async fn open(timeouts: &str) -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin]).defaults(&format!("timeouts: {{ {timeouts} }}"));
    (Gateway::start(&config).await, origin)
}

/// `waited` was about `limit`: not less, and on a busy machine not much more.
#[track_caller]
fn check(waited: Duration, limit_ms: u64) {
    let limit = Duration::from_millis(limit_ms);
    let range = limit.mul_f64(0.9)..limit + Duration::from_secs(3);
    assert!(
        range.contains(&waited),
        "closed after {waited:?}, the limit is {limit:?}"
    );
}

#[tokio::test]
async fn a_client_that_says_nothing_has_the_time_of_a_header() {
    let (gateway, _origin) = open("header: 400ms, idle: 30s").await;
    check(Raw::open(gateway.address()).await.lifetime().await, 400);
    gateway
        .until("it was counted", |metrics| {
            metrics.value("sylvan_header_timeouts_total") == 1.0
        })
        .await;
}

#[tokio::test]
async fn a_header_that_trickles_has_no_more_than_that() {
    let (gateway, _origin) = open("header: 400ms, idle: 30s").await;
    let mut client = Raw::open(gateway.address()).await;
    client
        .trickle(&format!("GET / HTTP/1.1\r\nX-Slow: {}", "x".repeat(200)), GAP)
        .await;
    check(client.lifetime().await, 400);
}

#[tokio::test]
async fn the_second_header_of_a_connection_has_no_more_either() {
    let (gateway, _origin) = open("header: 400ms, idle: 30s").await;
    let mut client = Raw::open(gateway.address()).await;
    client.send(REQUEST).await;
    client.read_until("hello").await;
    // Longer than a header may take: between two requests another clock runs.
    pause(Duration::from_millis(600)).await;
    client.send(REQUEST).await;
    assert!(client.read_until("hello").await.starts_with("HTTP/1.1 200"));
    let begun = tokio::time::Instant::now();
    client
        .trickle(&format!("GET / HTTP/1.1\r\nX-Slow: {}", "x".repeat(200)), GAP)
        .await;
    client.closed().await;
    check(begun.elapsed(), 400);
}

#[tokio::test]
async fn a_kept_connection_is_closed_when_nothing_comes() {
    let (gateway, _origin) = open("header: 30s, idle: 500ms").await;
    let mut client = Raw::open(gateway.address()).await;
    client.send(REQUEST).await;
    client.read_until("hello").await;
    check(client.closed().await, 500);
}

#[tokio::test]
async fn a_shorter_time_holds_from_the_next_request_on() {
    let (gateway, origin) = open("header: 20s, idle: 20s").await;
    let mut client = Raw::open(gateway.address()).await;
    client.send(REQUEST).await;
    client.read_until("hello").await;
    gateway.replace(&Written::to(&[&origin]).defaults("timeouts: { header: 20s, idle: 500ms }"));
    assert_eq!(gateway.reload().await.0, 200);
    client.send(REQUEST).await;
    client.read_until("hello").await;
    check(client.closed().await, 500);
}

/// A client that promises a body under `timeouts` and sends a part of it every now and then, or none, is told that
/// it was too slow or nothing at all, and its backend is not blamed.
async fn check_blame(timeouts: &str, sent: &str) {
    let (gateway, _origin) = open(timeouts).await;
    let upload = async || {
        let mut client = Raw::open(gateway.address()).await;
        client
            .send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
            .await;
        client.trickle(sent, GAP).await;
        let answer = client.read_until("\r\n\r\n").await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    };
    futures::future::join_all((0..10).map(|_| upload())).await;
    let outcome = |metrics: &Metrics, outcome: &str| metrics.sum("sylvan_backend_requests_total", &[outcome]);
    let metrics = gateway
        .until("all attempts ended", |metrics| {
            outcome(metrics, "pool=\"main\"") == 10.0
        })
        .await;
    assert_eq!(outcome(&metrics, "outcome=\"aborted\""), 10.0);
    assert_eq!(metrics.sum("sylvan_backend_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_the_clients_fault() {
    check_blame("header: 30s, idle: 400ms", "first").await;
    check_blame("header: 30s, idle: 400ms", "").await;
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_the_clients_fault() {
    check_blame("header: 30s, idle: 10s, request: 500ms", &"x".repeat(99)).await;
}

#[tokio::test]
async fn a_slow_upload_is_no_silence_of_the_backend() {
    let (gateway, _origin) = open("header: 30s, idle: 500ms, request: 20s").await;
    let mut client = Raw::open(gateway.address()).await;
    client
        .send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
        .await;
    client.trickle(&"x".repeat(30), GAP).await;
    assert!(client.read_until("\r\n\r\n30").await.starts_with("HTTP/1.1 200"));
}

/// What the gateway answers when `path` is asked for under `timeouts`.
async fn check_status(timeouts: &str, path: &str, expected: u16) {
    let (gateway, _origin) = open(timeouts).await;
    let reply = fetch(gateway.address(), path).await;
    assert_eq!((reply.status, reply.origin()), (expected, String::new()), "{path}");
    assert!(reply.text().contains(&reply.header("x-request-id")), "{}", reply.text());
    assert_eq!(fetch(gateway.address(), "/").await.status, 200, "the gateway goes on");
}

#[tokio::test]
async fn a_silent_backend_is_a_gateway_timeout() {
    check_status("request: 400ms", "/silent", 504).await;
    check_status("idle: 400ms", "/silent", 504).await;
}

#[tokio::test]
async fn a_backend_that_breaks_off_is_a_bad_gateway() {
    check_status("request: 10s", "/reset", 502).await;
    check_status("request: 10s", "/garbage", 502).await;
}

/// What the gateway answers when nobody listens at `address`.
async fn check_unreachable(address: std::net::SocketAddr, expected: u16) {
    let config = Written::to_addresses([address]).defaults("timeouts: { connect: 300ms }");
    let gateway = Gateway::start(&config).await;
    assert_eq!(fetch(gateway.address(), "/").await.status, expected);
    assert_eq!(
        gateway.connect().await.send(Request::post("/"), "body").await.status,
        expected
    );
}

#[tokio::test]
async fn a_backend_that_refuses_connections_is_a_bad_gateway() {
    let mut origin = Origin::start("gone").await;
    origin.kill().await;
    check_unreachable(origin.address(), 502).await;
}

#[tokio::test]
async fn a_backend_that_takes_no_connections_is_a_gateway_timeout() {
    let (address, _full) = deaf_address().await;
    check_unreachable(address, 504).await;
}

/// A response that has begun cannot be taken back: its connection is cut, so that nobody takes it for whole.
async fn check_cut(timeouts: &str, path: &str) {
    let (gateway, _origin) = open(timeouts).await;
    let mut connection = gateway.connect().await;
    assert!(
        connection.try_send(Request::get(path), "").await.is_err(),
        "{path} came whole"
    );
    let is_settled = |metrics: &Metrics| metrics.sum("sylvan_backend_in_flight", &[]) == 0.0;
    gateway.until("nothing is in flight", is_settled).await;
}

#[tokio::test]
async fn a_response_that_trickles_on_for_too_long_is_cut() {
    check_cut("request: 400ms", "/trickle/400/20").await;
}

#[tokio::test]
async fn a_response_that_stops_or_breaks_is_cut() {
    check_cut("idle: 400ms", "/stall").await;
    check_cut("idle: 10s", "/cut").await;
}

#[tokio::test]
async fn a_response_that_is_slow_but_in_time_is_whole() {
    let (gateway, _origin) = open("header: 200ms, idle: 500ms, request: 20s").await;
    assert_eq!(fetch(gateway.address(), "/trickle/10/100").await.body.len(), 10);
    assert_eq!(fetch(gateway.address(), "/delay/350").await.text(), "late");
}
