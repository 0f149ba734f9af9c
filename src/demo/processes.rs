//! Processes of this very program, started for the demo and ended with it.

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

use crate::demo::DemoError;

/// Longer than any of them takes on a Raspberry Pi.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running process; dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    log: PathBuf,
    /// Kept, so that the process can go on printing and ends with us.
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Process {
    /// Starts `sylvan ARGUMENTS`, its messages in `directory`/`name`.log.
    pub(super) fn start(name: &str, arguments: &[&str], directory: &Path) -> Result<Self, DemoError> {
        let log = directory.join(format!("{name}.log"));
        let messages = File::create(&log).map_err(DemoError::io(format!("{} cannot be written", log.display())))?;
        let program = std::env::current_exe().map_err(DemoError::io("this program cannot be found"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(messages)
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::io(format!("{name} cannot be started")))?;
        let not_ready = || DemoError::NotReady {
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
    pub(super) async fn address_after(&mut self, words: &str) -> Result<SocketAddr, DemoError> {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                if let Some(address) = line.strip_prefix(words).and_then(|rest| rest.split("http://").nth(1)) {
                    return address.trim().parse().ok();
                }
            }
            None
        });
        let not_ready = || DemoError::NotReady {
            name: self.name.clone(),
            log: self.log.display().to_string(),
        };
        found.await.ok().flatten().ok_or_else(not_ready)
    }
}

/// Runs `sylvan ARGUMENTS` to its end; what it printed, or its error.
pub(super) async fn finish(arguments: &[&str]) -> Result<String, DemoError> {
    let program = std::env::current_exe().map_err(DemoError::io("this program cannot be found"))?;
    let output = Command::new(program)
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(DemoError::io("training cannot be started"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(DemoError::Training(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}
