//! What an origin does with a request, by the words of its path: `/delay/200` answers after 200 ms, `/status/503`
//! with 503, `/trickle/5/100` with five bytes 100 ms apart, `/echo` with the request's body as it comes, `/mirror` with
//! the body when it is whole, `/fresh` only as the first request of a connection. Any other path is greeted.

use std::io;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::SinkExt;
use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::message::Body;
use crate::harness::message::Head;
use crate::harness::message::write_chunk;
use crate::harness::pause;
use crate::harness::script::Script;

/// The one message that a WebSocket of an origin takes in silence.
pub(crate) const UNANSWERED: &str = "do not answer";

type Stream = BufStream<TcpStream>;

/// What follows on the connection.
pub(crate) enum Next {
    /// Another request may.
    Request(Stream),
    /// Nothing: it was closed.
    Nothing,
}

/// Does with the request of `head` what its path says.
pub(crate) async fn answer(mut stream: Stream, head: &Head, script: &Script) -> io::Result<Next> {
    let words = Words::of(&head.target);
    match words.first() {
        "socket" => echo_messages(stream, head, script).await,
        "echo" => echo(stream, head, script).await,
        "silent" => wait_for_end(stream).await,
        "reset" => reset(&stream),
        "early" => answer_early(stream, script).await,
        "fresh" if head.predecessors > 0 => Ok(Next::Nothing),
        "garbage" => say_nonsense(stream).await,
        "old" => answer_without_length(stream, words.number(1)).await,
        _ => {
            let received = drain(&mut stream, head).await?;
            answer_whole(stream, (head, &words, &received), script).await
        }
    }
}

/// The words of a path.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn of(target: &'a str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        Self(path.trim_start_matches('/').split('/').collect())
    }

    fn first(&self) -> &'a str {
        self.0.first().copied().unwrap_or_default()
    }

    fn number<T: FromStr + Default>(&self, position: usize) -> T {
        self.0
            .get(position)
            .and_then(|word| word.parse().ok())
            .unwrap_or_default()
    }
}

/// Answers a request whose body was read: it is `received`.
async fn answer_whole(
    mut stream: Stream,
    (head, words, received): (&Head, &Words<'_>, &[u8]),
    script: &Script,
) -> io::Result<Next> {
    let mut reply = async |status: u16, body: &[u8]| respond(&mut stream, head, script, status, body).await;
    match words.first() {
        "healthz" => reply(script.health.load(Ordering::SeqCst), b"").await?,
        "status" => reply(words.number(1), b"").await?,
        "bytes" => reply(200, &vec![b'x'; words.number(1)]).await?,
        "count" => reply(200, received.len().to_string().as_bytes()).await?,
        "mirror" => reply(200, received).await?,
        "headers" => reply(200, show(&head.headers).as_bytes()).await?,
        "delay" => {
            pause(Duration::from_millis(words.number(1))).await;
            reply(200, b"late").await?;
        }
        "hop" => hop(&mut stream, script).await?,
        "interim" => {
            stream
                .write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")
                .await?;
            respond(&mut stream, head, script, 200, b"after hints").await?;
        }
        "trickle" => {
            trickle(
                &mut stream,
                script,
                words.number(1),
                Duration::from_millis(words.number(2)),
            )
            .await?
        }
        "stall" => {
            stall(&mut stream, script).await?;
            return wait_for_end(stream).await;
        }
        "cut" => {
            stall(&mut stream, script).await?;
            return reset(&stream);
        }
        _ => {
            pause(Duration::from_millis(script.delay_ms.load(Ordering::SeqCst))).await;
            reply(200, b"hello").await?;
        }
    }
    Ok(Next::Request(stream))
}

/// The whole body of a request.
async fn drain(stream: &mut Stream, head: &Head) -> io::Result<Vec<u8>> {
    if head.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }
    let (mut body, mut received) = (Body::of(head), Vec::new());
    loop {
        match body.part(stream).await? {
            part if part.is_empty() => return Ok(received),
            part => received.extend(part),
        }
    }
}

