//! Which backends are used: by their probes, by their results, and when nothing is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use http::Request;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;

const PROBES: &str = "health_check: { type: http, path: /healthz, interval: 100ms, timeout: 100ms, \
                      healthy_threshold: 2, unhealthy_threshold: 3 }";

fn backend(origin: &Origin) -> String {
    format!("backend=\"{}\"", origin.address())
}

async fn until_health(gateway: &Gateway, origin: &Origin, healthy: f64) {
    let is_so = |metrics: &Metrics| metrics.sum("sylvan_backend_healthy", &[&backend(origin)]) == healthy;
    gateway
        .until(&format!("health of {} is {healthy}", origin.address()), is_so)
        .await;
}

/// How many of `count` requests each origin answers, as in `a: 10, b: 0`; other answers by their status.
async fn shares(gateway: &Gateway, count: usize) -> BTreeMap<String, usize> {
    let mut connection = gateway.connect().await;
    let mut shares = BTreeMap::new();
    for _ in 0..count {
        if connection.is_closed() {
            connection = gateway.connect().await;
        }
        let reply = connection.get("/").await;
        let key = if reply.origin().is_empty() {
            reply.status.to_string()
        } else {
            reply.origin()
        };
        *shares.entry(key).or_insert(0) += 1;
    }
    shares
}

fn show(shares: &BTreeMap<String, usize>) -> String {
    shares
        .iter()
        .map(|(name, count)| format!("{name}: {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

async fn pair() -> [Origin; 2] {
    [Origin::start("a").await, Origin::start("b").await]
}

#[tokio::test]
async fn round_robin_takes_turns() {
    let [a, b] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&a, &b])).await;
    assert_eq!(show(&shares(&gateway, 20).await), "a: 10, b: 10");
}

#[tokio::test]
async fn a_backend_that_fails_its_probes_is_left_alone_until_it_passes_them() {
    let [a, b] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&a, &b]).pool(PROBES).pool("slow_start: 0s")).await;
    b.set_health(503);
    until_health(&gateway, &b, 0.0).await;
    assert_eq!(show(&shares(&gateway, 10).await), "a: 10");
    b.set_health(204);
    until_health(&gateway, &b, 1.0).await;
    assert_eq!(show(&shares(&gateway, 20).await), "a: 10, b: 10");
}

#[tokio::test]
async fn a_backend_that_stops_listening_fails_its_tcp_probes() {
    let [a, mut b] = pair().await;
    let probes = "health_check: { type: tcp, interval: 100ms }";
    let gateway = Gateway::start(&Written::to(&[&a, &b]).pool(probes)).await;
    until_health(&gateway, &b, 1.0).await;
    b.kill().await;
    until_health(&gateway, &b, 0.0).await;
    b.revive().await;
    until_health(&gateway, &b, 1.0).await;
}

#[tokio::test]
async fn a_gateway_is_ready_after_its_first_probes() {
    let [a, b] = pair().await;
    b.set_health(500);
    let gateway = Gateway::start(&Written::to(&[&a, &b]).pool(PROBES)).await;
    assert_eq!(show(&shares(&gateway, 10).await), "a: 10");
}

#[tokio::test]
async fn with_too_few_healthy_backends_all_are_used() {
    let origins = [
        Origin::start("a").await,
        Origin::start("b").await,
        Origin::start("c").await,
    ];
    let [a, b, c] = &origins;
    let gateway = Gateway::start(&Written::to(&[a, b, c]).pool(PROBES).pool("panic_threshold: 50%")).await;
    b.set_health(500);
    until_health(&gateway, b, 0.0).await;
    assert_eq!(show(&shares(&gateway, 10).await), "a: 5, c: 5");
    c.set_health(500);
    until_health(&gateway, c, 0.0).await;
    assert_eq!(show(&shares(&gateway, 12).await), "a: 4, b: 4, c: 4");
}

#[tokio::test]
async fn with_no_healthy_backend_and_no_panic_the_answer_is_unavailable() {
    let [a, b] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&a, &b]).pool(PROBES).pool("panic_threshold: 0%")).await;
    a.set_health(500);
    b.set_health(500);
    until_health(&gateway, &a, 0.0).await;
    until_health(&gateway, &b, 0.0).await;
    assert_eq!(show(&shares(&gateway, 5).await), "503: 5");
    a.set_health(200);
    until_health(&gateway, &a, 1.0).await;
    assert_eq!(show(&shares(&gateway, 5).await), "a: 5");
}

