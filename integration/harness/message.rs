//! One HTTP/1.1 message on a socket, read and written by hand: a scripted origin must be able to do it wrong.

use std::io;

use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufStream;
use tokio::net::TcpStream;

/// The line and the header of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// `GET`, ...
    pub(crate) method: String,
    /// Path and query, as received.
    pub(crate) target: String,
    /// Names in lower case, in the order received.
    pub(crate) headers: Vec<(String, String)>,
    /// Requests that came before it on its connection.
    pub(crate) predecessors: usize,
}

impl Head {
    /// The next request on `stream`, after `predecessors`; `None` when there is none any more.
    pub(crate) async fn read(stream: &mut BufStream<TcpStream>, predecessors: usize) -> Option<Self> {
        let line = read_line(stream).await?;
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream).await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Self {
            method,
            target,
            headers,
            predecessors,
        })
    }

    /// The first value of `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.0 == name)
            .map(|header| header.1.as_str())
    }
}

/// What is left of a message's body.
#[derive(Debug)]
pub(crate) enum Body {
    /// This many bytes.
    Length(usize),
    /// Chunks, up to the empty one.
    Chunked,
}

impl Body {
    /// The body that `head` announces.
    pub(crate) fn of(head: &Head) -> Self {
        match head.header("transfer-encoding") {
            Some(_) => Self::Chunked,
            None => Self::Length(
                head.header("content-length")
                    .and_then(|length| length.parse().ok())
                    .unwrap_or(0),
            ),
        }
    }

    /// The next part of it, as soon as there is one; empty at the end.
    pub(crate) async fn part(&mut self, stream: &mut BufStream<TcpStream>) -> io::Result<Vec<u8>> {
        match self {
            Self::Length(0) => Ok(Vec::new()),
            Self::Length(left) => {
                let mut part = vec![0; (*left).min(64 << 10)];
                let count = stream.read(&mut part).await?;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                part.truncate(count);
                *left -= count;
                Ok(part)
            }
            Self::Chunked => chunk(stream).await,
        }
    }
}

/// A chunk's bytes, without its frame.
async fn chunk(stream: &mut BufStream<TcpStream>) -> io::Result<Vec<u8>> {
    let size = read_line(stream)
        .await
        .and_then(|line| usize::from_str_radix(&line, 16).ok());
    let mut chunk = vec![0; size.ok_or(io::ErrorKind::InvalidData)?];
    stream.read_exact(&mut chunk).await?;
    read_line(stream).await.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(chunk)
}

/// Writes `bytes` as one chunk; an empty one ends a body.
pub(crate) async fn write_chunk(stream: &mut BufStream<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}

async fn read_line(stream: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
    Some(line.trim_end().to_owned())
}
