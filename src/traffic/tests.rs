//! The client against origins on real sockets: what it sends, measures and counts.

use super::*;
use std::future::pending;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::traffic::json::SummaryRow;

/// Nothing listens on port 1.
const DEAD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// 200 requests at 400 per second, one path.
fn plan(address: SocketAddr) -> Plan {
    Plan {
        target: Target::new(address),
        load: Load::Open {
            rate: Rate::per_second(400.0).unwrap(),
            arrivals: Arrivals::Constant,
        },
        duration: Duration::from_millis(500),
        seed: 1,
        mix: Mix::paths(["/"]).unwrap(),
        max_connections: 256,
        timeout: Duration::from_secs(5),
    }
}

fn closed(address: SocketAddr, connections: usize) -> Plan {
    Plan {
        load: Load::Closed { connections },
        ..plan(address)
    }
}

async fn origin(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An origin that reads something of every connection and then does `act` with it.
async fn raw_origin<Done: Future<Output = ()> + Send + 'static>(act: fn(TcpStream) -> Done) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if stream.read(&mut [0; 1024]).await.is_ok() {
                    act(stream).await;
                }
            });
        }
    });
    address
}

async fn origin_saying(status: StatusCode) -> SocketAddr {
    origin(Router::new().route("/", get(move || async move { (status, "hello") }))).await
}

