//! What crosses the gateway, and how: headers, bodies, connections.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Origin;
use crate::harness::Raw;
use crate::harness::Written;
use crate::harness::fetch;

async fn open(defaults: &[&str]) -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    let config = defaults
        .iter()
        .fold(Written::to(&[&origin]), |config, key| config.defaults(key));
    (Gateway::start(&config).await, origin)
}

/// The lines of `text` that begin with `name`.
fn values<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .collect()
}

#[tokio::test]
async fn the_backend_is_told_who_asked_and_nobody_else_is_believed() {
    let (gateway, _origin) = open(&[]).await;
    let request = Request::get("/headers")
        .header("host", "shop.example")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-for", "7.7.7.7")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "elsewhere.example");
    let seen = gateway.connect().await.send(request, "").await.text();
    assert_eq!(values(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&seen, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&seen, "x-forwarded-host"), ["shop.example"]);
    assert_eq!(values(&seen, "host"), ["shop.example"]);
}

#[tokio::test]
async fn the_way_through_is_noted_towards_the_backend() {
    let (gateway, _origin) = open(&[]).await;
    let request = Request::get("/headers").header("via", "1.0 outer");
    let seen = gateway.connect().await.send(request, "").await.text();
    assert_eq!(values(&seen, "via").join(", "), "1.0 outer, 1.1 sylvan");
    // A backend's own is passed on as it came.
    assert_eq!(fetch(gateway.address(), "/hop").await.header("via"), "1.0 inner");
}

#[tokio::test]
async fn what_is_meant_for_one_hop_stays_there() {
    let (gateway, _origin) = open(&[]).await;
    let request = Request::get("/headers")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .header("keep-alive", "timeout=99")
        .header("te", "trailers")
        .header("proxy-connection", "keep-alive")
        .header("x-kept", "1");
    let seen = gateway.connect().await.send(request, "").await.text();
    assert_eq!(values(&seen, "x-kept"), ["1"]);
    for name in ["x-secret", "keep-alive", "te", "proxy-connection"] {
        assert_eq!(values(&seen, name), Vec::<&str>::new(), "{name}");
    }
    let reply = fetch(gateway.address(), "/hop").await;
    assert_eq!(
        (reply.header("x-secret"), reply.header("keep-alive").contains("99")),
        (String::new(), false)
    );
}

/// Bytes that repeat at no power of two.
fn pattern(length: usize) -> Bytes {
    (0..length).map(|position| (position % 251) as u8).collect()
}

#[tokio::test]
async fn bodies_of_all_sizes_arrive_whole() {
    let (gateway, _origin) = open(&[]).await;
    let mut connection = gateway.connect().await;
    for length in [0, 1, 1000, 1 << 16, (1 << 16) + 1, 1 << 20, 8 << 20] {
        let reply = connection.post("/mirror", pattern(length)).await;
        assert!(
            reply.body == pattern(length),
            "{length} bytes came back as {}",
            reply.body.len()
        );
        assert!(!connection.is_closed(), "closed after {length} bytes");
    }
}

#[tokio::test]
async fn both_directions_stream() {
    let (gateway, _origin) = open(&[]).await;
    let (parts, body) = mpsc::unbounded::<Result<Frame<Bytes>, Infallible>>();
    let body = StreamBody::new(body).map_err(Into::into);
    let say = |word: &'static str| {
        parts
            .unbounded_send(Ok(Frame::data(Bytes::from(word))))
            .expect("a sender")
    };
    say("first");
    let mut connection = gateway.connect().await;
    let mut response = connection
        .begin(Request::post("/echo"), body)
        .await
        .expect("a response")
        .into_body();
    let mut heard = async || response.frame().await.and_then(|frame| frame.ok()?.into_data().ok());
    // Each word is said only after the one before has come back: nothing waits for an end.
    assert_eq!(heard().await.as_deref(), Some(&b"first"[..]));
    say("second");
    assert_eq!(heard().await.as_deref(), Some(&b"second"[..]));
    parts.close_channel();
    assert_eq!(heard().await, None);
}

