//! `sylvan traffic`: seeded traffic against a URL, and what came of it.

mod course;
mod page;

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap::ValueEnum;

use crate::cli::results::Results;
use crate::cli::terminal;
use crate::cli::traffic::course::Course;
use crate::cli::values;
use crate::clock;
use crate::report;
use crate::report::Column;
use crate::report::Table;
use crate::report::progress::Progress;
use crate::traffic;
use crate::traffic::Arrivals;
use crate::traffic::Failure;
use crate::traffic::InvalidPath;
use crate::traffic::Load;
use crate::traffic::Mix;
use crate::traffic::Plan;
use crate::traffic::Pulse;
use crate::traffic::Rate;
use crate::traffic::Summary;
use crate::traffic::Target;
use crate::traffic::Url;
use crate::traffic::json::SummaryRow;

/// The word for the mix of the sample shop.
const SHOP: &str = "shop";

/// Send seeded traffic at a steady rate and measure it as a user would.
#[derive(Args, Debug)]
pub(crate) struct TrafficArgs {
    /// Where to: http://host:port/path
    url: Url,
    /// Requests per second on average, sent whether or not the earlier ones are answered
    #[arg(long, default_value = "200/s", value_parser = values::rate)]
    rate: Rate,
    /// How long to send
    #[arg(long, default_value = "30s", value_parser = values::duration)]
    duration: Duration,
    /// Decides arrival times and routes: the same seed sends the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How arrivals are spread
    #[arg(long, value_enum, default_value_t = Spread::Poisson)]
    arrivals: Spread,
    /// What to ask for: `shop` for visits of the sample shop, or paths [default: the URL's own path]
    #[arg(long, num_args = 1.., value_name = "shop|PATH", value_parser = mix_part)]
    mix: Vec<String>,
    /// Connections at most; beyond it requests wait, and the wait counts
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// The longest a request may take
    #[arg(long, default_value = "10s", value_parser = values::duration)]
    timeout: Duration,
    /// Closed loop instead of a rate: so many connections, each sending its next request once it has an answer
    #[arg(long, value_name = "CONNECTIONS", conflicts_with_all = ["rate", "arrivals", "max_connections"],
          value_parser = clap::value_parser!(u32).range(1..))]
    closed: Option<u32>,
    #[command(flatten)]
    results: Results,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Spread {
    /// Independent arrivals, as many users are
    Poisson,
    /// Evenly spaced arrivals
    Constant,
}

/// Runs the command.
///
/// # Errors
/// When the target cannot be reached, a path is invalid or a file cannot be written.
pub(crate) fn run(args: &TrafficArgs) -> anyhow::Result<()> {
    // One thread carries thousands of requests per second and leaves the other cores to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    args.results.check()?;
    let mut course = Course::default();
    let (plan, summary) = runtime.block_on(send(args, &mut course))?;
    let url = args.url.to_string();
    args.results.give(
        || table(&summary).text(terminal::output()),
        &SummaryRow::new(&url, &plan, &summary),
        || page::page(&url, &plan, &summary, &course),
    )
}

/// Sends everything; `course` takes in how it goes.
async fn send(args: &TrafficArgs, course: &mut Course) -> anyhow::Result<(Plan, Summary)> {
    let plan = Plan {
        target: Target::resolve(&args.url).await?,
        load: load(args),
        duration: args.duration,
        seed: args.seed,
        mix: mix(&args.mix, args.url.path())?,
        max_connections: args.max_connections as usize,
        timeout: args.timeout,
    };
    let mut progress = Progress::new(terminal::progress(), "traffic", args.duration.as_millis() as u64);
    let show = |pulse: &Pulse| {
        course.add(pulse);
        progress.update(pulse.elapsed.as_millis() as u64, &live(pulse), clock::now());
    };
    let summary = traffic::run(&plan, interrupted(), show).await;
    progress.finish(&format!("{} requests", summary.requests));
    Ok((plan, summary))
}

fn load(args: &TrafficArgs) -> Load {
    let arrivals = match args.arrivals {
        Spread::Poisson => Arrivals::Poisson,
        Spread::Constant => Arrivals::Constant,
    };
    match args.closed {
        Some(connections) => Load::Closed {
            connections: connections as usize,
        },
        None => Load::Open {
            rate: args.rate,
            arrivals,
        },
    }
}

/// `shop` or a path, checked before anything is sent.
pub(super) fn mix_part(text: &str) -> Result<String, InvalidPath> {
    if text != SHOP {
        Mix::paths([text])?;
    }
    Ok(text.to_owned())
}

/// What `parts` ask for below `url`, which stands for no parts.
pub(super) fn mix(parts: &[String], url: &str) -> anyhow::Result<Mix> {
    let mix = match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Mix::paths([url]),
        [SHOP] => Mix::shop(url),
        paths => Mix::paths(paths.iter().copied()),
    };
    mix.context("--mix")
}

/// Completes when the user presses Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal the run still ends by itself.
        std::future::pending().await
    }
}

fn live(pulse: &Pulse) -> String {
    let Pulse { rate_rps, errors, .. } = pulse;
    let (p50, p99) = (report::milliseconds(pulse.p50_ms), report::milliseconds(pulse.p99_ms));
    format!("{rate_rps:.0} requests/s, p50 {p50} ms, p99 {p99} ms, {errors} errors")
}

fn table(summary: &Summary) -> Table {
    let mut table = Table::new([Column::text("result"), Column::number("value")]);
    table.push(["duration s".to_owned(), format!("{:.1}", summary.elapsed.as_secs_f64())]);
    table.push(["requests".to_owned(), summary.requests.to_string()]);
    table.push([
        "answers per second".to_owned(),
        format!("{:.1}", summary.achieved_rps()),
    ]);
    table.push([
        "successes per second".to_owned(),
        format!("{:.1}", summary.goodput_rps()),
    ]);
    for (name, latency_ms) in latencies(summary) {
        table.push([format!("latency {name} ms"), report::milliseconds(latency_ms)]);
    }
    table.push(["received".to_owned(), report::size(summary.bytes_received)]);
    table.push(["errors".to_owned(), summary.failures.total().to_string()]);
    for kind in Failure::ALL
        .into_iter()
        .filter(|&kind| summary.failures.count(kind) > 0)
    {
        table.push([format!("  {}", kind.name()), summary.failures.count(kind).to_string()]);
    }
    for (backend, answers) in &summary.by_backend {
        table.push([format!("answers by {backend}"), answers.to_string()]);
    }
    table
}

/// The figures of the table, none when nothing was measured.
fn latencies(summary: &Summary) -> Vec<(&'static str, f64)> {
    let latencies = &summary.latencies;
    if latencies.count() == 0 {
        return Vec::new();
    }
    let quantiles = [
        ("p50", 0.5),
        ("p90", 0.9),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p99.9", 0.999),
    ];
    let quantiles = quantiles.map(|(name, quantile)| (name, latencies.quantile_ms(quantile)));
    [
        &[("mean", latencies.mean_ms())],
        quantiles.as_slice(),
        &[("max", latencies.max_ms())],
    ]
    .concat()
}
