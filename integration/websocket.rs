//! Upgraded connections: open as long as both sides want, and counted apart.

use std::time::Duration;

use crate::harness::Gateway;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::UNANSWERED;
use crate::harness::WebSocket;
use crate::harness::Written;
use crate::harness::pause;

async fn open(timeouts: &str) -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin]).defaults(&format!("timeouts: {{ {timeouts} }}"));
    (Gateway::start(&config).await, origin)
}

/// Upgraded connections, attempts in flight, and requests in flight.
fn gauges(metrics: &Metrics) -> [f64; 3] {
    [
        metrics.sum("sylvan_backend_upgraded", &[]),
        metrics.sum("sylvan_backend_in_flight", &[]),
        metrics.value("sylvan_requests_in_flight"),
    ]
}

#[tokio::test]
async fn messages_go_both_ways() {
    let (gateway, _origin) = open("idle: 60s").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    let long = "x".repeat(300_000);
    for text in ["hello", "", &long, "bye"] {
        assert_eq!(socket.echo(text).await.as_deref(), Some(text));
    }
    socket.close().await;
}

/// About one WebSocket in a hundred was closed right after its handshake when the backend was quick to accept it.
#[tokio::test]
async fn a_word_right_after_the_handshake_is_heard() {
    let (gateway, _origin) = open("idle: 60s").await;
    let greet = async || WebSocket::open(gateway.address(), "/socket").await.echo("hello").await;
    for _ in 0..40 {
        let heard = futures::future::join_all((0..8).map(|_| greet())).await;
        assert_eq!(heard.iter().flatten().count(), 8);
    }
}

#[tokio::test]
async fn it_is_opened_at_another_backend_when_the_first_refuses() {
    let mut origins = [Origin::start("alive").await, Origin::start("dead").await];
    let config = Written::to(&[&origins[0], &origins[1]]).pool("outlier_detection: { max_ejection: 0% }");
    let gateway = Gateway::start(&config).await;
    origins[1].kill().await;
    for _ in 0..4 {
        let mut socket = WebSocket::open(gateway.address(), "/socket").await;
        assert_eq!(socket.echo("hello").await.as_deref(), Some("hello"));
    }
}

#[tokio::test]
async fn it_outlives_the_time_of_a_request() {
    let (gateway, _origin) = open("header: 200ms, request: 300ms, idle: 10s").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    for _ in 0..3 {
        pause(Duration::from_millis(400)).await;
        assert_eq!(socket.echo("still here").await.as_deref(), Some("still here"));
    }
}

#[tokio::test]
async fn it_is_counted_apart_while_it_is_open() {
    let (gateway, _origin) = open("idle: 60s").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    socket.echo("hello").await;
    gateway
        .until("one is upgraded", |metrics| gauges(metrics) == [1.0, 0.0, 1.0])
        .await;
    socket.close().await;
    let metrics = gateway
        .until("none is left", |metrics| gauges(metrics) == [0.0; 3])
        .await;
    assert_eq!(
        metrics.sum("sylvan_backend_requests_total", &["outcome=\"upgraded\""]),
        1.0
    );
    assert_eq!(metrics.sum("sylvan_requests_total", &["code_class=\"1xx\""]), 1.0);
}

#[tokio::test]
async fn none_is_left_after_a_client_vanishes() {
    let (gateway, _origin) = open("idle: 60s").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    socket.echo("hello").await;
    drop(socket);
    gateway
        .until("none is left", |metrics| gauges(metrics) == [0.0; 3])
        .await;
}

#[tokio::test]
async fn it_ends_with_its_backend() {
    let (gateway, mut origin) = open("idle: 60s").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    socket.echo("hello").await;
    origin.kill().await;
    socket.closed().await;
    gateway
        .until("none is left", |metrics| gauges(metrics) == [0.0; 3])
        .await;
}

#[tokio::test]
async fn silence_ends_it_and_is_nobodys_fault() {
    let (gateway, _origin) = open("idle: 300ms").await;
    let sockets = async || {
        let mut socket = WebSocket::open(gateway.address(), "/socket").await;
        socket.echo("hello").await;
        socket.closed().await;
    };
    futures::future::join_all((0..10).map(|_| sockets())).await;
    let metrics = gateway
        .until("none is left", |metrics| gauges(metrics) == [0.0; 3])
        .await;
    for outcome in ["timeout", "reset"] {
        let label = format!("outcome=\"{outcome}\"");
        assert_eq!(
            metrics.sum("sylvan_backend_requests_total", &[&label]),
            0.0,
            "{outcome}"
        );
    }
    assert_eq!(metrics.sum("sylvan_backend_ejections_total", &[]), 0.0);
}

#[tokio::test]
async fn a_word_in_one_direction_is_no_silence() {
    let (gateway, _origin) = open("idle: 500ms").await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    for _ in 0..12 {
        pause(Duration::from_millis(100)).await;
        assert!(socket.say(UNANSWERED).await);
    }
    assert_eq!(socket.echo("still here").await.as_deref(), Some("still here"));
}