/// Every request from the 40th on waits until 300 ms after the 40th.
async fn origin_stalling_once() -> SocketAddr {
    let (seen, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(tokio::sync::Mutex::new(())));
    let answer = move || async move {
        let number = seen.fetch_add(1, Ordering::Relaxed);
        let _pass = gate.lock().await;
        if number == 40 {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    origin(Router::new().route("/", get(answer))).await
}

async fn summary(plan: &Plan) -> Summary {
    run(plan, pending(), |_| {}).await
}

/// Only the kinds that occurred: `reset 200`.
fn errors(summary: &Summary) -> String {
    let kinds = Failure::ALL.map(|kind| (kind.name(), summary.failures.count(kind)));
    let shown = kinds
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"));
    shown.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(summary: &Summary, expected: &str) {
    let (requests, successes) = (summary.requests, summary.successes);
    assert_eq!(
        format!("{requests} sent, {successes} good, failed: {}", errors(summary)),
        expected
    );
}

#[tokio::test]
async fn an_open_loop_sends_its_schedule_and_counts_the_bytes() {
    let summary = summary(&plan(origin_saying(StatusCode::OK).await)).await;
    check(&summary, "200 sent, 200 good, failed: ");
    assert_eq!(summary.bytes_received, 200 * 5);
    assert!(
        (200.0..=400.0).contains(&summary.goodput_rps()),
        "{}",
        summary.goodput_rps()
    );
}

#[tokio::test]
async fn error_statuses_are_failures_by_class() {
    check(
        &summary(&plan(origin_saying(StatusCode::NOT_FOUND).await)).await,
        "200 sent, 0 good, failed: status_4xx 200",
    );
    let failing = origin_saying(StatusCode::INTERNAL_SERVER_ERROR).await;
    check(
        &summary(&plan(failing)).await,
        "200 sent, 0 good, failed: status_5xx 200",
    );
}

#[tokio::test]
async fn a_closed_port_is_a_failure_to_connect() {
    check(&summary(&plan(DEAD)).await, "200 sent, 0 good, failed: connect 200");
}

#[tokio::test]
async fn a_connection_that_ends_before_its_answer_is_a_reset() {
    let closing = raw_origin(|stream| async move { drop(stream) }).await;
    check(&summary(&plan(closing)).await, "200 sent, 0 good, failed: reset 200");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_another_failure() {
    let babbling = raw_origin(|mut stream| async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-hello\r\n\r\n").await;
    });
    check(
        &summary(&plan(babbling.await)).await,
        "200 sent, 0 good, failed: other 200",
    );
}

#[tokio::test]
async fn a_silent_origin_times_out_and_counts_with_the_time_waited() {
    let silent = raw_origin(|stream| async move {
        pending::<()>().await;
        drop(stream);
    });
    let summary = summary(&Plan {
        timeout: Duration::from_millis(100),
        ..plan(silent.await)
    })
    .await;
    check(&summary, "200 sent, 0 good, failed: timeout 200");
    assert!(
        summary.latencies.quantile_ms(0.5) >= 100.0,
        "{:?}",
        summary.latencies.quantile_ms(0.5)
    );
}

#[tokio::test]
async fn a_stall_shows_in_the_open_loop_and_hides_in_the_closed_one() {
    let open = summary(&plan(origin_stalling_once().await)).await;
    assert!(
        open.latencies.quantile_ms(0.9) > 200.0,
        "p90 {}",
        open.latencies.quantile_ms(0.9)
    );
    let closed = summary(&closed(origin_stalling_once().await, 1)).await;
    assert!(
        closed.latencies.quantile_ms(0.9) < 100.0,
        "p90 {}",
        closed.latencies.quantile_ms(0.9)
    );
    assert!(closed.latencies.max_ms() > 200.0, "max {}", closed.latencies.max_ms());
}

#[tokio::test]
async fn waiting_for_a_connection_counts_into_the_latency() {
    let slow = || async { tokio::time::sleep(Duration::from_millis(10)).await };
    let address = origin(Router::new().route("/", get(slow))).await;
    // Two connections carry at most 200 of the 400 requests per second.
    let summary = summary(&Plan {
        max_connections: 2,
        ..plan(address)
    })
    .await;
    check(&summary, "200 sent, 200 good, failed: ");
    assert!(summary.latencies.max_ms() > 300.0, "max {}", summary.latencies.max_ms());
}

#[tokio::test]
async fn a_connection_closed_after_each_answer_is_opened_again() {
    let closing = || async { ([("connection", "close")], "hello") };
    let address = origin(Router::new().route("/", get(closing))).await;
    check(&summary(&plan(address)).await, "200 sent, 200 good, failed: ");
}

#[tokio::test]
async fn a_closed_loop_keeps_its_connections_busy() {
    let hosts = Arc::new(Mutex::new(0_u64));
    let count = Arc::clone(&hosts);
    let busy = move || async move { *count.lock().unwrap() += 1 };
    let summary = summary(&closed(origin(Router::new().route("/", get(busy))).await, 4)).await;
    let answered = *hosts.lock().unwrap();
    // The last answer of each connection may come after the end and is not counted then.
    assert!(
        (answered - 4..=answered).contains(&summary.successes),
        "{} of {answered}",
        summary.successes
    );
    assert_eq!(summary.elapsed, Duration::from_millis(500));
    assert!(summary.goodput_rps() > 400.0, "{}", summary.goodput_rps());
}

#[tokio::test]
async fn a_dead_target_is_not_asked_in_a_spin() {
    let summary = summary(&closed(DEAD, 2)).await;
    assert!((2..=22).contains(&summary.requests), "{}", errors(&summary));
}

#[tokio::test]
async fn a_stopped_run_reports_what_it_has() {
    let address = origin_saying(StatusCode::OK).await;
    let long = Plan {
        duration: Duration::from_secs(3600),
        ..plan(address)
    };
    let summary = run(&long, tokio::time::sleep(Duration::from_millis(250)), |_| {}).await;
    assert!((20..=200).contains(&summary.requests), "{}", summary.requests);
    assert!(summary.elapsed < Duration::from_secs(2), "{:?}", summary.elapsed);
}

#[tokio::test]
async fn the_rest_after_the_last_second_is_a_pulse_too() {
    let mut pulses = Vec::new();
    let plan = plan(origin_saying(StatusCode::OK).await);
    run(&plan, pending(), |pulse| pulses.push(*pulse)).await;
    let rates: Vec<f64> = pulses.iter().map(|pulse| pulse.rate_rps).collect();
    assert!(
        rates.len() == 1 && (200.0..=400.0).contains(&rates[0]),
        "a run of half a second: {rates:?}"
    );
}

#[tokio::test]
async fn progress_shows_rate_and_errors_each_second() {
    let address = origin_saying(StatusCode::NOT_FOUND).await;
    let mut pulses = Vec::new();
    let longer = Plan {
        duration: Duration::from_millis(1200),
        ..plan(address)
    };
    run(&longer, pending(), |pulse| pulses.push(*pulse)).await;
    let [pulse, ..] = pulses.as_slice() else {
        panic!("no pulse")
    };
    assert!(
        (200.0..=450.0).contains(&pulse.rate_rps) && pulse.errors > 200,
        "{pulse:?}"
    );
}

#[tokio::test]
async fn the_backend_that_answers_is_counted_where_it_is_named() {
    let named = || async { ([("x-sylvan-backend", "10.0.0.1:80")], "hello") };
    let summary = summary(&plan(origin(Router::new().route("/", get(named))).await)).await;
    assert_eq!(format!("{:?}", summary.by_backend), r#"{"10.0.0.1:80": 200}"#);
}

#[tokio::test]
async fn an_unreachable_url_is_refused_before_anything_is_sent() {
    let url: Url = "http://127.0.0.1:1/".parse().unwrap();
    let error = Target::resolve(&url).await.unwrap_err().to_string();
    assert!(
        error.starts_with("cannot connect to http://127.0.0.1:1/: Connection refused"),
        "{error}"
    );
    assert!(error.ends_with("check that it is running and listens there"), "{error}");
}

#[tokio::test]
async fn a_name_is_resolved_to_the_address_that_answers() {
    let address = origin_saying(StatusCode::OK).await;
    let url: Url = format!("http://localhost:{}/", address.port()).parse().unwrap();
    let target = Target::resolve(&url).await.unwrap();
    assert_eq!(
        (target.address, target.host.to_str().unwrap().to_owned()),
        (address, format!("localhost:{}", address.port()))
    );
}

#[test]
fn json_keys_stay_and_a_run_without_latencies_says_null() {
    let row = serde_json::to_string(&SummaryRow::new("http://x/", &plan(DEAD), &Summary::default())).unwrap();
    let expected = r#"{"url":"http://x/","seed":1,"load":"open","rate":400.0,"connections":null,"duration_s":0.0,"requests":0,"achieved_rps":0.0,"goodput_rps":0.0,"errors":{"connect":0,"other":0,"reset":0,"status_4xx":0,"status_5xx":0,"timeout":0},"latency":null,"bytes_received":0,"by_backend":{}}"#;
    assert_eq!(row, expected);
}