async fn respond(stream: &mut Stream, head: &Head, script: &Script, status: u16, body: &[u8]) -> io::Result<()> {
    let name = &script.name;
    let length = body.len();
    let header = format!("HTTP/1.1 {status} -\r\nx-origin: {name}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(header.as_bytes()).await?;
    if head.method != "HEAD" {
        stream.write_all(body).await?;
    }
    stream.flush().await
}

async fn begin_chunks(stream: &mut Stream, script: &Script) -> io::Result<()> {
    let header = format!(
        "HTTP/1.1 200 -\r\nx-origin: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        script.name
    );
    stream.write_all(header.as_bytes()).await?;
    stream.flush().await
}

async fn echo(mut stream: Stream, head: &Head, script: &Script) -> io::Result<Next> {
    begin_chunks(&mut stream, script).await?;
    let mut body = Body::of(head);
    loop {
        let part = body.part(&mut stream).await?;
        write_chunk(&mut stream, &part).await?;
        if part.is_empty() {
            return Ok(Next::Request(stream));
        }
    }
}

async fn trickle(stream: &mut Stream, script: &Script, count: u64, gap: Duration) -> io::Result<()> {
    begin_chunks(stream, script).await?;
    for _ in 0..count {
        write_chunk(stream, b".").await?;
        pause(gap).await;
    }
    write_chunk(stream, b"").await
}

/// Promises 100 bytes and sends 5.
async fn stall(stream: &mut Stream, script: &Script) -> io::Result<()> {
    let header = format!(
        "HTTP/1.1 200 -\r\nx-origin: {}\r\ncontent-length: 100\r\n\r\nfirst",
        script.name
    );
    stream.write_all(header.as_bytes()).await?;
    stream.flush().await
}

/// Answers with fields that are meant for the next hop only.
async fn hop(stream: &mut Stream, script: &Script) -> io::Result<()> {
    let fields = "connection: x-secret\r\nx-secret: 1\r\nkeep-alive: timeout=99\r\nvia: 1.0 inner\r\n";
    let header = format!(
        "HTTP/1.1 200 -\r\nx-origin: {}\r\n{fields}content-length: 0\r\n\r\n",
        script.name
    );
    stream.write_all(header.as_bytes()).await?;
    stream.flush().await
}

/// Answers before the body is there, and does not read it.
async fn answer_early(mut stream: Stream, script: &Script) -> io::Result<Next> {
    let header = format!(
        "HTTP/1.1 403 -\r\nx-origin: {}\r\ncontent-length: 2\r\n\r\nno",
        script.name
    );
    stream.write_all(header.as_bytes()).await?;
    stream.flush().await?;
    wait_for_end(stream).await
}

/// Answers as HTTP/1.0 did: the end of the connection is the end of the body.
async fn answer_without_length(mut stream: Stream, length: usize) -> io::Result<Next> {
    stream.write_all(b"HTTP/1.0 200 -\r\n\r\n").await?;
    stream.write_all(&vec![b'x'; length]).await?;
    stream.flush().await?;
    Ok(Next::Nothing)
}

async fn say_nonsense(mut stream: Stream) -> io::Result<Next> {
    stream.write_all(b"this is no HTTP\r\n\r\n").await?;
    stream.flush().await?;
    Ok(Next::Nothing)
}

/// Reads and says nothing until the other side is gone.
async fn wait_for_end(mut stream: Stream) -> io::Result<Next> {
    let mut part = [0; 4096];
    while stream.read(&mut part).await? > 0 {}
    Ok(Next::Nothing)
}

/// Breaks the connection with a TCP reset.
fn reset(stream: &Stream) -> io::Result<Next> {
    stream.get_ref().set_zero_linger()?;
    Ok(Next::Nothing)
}

async fn echo_messages(mut stream: Stream, head: &Head, script: &Script) -> io::Result<Next> {
    let key = derive_accept_key(head.header("sec-websocket-key").unwrap_or_default().as_bytes());
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
    let name = &script.name;
    stream
        .write_all(format!("{switch}x-origin: {name}\r\nsec-websocket-accept: {key}\r\n\r\n").as_bytes())
        .await?;
    stream.flush().await?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let is_answered = message.is_text() && message.to_text().is_ok_and(|text| text != UNANSWERED);
        if is_answered && socket.send(message).await.is_err() {
            break;
        }
    }
    Ok(Next::Nothing)
}

fn show(headers: &[(String, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}
