//! What a round of polls leaves behind.

use std::time::Duration;

use futures::FutureExt;
use tokio::net::TcpListener;

use super::*;
use crate::config::Dataset;
use crate::config::MetricsKind;
use crate::pool::HealthPolicy;
use crate::pool::Member;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::tasks::metrics::tests::BUSY;
use crate::tasks::metrics::tests::answering;
use crate::tasks::metrics::tests::metrics;
use crate::training::dataset::Table;
use crate::units::Share;
use crate::units::Weight;

const IDLE: &str = r#"{"cpu_percent":1,"ram_percent":20,"bytes_sent":300,"bytes_recv":40}"#;

/// An endpoint that takes connections and never answers; silent while the listener lives.
async fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A pool of `count` backends, a:1, b:1 and so on.
fn pool(count: u8) -> Arc<Pool> {
    let member = |ordinal: u8| Member {
        backend: Arc::new(Backend::new(
            format!("{}:1", char::from(b'a' + ordinal)),
            ordinal.into(),
            false,
        )),
        weight: Weight::ONE,
    };
    let policy = HealthPolicy {
        probed: false,
        healthy_threshold: 1,
        unhealthy_threshold: 1,
        error_rate: Share::HALF,
        max_ejection: Share::NONE,
        base_ejection_time: Duration::ZERO,
        max_ejection_time: Duration::ZERO,
        panic_threshold: Share::NONE,
        slow_start: Duration::ZERO,
    };
    Arc::new(Pool::new("shop".to_owned(), (0..count).map(member).collect(), policy))
}

/// A round of agents' metrics over `pool`, 30 s long where nobody answers.
fn round(pool: &Arc<Pool>, addresses: &[SocketAddr]) -> Round {
    Round {
        pool: Arc::clone(pool),
        addresses: addresses.iter().copied().map(Some).collect(),
        source: MetricsSource {
            kind: MetricsKind::Agent,
            port: None,
            path: "/metrics".to_owned(),
            interval: Duration::from_secs(30),
        },
        dataset: None,
        began: Timestamp::from_seconds(100.0),
        telemetry: Arc::default(),
    }
}

fn serve(pool: &Arc<Pool>, verdict: Verdict, latency_ms: u64) {
    let began = Timestamp::from_seconds(1.0);
    let mut attempt = pool.begin(BackendIndex::new(0), RouteClass::default(), began).unwrap();
    attempt.answered(began.plus(Duration::from_millis(latency_ms)));
    attempt.finish(verdict, began);
}

#[tokio::test]
async fn every_backend_gets_its_own_figures() {
    let pool = pool(2);
    let addresses = [answering(&[IDLE]).await, answering(&[BUSY]).await];
    let round = round(&pool, &addresses);
    let telemetry = Arc::clone(&round.telemetry);
    round.run(Memory::default()).await;
    let figures = [0, 1].map(|position| metrics(&pool, position).map(|it| (it.cpu_percent, it.bytes_sent)));
    assert_eq!(figures, [Some((1.0, 300.0)), Some((99.0, 300.0))]);
    assert_eq!(telemetry.poll_failures.count(), 0);
}

#[tokio::test]
async fn a_silent_source_holds_up_no_other_backend() {
    let pool = pool(2);
    let (_silent, nobody) = silent().await;
    let mut running = Box::pin(round(&pool, &[nobody, answering(&[IDLE]).await]).run(Memory::default()));
    // The round goes on for as long as a poll may take; the other figures are there long before.
    while metrics(&pool, 1).is_none() {
        assert!(
            running.as_mut().now_or_never().is_none(),
            "ended before the other backend had answered"
        );
        tokio::task::yield_now().await;
    }
    assert!(
        running.now_or_never().is_none(),
        "the silent source was given up at once"
    );
    assert_eq!(metrics(&pool, 0), None);
}

