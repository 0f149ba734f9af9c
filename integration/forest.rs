//! The forest learns and serves in the real gateway, under load; what goes wrong beside it costs no client an error.
//!
//! Bounds on latency are wide, since the machine may be busy with other tests; the counts of errors are exact. On a machine that is
//! not, 1.2 times the undisturbed p99 is all that is allowed, and the ratios are printed:
//!
//! ```sh
//! SYLVAN_QUIET=1 cargo test --release --test integration forest:: -- --test-threads 1 --nocapture
//! ```
//!
//! What cannot be provoked from outside (a training that panics, a clock that jumps) is proved in `src/tasks/retrain`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use http::Request;
use serde_json::Value;
use sylvan::forest::encode;
use sylvan::selection::FEATURE_COUNT;
use sylvan::selection::Features;
use sylvan::selection::LearnedRow;
use sylvan::selection::Learner;
use sylvan::selection::LearnerPreset;
use sylvan::units::Draws;
use sylvan::units::Timestamp;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::harness::Connection;
use crate::harness::Gateway;
use crate::harness::Launched;
use crate::harness::Metrics;
use crate::harness::Origin;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::pause;
use crate::harness::within;

/// Clients that ask again as soon as they have an answer.
const CLIENTS: usize = 12;
/// How long a greeting takes at the fast origin and at the slow one: long beside what the machine adds.
const FAST_MS: u64 = 15;
const SLOW_MS: u64 = 60;
/// How long it may take until 300 outcomes are known and 300 forecasts are compared, on a busy machine.
const SCHOOL: Duration = Duration::from_secs(90);
/// What other tests may add to a latency.
const BUSY: Duration = Duration::from_millis(50);
/// How much longer than undisturbed the slowest answers in a hundred may take beside what goes wrong.
const MOST: f64 = 1.2;
const SLICE: Duration = Duration::from_secs(2);

/// What clients went through in a stretch of time.
#[derive(Debug, Default)]
struct Slice {
    latencies: Vec<Duration>,
    failures: Vec<String>,
}

impl Slice {
    fn note(&mut self, outcome: Result<Duration, String>) {
        match outcome {
            Ok(latency) => self.latencies.push(latency),
            Err(failure) => self.failures.push(failure),
        }
    }

