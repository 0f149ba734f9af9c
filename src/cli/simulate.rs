//! `sylvan simulate`: selectors in simulated worlds, side by side.

mod page;

use std::fs;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use clap::Args;

use crate::cli::Mistake;
use crate::cli::results::Results;
use crate::cli::terminal;
use crate::clock;
use crate::config::ModelUse;
use crate::config::Source;
use crate::forest::Model;
use crate::report;
use crate::report::Column;
use crate::report::Table;
use crate::report::progress::Progress;
use crate::selection::View;
use crate::simulation;
use crate::simulation::Comparison;
use crate::simulation::Contender;
use crate::simulation::Relative;
use crate::simulation::Report;
use crate::simulation::Row;
use crate::simulation::SHIPPED;
use crate::simulation::Scenario;
use crate::simulation::Suite;
use crate::simulation::WORLDS;
use crate::tasks::load;
use crate::units::Share;

/// Measure selectors in simulated worlds: the same requests and the same faults for each of them.
#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// Scenario files, names of those that come with sylvan, or `random-N` for a random world [default: the thirteen of the suite]
    #[arg(value_name = "SCENARIO.yaml|NAME")]
    scenarios: Vec<String>,
    /// The selectors [default: all that can be simulated]
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", value_parser = Contender::named)]
    selectors: Vec<Contender>,
    /// A distilled model for `forest`, in place of the one that comes with the program
    #[arg(long, value_name = "FILE.forest")]
    model: Option<PathBuf>,
    /// Worlds are drawn from these seeds: 0..5 is 0 to 4
    #[arg(long, default_value = "0..5", value_parser = seeds)]
    seeds: Range<u64>,
    /// Move every number of a scenario by up to this share, under each seed another way
    #[arg(long, default_value = "0%", value_parser = share)]
    jitter: Share,
    /// Runs at once [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    results: Results,
}

/// Runs the command.
///
/// # Errors
/// When a scenario cannot be read, or a file cannot be written.
pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    args.results.check()?;
    let suite = Suite {
        scenarios: scenarios(&args.scenarios)?,
        contenders: contenders(args)?,
        seeds: args.seeds.clone(),
        jitter: args.jitter,
    };
    let reports = play(&suite, jobs(args));
    args.results
        .write_json(&reports.iter().map(Row::from).collect::<Vec<_>>())?;
    let comparison = simulation::compare(&reports);
    args.results.write_html(|| page::page(&reports, &comparison))?;
    if args.results.leaves_output_free() {
        terminal::print(&tables(&comparison))?;
    }
    Ok(())
}

/// Runs `suite` and shows how far it is.
pub(super) fn play(suite: &Suite, jobs: usize) -> Vec<Report> {
    let mut progress = Progress::new(terminal::progress(), "simulate", suite.len() as u64);
    let mut done = 0;
    let reports = suite.run(jobs, |report| {
        done += 1;
        let Report {
            scenario,
            selector,
            seed,
            ..
        } = report;
        progress.update(done, &format!("{scenario}, {selector}, seed {seed}"), clock::now());
    });
    progress.finish(&format!("{done} runs"));
    reports
}

fn jobs(args: &SimulateArgs) -> usize {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    args.jobs.map_or_else(cores, NonZeroUsize::get)
}

/// What was asked for, or everything.
fn contenders(args: &SimulateArgs) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = args.selectors.clone();
    if contenders.is_empty() {
        let all = Contender::names();
        contenders = all
            .iter()
            .map(|name| Contender::named(name))
            .collect::<Result<_, _>>()?;
    }
    if let Some(path) = &args.model {
        let own = Contender::frozen(Arc::new(distilled(path)?));
        contenders.retain(|contender| contender.name() != own.name());
        contenders.push(own);
    }
    Ok(contenders)
}

fn distilled(path: &Path) -> anyhow::Result<Model> {
    let model = load::read_model(path, ModelUse::Learned)?;
    match View::of(model.forest().schema()) {
        Some(View::Compared) => Ok(model),
        _ => Err(Mistake(format!("{} was not made by `sylvan distil`", path.display())).into()),
    }
}

/// The scenarios that are `asked` for by name or file; those of the suite when none is.
pub(super) fn scenarios(asked: &[impl AsRef<str>]) -> anyhow::Result<Vec<Scenario>> {
    if asked.is_empty() {
        return suite();
    }
    let scenarios: Vec<Scenario> = asked
        .iter()
        .map(|asked| scenario(asked.as_ref()))
        .collect::<Result<_, _>>()?;
    let is_twice = |scenario: &&Scenario| scenarios.iter().filter(|other| other.name == scenario.name).count() > 1;
    match scenarios.iter().find(is_twice) {
        Some(scenario) => Err(Mistake(format!("two scenarios are called `{}`", scenario.name)).into()),
        None => Ok(scenarios),
    }
}

/// The worlds of the suite.
fn suite() -> anyhow::Result<Vec<Scenario>> {
    SHIPPED
        .iter()
        .take(WORLDS)
        .map(|shipped| Ok(shipped.scenario()?))
        .collect()
}

