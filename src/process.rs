//! Processes of this very program: started, listened to until they are ready, and ended with their owner.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncBufReadExt;
use tokio::io::BufReader;
use tokio::process::Child;
use tokio::process::ChildStdout;
use tokio::process::Command;

/// Longer than any of them takes on a Raspberry Pi.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a process is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It or its files could not be had.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It ended, or did not say that it is ready.
    #[error("{name} did not start; see {log}")]
    NotReady {
        /// Which.
        name: String,
        /// Where its messages are.
        log: String,
    },
    /// It ended badly; its own words.
    #[error("{0}")]
    Failed(String),
}

impl ProcessError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Io { what, cause }
    }
}

/// A running process; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    /// Kept, so that the process can go on printing and ends with us.
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Process {
    /// Starts `sylvan ARGUMENTS`, its messages in `directory`/`name`.log.
    pub(crate) fn start(name: &str, arguments: &[&str], directory: &Path) -> Result<Self, ProcessError> {
        let log = directory.join(format!("{name}.log"));
        let messages = File::create(&log).map_err(ProcessError::io(format!("{} cannot be written", log.display())))?;
        let program = std::env::current_exe().map_err(ProcessError::io("this program cannot be found"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(messages)
            .kill_on_drop(true)
            .spawn()
            .map_err(ProcessError::io(format!("{name} cannot be started")))?;
        let not_ready = || ProcessError::NotReady {
            name: name.to_owned(),
            log: log.display().to_string(),
        };
        let output = child.stdout.take().ok_or_else(not_ready)?;
        Ok(Self {
            name: name.to_owned(),
            log: log.clone(),
            lines: BufReader::new(output).lines(),
            _child: child,
        })
    }

    /// Waits for the line that starts with `words` and ends in `http://ADDRESS`.
    pub(crate) async fn address_after(&mut self, words: &str) -> Result<SocketAddr, ProcessError> {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                if let Some(address) = line.strip_prefix(words).and_then(|rest| rest.split("http://").nth(1)) {
                    return address.trim().parse().ok();
                }
            }
            None
        });
        let not_ready = || ProcessError::NotReady {
            name: self.name.clone(),
            log: self.log.display().to_string(),
        };
        found.await.ok().flatten().ok_or_else(not_ready)
    }
}

/// Runs `sylvan ARGUMENTS` to its end; what it printed, or its error.
#[cfg(feature = "demo")]
pub(crate) async fn finish(arguments: &[&str]) -> Result<String, ProcessError> {
    let program = std::env::current_exe().map_err(ProcessError::io("this program cannot be found"))?;
    let output = Command::new(program)
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(ProcessError::io("it cannot be started"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(ProcessError::Failed(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}
