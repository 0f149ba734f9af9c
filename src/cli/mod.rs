//! The command line: one file for each verb.
//!
//! Exit codes: 0 is success, 1 a failure at run time, 2 something that whoever typed the command or wrote the
//! configuration has to mend.

mod admin;
mod agent;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod distil;
mod evaluate;
mod explain;
mod healthcheck;
mod reload;
mod results;
mod run;
#[cfg(feature = "demo")]
mod shop;
mod simulate;
mod terminal;
mod traffic;
mod train;
mod values;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use crate::server::StartError;

/// An edge gateway that learns where to send each request
#[derive(Debug, Parser)]
#[command(name = "sylvan", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Reload(reload::ReloadArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
    Agent(agent::AgentArgs),
    Traffic(traffic::TrafficArgs),
    Train(train::TrainArgs),
    Distil(distil::DistilArgs),
    Evaluate(evaluate::EvaluateArgs),
    Simulate(simulate::SimulateArgs),
    Explain(explain::ExplainArgs),
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    #[cfg(feature = "demo")]
    Shop(shop::ShopArgs),
}

/// What whoever typed the command or wrote the configuration has to mend.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Mistake(String);

/// Does what the process's arguments say.
#[must_use]
pub fn main() -> ExitCode {
    start_log();
    match perform(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn perform(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Run(args) => run::run(args),
        Verb::Check(args) => check::run(&args),
        Verb::Reload(args) => reload::run(&args),
        Verb::Healthcheck(args) => healthcheck::run(&args),
        Verb::Agent(args) => agent::run(&args),
        Verb::Traffic(args) => traffic::run(&args),
        Verb::Train(args) => train::run(&args),
        Verb::Distil(args) => distil::run(&args),
        Verb::Evaluate(args) => evaluate::run(&args),
        Verb::Simulate(args) => simulate::run(&args),
        Verb::Explain(args) => explain::run(&args),
        #[cfg(feature = "demo")]
        Verb::Demo(args) => demo::run(&args),
        #[cfg(feature = "demo")]
        Verb::Shop(args) => shop::run(&args),
    }
}

/// Logs everything that passes the level in charge. Our own levels say who must act; what Pingora says below an error
/// is counted in metrics.
fn start_log() {
    // Others say only what they must: a file watcher that logs each event of the log's own directory never ends.
    env_logger::Builder::new()
        .filter_level(log::LevelFilter::Error)
        .filter_module("sylvan", log::LevelFilter::Trace)
        .format_timestamp_millis()
        .init();
    log::set_max_level(log::LevelFilter::Info);
}

fn report(error: &anyhow::Error) {
    let text = format!("{error:#}");
    // A configuration's errors say themselves that they are.
    let prefix = if text.starts_with("error: ") { "" } else { "error: " };
    terminal::tell(format_args!("{prefix}{text}"));
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_taken = |error: &std::io::Error| error.kind() == ErrorKind::AddrInUse;
    let is_mistake = error.is::<Mistake>()
        || error.is::<StartError>()
        || error.downcast_ref::<std::io::Error>().is_some_and(is_taken);
    if is_mistake { 2 } else { 1 }
}
