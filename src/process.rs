//! Processes of this very program: started, listened to until they are ready, and ended with their owner.

use std::fs;
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

/// Lines of a log that an error quotes.
const MOST_LINES: usize = 6;

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
    #[error("{name} did not start: {said}")]
    NotReady {
        /// Which.
        name: String,
        /// Its last messages: the log may be gone by the time that this is read.
        said: String,
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
        let output = child.stdout.take().ok_or_else(|| not_ready(name, &log))?;
        Ok(Self {
            name: name.to_owned(),
            log,
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
        found
            .await
            .ok()
            .flatten()
            .ok_or_else(|| not_ready(&self.name, &self.log))
    }
}

fn not_ready(name: &str, log: &Path) -> ProcessError {
    let messages = fs::read(log).unwrap_or_default();
    ProcessError::NotReady {
        name: name.to_owned(),
        said: last_lines(&String::from_utf8_lossy(&messages)),
    }
}

/// What a process said last; a finding in a configuration takes a few lines.
fn last_lines(messages: &str) -> String {
    let lines: Vec<&str> = messages.lines().filter(|line| !line.trim().is_empty()).collect();
    match &lines[lines.len().saturating_sub(MOST_LINES)..] {
        [] => "it said nothing".to_owned(),
        last => last.join("\n"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_quoted_with_its_last_words() {
        assert_eq!(last_lines(" \n"), "it said nothing");
        assert_eq!(last_lines("a\n\nb\n"), "a\nb");
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n7"), "2\n3\n4\n5\n6\n7");
    }
}