/// The scenario that comes with the program under this name, the random one of this number, or the one in this file.
fn scenario(asked: &str) -> anyhow::Result<Scenario> {
    if let Some(seed) = asked.strip_prefix("random-").and_then(|number| number.parse().ok()) {
        return Ok(Scenario::random(seed, Scenario::RANDOM_ARRIVALS));
    }
    if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == asked) {
        return Ok(shipped.scenario()?);
    }
    let path = Path::new(asked);
    if path.extension().is_none() && !path.exists() {
        let names: Vec<&str> = SHIPPED.iter().map(|shipped| shipped.name).collect();
        let names = names.join(", ");
        let message =
            format!("`{asked}` is neither a file, nor `random-` and a number, nor one of the scenarios {names}");
        return Err(Mistake(message).into());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {asked}"))?;
    let name = path
        .file_stem()
        .map_or_else(|| asked.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let scenario = simulation::parse(
        &name,
        Source {
            name: asked,
            text: &text,
        },
    );
    scenario.map_err(|errors| Mistake(errors.to_string()).into())
}

/// More runs than anybody waits for; each has a place in memory.
const MOST_SEEDS: u64 = 10_000;

/// Reads `0..5`, or one seed alone.
pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| "write a range such as `0..5`, which is 0 to 4".to_owned())
    };
    let (start, end) = match text.split_once("..") {
        Some((start, end)) => (number(start)?, number(end)?),
        None => (number(text)?, number(text)?.saturating_add(1)),
    };
    if start >= end {
        Err("the range is empty; the second number is not a part of it".to_owned())
    } else if end - start > MOST_SEEDS {
        Err(format!("these are {} seeds; {MOST_SEEDS} are the most", end - start))
    } else {
        Ok(start..end)
    }
}

/// Reads `15%`.
fn share(text: &str) -> Result<Share, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    let share = percent
        .filter(|percent| *percent < 100.0)
        .and_then(|percent| Share::new(percent / 100.0));
    share.ok_or_else(|| "write a percentage below 100, such as `15%`".to_owned())
}

pub(super) fn tables(comparison: &Comparison) -> String {
    let look = terminal::output();
    let mut text = String::new();
    for (scenario, selectors) in &comparison.scenarios {
        text.push_str(&format!("{scenario}\n{}\n", of_scenario(selectors).text(look)));
    }
    if comparison.scenarios.len() > 1 && !comparison.overall.is_empty() {
        text.push_str(&format!(
            "all scenarios, to the best classical selector of each\n{}",
            overall(comparison).text(look)
        ));
    }
    text
}

fn of_scenario(selectors: &[Relative]) -> Table {
    let numbers = [
        "mean ms",
        "p50",
        "p95",
        "p99",
        "p99.9",
        "errors",
        "good/s",
        "mean/best",
        "p99/best",
    ];
    let mut table = Table::new(
        [Column::text("selector")]
            .into_iter()
            .chain(numbers.map(Column::number)),
    );
    for it in selectors {
        let figures = &it.figures;
        let latencies = [
            figures.mean_ms,
            figures.p50_ms,
            figures.p95_ms,
            figures.p99_ms,
            figures.p999_ms,
        ];
        let others = [
            format!("{:.3}%", figures.error_rate * 100.0),
            format!("{:.1}", figures.goodput_rps),
            it.mean_ratio.map(ratio).unwrap_or_default(),
            it.p99_ratio.map(ratio).unwrap_or_default(),
        ];
        table.push(
            [it.selector.clone()]
                .into_iter()
                .chain(latencies.map(report::milliseconds))
                .chain(others),
        );
    }
    table
}

fn overall(comparison: &Comparison) -> Table {
    let numbers = ["mean", "worst mean", "p99", "worst p99"];
    let mut table = Table::new(
        [Column::text("selector")]
            .into_iter()
            .chain(numbers.map(Column::number)),
    );
    for it in &comparison.overall {
        let ratios = [it.mean_ratio, it.worst_mean_ratio, it.p99_ratio, it.worst_p99_ratio];
        table.push([it.selector.clone()].into_iter().chain(ratios.map(ratio)));
    }
    table
}

/// `ratio`, or a dash where nothing succeeded that could be compared.
fn ratio(ratio: f64) -> String {
    if ratio.is_nan() {
        return report::UNKNOWN.to_owned();
    }
    format!("{ratio:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_seeds(text: &str, expected: &str) {
        let shown = seeds(text).map_or_else(|error| error, |seeds| format!("{seeds:?}"));
        assert_eq!(shown, expected);
    }

    #[test]
    fn seeds_are_a_range_or_one() {
        check_seeds("0..5", "0..5");
        check_seeds("7", "7..8");
        check_seeds("5..5", "the range is empty; the second number is not a part of it");
        check_seeds("5..10005", "5..10005");
        check_seeds("0..99999999999", "these are 99999999999 seeds; 10000 are the most");
        check_seeds("-1..5", "write a range such as `0..5`, which is 0 to 4");
    }

    #[test]
    fn shares_are_percentages_below_a_hundred() {
        assert_eq!(share("15%").map(Share::fraction), Ok(0.15));
        assert!(share("15").is_err() && share("100%").is_err() && share("NaN%").is_err());
    }

    #[test]
    fn scenarios_are_found_by_name() {
        assert_eq!(scenario("antag-075").unwrap().name, "antag-075");
        assert_eq!(
            scenario("random-7").unwrap(),
            Scenario::random(7, Scenario::RANDOM_ARRIVALS)
        );
        assert!(scenario("random-x").is_err());
        let error = scenario("antagg").unwrap_err().to_string();
        assert!(
            error.starts_with(
                "`antagg` is neither a file, nor `random-` and a number, nor one of the scenarios homog, hetero,"
            ),
            "{error}"
        );
    }
}
