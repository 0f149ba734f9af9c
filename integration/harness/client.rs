//! A client of one kept-alive connection, which notices when the gateway closes it; and a WebSocket client.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::SinkExt;
use futures::StreamExt;
use http::HeaderMap;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

/// Longer than any answer that a test asks for: a test fails here rather than never.
const PATIENCE: Duration = Duration::from_secs(20);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type RequestBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

/// One HTTP/1.1 connection, kept alive.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    requests: SendRequest<RequestBody>,
    driver: JoinHandle<()>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// Its header fields.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The values of `name`, joined.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap_or("?"));
        values.collect::<Vec<_>>().join(", ")
    }

    /// Which origin answered; empty when the gateway did.
    pub(crate) fn origin(&self) -> String {
        self.header("x-origin")
    }
}

impl Connection {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::try_open(address).await.expect("the gateway accepts connections")
    }

    /// Connects to `address`, if it lets us.
    pub(crate) async fn try_open(address: SocketAddr) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self {
            address,
            requests,
            driver,
        })
    }

    /// Whether the other side closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.driver.is_finished() || self.requests.is_closed()
    }

    /// GETs `path`.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path), "").await
    }

    /// POSTs `body` to `path`.
    pub(crate) async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(Request::post(path), body).await
    }

    /// Sends a request with `body`; its Host is the gateway's address unless it names one.
    pub(crate) async fn send(&mut self, request: http::request::Builder, body: impl Into<Bytes>) -> Reply {
        self.try_send(request, body).await.expect("a response")
    }

    /// As [`Self::send`]; an error where there was no whole response.
    pub(crate) async fn try_send(
        &mut self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Reply, BoxError> {
        let body = Full::new(body.into()).map_err(BoxError::from);
        tokio::time::timeout(PATIENCE, async {
            let (parts, body) = self.begin(request, body).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Reply {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body,
            })
        })
        .await?
    }

    /// Sends a request with a body that may still be growing; the response as soon as its header is there.
    pub(crate) async fn begin(
        &mut self,
        request: http::request::Builder,
        body: impl Body<Data = Bytes, Error = BoxError> + Send + 'static,
    ) -> Result<http::Response<Incoming>, BoxError> {
        let mut request = request.body(body.boxed_unsync())?;
        if !request.headers().contains_key(http::header::HOST) {
            request
                .headers_mut()
                .insert(http::header::HOST, self.address.to_string().parse()?);
        }
        self.requests.ready().await?;
        Ok(self.requests.send_request(request).await?)
    }
}

impl Drop for Connection {
    /// Closes it, also in the middle of a response.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// GETs `path` over a connection of its own.
pub(crate) async fn fetch(address: SocketAddr, path: &str) -> Reply {
    Connection::open(address).await.get(path).await
}

/// A WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket(WebSocketStream<TcpStream>);

impl WebSocket {
    /// Opens the WebSocket at `path`.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the gateway accepts connections");
        let (socket, _) = client_async(format!("ws://{address}{path}"), stream)
            .await
            .expect("an upgrade");
        Self(socket)
    }

    /// Sends `text` and yields what comes back; `None` when the WebSocket is at its end.
    pub(crate) async fn echo(&mut self, text: &str) -> Option<String> {
        self.0.send(Message::text(text)).await.ok()?;
        let answer = tokio::time::timeout(PATIENCE, self.0.next()).await.ok()??;
        Some(answer.ok()?.into_text().ok()?.as_str().to_owned())
    }

    /// Sends `text` and waits for nothing; whether it could be sent.
    pub(crate) async fn say(&mut self, text: &str) -> bool {
        self.0.send(Message::text(text)).await.is_ok()
    }

    /// Waits until the other side closes it, with or without a goodbye.
    pub(crate) async fn closed(&mut self) {
        let closing = async { while let Some(Ok(_)) = self.0.next().await {} };
        tokio::time::timeout(PATIENCE, closing)
            .await
            .expect("the gateway closes the WebSocket");
    }

    /// Says goodbye and waits until the other side has done so too.
    pub(crate) async fn close(mut self) {
        let _ = self.0.close(None).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }
}
