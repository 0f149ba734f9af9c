//! How the process starts, stops, and refuses to start.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use http::Request;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Launched;
use crate::harness::Origin;
use crate::harness::WebSocket;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;
use crate::harness::pause;

async fn open() -> (Gateway, Origin) {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin]).defaults("drain_timeout: 10s");
    (Gateway::start(&config).await, origin)
}

#[tokio::test]
async fn with_nothing_in_flight_it_ends_at_once() {
    let (mut gateway, _origin) = open().await;
    let mut idle = gateway.connect().await;
    assert_eq!(idle.get("/").await.status, 200);
    let told = Instant::now();
    gateway.process().signal("TERM");
    assert_eq!(gateway.process().exit().await, 0);
    assert!(told.elapsed() < Duration::from_secs(4), "{:?}", told.elapsed());
    eventually("the idle connection is closed", async || idle.is_closed().then_some(())).await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let (mut gateway, origin) = open().await;
    let address = gateway.address();
    let slow = tokio::spawn(async move { fetch(address, "/delay/1500").await });
    eventually("the request arrived", async || (origin.requests() == 1).then_some(())).await;
    gateway.process().signal("TERM");
    let refuses = async || Connection::try_open(address).await.is_err().then_some(());
    eventually("new connections are refused", refuses).await;
    assert!(gateway.process().is_running());
    let answer = slow.await.expect("an answer");
    assert_eq!(
        (answer.header("connection"), answer.text()),
        ("close".to_owned(), "late".to_owned())
    );
    assert_eq!(gateway.process().exit().await, 0);
}

#[tokio::test]
async fn it_is_not_ready_while_it_drains() {
    let (mut gateway, origin) = open().await;
    let address = gateway.address();
    let slow = tokio::spawn(async move { fetch(address, "/delay/1500").await });
    eventually("the request arrived", async || (origin.requests() == 1).then_some(())).await;
    gateway.process().signal("TERM");
    let admin = gateway.admin();
    eventually("/readyz is red", async || {
        (fetch(admin, "/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(fetch(admin, "/healthz").await.status, 200);
    assert_eq!(slow.await.expect("an answer").status, 200);
    assert_eq!(gateway.process().exit().await, 0);
}

#[tokio::test]
async fn draining_ends_when_its_time_is_up() {
    let origin = Origin::start("a").await;
    let mut gateway = Gateway::start(&Written::to(&[&origin]).defaults("drain_timeout: 500ms")).await;
    let mut socket = WebSocket::open(gateway.address(), "/socket").await;
    socket.echo("hello").await;
    let told = Instant::now();
    gateway.process().signal("TERM");
    gateway.process().exit().await;
    let waited = told.elapsed();
    assert!(
        (Duration::from_millis(400)..Duration::from_secs(4)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (mut gateway, origin) = open().await;
    let mut connection = gateway.connect().await;
    let slow = tokio::spawn(async move { connection.try_send(Request::get("/delay/8000"), "").await.is_err() });
    eventually("the request arrived", async || (origin.requests() == 1).then_some(())).await;
    gateway.process().signal("TERM");
    pause(Duration::from_millis(300)).await;
    assert!(gateway.process().is_running());
    let told = Instant::now();
    gateway.process().signal("TERM");
    gateway.process().exit().await;
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    assert!(slow.await.expect("an end"), "the request was cut");
}

#[tokio::test]
async fn an_interrupt_ends_it_too() {
    let (mut gateway, _origin) = open().await;
    gateway.process().signal("INT");
    assert_eq!(gateway.process().exit().await, 0);
}

#[tokio::test]
async fn a_hangup_reloads_and_does_not_end_it() {
    let (mut gateway, _origin) = open().await;
    gateway.process().signal("HUP");
    gateway
        .until("it reloaded", |metrics| {
            metrics.value("sylvan_config_generation") == 2.0
        })
        .await;
    assert!(gateway.process().is_running());
    assert_eq!(fetch(gateway.address(), "/").await.status, 200);
}

#[tokio::test]
async fn a_hangup_before_it_is_ready_does_not_end_it() {
    let origin = Origin::start("a").await;
    let mut gateway = Gateway::start_unready(&Written::to(&[&origin])).await;
    gateway.process().signal("HUP");
    let serves = async || (fetch(gateway.admin(), "/readyz").await.status == 200).then_some(());
    eventually("it is ready all the same", serves).await;
}

/// `sylvan ARGUMENTS...` ends with `code` and says each of `words`.
async fn check_end(text: &str, arguments: &[&str], code: i32, words: &[&str]) {
    let mut process = Launched::new(&text, arguments);
    assert_eq!(process.exit().await, code, "{arguments:?}");
    let says_all = async || words.iter().all(|word| process.output().contains(word)).then_some(());
    eventually(format!("it says all of {words:?}"), says_all).await;
}

#[tokio::test]
async fn a_busy_port_is_said_and_ends_it() {
    let origin = Origin::start("a").await;
    let busy = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = busy.local_addr().expect("a bound socket").to_string();
    let listener = format!("listeners: [{{ name: web, bind: \"{address}\" }}]");
    let config = Written::to(&[&origin]).top(&listener).to_string();
    check_end(&config, &["run", "-c", "gateway.yaml"], 2, &[&address, "web"]).await;
    let admin = format!("admin: {{ bind: \"{address}\" }}");
    let config = Written::to(&[&origin]).top(&admin).to_string();
    check_end(&config, &["run", "-c", "gateway.yaml"], 2, &[&address, "admin"]).await;
}

#[tokio::test]
async fn a_missing_file_is_named() {
    for verb in ["run", "check"] {
        check_end("", &[verb, "-c", "nowhere.yaml"], 2, &["nowhere.yaml"]).await;
    }
}

#[tokio::test]
async fn a_bad_file_is_explained() {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin])
        .selector("round_robbin")
        .pool("slow_start: soon")
        .to_string();
    for verb in ["run", "check"] {
        let words = ["gateway.yaml:", "did you mean `round_robin`?", "slow_start"];
        check_end(&config, &[verb, "-c", "gateway.yaml"], 2, &words).await;
    }
}

#[tokio::test]
async fn what_a_file_names_in_vain_is_shown_where_it_names_it() {
    let origin = Origin::start("a").await;
    let config = Written::to(&[&origin])
        .selector("{ type: forest, model: nowhere.forest }")
        .to_string();
    for verb in ["run", "check"] {
        let words = [
            "gateway.yaml:",
            "nowhere.forest: cannot be read",
            "^",
            "leave the model out",
            "1 error",
        ];
        check_end(&config, &[verb, "-c", "gateway.yaml"], 2, &words).await;
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let origin = Origin::start("a").await;
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("gateway.yaml");
    std::fs::write(&file, Written::to(&[&origin]).to_string()).expect("a file");
    for options in [&[][..], &["--json"]] {
        let (stdout, reader) = UnixStream::pair().expect("a pair of sockets");
        drop(reader);
        let ended = Command::new(env!("CARGO_BIN_EXE_sylvan"))
            .args(["check", "-c"])
            .arg(&file)
            .args(options)
            .stdout(OwnedFd::from(stdout))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*said), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_good_file_passes_the_check() {
    let origin = Origin::start("a").await;
    check_end(
        &Written::to(&[&origin]).to_string(),
        &["check", "-c", "gateway.yaml"],
        0,
        &[],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_verb_is_a_usage_error() {
    check_end("", &["serve"], 2, &["Usage"]).await;
}