#[tokio::test]
async fn a_backend_that_only_answers_with_errors_is_ejected() {
    let [a, b] = pair().await;
    let config = Written::to(&[&a, &b]).pool("outlier_detection: { base_ejection_time: 60s, max_ejection_time: 60s }");
    let gateway = Gateway::start(&config).await;
    b.hang_up();
    let ejected = |metrics: &Metrics| metrics.sum("sylvan_backend_ejected", &[&backend(&b)]) == 1.0;
    eventually("b is ejected", async || {
        let _ = fetch(gateway.address(), "/").await;
        ejected(&gateway.metrics().await).then_some(())
    })
    .await;
    assert_eq!(show(&shares(&gateway, 10).await), "a: 10");
    assert_eq!(
        gateway.metrics().await.sum("sylvan_backend_ejected", &[&backend(&a)]),
        0.0
    );
}

#[tokio::test]
async fn never_more_than_the_configured_share_is_ejected() {
    let [a, b] = pair().await;
    let config = Written::to(&[&a, &b])
        .pool("outlier_detection: { max_ejection: 50%, base_ejection_time: 60s, max_ejection_time: 60s }");
    let gateway = Gateway::start(&config).await;
    a.hang_up();
    b.hang_up();
    for _ in 0..40 {
        let _ = fetch(gateway.address(), "/").await;
    }
    assert_eq!(gateway.metrics().await.sum("sylvan_backend_ejected", &[]), 1.0);
}

/// Clients that send one request after another until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<Vec<u16>>>,
}

impl Load {
    fn start(gateway: &Gateway, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..clients)
            .map(|_| tokio::spawn(hammer(gateway.address(), Arc::clone(&stop))))
            .collect();
        Self { stop, clients }
    }

    /// Stops, and yields the status of every request: 0 where there was none.
    async fn stop(self) -> Vec<u16> {
        self.stop.store(true, Ordering::SeqCst);
        let statuses = futures::future::join_all(self.clients).await;
        statuses
            .into_iter()
            .flat_map(|statuses| statuses.unwrap_or_default())
            .collect()
    }
}

async fn hammer(address: std::net::SocketAddr, stop: Arc<AtomicBool>) -> Vec<u16> {
    let mut statuses = Vec::new();
    let mut connection = Connection::open(address).await;
    while !stop.load(Ordering::SeqCst) {
        let reply = connection.try_send(Request::get("/delay/5"), "").await;
        statuses.push(reply.map_or(0, |reply| reply.status));
        if statuses.last() != Some(&200) {
            connection = Connection::open(address).await;
        }
    }
    statuses
}

#[tokio::test]
async fn a_backend_that_dies_under_load_costs_at_most_what_was_in_flight() {
    const CLIENTS: usize = 8;
    let [a, mut b] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&a, &b]).pool("slow_start: 30s")).await;
    let load = Load::start(&gateway, CLIENTS);
    eventually("b serves", async || (b.requests() > 50).then_some(())).await;
    b.kill().await;
    let is_ejected = |metrics: &Metrics| metrics.sum("sylvan_backend_ejected", &[&backend(&b)]) == 1.0;
    let metrics = gateway.until("b is ejected", is_ejected).await;
    let refused = metrics.sum("sylvan_backend_requests_total", &["outcome=\"connect_failure\""]);
    // Three in a row eject, and whatever was on its way then may still fail.
    assert!(
        refused <= 3.0 + CLIENTS as f64,
        "{refused} attempts were refused before it was ejected"
    );
    let (of_a, of_b) = (a.requests(), b.requests());
    b.revive().await;
    eventually("b is back", async || (b.requests() >= of_b + 10).then_some(())).await;
    let (of_a, of_b) = (a.requests() - of_a, b.requests() - of_b);
    assert!(of_b * 4 <= of_a, "a burst: b took {of_b} while a took {of_a}");
    let failed = load.stop().await.into_iter().filter(|status| *status != 200).count();
    assert!(failed <= CLIENTS, "{failed} requests failed");
}
