//! Connections to backends for WebSockets, which keep clear of a race in Pingora.
//!
//! An upgrade request has no body, and Pingora takes the end of that body for the end of the tunnel when it reads the
//! backend's 101 first (its issue 946): the client would see its WebSocket close right after the handshake. Here the
//! first look for an answer finds nothing, and by the second one the end of the body has been dealt with.

use std::io;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use http::header;
use pingora::Error;
use pingora::ErrorType;
use pingora::Result;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSockOpt;
use pingora::protocols::l4::virt::VirtualSocket;
use pingora::protocols::l4::virt::VirtualSocketStream;
use pingora::upstreams::peer::HttpPeer;
use pingora_proxy::Session;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// Whether the request asks for a WebSocket; Pingora passes on no other upgrade.
pub(super) fn is_asked_for(session: &Session) -> bool {
    session.is_upgrade_req()
        && session
            .get_header(header::UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Gives `peer` a connection of its own, which is not kept.
pub(super) fn prepare(peer: &mut HttpPeer) {
    peer.group_key = !peer.group_key;
    peer.options.idle_timeout = Some(Duration::ZERO);
    peer.options.custom_l4 = Some(Arc::new(Connector));
}

#[derive(Debug)]
struct Connector;

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &SocketAddr) -> Result<Stream> {
        let failed = |cause: io::Error| Error::because(kind(&cause), "connecting for an upgrade", cause);
        let address = address.as_inet().ok_or_else(|| failed(ErrorKind::Unsupported.into()))?;
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let hesitant = Hesitant {
            stream,
            hesitates: true,
        };
        Ok(VirtualSocketStream::new(Box::new(hesitant)).into())
    }
}

fn kind(cause: &io::Error) -> ErrorType {
    match cause.kind() {
        ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
        ErrorKind::TimedOut => ErrorType::ConnectTimedout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => ErrorType::ConnectNoRoute,
        _ => ErrorType::ConnectError,
    }
}

/// A TCP connection whose first read comes back empty-handed.
#[derive(Debug)]
struct Hesitant {
    stream: TcpStream,
    hesitates: bool,
}

impl VirtualSocket for Hesitant {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match option {
            VirtualSockOpt::NoDelay => self.stream.set_nodelay(true),
            // No peer asks for more.
            _ => Ok(()),
        }
    }
}

impl AsyncRead for Hesitant {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.hesitates) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Hesitant {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