#[tokio::test]
async fn a_chunked_upload_arrives_whole() {
    let (gateway, _origin) = open(&[]).await;
    let request = "POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = Raw::exchange(
        gateway.address(),
        format!("{request}5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with('8'), "{answer}");
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let (gateway, _origin) = open(&[]).await;
    let mut client = Raw::open(gateway.address()).await;
    client
        .send("POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .await;
    assert!(client.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 100"));
    client.send("hello").await;
    assert!(client.read_until("\r\n\r\n5").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn early_hints_come_before_the_answer() {
    let (gateway, _origin) = open(&[]).await;
    let mut client = Raw::open(gateway.address()).await;
    client.send("GET /interim HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.read_until("after hints").await;
    assert!(answer.starts_with("HTTP/1.1 103"), "{answer}");
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn the_answer_to_head_has_a_length_and_no_body() {
    let (gateway, _origin) = open(&[]).await;
    let mut connection = gateway.connect().await;
    let reply = connection.send(Request::head("/bytes/1234"), "").await;
    assert_eq!(
        (reply.status, reply.header("content-length"), reply.body.len()),
        (200, "1234".to_owned(), 0)
    );
    assert_eq!(connection.get("/bytes/3").await.text(), "xxx");
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_arrives_whole() {
    let (gateway, _origin) = open(&[]).await;
    assert_eq!(fetch(gateway.address(), "/old/100000").await.body.len(), 100_000);
}

#[tokio::test]
async fn an_answer_may_come_before_the_upload_is_over() {
    let (gateway, _origin) = open(&[]).await;
    let reply = gateway.connect().await.post("/early", pattern(4 << 20)).await;
    assert_eq!((reply.status, reply.text().as_str()), (403, "no"));
}

const SMALL_BODIES: &str = "limits: { max_body_bytes: 1KiB }";

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_announced_length() {
    let (gateway, origin) = open(&[SMALL_BODIES]).await;
    let reply = gateway.connect().await.post("/count", pattern(1025)).await;
    assert_eq!((reply.status, origin.requests()), (413, 0));
    assert_eq!(
        gateway.connect().await.post("/count", pattern(1024)).await.text(),
        "1024"
    );
}

#[tokio::test]
async fn a_large_body_over_the_limit_is_refused_and_not_reset() {
    let (gateway, _origin) = open(&[SMALL_BODIES]).await;
    let reply = gateway
        .connect()
        .await
        .try_send(Request::post("/count"), pattern(1 << 20))
        .await;
    assert_eq!(
        reply.map(|reply| reply.status).map_err(|error| error.to_string()),
        Ok(413)
    );
}

#[tokio::test]
async fn a_chunked_body_is_refused_once_it_is_over_the_limit() {
    let (gateway, _origin) = open(&[SMALL_BODIES]).await;
    let header = "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("200\r\n{}\r\n", "x".repeat(512));
    let within = format!("{header}{chunk}{chunk}0\r\n\r\n");
    assert!(
        Raw::exchange(gateway.address(), within)
            .await
            .starts_with("HTTP/1.1 200")
    );
    let over = format!("{header}{chunk}{chunk}1\r\nx\r\n0\r\n\r\n");
    assert!(Raw::exchange(gateway.address(), over).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_header_over_the_limit_is_refused() {
    let (gateway, origin) = open(&["limits: { max_header_bytes: 2KiB }"]).await;
    let request = |length| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Long: {}\r\n\r\n",
            "x".repeat(length)
        )
    };
    assert!(
        Raw::exchange(gateway.address(), request(1900))
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        Raw::exchange(gateway.address(), request(2048))
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let (gateway, origin) = open(&[]).await;
    let mut connection = gateway.connect().await;
    for number in 0..20 {
        assert_eq!(connection.get("/").await.text(), "hello", "request {number}");
        assert_eq!(connection.post("/count", "abc").await.text(), "3", "request {number}");
    }
    assert!(!connection.is_closed());
    assert_eq!((origin.requests(), origin.connections()), (40, 1));
}

#[tokio::test]
async fn a_client_that_asks_to_close_is_closed() {
    let (gateway, _origin) = open(&[]).await;
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    ] {
        let mut client = Raw::open(gateway.address()).await;
        client.send(request).await;
        assert!(client.read_until("hello").await.starts_with("HTTP/1.1 200"));
        client.closed().await;
    }
}

#[tokio::test]
async fn errors_of_the_application_pass_unchanged() {
    let (gateway, _origin) = open(&[]).await;
    let mut connection: Connection = gateway.connect().await;
    for status in [201, 301, 404, 418, 500, 503] {
        let reply = connection.get(&format!("/status/{status}")).await;
        assert_eq!((reply.status, reply.origin()), (status, "a".to_owned()));
    }
    assert!(!connection.is_closed());
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let (gateway, _origin) = open(&[]).await;
    let mut client = Raw::open(gateway.address()).await;
    let post = |body: &str| {
        let length = body.len();
        format!("POST /mirror HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    // The last one in two pieces: its header has begun, and still comes to its end.
    let (begun, rest) = ("GET /count HTTP/1.1\r\n", "Host: a\r\nConnection: close\r\n\r\n");
    client.send([&post("one"), &post("two"), begun].concat()).await;
    let two = client.read_until("two").await;
    client.send(rest).await;
    let all = two + &client.read_for(Duration::from_secs(10)).await;
    let bodies: Vec<&str> = all
        .split("\r\n\r\n")
        .skip(1)
        .map(|it| it.get(..3).unwrap_or(it))
        .collect();
    assert_eq!(bodies, ["one", "two", "0"], "{all}");
}
