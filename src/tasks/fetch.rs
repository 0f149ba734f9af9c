//! One bounded HTTP request: a short text from an endpoint that we look after ourselves (an agent, an exporter, the admin
//! listener), within a time, or the reason why there is none.
//!
//! Each call has its own connection: a poll a second gains little from a kept one, and a fresh one shows at once that
//! the other side is gone. What clients send never comes through here.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::Either;
use futures::future::select;
use http::Method;
use http::Request;
use http::StatusCode;
use http::header;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A large machine's node_exporter says about 200 KiB; what is longer is something else.
const MAX_BODY_BYTES: usize = 1 << 20;
/// How much of a refusal's own words an error repeats.
const MAX_REASON_CHARS: usize = 120;

/// Why there is no text. Each says what happened; whom it happened to is for the caller to say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// Something took too long: the connection, the header or the body.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// Nobody listens there, or nothing leads there.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// An answer, but not the one asked for.
    #[error("it answered {status}: {reason}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// The start of its body.
        reason: String,
    },
    /// What came is not HTTP, or broke off.
    #[error("no usable answer: {0}")]
    Broken(Box<dyn Error + Send + Sync>),
    /// The body is beyond the limit.
    #[error("the answer is longer than 1 MiB")]
    TooLong,
    /// The body is not UTF-8.
    #[error("the answer is not UTF-8 text")]
    NotText,
    /// The host or the path cannot stand in a request.
    #[error("cannot be asked for: {0}")]
    Request(http::Error),
}

/// The text at `path` of the endpoint at `address`, which is called `host`. All of it takes no longer than `timeout`.
///
/// # Errors
/// When there is no success status with a text of at most 1 MiB in time.
pub(crate) async fn get(address: SocketAddr, host: &str, path: &str, timeout: Duration) -> Result<String, FetchError> {
    let request = request(host, path).map_err(FetchError::Request)?;
    let (status, body) = send(address, request, timeout).await?;
    if !status.is_success() {
        return Err(FetchError::Status {
            status,
            reason: first_words(&body),
        });
    }
    String::from_utf8(body.into()).map_err(|_| FetchError::NotText)
}

/// A gateway's admin listener, and the token that it asks for.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

impl Admin {
    /// The answer to a request for `path`, whatever its status, within `timeout`.
    ///
    /// # Errors
    /// When there is no answer with a body of at most 1 MiB in time.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        timeout: Duration,
    ) -> Result<(StatusCode, String), FetchError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(FetchError::Request)?;
        let (status, body) = send(self.address, request, timeout).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

async fn send(
    address: SocketAddr,
    request: Request<Empty<Bytes>>,
    timeout: Duration,
) -> Result<(StatusCode, Bytes), FetchError> {
    let exchange = tokio::time::timeout(timeout, exchange(address, request));
    exchange.await.map_err(|_| FetchError::Timeout(timeout))?
}

fn request(host: &str, path: &str) -> http::Result<Request<Empty<Bytes>>> {
    Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("sylvan/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new())
}

async fn exchange(address: SocketAddr, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes), FetchError> {
    let stream = TcpStream::connect(address).await.map_err(FetchError::Connect)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Both in this one future, so that giving it up closes the connection.
    match select(pin!(ask(sender, request)), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    }
}

async fn ask(
    mut sender: http1::SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> Result<(StatusCode, Bytes), FetchError> {
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok((response.status(), read(response.into_body()).await?))
}

async fn read(body: Incoming) -> Result<Bytes, FetchError> {
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLong),
        Err(error) => Err(FetchError::Broken(error)),
    }
}

fn broken(error: hyper::Error) -> FetchError {
    FetchError::Broken(error.into())
}

/// The first line of `body`, cut short, without what would garble a log.
fn first_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .filter(|it| !it.is_control())
        .take(MAX_REASON_CHARS)
        .collect()
}

#[cfg(test)]
mod tests;
