//! `sylvan agent`: the metrics of a backend, for the gateway to poll.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;

use crate::agent;
use crate::agent::Options;
use crate::agent::Scope;
use crate::cli::Mistake;
use crate::cli::terminal;
use crate::cli::values;

/// Reports cpu_percent, ram_percent, bytes_sent and bytes_recv of this machine, a process or a control group
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Where to answer: ADDRESS:PORT, or :PORT for every interface
    #[arg(long, value_name = "ADDRESS", default_value = ":9902", value_parser = agent::listen_address)]
    listen: SocketAddr,
    /// What to measure; `process` when --pid is given, else `host`
    #[arg(long, value_enum)]
    scope: Option<ScopeName>,
    /// The process to measure, or whose control group to measure
    #[arg(long, value_name = "PID", required_if_eq("scope", "process"))]
    pid: Option<u32>,
    /// The CPU cores that count as 100 percent; all that the scope may use when not given
    #[arg(long, value_name = "NUMBER", value_parser = cores)]
    cores: Option<f64>,
    /// The time between two samples, which is the window that every figure covers
    #[arg(long, default_value = "500ms", value_parser = interval)]
    interval: Duration,
}

/// A process's CPU time is counted in hundredths of a second: in a shorter window it would be mostly rounding.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeName {
    /// The whole machine
    Host,
    /// One process, given by --pid
    Process,
    /// A control group: that of --pid, or the agent's own
    Cgroup,
}

impl AgentArgs {
    fn options(&self) -> Result<Options, Mistake> {
        let scope = match (self.scope, self.pid) {
            (Some(ScopeName::Host), Some(_)) => {
                return Err(Mistake(
                    "--pid has no meaning with --scope host; leave one of them out".to_owned(),
                ));
            }
            (Some(ScopeName::Process) | None, Some(pid)) => Scope::Process { pid },
            (Some(ScopeName::Cgroup), pid) => Scope::Cgroup { pid },
            // clap refuses `process` without a pid.
            (Some(ScopeName::Host | ScopeName::Process) | None, None) => Scope::Host,
        };
        Ok(Options {
            listen: self.listen,
            scope,
            cores: self.cores,
            interval: self.interval,
        })
    }
}

/// Runs the agent until SIGTERM or Ctrl-C.
///
/// # Errors
/// A [`Mistake`] in the arguments; a `std::io::Error`, of kind `AddrInUse` when the port is taken.
pub(crate) fn run(args: &AgentArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut printed = Ok(());
    let ready = |address| printed = terminal::print_line(format_args!("agent on http://{address}"));
    runtime.block_on(agent::run(args.options()?, ready))?;
    printed
}

fn cores(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(cores) if (0.01..=4096.0).contains(&cores) => Ok(cores),
        _ => Err(format!(
            "`{text}` is no number of cores; write 0.01 to 4096, such as 0.5"
        )),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = values::duration(text)?;
    if interval < SHORTEST_INTERVAL {
        return Err(format!(
            "`{text}` is too short to measure in; write {SHORTEST_INTERVAL:?} or more"
        ));
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        agent: AgentArgs,
    }

    #[track_caller]
    fn check(arguments: &str, expected: Option<Scope>) {
        let command = Command::try_parse_from(["sylvan"].into_iter().chain(arguments.split_whitespace()));
        let options = command.ok().and_then(|command| command.agent.options().ok());
        assert_eq!(options.map(|options| options.scope), expected);
    }

    #[test]
    fn the_scope_follows_from_what_is_given() {
        check("", Some(Scope::Host));
        check("--pid 7", Some(Scope::Process { pid: 7 }));
        check("--scope cgroup", Some(Scope::Cgroup { pid: None }));
        check("--scope cgroup --pid 7", Some(Scope::Cgroup { pid: Some(7) }));
    }

    #[test]
    fn what_cannot_be_measured_is_a_usage_error() {
        check("--scope process", None);
        check("--scope host --pid 7", None);
        check("--cores 0", None);
        check("--interval 1ms", None);
        check("--listen 9902", None);
    }
}