    fn p99(&mut self) -> Duration {
        self.latencies.sort_unstable();
        let place = self.latencies.len() * 99 / 100;
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Clients that go on until they are dropped.
struct Load {
    slice: Arc<Mutex<Slice>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(gateway: &Gateway) -> Self {
        let slice = Arc::default();
        let clients = (0..CLIENTS).map(|_| tokio::spawn(ask(gateway.address(), Arc::clone(&slice))));
        Self {
            clients: clients.collect(),
            slice,
        }
    }

    /// What they have gone through since the last time.
    fn take(&self) -> Slice {
        std::mem::take(&mut *self.slice.lock().expect("no client panics"))
    }

    /// What they go through in the next two seconds.
    async fn slice(&self) -> Slice {
        self.take();
        pause(SLICE).await;
        self.take()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.clients.iter().for_each(JoinHandle::abort);
    }
}

async fn ask(address: SocketAddr, slice: Arc<Mutex<Slice>>) {
    let note = |outcome| slice.lock().expect("no client panics").note(outcome);
    let mut connection = Connection::open(address).await;
    loop {
        let began = Instant::now();
        let reply = connection.try_send(http::Request::get("/"), "").await;
        let outcome = match reply {
            Ok(reply) if reply.status == 200 => Ok(began.elapsed()),
            Ok(reply) => Err(format!("{} {}", reply.status, reply.text())),
            Err(error) => Err(error.to_string()),
        };
        note(outcome);
        if connection.is_closed() {
            connection = match Connection::try_open(address).await {
                Ok(connection) => connection,
                Err(error) => return note(Err(error.to_string())),
            };
        }
    }
}

/// A fast origin and a slow one.
async fn pair() -> [Origin; 2] {
    let (fast, slow) = (Origin::start("fast").await, Origin::start("slow").await);
    fast.set_delay(FAST_MS);
    slow.set_delay(SLOW_MS);
    [fast, slow]
}

/// A configuration of `origins` under a forest with `options`, which keeps its state in `state`.
fn written(origins: &[&Origin], options: &str, state: &Path) -> Written {
    let state = state.display();
    Written::to(origins)
        .selector(&format!(
            "{{ type: forest, preset: standard, learn: {{ every: 3s }}{options} }}"
        ))
        .top(&format!(
            "runtime: {{ state_dir: \"{state}\", max_load: off, max_temperature: off }}"
        ))
}

async fn until_in_charge(gateway: &Gateway) -> Value {
    within(SCHOOL, "the forest is in charge", async || {
        let pool = gateway.pool().await;
        (pool["forest"]["charge"] == "in_charge").then_some(pool)
    })
    .await
}

fn by_model(metrics: &Metrics) -> f64 {
    metrics.sum("sylvan_selector_decisions_total", &["reason=\"model\""])
}

/// A gateway under load whose forest is in charge.
struct Scene {
    load: Load,
    gateway: Gateway,
    undisturbed: Slice,
}

impl Scene {
    async fn new(config: &Written) -> Self {
        Self::of(Gateway::start(config).await).await
    }

    async fn of(gateway: Gateway) -> Self {
        let load = Load::start(&gateway);
        until_in_charge(&gateway).await;
        let undisturbed = load.slice().await;
        Self {
            gateway,
            load,
            undisturbed,
        }
    }

    /// The clients saw no error since the beginning, are served as they were before, and the forest still decides.
    async fn check(&mut self, what: &str) {
        let before = by_model(&self.gateway.metrics().await);
        let mut meanwhile = self.load.take();
        let mut disturbed = self.load.slice().await;
        meanwhile.failures.append(&mut disturbed.failures);
        meanwhile.failures.append(&mut self.undisturbed.failures);
        assert_eq!(meanwhile.failures, Vec::<String>::new(), "{what}");
        self.check_p99(what, disturbed.p99());
        let decided = by_model(&self.gateway.metrics().await) - before;
        assert!(
            decided >= disturbed.latencies.len() as f64 / 2.0,
            "{what}: {decided} decisions by the model for {} requests",
            disturbed.latencies.len()
        );
    }

    #[expect(clippy::print_stdout, reason = "the ratios are what a quiet run is for")]
    fn check_p99(&mut self, what: &str, disturbed: Duration) {
        let undisturbed = self.undisturbed.p99();
        let is_quiet = std::env::var_os("SYLVAN_QUIET").is_some();
        let allowed = undisturbed.mul_f64(MOST) + if is_quiet { Duration::ZERO } else { BUSY };
        if is_quiet {
            let ratio = disturbed.as_secs_f64() / undisturbed.as_secs_f64();
            println!("{what}: p99 {disturbed:.1?}, {ratio:.2} x undisturbed");
        }
        assert!(
            disturbed <= allowed,
            "{what}: p99 {disturbed:?}, undisturbed {undisturbed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forest_learns_takes_charge_and_goes_on_after_a_restart() {
    let state = TempDir::new().expect("a temporary directory");
    let [fast, slow] = pair().await;
    let config = written(&[&fast, &slow], "", state.path());
    let mut scene = Scene::new(&config).await;
    scene.check("undisturbed").await;
    let Scene { mut gateway, load, .. } = scene;
    let pool = gateway.pool().await;
    let learning = &pool["forest"]["learning"];
    let rows = learning["rows"].as_u64().unwrap_or_default();
    assert!(rows >= 300, "{pool}");
    assert!(
        learning["skill"].as_f64() > Some(0.05) && learning["retrains"].as_u64() >= Some(1),
        "{pool}"
    );
    assert!(
        fast.requests() > slow.requests() * 3 / 2,
        "{} {}",
        fast.requests(),
        slow.requests()
    );
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("sylvan_forest_charge", &["charge=\"in_charge\""]), 1.0);
    assert!(metrics.sum("sylvan_forest_retrains_total", &["outcome=\"done\""]) >= 1.0);
    drop(load);
    gateway.process().signal("TERM");
    assert_eq!(gateway.process().exit().await, 0);

    let again = Gateway::start(&config).await;
    let resumed = eventually("its rows are there again", async || {
        let pool = again.pool().await;
        (pool["forest"]["learning"]["rows"].as_u64() >= Some(rows)).then_some(pool)
    })
    .await;
    assert!(resumed["model"]["rows"].as_u64() >= Some(300), "{resumed}");
    assert_eq!(resumed["forest"]["charge"], "unproven", "{resumed}");
    let _load = Load::start(&again);
    until_in_charge(&again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_forest_that_comes_with_the_program_decides_from_the_first_request_on() {
    let [fast, slow] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&fast, &slow]).selector("forest")).await;
    let first = gateway.connect().await.send(Request::get("/"), "").await;
    assert_eq!(first.status, 200);
    assert_eq!(by_model(&gateway.metrics().await), 1.0);
    let pool = gateway.pool().await;
    assert_eq!(pool["forest"]["charge"], "in_charge", "{pool}");
    assert!(pool["forest"]["learning"].is_null(), "{pool}");
    let load = Load::start(&gateway);
    assert_eq!(load.slice().await.failures, Vec::<String>::new());
    assert!(
        fast.requests() > 2 * slow.requests(),
        "{} and {}",
        fast.requests(),
        slow.requests()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_distilled_is_not_learned_on() {
    let state = TempDir::new().expect("a temporary directory");
    let [fast, slow] = pair().await;
    let gateway = Gateway::start(&Written::to(&[&fast, &slow]).selector("forest")).await;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default.forest");
    let model = format!(", model: \"{}\"", shipped.display());
    gateway.overwrite(&written(&[&fast, &slow], &model, state.path()));
    let (status, answer) = gateway.reload().await;
    let answer = answer.to_string();
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer.contains("was distilled") && answer.contains("learn: off"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forest_in_shadow_changes_nothing_and_says_what_it_would_do() {
    let state = TempDir::new().expect("a temporary directory");
    let [fast, slow] = pair().await;
    let options = ", mode: shadow, fallback: round_robin";
    let gateway = Gateway::start(&written(&[&fast, &slow], options, state.path())).await;
    let load = Load::start(&gateway);
    until_in_charge(&gateway).await;
    let (before, since) = (gateway.metrics().await, (fast.requests(), slow.requests()));
    let slice = load.slice().await;
    assert_eq!(slice.failures, Vec::<String>::new());
    let shares = (fast.requests() - since.0, slow.requests() - since.1);
    assert!(shares.0.abs_diff(shares.1) <= 2 + CLIENTS as u64, "{shares:?}");
    let metrics = gateway.metrics().await;
    assert_eq!(by_model(&metrics), 0.0);
    let added = |label: &str| {
        let name = "sylvan_shadow_proposals_total";
        metrics.sum(name, &[label]) - before.sum(name, &[label])
    };
    assert!(added("agrees=\"no\"") > added("agrees=\"yes\"") / 10.0);
    let pool = gateway.pool().await;
    let shadow = &pool["forest"]["shadow"];
    let agreement = shadow["agreement"].as_f64().unwrap_or_default();
    assert!((0.1..0.95).contains(&agreement), "{pool}");
    assert!(shadow["estimated_gain"].as_f64() > Some(0.0), "{pool}");
}

/// A model file such as another gateway might have left: more in flight is slower, and nothing else.
fn model_file(directory: &Path) -> String {
    let mut learner = Learner::new(LearnerPreset::Small, 1);
    let mut draws = Draws::new(1);
    for _ in 0..600 {
        let mut features: Features = [0.0; FEATURE_COUNT];
        features.fill_with(|| draws.fraction() as f32);
        learner.take(&LearnedRow {
            features,
            label: features[0],
            forecast: None,
            is_explored: false,
        });
    }
    let model = learner.retrain(Timestamp::from_seconds(1.0)).expect("finite rows");
    let path = directory.join("start.forest");
    std::fs::write(&path, encode(&model)).expect("a writable directory");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_file_that_turns_to_garbage_costs_no_error() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = model_file(directory.path());
    let [fast, slow] = pair().await;
    let options = format!(", model: \"{path}\"");
    let mut scene = Scene::new(&written(&[&fast, &slow], &options, directory.path())).await;
    std::fs::write(&path, "this is no model").expect("a writable file");
    scene
        .gateway
        .until("it is refused", |metrics| {
            metrics.value("sylvan_model_failures_total") >= 1.0
        })
        .await;
    scene.check("the model file is garbage").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_that_die_cost_no_error() {
    let state = TempDir::new().expect("a temporary directory");
    let [fast, slow] = pair().await;
    let learning = written(&[&fast, &slow], "", state.path());
    check_dying_agents(learning).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_that_die_cost_the_forest_that_comes_with_the_program_no_error() {
    let [fast, slow] = pair().await;
    let shipped = Written::to(&[&fast, &slow]).selector("forest");
    check_dying_agents(shipped).await;
}

async fn check_dying_agents(config: Written) {
    let agent = Launched::new(&"", &["agent", "--listen", "127.0.0.1:0"]);
    let port = agent.announced("agent on ").await.port();
    let source = format!("metrics_source: {{ type: agent, port: {port}, interval: 200ms }}");
    let mut scene = Scene::new(&config.pool(&source)).await;
    assert!(scene.gateway.pool().await["backends"][0]["metrics"].is_object());
    drop(agent);
    scene
        .gateway
        .until("polls fail", |metrics| {
            metrics.value("sylvan_metrics_source_failures_total") >= 5.0
        })
        .await;
    scene.check("the agent is dead").await;
}

/// The forest takes charge although its state can nowhere be written, and says so.
async fn check_unwritable(state: &Path, obstruct: impl FnOnce(&mut Gateway)) {
    let [fast, slow] = pair().await;
    let mut gateway = Gateway::start(&written(&[&fast, &slow], "", state)).await;
    obstruct(&mut gateway);
    let mut scene = Scene::of(gateway).await;
    let is_told = |metrics: &Metrics| metrics.sum("sylvan_forest_save_failures_total", &[]) >= 1.0;
    scene.gateway.until("the failure is counted", is_told).await;
    scene.check("the state cannot be written").await;
    let process = scene.gateway.process();
    eventually("the log warns", async || {
        process.output().contains("cannot be written").then_some(())
    })
    .await;
    assert_eq!(process.output().matches("cannot be written").count(), 1);
}

/// Permissions mean nothing to root, which tests may run as; a file where the directory should be stops anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_directory_that_cannot_be_made_costs_no_error() {
    let directory = TempDir::new().expect("a temporary directory");
    let state = directory.path().join("state");
    std::fs::write(&state, "in the way").expect("a writable directory");
    check_unwritable(&state, |_| {}).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_error() {
    let state = TempDir::new().expect("a temporary directory");
    // Whoever writes the state finds no space left on the device.
    let fill = |gateway: &mut Gateway| {
        let next = format!("main.learned.new-{}", gateway.process().id());
        std::os::unix::fs::symlink("/dev/full", state.path().join(next)).expect("a link");
    };
    check_unwritable(state.path(), fill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_that_come_go_and_change_weight_cost_no_error() {
    let state = TempDir::new().expect("a temporary directory");
    let [fast, slow] = pair().await;
    let third = Origin::start("third").await;
    third.set_delay(FAST_MS);
    let mut scene = Scene::new(&written(&[&fast, &slow], "", state.path())).await;
    let changes = [
        ("one is added", written(&[&fast, &slow, &third], "", state.path())),
        (
            "one weighs more",
            written(&[&fast, &slow, &third], "", state.path()).weights(&[1, 1, 3]),
        ),
        ("one is removed", written(&[&fast, &third], "", state.path())),
    ];
    for (what, config) in changes {
        scene.gateway.overwrite(&config);
        assert_eq!(scene.gateway.reload().await.0, 200, "{what}");
        scene.check(what).await;
    }
    assert!(third.requests() > 0);
}
