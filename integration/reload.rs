//! The configuration changes under load: nobody notices but those who look at the metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc;
use http::Request;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::WebSocket;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;
use crate::harness::pause;

const GENERATION: &str = "sylvan_config_generation";
const FAILURES: &str = "sylvan_config_reload_failures_total";
const SELECTORS: [&str; 3] = ["round_robin", "random", "least_requests"];
const REWRITES: usize = 200;
/// Every fourth file is broken.
const BROKEN: usize = 4;
const CLIENTS: usize = 12;
/// 12 clients at 50 requests a second each offer 600; less than 500 would be no test.
const GAP: Duration = Duration::from_millis(20);
const LEAST_RATE: f64 = 500.0;

/// What a client went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Experience {
    answered: u64,
    failed: u64,
    closed: u64,
}

impl Experience {
    fn and(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            failed: self.failed + other.failed,
            closed: self.closed + other.closed,
        }
    }

    fn note(&mut self, is_good: bool) {
        *(if is_good { &mut self.answered } else { &mut self.failed }) += 1;
    }
}

/// Clients that go on until they are told to stop.
struct Traffic {
    /// How many requests each client has to send; unknown while they go on.
    due: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Experience>>,
    begun: Instant,
}

impl Traffic {
    /// Steady requests on kept connections, long uploads, and a WebSocket.
    fn start(gateway: &Gateway) -> Self {
        let (due, address) = (Arc::new(AtomicU64::new(u64::MAX)), gateway.address());
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(ask(address, Arc::clone(&due))))
            .collect();
        clients.push(tokio::spawn(upload(address, Arc::clone(&due))));
        clients.push(tokio::spawn(converse(address, Arc::clone(&due))));
        Self {
            due,
            clients,
            begun: Instant::now(),
        }
    }

    /// Stops all; what they went through together, and for how long requests were due.
    async fn stop(self) -> (Experience, Duration) {
        let lasted = self.begun.elapsed();
        self.due.store(lasted.div_duration_f64(GAP) as u64, Ordering::SeqCst);
        let mut all = Experience::default();
        for client in self.clients {
            all = all.and(client.await.expect("a client that does not panic"));
        }
        (all, lasted)
    }
}

fn is_stopped(due: &AtomicU64) -> bool {
    due.load(Ordering::SeqCst) < u64::MAX
}

