//! The gateway as a process: started on ports of the system's choice, told apart by its id, ended with its owner.

use std::fmt::Display;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;

use http::Request;
use tempfile::TempDir;

use crate::harness::Connection;
use crate::harness::Metrics;
use crate::harness::Written;
use crate::harness::eventually;
use crate::harness::fetch;

/// A process of the binary, whatever becomes of it.
#[derive(Debug)]
pub(crate) struct Launched {
    process: Child,
    directory: TempDir,
    output: Arc<Mutex<String>>,
    collectors: [JoinHandle<()>; 2],
}

impl Launched {
    /// `sylvan ARGUMENTS...` in a directory of its own, where `gateway.yaml` holds `text`.
    pub(crate) fn new(text: &impl Display, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("gateway.yaml"), text.to_string()).expect("a writable directory");
        let mut process = Command::new(env!("CARGO_BIN_EXE_sylvan"))
            .args(arguments)
            .current_dir(directory.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let output = Arc::default();
        let collectors = [
            collect(process.stdout.take(), &output),
            collect(process.stderr.take(), &output),
        ];
        Self {
            process,
            directory,
            output,
            collectors,
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has written so far, standard output and standard error together.
    pub(crate) fn output(&self) -> String {
        self.output.lock().map(|output| output.clone()).unwrap_or_default()
    }

    /// Waits for its end and for all that it wrote; the exit code, -1 after a signal.
    pub(crate) async fn exit(&mut self) -> i32 {
        let process = &mut self.process;
        let status = eventually("the process ends", async || process.try_wait().ok().flatten()).await;
        let collectors = &self.collectors;
        let is_collected = async || collectors.iter().all(JoinHandle::is_finished).then_some(());
        eventually("its output ends", is_collected).await;
        status.code().unwrap_or(-1)
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The file of that name in its directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Sends it `signal`, as in `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -s {signal} {}", self.process.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(status.success(), "{kill}");
    }

    /// The address behind `prefix` in a line that it wrote, once it has written one.
    pub(crate) async fn announced(&self, prefix: &str) -> SocketAddr {
        let what = format!("a line `{prefix}ADDRESS`");
        let find = async || {
            let output = self.output();
            let line = output
                .lines()
                .find_map(|line| line.strip_prefix(prefix)?.strip_prefix("http://"))?
                .to_owned();
            line.parse().ok()
        };
        eventually(what, find).await
    }
}

impl Drop for Launched {
    /// Ends it; when the test failed, what it wrote may say why.
    #[expect(clippy::print_stderr, reason = "shown by the test runner for failed tests only")]
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("--- the gateway wrote:\n{}---", self.output());
        }
    }
}

/// Appends each line of `stream` to `output` until it ends.
fn collect(stream: Option<impl Read + Send + 'static>, output: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in stream
            .into_iter()
            .flat_map(|stream| BufReader::new(stream).lines())
            .map_while(Result::ok)
        {
            if let Ok(mut output) = output.lock() {
                output.push_str(&line);
                output.push('\n');
            }
        }
    })
}

/// A gateway that serves.
#[derive(Debug)]
pub(crate) struct Gateway {
    process: Launched,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Gateway {
    /// Starts one and waits until it is ready.
    pub(crate) async fn start(config: &Written) -> Self {
        let gateway = Self::start_unready(config).await;
        let address = gateway.admin;
        eventually("/readyz is green", async || {
            (fetch(address, "/readyz").await.status == 200).then_some(())
        })
        .await;
        gateway
    }

    /// Starts one and waits until it listens.
    pub(crate) async fn start_unready(config: &Written) -> Self {
        let process = Launched::new(config, &["run", "-c", "gateway.yaml"]);
        let address = process.announced("listening on web ").await;
        let admin = process.announced("admin on ").await;
        Self {
            process,
            address,
            admin,
        }
    }

    /// Where its listener `web` is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its admin listener is.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> &mut Launched {
        &mut self.process
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Its counts and states now.
    pub(crate) async fn metrics(&self) -> Metrics {
        Metrics::parse(&fetch(self.admin, "/metrics").await.text())
    }

    /// Waits until its metrics are as `wanted`.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Metrics) -> bool) -> Metrics {
        let probe = async || Some(self.metrics().await).filter(&wanted);
        eventually(what, probe).await
    }

    /// Replaces its file as editors and ConfigMaps do: another file takes the name.
    pub(crate) fn replace(&self, config: &impl Display) {
        let next = self.process.path("gateway.yaml.next");
        std::fs::write(&next, config.to_string()).expect("a writable directory");
        std::fs::rename(next, self.file()).expect("a writable directory");
    }

    /// Writes over its file.
    pub(crate) fn overwrite(&self, config: &impl Display) {
        std::fs::write(self.file(), config.to_string()).expect("a writable file");
    }

    fn file(&self) -> PathBuf {
        self.process.path("gateway.yaml")
    }

    /// What its API says of its pool `main`.
    pub(crate) async fn pool(&self) -> serde_json::Value {
        let pools: serde_json::Value =
            serde_json::from_slice(&fetch(self.admin, "/api/pools").await.body).unwrap_or_default();
        let is_main = |pool: &&serde_json::Value| pool["name"] == "main";
        pools
            .as_array()
            .and_then(|pools| pools.iter().find(is_main))
            .cloned()
            .unwrap_or_default()
    }

    /// Asks it to reload; the status, and what it says.
    pub(crate) async fn reload(&self) -> (u16, serde_json::Value) {
        let mut admin = Connection::open(self.admin).await;
        let reply = admin.send(Request::post("/api/reload"), "").await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
