//! The agent over real sockets, measuring this very process.

use std::net::SocketAddr;
use std::process;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::interval;

use super::*;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Serves `source` on a free port for the rest of the test.
fn start(source: Box<dyn Source>, every: Duration) -> SocketAddr {
    let listener = bind(LOOPBACK).unwrap();
    let address = listener.local_addr().unwrap();
    let sampler = Arc::new(Sampler::default());
    let routes = router(Arc::clone(&sampler));
    tokio::spawn(async move { sampler.keep_sampling(source, every).await });
    tokio::spawn(serve(listener, routes, std::future::pending()));
    address
}

async fn fetch(address: SocketAddr, path: &str) -> (StatusCode, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The answer to `path` once it is `expected`, within a bounded number of tries.
async fn eventually(
    address: SocketAddr,
    path: &str,
    expected: impl Fn(&(StatusCode, String)) -> bool,
) -> (StatusCode, String) {
    let mut tries = interval(Duration::from_millis(10));
    for _ in 0..500 {
        tries.tick().await;
        let answer = fetch(address, path).await;
        if expected(&answer) {
            return answer;
        }
    }
    panic!("{path} never answered as expected");
}

async fn sampled(address: SocketAddr, path: &str) -> String {
    eventually(address, path, |(status, _)| *status == StatusCode::OK)
        .await
        .1
}

#[derive(Debug)]
struct Steps(u64);

impl Source for Steps {
    fn read(&mut self) -> io::Result<Reading> {
        self.0 += 1;
        Ok(Reading {
            cpu_seconds: 0.0,
            cpu_limit_cores: 0.5,
            memory_bytes: 1,
            memory_limit_bytes: 4,
            sent_bytes: self.0 * 100,
            received_bytes: self.0,
        })
    }
}

#[derive(Debug)]
struct Broken;

impl Source for Broken {
    fn read(&mut self) -> io::Result<Reading> {
        Err(gone_error())
    }
}

fn gone_error() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "process 7 is gone")
}

#[tokio::test]
async fn json_has_the_four_figures_the_totals_and_the_window() {
    let address = start(Box::new(Steps(0)), Duration::from_millis(5));
    let body: serde_json::Value = serde_json::from_str(&sampled(address, "/metrics.json").await).unwrap();
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    let mut expected = [
        "cpu_percent",
        "ram_percent",
        "bytes_sent",
        "bytes_recv",
        "bytes_sent_total",
        "bytes_recv_total",
        "window_seconds",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(body["ram_percent"], 25.0);
    let grown = body["bytes_sent"].as_f64().unwrap() * body["window_seconds"].as_f64().unwrap();
    assert!((grown - 100.0).abs() < 1e-6, "{body}");
}

#[tokio::test]
async fn prometheus_text_carries_counters_and_gauges() {
    let address = start(Box::new(Steps(0)), Duration::from_millis(5));
    let text = sampled(address, "/metrics").await;
    for line in [
        "# TYPE sylvan_agent_cpu_seconds counter",
        "sylvan_agent_cpu_seconds_total 0.0",
        "sylvan_agent_cpu_limit_cores 0.5",
        "sylvan_agent_cpu_percent 0.0",
        "sylvan_agent_memory_bytes 1.0",
        "sylvan_agent_memory_limit_bytes 4.0",
        "sylvan_agent_ram_percent 25.0",
        "# TYPE sylvan_agent_network_transmit_bytes counter",
        "# TYPE sylvan_agent_network_receive_bytes counter",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("\nsylvan_agent_network_transmit_bytes_total "), "{text}");
}

#[tokio::test]
async fn a_source_that_fails_turns_every_answer_red_with_the_reason() {
    let address = start(Box::new(Broken), Duration::from_millis(5));
    for path in ["/metrics.json", "/metrics", "/healthz"] {
        let mut tries = interval(Duration::from_millis(5));
        let mut answer = fetch(address, path).await;
        while answer.1.contains("yet") {
            tries.tick().await;
            answer = fetch(address, path).await;
        }
        assert_eq!(
            answer,
            (StatusCode::SERVICE_UNAVAILABLE, "process 7 is gone\n".to_owned())
        );
    }
}

#[tokio::test]
async fn a_busy_port_is_an_error_with_a_remedy() {
    let taken = bind(LOOPBACK).unwrap();
    let error = bind(taken.local_addr().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("the port is taken"), "{error}");
}

#[test]
fn a_process_that_never_was_is_not_measured() {
    // Above the largest process id that Linux gives out (4,194,304).
    let error = Scope::Process { pid: 4_194_305 }.open(None).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;

    #[test]
    fn cpu_time_burnt_by_this_process_shows_in_its_reading() {
        let pid = process::id();
        let mut source = Scope::Process { pid }.open(Some(0.5)).unwrap();
        let before = source.read().unwrap();
        let after = burn_until(
            || source.read().unwrap(),
            |reading| reading.cpu_seconds >= before.cpu_seconds + 0.05,
        );
        let used = after.cpu_seconds - before.cpu_seconds;
        let window = Duration::from_secs_f64(2.0 * used);
        assert_eq!(Sample::between(&before, &after, window).cpu_percent.round(), 100.0);
        assert!(
            after.memory_bytes > 1 << 20 && after.memory_bytes < after.memory_limit_bytes,
            "{after:?}"
        );
    }

    #[test]
    fn the_host_is_busy_while_this_process_is() {
        let mut source = Scope::Host.open(None).unwrap();
        let before = source.read().unwrap();
        let after = burn_until(
            || source.read().unwrap(),
            |reading| reading.cpu_seconds > before.cpu_seconds,
        );
        assert!(
            after.cpu_limit_cores >= 1.0 && after.memory_bytes < after.memory_limit_bytes,
            "{after:?}"
        );
    }

    /// Works until a reading is `enough`; bounded by the work it does, not by time.
    fn burn_until(mut read: impl FnMut() -> Reading, enough: impl Fn(&Reading) -> bool) -> Reading {
        for round in 0..100_000_u64 {
            std::hint::black_box((0..100_000).fold(round, |sum, n| sum.rotate_left(5) ^ n));
            let reading = read();
            if enough(&reading) {
                return reading;
            }
        }
        panic!("the reading never moved");
    }
}
