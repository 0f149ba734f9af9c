//! `sylvan demo`: the paper in one command.

use std::path::PathBuf;

use clap::Args;

use crate::cli::terminal;
use crate::demo;
use crate::demo::Demo;

/// Plays the paper: two uneven shops, round robin, a data set, a forest, one word of YAML, and the comparison
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// End within 40 seconds
    #[arg(long)]
    quick: bool,
    /// Write the table as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the shops and the gateway running until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Where the configuration, the data set, the model and the logs are written
    #[arg(long, value_name = "DIRECTORY", default_value = "sylvan-demo")]
    dir: PathBuf,
}

/// Plays the demo and prints what it found.
pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            played = play(args) => played,
            // What was started ends with the future that holds it.
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    })
}

async fn play(args: &DemoArgs) -> anyhow::Result<()> {
    if let Some(path) = args.json.as_deref().filter(|path| !terminal::is_output(path)) {
        // A minute and a half is too long to find out that the result cannot be kept.
        terminal::write(path, "")?;
    }
    let options = demo::Options {
        directory: args.dir.clone(),
        quick: args.quick,
        look: terminal::progress(),
    };
    let demo = demo::run(&options).await?;
    print(args, &demo)?;
    if args.stay {
        stay(&demo).await?;
    }
    Ok(())
}

fn print(args: &DemoArgs, demo: &Demo) -> anyhow::Result<()> {
    let (outcome, files) = (&demo.outcome, &demo.outcome.files);
    if !args.json.as_deref().is_some_and(terminal::is_output) {
        terminal::print(&format!(
            "{}\n{}\n\
             one word rewritten under load: {} requests, {} errors\n\
             forest served with the model that comes with sylvan, from its first request on, without warm-up\n\
             data set       {}\n\
             model          {}\n\
             configuration  {}\n",
            outcome.training.trim_end(),
            outcome.table(terminal::output()),
            outcome.swap.requests,
            outcome.swap.errors,
            files.dataset.display(),
            files.model.display(),
            files.configuration.display(),
        ))?;
    }
    match &args.json {
        Some(file) => terminal::write_json(file, &outcome.json()),
        None => Ok(()),
    }
}

async fn stay(demo: &Demo) -> anyhow::Result<()> {
    let (web, admin) = demo.addresses();
    terminal::print_line(format_args!(
        "the shop is at {web}, the gateway's state at {admin}/api/pools; Ctrl-C ends it"
    ))?;
    std::future::pending().await
}
