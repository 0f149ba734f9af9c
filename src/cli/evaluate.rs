//! `sylvan evaluate`: selectors on live backends, side by side.

mod page;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::cli::Mistake;
use crate::cli::results::Results;
use crate::cli::run::environment;
use crate::cli::terminal;
use crate::cli::traffic;
use crate::cli::values;
use crate::evaluation;
use crate::evaluation::Evaluation;
use crate::evaluation::EvaluationError;
use crate::evaluation::Plan;
use crate::evaluation::Rival;
use crate::traffic::InvalidUrl;
use crate::traffic::Rate;
use crate::traffic::Target;
use crate::traffic::Url;

/// Measure selectors on live backends: the same traffic for each of them, in slices that alternate
///
/// A gateway that runs on the configuration already is asked to reload it for every slice, and finds it at the end as
/// it was; otherwise one is started for the evaluation.
#[derive(Args, Debug)]
pub(super) struct EvaluateArgs {
    /// The gateway's configuration
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The selectors; the others are compared with the first
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", required = true)]
    selectors: Vec<String>,
    /// Another balancer in front of the same backends, which takes turns with the selectors; may be repeated
    #[arg(long, value_name = "NAME=URL", value_parser = rival)]
    rival: Vec<(String, Url)>,
    /// The pool whose selector is swapped [default: the only one]
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// Requests per second on average, below what the backends can carry
    #[arg(long, default_value = "200/s", value_parser = values::rate)]
    rate: Rate,
    /// How long each selector is measured in all
    #[arg(long, default_value = "60s", value_parser = values::duration)]
    duration: Duration,
    /// How long it is measured at a time
    #[arg(long, default_value = "5s", value_parser = values::duration)]
    slice: Duration,
    /// How long each selector serves before anything is measured; 0s is not at all
    #[arg(long, default_value = "20s", value_parser = values::duration_or_none)]
    warm_up: Duration,
    /// How long each selector is measured with all the traffic that it can take; 0s is not at all
    #[arg(long, default_value = "10s", value_parser = values::duration_or_none)]
    saturation: Duration,
    /// Decides arrival times and routes: the same seed sends the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What to ask for: `shop` for visits of the sample shop, or paths
    #[arg(long, num_args = 1.., value_name = "shop|PATH", value_parser = traffic::mix_part, default_value = "/")]
    mix: Vec<String>,
    #[command(flatten)]
    results: Results,
}

/// Runs the command.
///
/// # Errors
/// When the gateway cannot be had or refuses a selector, or a file cannot be written.
pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    args.results.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let plan = Plan {
        configuration: args.config.clone(),
        pool: args.pool.clone(),
        selectors: names(&args.selectors)?,
        rivals: runtime.block_on(resolved(&args.rival))?,
        rate: args.rate,
        duration: args.duration,
        slice: args.slice,
        warm_up: args.warm_up,
        saturation: args.saturation,
        seed: args.seed,
        mix: traffic::mix(&args.mix, "/")?,
    };
    let evaluation = runtime.block_on(async {
        tokio::select! {
            evaluation = evaluation::run(&plan, &environment, terminal::progress()) => evaluation.map_err(blamed),
            // What was rewritten is put back, and what was started is ended, with the future that holds it.
            () = told_to_end() => Err(anyhow::anyhow!("interrupted; the configuration is as it was")),
        }
    })?;
    args.results
        .give(|| tables(&evaluation), &evaluation.json(), || page::page(&evaluation))
}

/// What is printed: nobody is compared when there is only one.
fn tables(evaluation: &Evaluation) -> String {
    let mut text = evaluation.figures().text(terminal::output());
    if !evaluation.comparisons.is_empty() {
        text = text + "\n" + &evaluation.verdicts().text(terminal::output());
    }
    let warnings = evaluation.warnings().into_iter();
    text + &warnings.map(|it| format!("\nwarning: {it}\n")).collect::<String>()
}

/// The names in `selectors`, which people write with spaces between them.
fn names(selectors: &[String]) -> Result<Vec<String>, Mistake> {
    let names: Vec<String> = selectors.iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(Mistake("--selectors: a name is empty".to_owned()));
    }
    Ok(names)
}

/// Reads `NAME=URL`.
fn rival(text: &str) -> Result<(String, Url), String> {
    let (name, url) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write a name and a URL, such as `haproxy=http://127.0.0.1:8081`")?;
    let url = url.parse().map_err(|error: InvalidUrl| error.to_string())?;
    Ok((name.to_owned(), url))
}

/// The rivals, each of which has accepted a connection.
async fn resolved(rivals: &[(String, Url)]) -> anyhow::Result<Vec<Rival>> {
    let mut resolved = Vec::new();
    for (name, url) in rivals {
        resolved.push(Rival {
            name: name.clone(),
            target: Target::resolve(url).await?,
        });
    }
    Ok(resolved)
}

/// Completes at Ctrl-C, and when the process is to end or its terminal is gone.
async fn told_to_end() {
    let received = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        // Without the signal the run still ends by itself.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = received(SignalKind::interrupt()) => {}
        () = received(SignalKind::terminate()) => {}
        () = received(SignalKind::hangup()) => {}
    }
}

/// A configuration that cannot be evaluated is a mistake of whoever typed the command.
fn blamed(error: EvaluationError) -> anyhow::Error {
    match error {
        EvaluationError::Config(_) | EvaluationError::Unfit(_) => Mistake(error.to_string()).into(),
        error => error.into(),
    }
}
