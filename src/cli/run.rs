//! `sylvan run`: the gateway, in the foreground.

use std::path::PathBuf;

use clap::Args;

use crate::cli::terminal;
use crate::server::Ending;
use crate::server::Gateway;

/// Runs the gateway; SIGTERM drains, a second signal ends at once, SIGHUP reloads
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The configuration; `-` is standard input
    #[arg(short, long, value_name = "FILE", env = "SYLVAN_CONFIG")]
    config: PathBuf,
    /// The least severe level that is logged, instead of the configuration's `log.level`
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<log::LevelFilter>,
    /// Whoever started it may be killed and cannot end it then
    #[arg(long, hide = true)]
    end_with_parent: bool,
}

/// Runs until a signal says to stop.
pub(super) fn run(args: RunArgs) -> anyhow::Result<()> {
    if args.end_with_parent {
        end_with_parent()?;
    }
    let gateway = Gateway::builder(args.config).variables(environment).start()?;
    log::set_max_level(args.log_level.unwrap_or(gateway.log_level()));
    for (name, address) in gateway.addresses() {
        terminal::print_line(format_args!("listening on {name} http://{address}"))?;
    }
    if let Some(address) = gateway.admin_address() {
        terminal::print_line(format_args!("admin on http://{address}"))?;
    }
    match gateway.run() {
        Ending::Drained => Ok(()),
        Ending::Forced => anyhow::bail!("ended with requests in flight"),
    }
}

/// Linux sends this process SIGTERM once the thread that started it has ended; elsewhere it goes on.
fn end_with_parent() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    Ok(())
}

/// The one place where the environment is read for a configuration.
#[expect(clippy::disallowed_methods, reason = "the command line hands the environment down")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
