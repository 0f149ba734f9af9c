//! Which failed attempts are followed by another, and that none stays in the count.

use std::time::Duration;

use http::Request;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::Raw;
use crate::harness::Reply;
use crate::harness::WebSocket;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;
use crate::harness::pause;

/// A gateway over a backend that lives and one that is dead, where the dead one is never ejected.
async fn half_dead(attempts: u8) -> (Gateway, [Origin; 2]) {
    let mut origins = [Origin::start("alive").await, Origin::start("dead").await];
    let config = Written::to(&[&origins[0], &origins[1]])
        .pool("outlier_detection: { max_ejection: 0% }")
        .pool(&format!("retries: {{ attempts: {attempts} }}"));
    origins[1].kill().await;
    (Gateway::start(&config).await, origins)
}

#[tokio::test]
async fn a_refused_connection_is_followed_by_another_backend() {
    let (gateway, _origins) = half_dead(1).await;
    let mut connection = gateway.connect().await;
    for _ in 0..10 {
        assert_eq!(connection.get("/").await.origin(), "alive");
        let reply = connection.post("/mirror", "a body").await;
        assert_eq!(
            (reply.origin(), reply.text()),
            ("alive".to_owned(), "a body".to_owned())
        );
    }
    let metrics = gateway
        .until("all are counted", |metrics| {
            metrics.sum("sylvan_requests_total", &[]) == 20.0
        })
        .await;
    let refused = metrics.sum("sylvan_backend_requests_total", &["outcome=\"connect_failure\""]);
    assert!(refused > 0.0, "no attempt went to the dead backend");
    assert_eq!(metrics.sum("sylvan_retries_total", &[]), refused);
    assert!(!connection.is_closed());
}

#[tokio::test]
async fn a_large_body_survives_a_refused_connection() {
    let (gateway, _origins) = half_dead(1).await;
    let mut connection = gateway.connect().await;
    let body = vec![b'x'; 1 << 20];
    for _ in 0..4 {
        assert_eq!(
            connection.post("/count", body.clone()).await.text(),
            body.len().to_string()
        );
    }
}

#[tokio::test]
async fn without_retries_a_refused_connection_is_a_bad_gateway() {
    let (gateway, _origins) = half_dead(0).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(fetch(gateway.address(), "/").await.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&502), "{statuses:?}");
}