/// Sends requests at their intended times, every third one with a body. Where the machine was too slow the ones that
/// are due are sent all the same: the rate is a promise, not a wish.
async fn ask(address: SocketAddr, due: Arc<AtomicU64>) -> Experience {
    let mut seen = Experience::default();
    let mut connection = Connection::open(address).await;
    let mut ticks = tokio::time::interval(GAP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut number = 0;
    while number < due.load(Ordering::SeqCst) {
        ticks.tick().await;
        let (request, length) = match number % 3 {
            0 => (Request::post("/mirror"), 2000),
            _ => (Request::get("/bytes/500"), 0),
        };
        let reply = connection.try_send(request, vec![b'x'; length]).await;
        let expected = if length == 0 { 500 } else { length };
        seen.note(reply.is_ok_and(|reply| reply.status == 200 && reply.body.len() == expected));
        if connection.is_closed() {
            seen.closed += 1;
            connection = Connection::open(address).await;
        }
        number += 1;
    }
    seen
}

/// Sends bodies that take longer than a configuration lasts.
async fn upload(address: SocketAddr, due: Arc<AtomicU64>) -> Experience {
    let mut seen = Experience::default();
    let mut connection = Connection::open(address).await;
    while !is_stopped(&due) {
        seen.note(upload_slowly(&mut connection).await == Some(10 * 1000));
        if connection.is_closed() {
            seen.closed += 1;
            connection = Connection::open(address).await;
        }
    }
    seen
}

/// How many bytes of a slow upload came back.
async fn upload_slowly(connection: &mut Connection) -> Option<usize> {
    let (parts, body) = mpsc::unbounded::<Result<Frame<Bytes>, std::convert::Infallible>>();
    let body = StreamBody::new(body).map_err(Into::into);
    let sending = async move {
        for _ in 0..10 {
            let _ = parts.unbounded_send(Ok(Frame::data(Bytes::from(vec![b'y'; 1000]))));
            pause(Duration::from_millis(50)).await;
        }
    };
    let receiving = async {
        let response = connection.begin(Request::post("/mirror"), body).await.ok()?;
        Some(response.into_body().collect().await.ok()?.to_bytes().len())
    };
    futures::join!(sending, receiving).1
}

/// Says something on one WebSocket again and again.
async fn converse(address: SocketAddr, due: Arc<AtomicU64>) -> Experience {
    let mut seen = Experience::default();
    let mut socket = WebSocket::open(address, "/socket").await;
    while !is_stopped(&due) {
        if socket.echo("hello").await.as_deref() != Some("hello") {
            seen.closed += 1;
            break;
        }
        pause(GAP).await;
    }
    socket.close().await;
    seen
}

async fn trio() -> [Origin; 3] {
    [
        Origin::start("a").await,
        Origin::start("b").await,
        Origin::start("c").await,
    ]
}

/// The `number`-th file: another selector each time, now and then one that cannot be meant.
fn file(origins: &[Origin; 3], number: usize) -> Written {
    let selector = if is_broken(number) {
        "round_robbin"
    } else {
        SELECTORS[number % SELECTORS.len()]
    };
    let [a, b, c] = origins;
    // The comment makes every file differ from all before it.
    Written::to(&[a, b, c])
        .selector(selector)
        .pool(&format!("# rewritten {number} times"))
}

fn is_broken(number: usize) -> bool {
    number % BROKEN == BROKEN - 1
}

/// Rewrites the file, and waits until the metrics say what became of it. A file that is written over is empty for a
/// moment, and may be found so on a busy machine: that is one more failure.
async fn rewrite(gateway: &Gateway, origins: &[Origin; 3], number: usize, before: &Metrics) -> Metrics {
    match number % 2 {
        0 => gateway.replace(&file(origins, number)),
        _ => gateway.overwrite(&file(origins, number)),
    }
    let (advanced, failed) = if is_broken(number) { (0.0, 1.0) } else { (1.0, 0.0) };
    let has_effect = |metrics: &Metrics| {
        metrics.value(GENERATION) == before.value(GENERATION) + advanced
            && metrics.value(FAILURES) >= before.value(FAILURES) + failed
    };
    gateway
        .until(&format!("file {number} has its effect"), has_effect)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_rewrites_under_load_cost_no_request_and_no_connection() {
    let origins = trio().await;
    let gateway = Gateway::start(&file(&origins, 0)).await;
    let traffic = Traffic::start(&gateway);
    let mut metrics = gateway.metrics().await;
    for number in 1..=REWRITES {
        let next = rewrite(&gateway, &origins, number, &metrics).await;
        assert_eq!(
            next.set_back_since(&metrics),
            Vec::<&str>::new(),
            "counters after file {number}"
        );
        metrics = next;
    }
    let (seen, lasted) = traffic.stop().await;
    assert_eq!((seen.failed, seen.closed), (0, 0), "{seen:?}");
    let rate = seen.answered as f64 / lasted.as_secs_f64();
    assert!(rate >= LEAST_RATE, "only {rate:.0} requests/s in {lasted:?}");
    check_totals(&gateway, seen).await;
}

/// What the clients counted is what the gateway counted, and every selector took part.
async fn check_totals(gateway: &Gateway, seen: Experience) {
    let total = |metrics: &Metrics| metrics.sum("sylvan_requests_total", &["code_class=\"2xx\""]);
    let metrics = gateway
        .until("the last request is counted", |metrics| {
            total(metrics) == seen.answered as f64
        })
        .await;
    assert!(metrics.value(FAILURES) >= (REWRITES / BROKEN) as f64);
    assert_eq!(metrics.value(GENERATION), (1 + REWRITES - REWRITES / BROKEN) as f64);
    for selector in SELECTORS {
        let label = format!("selector=\"{selector}\"");
        assert!(
            metrics.sum("sylvan_selector_decisions_total", &[&label]) > 100.0,
            "{selector} hardly served"
        );
    }
    gateway
        .until("nothing is in flight", |metrics| {
            metrics.value("sylvan_requests_in_flight") == 0.0
        })
        .await;
}

async fn open() -> (Gateway, [Origin; 3]) {
    let origins = trio().await;
    (Gateway::start(&file(&origins, 0)).await, origins)
}

async fn until_generation(gateway: &Gateway, number: f64) {
    let what = format!("generation {number} is in charge");
    gateway
        .until(&what, |metrics| metrics.value(GENERATION) == number)
        .await;
}

#[tokio::test]
async fn a_file_that_takes_the_name_is_noticed() {
    let (gateway, origins) = open().await;
    gateway.replace(&file(&origins, 1));
    until_generation(&gateway, 2.0).await;
}

#[tokio::test]
async fn a_file_that_is_written_over_is_noticed() {
    let (gateway, origins) = open().await;
    gateway.overwrite(&file(&origins, 1));
    until_generation(&gateway, 2.0).await;
}

#[tokio::test]
async fn a_hangup_reloads_even_what_did_not_change() {
    let (mut gateway, _origins) = open().await;
    gateway.process().signal("HUP");
    until_generation(&gateway, 2.0).await;
}

#[tokio::test]
async fn asking_reloads_and_tells_how_it_went() {
    let (gateway, origins) = open().await;
    let (status, answer) = gateway.reload().await;
    assert_eq!(
        (status, answer.get("generation")),
        (200, Some(&Value::from(2))),
        "{answer}"
    );
    gateway.overwrite(&file(&origins, BROKEN - 1));
    let (status, answer) = gateway.reload().await;
    assert!(status == 422 || status == 400, "{status} {answer}");
    assert!(answer.to_string().contains("did you mean `round_robin`?"), "{answer}");
    assert_eq!(gateway.metrics().await.value(GENERATION), 2.0);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_says_why() {
    let (mut gateway, origins) = open().await;
    gateway.replace(&file(&origins, BROKEN - 1));
    let metrics = gateway
        .until("it is refused", |metrics| metrics.value(FAILURES) == 1.0)
        .await;
    assert_eq!(metrics.value(GENERATION), 1.0);
    assert_eq!(metrics.value("sylvan_config_last_reload_successful"), 0.0);
    assert_eq!(fetch(gateway.address(), "/").await.status, 200);
    let process = gateway.process();
    let says_why = async || process.output().contains("did you mean `round_robin`?").then_some(());
    eventually("the log says why", says_why).await;
    gateway.replace(&file(&origins, 1));
    until_generation(&gateway, 2.0).await;
    assert_eq!(
        gateway.metrics().await.value("sylvan_config_last_reload_successful"),
        1.0
    );
}

#[tokio::test]
async fn a_broken_file_is_tried_once() {
    let (gateway, origins) = open().await;
    gateway.replace(&file(&origins, BROKEN - 1));
    gateway
        .until("it is refused", |metrics| metrics.value(FAILURES) >= 1.0)
        .await;
    // Longer than the time between two looks at the file.
    pause(Duration::from_millis(2500)).await;
    assert_eq!(gateway.metrics().await.value(FAILURES), 1.0);
}

#[tokio::test]
async fn a_file_that_names_what_is_not_there_is_tried_until_it_is() {
    const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/default.forest");
    let (mut gateway, origins) = open().await;
    let model = gateway.process().path("later.forest");
    let selector = format!("{{ type: forest, model: {} }}", model.display());
    gateway.replace(&Written::to(&[&origins[2]]).selector(&selector));
    gateway
        .until("it is refused", |metrics| metrics.value(FAILURES) == 1.0)
        .await;
    std::fs::copy(MODEL, &model).expect("the model that comes with sylvan");
    until_generation(&gateway, 2.0).await;
    assert_eq!(fetch(gateway.address(), "/").await.origin(), "c");
    assert_eq!(
        gateway.metrics().await.value(FAILURES),
        1.0,
        "the same reason counts once"
    );
}

#[tokio::test]
async fn a_file_that_is_gone_changes_nothing() {
    let (mut gateway, origins) = open().await;
    let path = gateway.process().path("gateway.yaml");
    std::fs::remove_file(&path).expect("the file is there");
    gateway
        .until("it is refused", |metrics| metrics.value(FAILURES) >= 1.0)
        .await;
    assert_eq!(fetch(gateway.address(), "/").await.status, 200);
    gateway.replace(&file(&origins, 1));
    until_generation(&gateway, 2.0).await;
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_the_rest_is_applied() {
    let (gateway, origins) = open().await;
    let [a, _, _] = &origins;
    let changed = Written::to(&[a])
        .top("listeners: [{ name: web, bind: 127.0.0.1:0 }, { name: second, bind: 127.0.0.1:0 }]")
        .top("runtime: { threads: 3 }");
    gateway.overwrite(&changed);
    let (status, answer) = gateway.reload().await;
    assert_eq!(status, 200, "{answer}");
    let named = answer.get("needs_restart").map(Value::to_string).unwrap_or_default();
    assert!(named.contains("listeners") && named.contains("runtime"), "{answer}");
    let mut answered = Vec::new();
    for _ in 0..6 {
        answered.push(fetch(gateway.address(), "/").await.origin());
    }
    assert_eq!(answered, ["a"; 6]);
}

#[tokio::test]
async fn what_is_in_flight_stays_counted() {
    let (gateway, origins) = open().await;
    let address = gateway.address();
    let slow = tokio::spawn(async move { fetch(address, "/delay/1500").await });
    let in_flight = |metrics: &Metrics| metrics.sum("sylvan_backend_in_flight", &[]);
    gateway
        .until("one is in flight", |metrics| in_flight(metrics) == 1.0)
        .await;
    gateway.replace(&file(&origins, 1));
    until_generation(&gateway, 2.0).await;
    assert_eq!(in_flight(&gateway.metrics().await), 1.0);
    assert_eq!(slow.await.expect("an answer").text(), "late");
    gateway
        .until("none is in flight", |metrics| in_flight(metrics) == 0.0)
        .await;
}

#[tokio::test]
async fn a_reload_moves_traffic_to_other_backends() {
    let (gateway, origins) = open().await;
    let mut connection = gateway.connect().await;
    connection.get("/").await;
    gateway.replace(&Written::to(&[&origins[2]]));
    until_generation(&gateway, 2.0).await;
    assert_eq!(connection.get("/").await.origin(), "c");
    assert!(!connection.is_closed());
}
