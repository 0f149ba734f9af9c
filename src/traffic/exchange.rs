//! One request and its whole answer over a connection.

use bytes::Bytes;
use http::HeaderName;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Incoming;

use crate::traffic::Failure;
use crate::traffic::connections::Connections;
use crate::traffic::connections::Lease;

/// Names the backend that answered, where the gateway is told to say so.
const BACKEND: HeaderName = HeaderName::from_static("x-sylvan-backend");

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Bytes of the body.
    pub(super) bytes: u64,
    /// The backend that gave it, when it says so.
    pub(super) backend: Option<String>,
}

/// Sends `request` and reads the answer to its end.
///
/// A kept connection that turns out to be closed before anything was sent is replaced in silence; whatever happens
/// later is a failure.
pub(super) async fn exchange(connections: &Connections, mut request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
    loop {
        let mut lease = connections.take().await?;
        let mut error = match lease.sender.try_send_request(request).await {
            Ok(response) => return read(lease, response).await,
            Err(error) => error,
        };
        request = match error.take_message() {
            Some(unsent) if lease.is_reused => unsent,
            _ => return Err(Failure::of_exchange(error.error())),
        };
    }
}

async fn read(lease: Lease<'_>, response: Response<Incoming>) -> Result<Answer, Failure> {
    let status = response.status();
    let backend = response
        .headers()
        .get(BACKEND)
        .and_then(|name| name.to_str().ok())
        .map(str::to_owned);
    let bytes = drain(response.into_body()).await?;
    lease.give_back();
    Ok(Answer { status, bytes, backend })
}

/// Reads a body to its end; its length in bytes.
async fn drain(mut body: Incoming) -> Result<u64, Failure> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::of_exchange(&error))?;
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}
