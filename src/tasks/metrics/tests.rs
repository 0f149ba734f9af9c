//! The loop over real generations and real sockets.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use super::*;
use crate::config::SelectorType;
use crate::config::Source;
use crate::generation::Materials;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::Pool;
use crate::selection::Registry;

pub(super) const BUSY: &str = r#"{"cpu_percent":99,"ram_percent":20,"bytes_sent":300,"bytes_recv":40}"#;

/// An endpoint that gives these answers one after the other, and the last one again and again.
pub(super) async fn answering(answers: &[&str]) -> SocketAddr {
    let mut answers = answers.iter().map(ToString::to_string).rev().collect::<Vec<_>>();
    let next = move || {
        if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        }
    };
    let next = Arc::new(parking_lot::Mutex::new(next));
    let answer = move || async move {
        let text = next.lock()().unwrap_or_default();
        if text.is_empty() {
            (StatusCode::SERVICE_UNAVAILABLE, "not yet".to_owned())
        } else {
            (StatusCode::OK, text)
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/metrics", get(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

pub(super) fn metrics(pool: &Pool, position: usize) -> Option<BackendMetrics> {
    pool.backend(BackendIndex::new(position))?.metrics()
}

/// The generation after `previous` with one pool for each of these `metrics_source`s; the metrics are at `address`.
fn generation(sources: &[&str], address: SocketAddr, previous: Option<&Generation>) -> Generation {
    let mut text = "version: 1\nlisteners: [{ name: web, bind: \"127.0.0.1:8080\" }]\nroutes:\n".to_owned();
    for position in 0..sources.len() {
        let path = format!("path_prefix: /{position}");
        text += &format!("  - {{ name: r{position}, match: {{ {path} }}, pool: p{position} }}\n");
    }
    text += "pools:\n";
    for (position, source) in sources.iter().enumerate() {
        let backend = format!("{{ address: \"127.0.0.1:1\", metrics: \"{address}\" }}");
        let source = format!("metrics_source: {{ path: /metrics, {source} }}");
        text += &format!("  p{position}: {{ backends: [{backend}], selector: round_robin, {source} }}\n");
    }
    let registry = Registry::default();
    let selectors: Vec<SelectorType<'_>> = registry.types().collect();
    let source = Source {
        name: "test.yaml",
        text: &text,
    };
    let config = config::parse(source, &|_| None, &selectors).unwrap().config;
    let mut materials = Materials::default();
    for known in ["127.0.0.1:1".parse().unwrap(), address] {
        materials.addresses.insert(known.to_string(), known);
    }
    Generation::build(Arc::new(config), &materials, &registry, previous).unwrap()
}

/// Waits for the `count`-th poll of a backend of `pool` from now on.
async fn await_polls(current: &Current, pool: &str, count: usize) {
    let mut seen = Vec::new();
    while seen.len() <= count {
        let at = current
            .take()
            .pool(pool)
            .and_then(|served| metrics(&served.pool, 0).map(|it| it.at));
        if seen.last() != Some(&at) {
            seen.push(at);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_loop_follows_the_generation_in_charge_until_it_is_stopped() {
    let address = answering(&[BUSY]).await;
    let first = generation(&["type: agent, interval: 100ms"], address, None);
    let current = Arc::new(Current::new(first));
    let telemetry = Arc::<Telemetry>::default();
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let polling = run(Arc::clone(&current), Arc::clone(&telemetry), shutdown);
    let reloading = async {
        await_polls(&current, "p0", 3).await;
        // A pool that comes is polled, beside one whose source fails and one that nobody polls.
        let sources = [
            "type: prometheus, interval: 100ms",
            "type: agent, interval: 1h",
            "type: agent, interval: 100ms",
        ];
        current.put(generation(&sources, address, Some(&current.take())));
        await_polls(&current, "p2", 3).await;
        assert!(
            telemetry.poll_failures.count() > 0,
            "the agent's JSON was taken for Prometheus text"
        );
        stop.send(true).unwrap();
    };
    let both = async { tokio::join!(polling, reloading) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("the loop polls, and ends");
}

/// When rounds begin, in milliseconds, given when the loop looks and that each round ends before the next look.
#[track_caller]
fn check_begins(interval_ms: u64, looks_ms: &[u64], expected_ms: &[u64]) {
    let at = |ms: &u64| Timestamp::from_seconds(1e6).plus(Duration::from_millis(*ms));
    let mut polled = Polled::default();
    let mut began = Vec::new();
    for ms in looks_ms {
        if let Some(memory) = polled.begin(Duration::from_millis(interval_ms), at(ms)) {
            polled.memory = Some(memory);
            began.push(*ms);
        }
    }
    assert_eq!(began, expected_ms);
}

#[test]
fn rounds_keep_their_rhythm_after_a_late_one() {
    check_begins(
        1000,
        &[0, 500, 999, 1000, 1999, 2300, 2999, 3000],
        &[0, 1000, 2300, 3000],
    );
}

#[test]
fn missed_rounds_are_not_made_up_for() {
    check_begins(100, &[0, 1050, 1051, 1100, 1150], &[0, 1050, 1150]);
}

#[test]
fn a_round_that_still_runs_is_not_overlapped() {
    let mut polled = Polled::default();
    let second = Duration::from_secs(1);
    let memory = polled.begin(second, Timestamp::from_seconds(1.0));
    assert!(memory.is_some() && polled.begin(second, Timestamp::from_seconds(5.0)).is_none());
    polled.memory = memory;
    assert!(polled.begin(second, Timestamp::from_seconds(5.1)).is_some());
}
