//! Listening, serving and ending: what the agent and the sample shop share.

use std::fmt;
use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How long requests under way may still take after the signal. Answers take milliseconds here: what is left after
/// this is a client that does not read.
const GRACE: Duration = Duration::from_secs(3);

/// The socket address in `text`: `ADDRESS:PORT`, `[V6]:PORT`, or `:PORT` for every interface, of both families.
///
/// # Errors
/// Says which forms are understood.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let parsed = match text.strip_prefix(':') {
        Some(port) => port
            .parse()
            .map(|port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
            .ok(),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| format!("`{text}` is no address to listen on; write 127.0.0.1:9902, [::1]:9902 or :9902"))
}

/// A listener on `address`. Where the machine has no IPv6, `[::]` becomes `0.0.0.0`.
///
/// # Errors
/// The kind is the system's (`AddrInUse`, `PermissionDenied`, ...); the text names the address and a remedy.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    listen(address)
        .or_else(|error| match without_ipv6(address, &error) {
            Some(fallback) => listen(fallback),
            None => Err(error),
        })
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {}", remedy(&error))))
}

/// Serves `router` until `stop`, then lets requests under way end, but not for long.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve<L>(listener: L, router: Router, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()>
where
    L: Listener,
    L::Addr: fmt::Debug,
{
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        // The receiver is gone only when serving has ended already.
        let _ = stopping.send(());
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(stop);
    tokio::select! {
        result = served => result,
        () = grace(stopped) => Ok(()),
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn terminated() {
    tokio::select! {
        () = received(SignalKind::terminate()) => {}
        () = received(SignalKind::interrupt()) => {}
    }
}

async fn received(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        // Without a handler the signal's default action still ends the process.
        Err(error) => {
            log::warn!("cannot wait for signal {kind:?}: {error}");
            pending().await
        }
    }
}

async fn grace(stopped: oneshot::Receiver<()>) {
    match stopped.await {
        Ok(()) => sleep(GRACE).await,
        Err(_) => pending().await,
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let lacks_ipv6 = matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(libc::EAFNOSUPPORT);
    (lacks_ipv6 && address.ip() == Ipv6Addr::UNSPECIFIED)
        .then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
}

fn remedy(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken; end the process that holds it, or choose another".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed; ports below 1024 need CAP_NET_BIND_SERVICE".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let address = listen_address(text).ok().map(|address| address.to_string());
        assert_eq!(address.as_deref(), expected);
    }

    #[test]
    fn a_bare_port_means_every_interface() {
        check(":9902", Some("[::]:9902"));
        check("127.0.0.1:0", Some("127.0.0.1:0"));
        check("[::1]:80", Some("[::1]:80"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("9902", None);
        check(":70000", None);
        check("", None);
    }
}
