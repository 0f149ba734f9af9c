//! Answers over real sockets: whole, too long, too slow, and none.

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;

/// Longer than any answer on loopback takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An endpoint that takes one request, answers with these bytes, and then stays silent while the stream lives.
async fn endpoint(answer: Vec<u8>) -> (SocketAddr, JoinHandle<(String, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap() > 0 {}
        // Who reads only the beginning of a long answer closes before its end.
        let _ = stream.write_all(&answer).await;
        (String::from_utf8(request).unwrap(), stream)
    });
    (address, serving)
}

/// What comes of asking an endpoint that answers with `answer` and closes.
async fn fetch(answer: impl Into<Vec<u8>>) -> Result<String, FetchError> {
    let (address, serving) = endpoint(answer.into()).await;
    let closing = async { drop(serving.await) };
    let (fetched, ()) = tokio::join!(get(address, "it", "/", PATIENCE), closing);
    fetched
}

async fn check(answer: impl Into<Vec<u8>>, expected: &str) {
    let found = fetch(answer).await.unwrap_or_else(|error| format!("error: {error}"));
    assert!(found.starts_with(expected), "expected: {expected}\n   found: {found}");
}

#[tokio::test]
async fn a_text_is_fetched_however_its_end_is_marked() {
    check("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntext", "text").await;
    check(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nte\r\n2\r\nxt\r\n0\r\n\r\n",
        "text",
    )
    .await;
    check("HTTP/1.0 200 OK\r\n\r\ntext", "text").await;
}

#[tokio::test]
async fn a_refusal_is_repeated_in_one_line() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 17\r\n\r\nnothing\tyet\nmore\n";
    check(answer, "error: it answered 503 Service Unavailable: nothingyet").await;
    check(
        "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        "error: it answered 302 Found",
    )
    .await;
}

#[tokio::test]
async fn what_is_no_whole_answer_is_an_error() {
    check("", "error: no usable answer").await;
    check("SSH-2.0-OpenSSH_9.2\r\n", "error: no usable answer").await;
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntext",
        "error: no usable answer",
    )
    .await;
    check(
        *b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xc3\x28",
        "error: the answer is not UTF-8",
    )
    .await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.resize(answer.len() + MAX_BODY_BYTES + 1, b'a');
    check(answer, "error: the answer is longer than 1 MiB").await;
}

#[tokio::test]
async fn a_silent_endpoint_is_given_up_and_its_connection_closed() {
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nte"] {
        let (address, serving) = endpoint(beginning.into()).await;
        let fetched = get(address, "it", "/", Duration::from_millis(30)).await;
        assert!(matches!(fetched, Err(FetchError::Timeout(_))), "{fetched:?}");
        let (_, mut stream) = serving.await.unwrap();
        // Closed, in good order or not: there is nothing more to read.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fetched = get(address, "it", "/", PATIENCE).await;
    assert!(matches!(fetched, Err(FetchError::Connect(_))), "{fetched:?}");
}

#[tokio::test]
async fn the_request_names_host_and_path_and_asks_for_no_more() {
    let (address, serving) = endpoint(b"HTTP/1.1 204 No Content\r\n\r\n".into()).await;
    assert_eq!(
        get(address, "pi5.lan:9902", "/metrics.json?a=b", PATIENCE)
            .await
            .unwrap(),
        ""
    );
    let (request, _) = serving.await.unwrap();
    assert!(request.starts_with("GET /metrics.json?a=b HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("host: pi5.lan:9902\r\n") && request.contains("connection: close\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_path_that_is_none_is_refused() {
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let fetched = get(address, "it", "/a b", PATIENCE).await;
    assert!(matches!(fetched, Err(FetchError::Request(_))), "{fetched:?}");
}
