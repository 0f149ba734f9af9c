//! Socket addresses and host names as people write them.

use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Refusal;

/// RFC 1035, section 2.3.4, without the root's dot.
const LONGEST_HOST: usize = 253;
/// RFC 1035, section 2.3.4.
const LONGEST_LABEL: usize = 63;

/// An address to listen on: `127.0.0.1:80`, `[::]:80`, or `:80` for all of IPv6 and IPv4.
pub(super) fn bind(node: Located<'_>) -> Option<SocketAddr> {
    node.parsed("an address such as 127.0.0.1:8080 or \":8080\"", |text| {
        let remedy = "write an IP address and a port: 127.0.0.1:8080, \"[::1]:8080\" or \":8080\"";
        let full = if text.starts_with(':') {
            format!("[::]{text}")
        } else {
            text.to_owned()
        };
        full.parse()
            .map_err(|_| Refusal::new(format!("{} is not an address to listen on", quoted(text)), remedy))
    })
}

/// Where a backend or its metrics can be reached: `host:port`, in lower case, IP addresses in their usual form.
pub(super) fn endpoint(node: Located<'_>) -> Option<String> {
    node.parsed("an address such as \"10.0.0.11:3000\"", parse_endpoint)
}

fn parse_endpoint(text: &str) -> Result<String, Refusal> {
    if text.contains("://") {
        return Err(Refusal::new(
            format!("{} is a URL", quoted(text)),
            "write host and port only: \"10.0.0.11:3000\"",
        ));
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(|| without_port(text))?;
    let port = parse_port(text, port)?;
    let host = parse_host(text, host)?;
    Ok(format!("{host}:{port}"))
}

fn without_port(text: &str) -> Refusal {
    Refusal::new(format!("{} has no port", quoted(text)), "add it: \"10.0.0.11:3000\"")
}

fn parse_port(text: &str, port: &str) -> Result<u16, Refusal> {
    let is_digits = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_digits && port > 0 => Ok(port),
        _ => Err(Refusal::new(
            format!("{} has no valid port", quoted(text)),
            "use a port from 1 to 65535",
        )),
    }
}

fn parse_host(text: &str, host: &str) -> Result<String, Refusal> {
    if let Some(address) = parse_ip(host) {
        return connectable(text, address);
    }
    if host.contains(':') && host.parse::<Ipv6Addr>().is_ok() {
        return Err(Refusal::new(
            format!("{}: an IPv6 address needs brackets", quoted(text)),
            "write it as in \"[fd00::11]:3000\"",
        ));
    }
    host_name(host).ok_or_else(|| {
        Refusal::new(
            format!("{} does not begin with a host", quoted(text)),
            "write a host name or an IP address before the port",
        )
    })
}

/// `10.0.0.1` or `[::1]`.
fn parse_ip(host: &str) -> Option<IpAddr> {
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match in_brackets {
        Some(inside) => inside.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

fn connectable(text: &str, address: IpAddr) -> Result<String, Refusal> {
    match address {
        _ if address.is_unspecified() => Err(Refusal::new(
            format!("{} is every address, not one to connect to", quoted(text)),
            "write the backend's own address, or 127.0.0.1",
        )),
        IpAddr::V4(address) => Ok(address.to_string()),
        IpAddr::V6(address) => Ok(format!("[{address}]")),
    }
}

/// `host` in lower case, without the root's dot, when it can be a host name.
pub(super) fn host_name(host: &str) -> Option<String> {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let ends_in_number = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    let is_valid = name.len() <= LONGEST_HOST && name.split('.').all(is_label) && !ends_in_number;
    is_valid.then_some(name)
}

/// Underscores are not in the standard, but in container networks.
fn is_label(label: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.chars().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A host that a request may ask for: a name, `*.` and a name, or an IP address; in lower case.
pub(super) fn requested_host(node: Located<'_>) -> Option<String> {
    node.parsed("a host name such as shop.example", |text| {
        let (wildcard, name) = text.strip_prefix("*.").map_or(("", text), |name| ("*.", name));
        let address = parse_ip(name)
            .filter(|_| wildcard.is_empty())
            .map(|ip| connectable(text, ip))
            .transpose()?;
        match address.or_else(|| host_name(name)) {
            Some(name) => Ok(format!("{wildcard}{name}")),
            None => Err(Refusal::new(
                format!("{} is not a host name", quoted(text)),
                host_remedy(text),
            )),
        }
    })
}

fn host_remedy(text: &str) -> &'static str {
    match text {
        _ if text.contains("://") => "write the host alone, without scheme and path",
        _ if text.contains(':') => "write the host alone, without a port",
        _ if text.contains('*') => {
            "a `*` may only stand first, for whole labels: \"*.shop.example\"; leave `hosts` out to match every host"
        }
        _ if !text.is_ascii() => "write it as DNS does, in its `xn--` form",
        _ => "write it as in shop.example or \"*.shop.example\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_written_in_one_way() {
        let read = [
            "10.0.0.11:3000",
            "Pi5.LAN.:8080",
            "[FD00:0::1]:80",
            "my_app:1",
            "localhost:65535",
        ]
        .map(parse_endpoint);
        let expected = [
            "10.0.0.11:3000",
            "pi5.lan:8080",
            "[fd00::1]:80",
            "my_app:1",
            "localhost:65535",
        ];
        assert_eq!(read.map(Result::unwrap), expected);
    }

    #[test]
    fn what_cannot_be_connected_to_is_no_endpoint() {
        let texts = [
            "",
            ":80",
            "shop",
            "shop:",
            "shop:0",
            "shop:+1",
            "shop:65536",
            "http://shop:80",
            "10.0.0.300:80",
        ];
        let more = [
            "0.0.0.0:80",
            "[::]:80",
            "fd00::1:80",
            "a b:80",
            "-a:80",
            "a..b:80",
            "[10.0.0.1]:80",
            "shop:80/x",
        ];
        for text in texts.into_iter().chain(more) {
            assert!(parse_endpoint(text).is_err(), "{text}");
        }
    }
}
