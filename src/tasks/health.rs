//! Probes backends, each at its own time.
//!
//! The probes are pingora-load-balancing's; when they are sent and what their results mean is ours.

mod standings;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora::ErrorType;
use pingora::http::ResponseHeader;
use pingora_load_balancing::Backend as Target;
use pingora_load_balancing::health_check::HealthCheck as Check;
use pingora_load_balancing::health_check::HttpHealthCheck;
use pingora_load_balancing::health_check::TcpHealthCheck;

use crate::clock;
use crate::config::HealthCheck;
use crate::config::Probe;
use crate::generation::Current;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::pool::BackendIndex;
use crate::pool::HealthState;
use crate::pool::Pool;
use crate::pool::ProbeResult;
use crate::shutdown::Shutdown;
use crate::shutdown::stopped;
use crate::tasks::health::standings::Standings;
use crate::units::Draws;
use crate::units::Timestamp;

/// How closely probes keep to their time.
const TICK: Duration = Duration::from_millis(50);
/// Probes are early or late by up to this share of their interval, so that gateways do not probe in step.
const JITTER: f64 = 0.1;

/// The loop: sends every probe that is due, and says who has come into or gone out of service.
pub async fn run(current: Arc<Current>, mut shutdown: Shutdown) {
    let mut prober = Prober {
        checks: BTreeMap::new(),
        due: BTreeMap::new(),
        draws: Draws::new(clock::entropy()),
    };
    let mut standings = Standings::default();
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => return,
            _ = ticks.tick() => {
                let generation = current.take();
                prober.send_due(&generation, clock::now());
                standings.log_changes(&generation, clock::now());
            }
        }
    }
}

/// A pool's probe, made once for its configuration: making one reads the system's certificates.
type Made = (HealthCheck, Arc<dyn Check + Send + Sync>);

struct Prober {
    checks: BTreeMap<String, Made>,
    due: BTreeMap<(String, String), Timestamp>,
    draws: Draws,
}

impl Prober {
    fn send_due(&mut self, generation: &Generation, now: Timestamp) {
        let mut due = BTreeMap::new();
        for (served, pool) in generation.pools.iter().zip(&generation.config.pools) {
            let Some(config) = &pool.health_check else { continue };
            for (position, member) in served.pool.members().iter().enumerate() {
                let key = (pool.name.clone(), member.backend.address().to_owned());
                let at = self.due.get(&key).copied().unwrap_or(now);
                if now >= at {
                    self.send(served, config, BackendIndex::new(position));
                    due.insert(key, now.plus(self.jittered(config.interval)));
                } else {
                    due.insert(key, at);
                }
            }
        }
        self.due = due;
    }

    fn send(&mut self, served: &ServedPool, config: &HealthCheck, index: BackendIndex) {
        let Some(address) = served.address(index) else { return };
        let check = self.check(served.pool.name(), config);
        let (pool, timeout) = (Arc::clone(&served.pool), config.timeout);
        tokio::spawn(async move {
            let result = probe(&*check, address, timeout).await;
            note(&pool, index, result);
        });
    }

    fn check(&mut self, pool: &str, config: &HealthCheck) -> Arc<dyn Check + Send + Sync> {
        match self.checks.get(pool) {
            Some((made_for, check)) if made_for == config => Arc::clone(check),
            _ => {
                let check = make(pool, config);
                self.checks
                    .insert(pool.to_owned(), (config.clone(), Arc::clone(&check)));
                check
            }
        }
    }

    fn jittered(&mut self, interval: Duration) -> Duration {
        interval.mul_f64(1.0 + JITTER * (2.0 * self.draws.fraction() - 1.0))
    }
}

async fn probe(check: &(dyn Check + Send + Sync), address: SocketAddr, timeout: Duration) -> ProbeResult {
    let target = Target {
        addr: pingora::protocols::l4::socket::SocketAddr::Inet(address),
        weight: 1,
        ext: http::Extensions::new(),
    };
    match tokio::time::timeout(timeout, check.check(&target)).await {
        Ok(Ok(())) => ProbeResult::Success,
        Ok(Err(_)) | Err(_) => ProbeResult::Failure,
    }
}

fn note(pool: &Pool, index: BackendIndex, result: ProbeResult) {
    let Some(change) = pool.observe(index, result, clock::now()) else {
        return;
    };
    let backend = pool.backend(index).map_or("", |backend| backend.address());
    match change.to {
        HealthState::Down => log::warn!(pool = pool.name(), backend; "backend is down: it fails its health checks"),
        _ => log::info!(pool = pool.name(), backend; "backend is up"),
    }
}

fn make(pool: &str, config: &HealthCheck) -> Arc<dyn Check + Send + Sync> {
    match &config.probe {
        Probe::Tcp => Arc::new(TcpHealthCheck::default()),
        Probe::Http { path, host, statuses } => {
            let mut check = HttpHealthCheck::new(host.as_deref().unwrap_or(pool), false);
            check.peer_template.options.connection_timeout = Some(config.timeout);
            check.peer_template.options.read_timeout = Some(config.timeout);
            if let Ok(uri) = path.parse() {
                check.req.set_uri(uri);
            }
            let statuses = statuses.clone();
            check.validator = Some(Box::new(move |response| expect_status(response, &statuses)));
            Arc::new(check)
        }
    }
}

fn expect_status(response: &ResponseHeader, statuses: &[(u16, u16)]) -> pingora::Result<()> {
    let status = response.status.as_u16();
    if statuses.iter().any(|(low, high)| (*low..=*high).contains(&status)) {
        return Ok(());
    }
    Err(pingora::Error::new(ErrorType::HTTPStatus(status)))
}
