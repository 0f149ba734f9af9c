//! Pingora with nothing around it, to compare the gateway with: round robin by a counter over fixed addresses, no
//! filters, no metrics, no timeouts. `benches/overhead.sh` runs both.
//!
//! `LISTEN` is where it listens, `BACKENDS` a comma-separated list, `THREADS` its worker threads.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use pingora::Error;
use pingora::ErrorType::InternalError;
use pingora::Result;
use pingora::server::Server;
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use pingora_proxy::ProxyHttp;
use pingora_proxy::Session;

struct Bare {
    backends: Vec<SocketAddr>,
    next: AtomicUsize,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, _modules: &mut pingora::modules::http::HttpModules) {}

    async fn upstream_peer(&self, _session: &mut Session, _context: &mut ()) -> Result<Box<HttpPeer>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.backends.len().max(1);
        let address = self
            .backends
            .get(turn)
            .ok_or_else(|| Error::explain(InternalError, "no backend"))?;
        Ok(Box::new(HttpPeer::new(*address, false, String::new())))
    }
}

fn main() {
    let variable = |name: &str| std::env::vars().find(|(key, _)| key == name).map(|(_, value)| value);
    let backends = variable("BACKENDS")
        .unwrap_or_default()
        .split(',')
        .filter_map(|it| it.parse().ok())
        .collect();
    let threads = variable("THREADS")
        .and_then(|threads| threads.parse().ok())
        .unwrap_or(1);
    let conf = ServerConf {
        threads,
        upstream_keepalive_pool_size: 1024,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    let bare = Bare {
        backends,
        next: AtomicUsize::new(0),
    };
    let mut service = pingora_proxy::http_proxy_service(&server.configuration, bare);
    service.add_tcp(&variable("LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned()));
    server.add_service(service);
    server.run_forever()
}
