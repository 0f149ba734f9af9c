//! The stage: two uneven shops, a gateway in front of them, and the directory where everything is written.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::demo::DemoError;
use crate::process;
use crate::process::Process;
use crate::tasks::fetch;
use crate::tasks::replace::Durability;
use crate::tasks::replace::replace;

/// The smaller shop's share of a core, and the larger one's: together one core, so that a machine with two has one
/// left for the gateway and the traffic.
const SMALL: &str = "0.37";
const LARGE: &str = "0.63";
const CONFIGURATION: &str = include_str!("../../conf/demo.yaml");
const PATIENCE: Duration = Duration::from_secs(10);

/// Where what a demo leaves behind is.
#[derive(Clone, Debug)]
pub struct Files {
    /// The gateway's configuration.
    pub configuration: PathBuf,
    /// What the gateway records, as long as it runs.
    pub recording: PathBuf,
    /// What it had recorded when the model was trained.
    pub dataset: PathBuf,
    /// What was learnt from it.
    pub model: PathBuf,
}

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    files: Files,
    web: SocketAddr,
    admin: SocketAddr,
    _processes: Vec<Process>,
}

/// What the admin listener says of the pool at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Requests of each backend so far.
    pub(super) requests: Vec<f64>,
    pub(super) generation: f64,
}

impl Stage {
    /// Starts the shops and the gateway, and waits until it is ready.
    pub(super) async fn set(directory: &Path) -> Result<Self, DemoError> {
        fs::create_dir_all(directory).map_err(DemoError::io(format!("{} cannot be made", directory.display())))?;
        let files = Files {
            configuration: directory.join("gateway.yaml"),
            recording: directory.join("shop.csv"),
            dataset: directory.join("training.csv"),
            model: directory.join("shop.forest"),
        };
        // An older demo's rows are of other processes, on other ports.
        for old in [&files.recording, &files.dataset, &files.model] {
            let _ = fs::remove_file(old);
        }
        let (small, small_at) = start_shop("shop-small", SMALL, directory).await?;
        let (large, large_at) = start_shop("shop-large", LARGE, directory).await?;
        write_configuration(&files.configuration, directory, [small_at, large_at])?;
        let path = files.configuration.display().to_string();
        let mut gateway = Process::start("gateway", &["run", "-c", &path], directory)?;
        let web = gateway.address_after("listening on").await?;
        let admin = gateway.address_after("admin on").await?;
        let stage = Self {
            files,
            web,
            admin,
            _processes: vec![gateway, small, large],
        };
        stage.wait_until_ready().await?;
        Ok(stage)
    }

    pub(super) fn web(&self) -> SocketAddr {
        self.web
    }

    pub(super) fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub(super) fn files(&self) -> Files {
        self.files.clone()
    }

    /// Trains the paper's classifier on what was recorded so far; the trainer's own words.
    pub(super) async fn train(&self) -> Result<String, DemoError> {
        let Files {
            recording,
            dataset,
            model,
            ..
        } = &self.files;
        fs::copy(recording, dataset).map_err(DemoError::io(format!("{} cannot be copied", recording.display())))?;
        let (dataset, model) = (dataset.display().to_string(), model.display().to_string());
        process::finish(&["train", &dataset, "--out", &model])
            .await
            .map_err(DemoError::Training)
    }

    /// Rewrites the word after `selector:`, as an editor would: another file takes the configuration's place.
    pub(super) fn rewrite_selector(&self, from: &str, to: &str) -> Result<(), DemoError> {
        let path = &self.files.configuration;
        let failed = || format!("{} cannot be rewritten", path.display());
        let text = fs::read_to_string(path).map_err(DemoError::io(failed()))?;
        let rewritten = text.replace(&format!("selector: {from}"), &format!("selector: {to}"));
        replace(path, rewritten.as_bytes(), Durability::System).map_err(DemoError::io(failed()))
    }

    /// What the gateway says of itself now.
    pub(super) async fn reading(&self) -> Result<Reading, DemoError> {
        let pools: serde_json::Value = serde_json::from_str(&self.ask("/api/pools").await?).unwrap_or_default();
        let backends = pools[0]["backends"].as_array().cloned().unwrap_or_default();
        let metrics = self.ask("/metrics").await?;
        let generation = metrics
            .lines()
            .find_map(|line| line.strip_prefix("sylvan_config_generation "));
        Ok(Reading {
            requests: backends
                .iter()
                .map(|backend| backend["requests"].as_f64().unwrap_or(0.0))
                .collect(),
            generation: generation.and_then(|number| number.trim().parse().ok()).unwrap_or(0.0),
        })
    }

    async fn ask(&self, path: &str) -> Result<String, DemoError> {
        let answer = fetch::get(self.admin, "localhost", path, PATIENCE).await;
        answer.map_err(|error| DemoError::Admin(error.to_string()))
    }

    async fn wait_until_ready(&self) -> Result<(), DemoError> {
        let mut last = Ok(String::new());
        for _ in 0..100 {
            last = self.ask("/readyz").await;
            if last.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        last.map(drop)
    }
}

/// Starts a shop with its agent: the process, and the two addresses.
async fn start_shop(name: &str, cores: &str, directory: &Path) -> Result<(Process, [SocketAddr; 2]), DemoError> {
    let any_port = "127.0.0.1:0";
    let mut shop = Process::start(
        name,
        &["shop", "--listen", any_port, "--agent", any_port, "--cores", cores],
        directory,
    )?;
    let agent = shop.address_after("agent on").await?;
    let web = shop.address_after("listening on").await?;
    Ok((shop, [web, agent]))
}

/// Fills the addresses in, so that what is left behind can be run and edited by hand.
fn write_configuration(path: &Path, directory: &Path, shops: [[SocketAddr; 2]; 2]) -> Result<(), DemoError> {
    let [[small, small_agent], [large, large_agent]] = shops;
    let filled = CONFIGURATION
        .replace("${DEMO_ADMIN:-127.0.0.1:9901}", "127.0.0.1:0")
        .replace("${DEMO_LISTEN:-127.0.0.1:8080}", "127.0.0.1:0")
        .replace("${DEMO_DIR:-sylvan-demo}", &directory.display().to_string())
        .replace("${DEMO_SMALL:-127.0.0.1:3001}", &small.to_string())
        .replace("${DEMO_SMALL_AGENT:-127.0.0.1:9902}", &small_agent.to_string())
        .replace("${DEMO_LARGE:-127.0.0.1:3002}", &large.to_string())
        .replace("${DEMO_LARGE_AGENT:-127.0.0.1:9903}", &large_agent.to_string());
    fs::write(path, filled).map_err(DemoError::io(format!("{} cannot be written", path.display())))
}