#[tokio::test]
async fn a_request_that_reached_a_backend_is_not_repeated() {
    let origins = [Origin::start("a").await, Origin::start("b").await];
    let gateway = Gateway::start(&Written::to(&[&origins[0], &origins[1]]).pool("retries: { attempts: 3 }")).await;
    assert_eq!(gateway.connect().await.post("/reset", "once").await.status, 502);
    assert_eq!(origins.iter().map(Origin::requests).sum::<u64>(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_backend_closed_costs_no_request() {
    let mut origin = Origin::start("a").await;
    let gateway = Gateway::start(&Written::to(&[&origin])).await;
    let mut connection = gateway.connect().await;
    for _ in 0..5 {
        assert_eq!(connection.get("/").await.status, 200);
        origin.kill().await;
        origin.revive().await;
        assert_eq!(connection.get("/").await.status, 200);
    }
    assert!(!connection.is_closed());
}

/// Sends `request` with `body` over a connection to the backend that the backend closes as soon as it is used again.
async fn ask_over_a_closing_connection(request: http::request::Builder, body: &'static str) -> Reply {
    let origin = Origin::start("a").await;
    let gateway = Gateway::start(&Written::to(&[&origin]).defaults("limits: { max_body_bytes: 8B }")).await;
    let mut connection = gateway.connect().await;
    connection.get("/").await;
    connection.send(request, body).await
}

#[tokio::test]
async fn only_what_does_no_harm_is_sent_again_when_a_kept_connection_closes() {
    assert_eq!(
        ask_over_a_closing_connection(Request::get("/fresh"), "").await.status,
        200
    );
    assert_eq!(
        ask_over_a_closing_connection(Request::post("/fresh"), "once")
            .await
            .status,
        502
    );
}

#[tokio::test]
async fn a_body_that_is_sent_again_counts_once_towards_its_limit() {
    assert_eq!(
        ask_over_a_closing_connection(Request::put("/fresh"), "8 bytes!")
            .await
            .status,
        200
    );
}

/// Attempts in flight, upgraded connections, and requests in flight.
fn in_flight(metrics: &Metrics) -> [f64; 3] {
    [
        metrics.sum("sylvan_backend_in_flight", &[]),
        metrics.sum("sylvan_backend_upgraded", &[]),
        metrics.value("sylvan_requests_in_flight"),
    ]
}

/// Begins a GET of `path` and leaves in the middle of it.
async fn abandon(gateway: &Gateway, path: &str) {
    let mut client = Raw::open(gateway.address()).await;
    client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    pause(Duration::from_millis(30)).await;
}

#[tokio::test]
async fn waiting_requests_are_counted_while_they_wait() {
    let origin = Origin::start("a").await;
    let gateway = Gateway::start(&Written::to(&[&origin])).await;
    let mut connections = Vec::new();
    for _ in 0..3 {
        connections.push(gateway.connect().await);
    }
    let waiting = futures::future::join_all(connections.iter_mut().map(|connection| connection.get("/delay/1000")));
    let watching = gateway.until("three are in flight", |metrics| in_flight(metrics) == [3.0, 0.0, 3.0]);
    let (replies, _) = futures::join!(waiting, watching);
    assert!(replies.iter().all(|reply| reply.status == 200));
    gateway
        .until("none is in flight", |metrics| in_flight(metrics) == [0.0; 3])
        .await;
}

#[tokio::test]
async fn whatever_ends_an_attempt_takes_it_out_of_the_count() {
    let (gateway, _origins) = half_dead(1).await;
    for _ in 0..3 {
        for path in ["/silent", "/stall", "/trickle/1000/10", "/socket", "/delay/500"] {
            abandon(&gateway, path).await;
        }
        for path in ["/reset", "/garbage", "/cut", "/status/503", "/bytes/100000"] {
            let mut connection = gateway.connect().await;
            let _ = connection.try_send(Request::get(path), "").await;
        }
        let mut upload = Raw::open(gateway.address()).await;
        upload
            .send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart")
            .await;
        let mut socket = WebSocket::open(gateway.address(), "/socket").await;
        socket.echo("hello").await;
    }
    gateway
        .until("none is in flight", |metrics| in_flight(metrics) == [0.0; 3])
        .await;
    gateway
        .until("no connection is open", |metrics| {
            metrics.value("sylvan_connections") == 0.0
        })
        .await;
}

#[tokio::test]
async fn a_client_that_leaves_says_nothing_of_the_backend() {
    let origin = Origin::start("a").await;
    let gateway = Gateway::start(&Written::to(&[&origin])).await;
    for _ in 0..12 {
        abandon(&gateway, "/silent").await;
    }
    let all_gone = |metrics: &Metrics| metrics.sum("sylvan_backend_requests_total", &["outcome=\"aborted\""]) == 12.0;
    let metrics = gateway.until("all attempts ended as aborted", all_gone).await;
    assert_eq!(metrics.sum("sylvan_backend_ejections_total", &[]), 0.0);
    assert_eq!(in_flight(&metrics)[0], 0.0);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_counted() {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin]).defaults("limits: { max_connections: 2 }");
    let gateway = Gateway::start(&config).await;
    let mut kept = [gateway.connect().await, gateway.connect().await];
    for connection in &mut kept {
        assert_eq!(connection.get("/").await.status, 200);
    }
    let mut third = gateway.connect().await;
    assert!(third.try_send(Request::get("/"), "").await.is_err());
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.value("sylvan_connections_refused_total"), 1.0);
    drop(kept);
    let opens = async || {
        Connection::open(gateway.address())
            .await
            .try_send(Request::get("/"), "")
            .await
            .ok()
    };
    eventually("there is room again", opens).await;
}