#[tokio::test]
async fn a_failed_poll_is_counted_and_leaves_the_last_figures() {
    let pool = pool(1);
    let addresses = [answering(&[BUSY, "", "<html>", "{}", IDLE]).await];
    let telemetry = Arc::<Telemetry>::default();
    let mut memory = Memory::default();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let round = Round {
            telemetry: Arc::clone(&telemetry),
            ..round(&pool, &addresses)
        };
        memory = round.run(memory).await.1;
        seen.push((metrics(&pool, 0).unwrap().cpu_percent, telemetry.poll_failures.count()));
    }
    assert_eq!(seen, [(99.0, 0), (99.0, 1), (99.0, 2), (99.0, 3), (1.0, 3)]);
}

#[tokio::test]
async fn an_exporters_counters_become_rates_and_its_restart_gives_none() {
    let pool = pool(1);
    let text = |busy: u32, sent: u32| {
        format!(
            "node_cpu_seconds_total{{mode=\"user\"}} {busy}\nnode_cpu_seconds_total{{mode=\"idle\"}} 100\n\
             node_network_transmit_bytes_total{{device=\"eth0\"}} {sent}\n"
        )
    };
    let addresses = [answering(&[&text(10, 1000), &text(30, 2000), &text(1, 5), &text(2, 10)]).await];
    let mut memory = Memory::default();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let mut round = round(&pool, &addresses);
        round.source.kind = MetricsKind::Prometheus;
        memory = round.run(memory).await.1;
        let figures = metrics(&pool, 0).unwrap();
        seen.push((
            figures.cpu_percent,
            figures.bytes_sent > 0.0,
            figures.bytes_sent.is_nan(),
        ));
    }
    assert!(seen[0].0.is_nan() && seen[0].2, "{seen:?}");
    assert_eq!(seen[1], (100.0, true, false));
    assert!(seen[2].0.is_nan() && seen[2].2, "{seen:?}");
    assert_eq!(seen[3], (100.0, true, false));
}

#[tokio::test]
async fn a_round_ends_with_a_row_for_every_backend() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state/shop.csv");
    let pool = pool(3);
    let (_silent, nobody) = silent().await;
    let addresses = [answering(&[IDLE]).await, nobody];
    let mut memory = Memory::default();
    for served in [2, 1] {
        (0..served).for_each(|_| serve(&pool, Verdict::Success, 10));
        serve(&pool, Verdict::ErrorStatus, 40);
        let mut round = round(&pool, &addresses);
        round.addresses.push(None);
        round.source.interval = Duration::from_millis(100);
        round.dataset = Some(Dataset {
            file: file.clone(),
            max_size: 1 << 20,
        });
        memory = round.run(memory).await.1;
    }
    drop(memory);
    let rows = eventually_rows(&file, 6).await;
    let outline = |row: &Row| {
        (
            row.address.clone(),
            row.metrics[0],
            row.window.map(|window| window.requests),
        )
    };
    let expected = [
        ("a:1".to_owned(), Some(1.0), None),
        ("b:1".to_owned(), None, None),
        ("c:1".to_owned(), None, None),
        ("a:1".to_owned(), Some(1.0), Some(2)),
        ("b:1".to_owned(), None, Some(0)),
        ("c:1".to_owned(), None, Some(0)),
    ];
    assert_eq!(rows.iter().map(outline).collect::<Vec<_>>(), expected);
    assert_eq!(
        rows[3].window,
        Some(Window {
            requests: 2,
            errors: 1,
            mean_latency_ms: Some(10.0)
        })
    );
    assert!(
        rows.iter()
            .all(|row| row.timestamp == Timestamp::from_seconds(100.0) && row.pool == "shop")
    );
}

/// The rows of the data set at `file` once there are `count`; the writer has a thread of its own.
async fn eventually_rows(file: &std::path::Path, count: usize) -> Vec<Row> {
    let written = async {
        loop {
            let table = std::fs::read(file).ok().and_then(|text| Table::read(&text).ok());
            match table {
                Some(table) if table.rows.len() >= count => return table.rows,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written)
        .await
        .expect("the rows are written")
}
