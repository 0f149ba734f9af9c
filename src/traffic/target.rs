//! Who is asked: an address that answers, and the name to ask it by.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use http::HeaderValue;
use http::Uri;
use tokio::net::TcpStream;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// Long enough for a lost SYN to be sent again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An address, and the `Host` that requests to it carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) address: SocketAddr,
    pub(super) host: HeaderValue,
}

impl Target {
    /// The target at `address`, asked for by that address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let host =
            HeaderValue::try_from(address.to_string()).expect("digits, dots, colons and brackets are a header value");
        Self { address, host }
    }

    /// The first address of `url`'s host that accepts a connection.
    ///
    /// # Errors
    /// When the name has no address or no address accepts a connection within three seconds.
    pub async fn resolve(url: &Url) -> Result<Self, TargetError> {
        let unknown = |reason| TargetError::Unknown {
            host: url.host.clone(),
            reason,
        };
        let addresses = lookup_host((url.host.as_str(), url.port)).await.map_err(unknown)?;
        let mut refusal = io::ErrorKind::NotFound.into();
        for address in addresses {
            match connect(address).await {
                Ok(()) => {
                    return Ok(Self {
                        address,
                        host: url.authority.clone(),
                    });
                }
                Err(error) => refusal = error,
            }
        }
        Err(TargetError::Unreachable {
            url: url.to_string(),
            reason: refusal,
        })
    }
}

/// Why a target cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The host's name has no address.
    #[error("cannot find the address of `{host}`: {reason}; check the name")]
    Unknown {
        /// The name as given.
        host: String,
        /// What the resolver said.
        reason: io::Error,
    },
    /// No address of the host accepts a connection.
    #[error("cannot connect to {url}: {reason}; check that it is running and listens there")]
    Unreachable {
        /// The URL as given.
        url: String,
        /// What the last address tried said.
        reason: io::Error,
    },
}

/// An `http://` URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    authority: HeaderValue,
    path: String,
}

impl Url {
    /// The path and query; `/` when none was written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Why a text is no URL that traffic can be sent to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Not a URL at all.
    #[error("not a URL; write `http://host:port/path`")]
    Malformed,
    /// A scheme other than `http`.
    #[error("`{0}://` is not supported; traffic speaks plain HTTP/1.1, write `http://`")]
    Scheme(String),
}

impl FromStr for Url {
    type Err = InvalidUrl;

    /// The scheme may be left out: `localhost:8080` is `http://localhost:8080/`.
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let text = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Malformed)?;
        match uri.scheme_str() {
            Some("http") => Self::from_uri(&uri).ok_or(InvalidUrl::Malformed),
            Some(other) => Err(InvalidUrl::Scheme(other.to_owned())),
            None => Err(InvalidUrl::Malformed),
        }
    }
}

impl Url {
    fn from_uri(uri: &Uri) -> Option<Self> {
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => 80,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return None;
        }
        Some(Self {
            host: host.to_owned(),
            port,
            authority: HeaderValue::from_str(authority.as_str()).ok()?,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority.to_str().unwrap_or(&self.host);
        write!(f, "http://{authority}{}", self.path)
    }
}

async fn connect(address: SocketAddr) -> io::Result<()> {
    timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .map_err(io::Error::from)??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<Url>() {
            Ok(url) => format!("{} port {} path {}", url.host, url.port, url.path),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_url_names_host_port_and_path() {
        check("http://shop.example/a?b=c", "shop.example port 80 path /a?b=c");
        check("http://[::1]:8080", "::1 port 8080 path /");
    }

    #[test]
    fn the_scheme_may_be_left_out() {
        check("localhost:8080", "localhost port 8080 path /");
        check("127.0.0.1", "127.0.0.1 port 80 path /");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_a_remedy() {
        check(
            "https://a",
            "`https://` is not supported; traffic speaks plain HTTP/1.1, write `http://`",
        );
        check("http://", "not a URL; write `http://host:port/path`");
        check("", "not a URL; write `http://host:port/path`");
        check("http://user@host/", "not a URL; write `http://host:port/path`");
        check("http://host:99999/", "not a URL; write `http://host:port/path`");
    }
}
