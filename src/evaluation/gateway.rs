//! The gateway under evaluation: one that runs already on the configuration, or one of our own; its selector is a word
//! in a file.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use http::StatusCode;

use crate::config;
use crate::config::Config;
use crate::config::Source;
use crate::evaluation::EvaluationError;
use crate::evaluation::Plan;
use crate::process::Process;
use crate::selection::Registry;
use crate::tasks::fetch;
use crate::tasks::fetch::Admin;
use crate::tasks::replace::Durability;
use crate::tasks::replace::beside;
use crate::tasks::replace::replace;
use crate::tasks::replace::resemble;
use crate::tasks::replace::resolved;

const PATIENCE: Duration = Duration::from_secs(20);
/// Waits for a gateway to be ready, a tenth of a second each.
const MOST_WAITS: u32 = 200;

/// What the admin listener said of the pool.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// Address of each backend, in the pool's order.
    pub(super) backends: Vec<String>,
    /// Requests of each backend.
    pub(super) requests: Vec<f64>,
    /// CPU of each backend at its last poll; empty without a metrics source.
    pub(super) cpu_percent: Vec<f64>,
    /// Whether each backend was down or ejected.
    pub(super) is_out: Vec<bool>,
}

impl Reading {
    /// The requests since `earlier`, the CPU of now, and who was out at either time.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let requests = self.requests.iter().zip(&earlier.requests);
        let is_out = self.is_out.iter().zip(&earlier.is_out);
        Self {
            backends: self.backends.clone(),
            requests: requests.map(|(after, before)| after - before).collect(),
            cpu_percent: self.cpu_percent.clone(),
            is_out: is_out.map(|(after, before)| *after || *before).collect(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Gateway {
    file: File,
    pool: String,
    web: SocketAddr,
    admin: Admin,
    /// What runs only for this evaluation.
    _own: Option<Process>,
}

/// The file that the gateway reads. Whatever ends an evaluation, its text is back when this is dropped.
#[derive(Debug)]
struct File {
    path: PathBuf,
    original: String,
    /// What was written last. Something else in the file is somebody's edit, which stays.
    written: String,
    /// Where the original is while the file is rewritten, in case that this process is killed; it also keeps a second
    /// evaluation away.
    kept: PathBuf,
    /// Where a gateway of our own keeps its log and its copy of the file.
    _directory: Option<tempfile::TempDir>,
}

impl Gateway {
    pub(super) async fn open(
        plan: &Plan,
        variable: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, EvaluationError> {
        let path = &plan.configuration;
        let text = fs::read_to_string(path).map_err(io(format!("{} cannot be read", path.display())))?;
        let config = checked(path, &text, variable)?;
        let pool = pool_name(plan, &config)?;
        check_selectors(plan, &text, &pool, variable)?;
        let admin = config.admin.as_ref().ok_or_else(|| {
            unfit("the gateway has no admin listener to reload it through; add `admin: { bind: 127.0.0.1:9901 }`")
        })?;
        let runs = fetch::get(admin.bind, "localhost", "/healthz", Duration::from_secs(1))
            .await
            .is_ok();
        let (file, [web, address], own) = if runs {
            let web = config
                .listeners
                .first()
                .ok_or_else(|| unfit("the gateway has no listener"))?;
            (File::in_place(path, text)?, [reachable(web.bind), admin.bind], None)
        } else {
            let file = File::copy(undisturbed(&text, &pool)?)?;
            let (addresses, own) = start(&file).await?;
            (file, addresses, Some(own))
        };
        let gateway = Self {
            file,
            pool,
            web,
            admin: Admin {
                address,
                token: admin.token.clone(),
            },
            _own: own,
        };
        gateway.wait_until_ready().await?;
        Ok(gateway)
    }

    pub(super) fn web(&self) -> SocketAddr {
        self.web
    }

    /// Puts `selector` in charge, and sees that it is.
    pub(super) async fn select(&mut self, selector: &str) -> Result<(), EvaluationError> {
        let rewritten = undisturbed(&self.file.original, &self.pool)?;
        let rewritten = config::with_selector(&rewritten, &self.pool, selector).map_err(EvaluationError::Unfit)?;
        self.file.write(&rewritten)?;
        let (status, body) = self.ask(Method::POST, "/api/reload").await?;
        if status != StatusCode::OK {
            let answer: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            return Err(EvaluationError::Gateway(
                answer["error"].as_str().unwrap_or(body.trim()).to_owned(),
            ));
        }
        let pool = self.pool_view().await?;
        if pool["selector"] != selector {
            self.file.require_ours()?;
            let path = self.file.path.display();
            return Err(EvaluationError::Gateway(format!(
                "it was told to reload and still has `{}`: does it read {path}?",
                pool["selector"].as_str().unwrap_or_default()
            )));
        }
        Ok(())
    }

    pub(super) async fn reading(&self) -> Result<Reading, EvaluationError> {
        let pool = self.pool_view().await?;
        let backends = pool["backends"].as_array().cloned().unwrap_or_default();
        let cpu = backends
            .iter()
            .map(|backend| backend["metrics"]["cpu_percent"].as_f64());
        let addresses = backends.iter().map(|backend| backend["address"].as_str());
        Ok(Reading {
            backends: addresses
                .map(|address| address.unwrap_or_default().to_owned())
                .collect(),
            requests: backends
                .iter()
                .map(|backend| backend["requests"].as_f64().unwrap_or(0.0))
                .collect(),
            cpu_percent: cpu.collect::<Option<_>>().unwrap_or_default(),
            is_out: backends
                .iter()
                .map(|backend| backend["state"] == "down" || backend["ejected"] == true)
                .collect(),
        })
    }

    async fn pool_view(&self) -> Result<serde_json::Value, EvaluationError> {
        let (_, body) = self.ask(Method::GET, "/api/pools").await?;
        let pools: Vec<serde_json::Value> =
            serde_json::from_str(&body).map_err(|error| EvaluationError::Gateway(format!("/api/pools: {error}")))?;
        pools
            .into_iter()
            .find(|pool| pool["name"] == self.pool.as_str())
            .ok_or_else(|| EvaluationError::Gateway(format!("it has no pool `{}`", self.pool)))
    }

    async fn wait_until_ready(&self) -> Result<(), EvaluationError> {
        let mut status = StatusCode::SERVICE_UNAVAILABLE;
        for _ in 0..MOST_WAITS {
            status = self.ask(Method::GET, "/readyz").await?.0;
            if status == StatusCode::OK {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(EvaluationError::Gateway(format!(
            "it is not ready: /readyz says {status}"
        )))
    }

    async fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, String), EvaluationError> {
        let answer = self.admin.ask(method, path, PATIENCE).await;
        answer.map_err(|error| EvaluationError::Gateway(format!("{path}: {error}")))
    }
}

impl File {
    /// The file of a gateway that runs.
    fn in_place(path: &Path, original: String) -> Result<Self, EvaluationError> {
        // Links lead two evaluations to the same file: that one is what they must keep each other from.
        Self::kept_beside(resolved(path), original, None)
    }

    /// A copy for a gateway of our own.
    fn copy(original: String) -> Result<Self, EvaluationError> {
        let directory = tempfile::tempdir().map_err(io("a temporary directory cannot be made"))?;
        let path = directory.path().join("gateway.yaml");
        fs::write(&path, &original).map_err(io(format!("{} cannot be written", path.display())))?;
        Self::kept_beside(path, original, Some(directory))
    }

    fn kept_beside(
        path: PathBuf,
        original: String,
        directory: Option<tempfile::TempDir>,
    ) -> Result<Self, EvaluationError> {
        let kept = beside(&path, "original");
        let mut options = fs::File::options();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&kept).map_err(io(format!(
            "{} cannot be made: if no other evaluation runs, one was killed, and this is what the file was",
            kept.display()
        )))?;
        resemble(&file, &path)
            .and_then(|()| file.write_all(original.as_bytes()))
            .map_err(io(format!("{} cannot be written", kept.display())))?;
        Ok(Self {
            path,
            written: original.clone(),
            original,
            kept,
            _directory: directory,
        })
    }

    /// Refuses to go on when the file does not say what was written last.
    fn require_ours(&self) -> Result<(), EvaluationError> {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.written) {
            return Ok(());
        }
        Err(unfit(&format!(
            "{} was changed by somebody else meanwhile, and stays as it is",
            self.path.display()
        )))
    }

    /// As an editor would: another file takes its place.
    fn write(&mut self, text: &str) -> Result<(), EvaluationError> {
        self.require_ours()?;
        replace(&self.path, text.as_bytes(), Durability::System)
            .map_err(io(format!("{} cannot be rewritten", self.path.display())))?;
        text.clone_into(&mut self.written);
        Ok(())
    }
}

impl Drop for File {
    /// The gateway sees the file change and reads it again by itself.
    fn drop(&mut self) {
        let original = std::mem::take(&mut self.original);
        match self.write(&original) {
            Ok(()) => drop(fs::remove_file(&self.kept)),
            Err(error) => log::error!("{error}; what it was is in {}", self.kept.display()),
        }
    }
}

/// A gateway of our own on `file`: where clients find it, and where its admin listener is.
async fn start(file: &File) -> Result<([SocketAddr; 2], Process), EvaluationError> {
    let directory = file.path.parent().unwrap_or(Path::new("."));
    let path = file.path.display().to_string();
    let mut process = Process::start("gateway", &["run", "--end-with-parent", "-c", &path], directory)?;
    let web = reachable(process.address_after("listening on").await?);
    let admin = process.address_after("admin on").await?;
    Ok(([web, admin], process))
}

fn checked(
    path: &Path,
    text: &str,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Config, EvaluationError> {
    let name = path.display().to_string();
    let registry = Registry::default();
    let types: Vec<_> = registry.types().collect();
    let source = Source { name: &name, text };
    Ok(config::parse(source, variable, &types)?.config)
}

/// What is sent here is no example for a model of the visitors: nothing of it is recorded.
fn undisturbed(text: &str, pool: &str) -> Result<String, EvaluationError> {
    config::without_dataset(text, pool).map_err(EvaluationError::Unfit)
}

/// Refuses a selector that the file cannot have, at the place in it, before anything has happened.
fn check_selectors(
    plan: &Plan,
    text: &str,
    pool: &str,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<(), EvaluationError> {
    let rivals = plan.rivals.iter().map(|rival| &rival.name);
    let mut seen = BTreeSet::new();
    if let Some(twice) = plan
        .selectors
        .iter()
        .chain(rivals)
        .find(|name| !seen.insert(name.as_str()))
    {
        return Err(unfit(&format!("`{twice}` is named twice; once is enough")));
    }
    let name = plan.configuration.display().to_string();
    let registry = Registry::default();
    let types: Vec<_> = registry.types().collect();
    for selector in &plan.selectors {
        let source = Source { name: &name, text };
        config::parse_with_selector(source, variable, &types, (pool, selector)).map_err(|errors| {
            unfit(&format!(
                "`{selector}` cannot be the selector of the pool `{pool}`:\n{errors}"
            ))
        })?;
    }
    Ok(())
}

fn pool_name(plan: &Plan, config: &Config) -> Result<String, EvaluationError> {
    let names: Vec<&str> = config.pools.iter().map(|pool| pool.name.as_str()).collect();
    match (&plan.pool, names.as_slice()) {
        (Some(name), _) if names.contains(&name.as_str()) => Ok(name.clone()),
        (Some(name), _) => Err(unfit(&format!(
            "there is no pool `{name}`; there are: {}",
            names.join(", ")
        ))),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(unfit(&format!(
            "name one of the pools with --pool: {}",
            names.join(", ")
        ))),
    }
}

/// Where to find what listens everywhere.
fn reachable(bind: SocketAddr) -> SocketAddr {
    if bind.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], bind.port()))
    } else {
        bind
    }
}

fn unfit(why: &str) -> EvaluationError {
    EvaluationError::Unfit(why.to_owned())
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> EvaluationError {
    let what = what.into();
    move |cause| EvaluationError::Io { what, cause }
}
