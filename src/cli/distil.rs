//! `sylvan distil`: a forest that knows before the first request, out of random simulated worlds.

mod shelf;

use std::iter;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use clap::Args;
use clap::ValueEnum;

use crate::cli::distil::shelf::Directory;
use crate::cli::simulate;
use crate::cli::terminal;
use crate::cli::train;
use crate::clock;
use crate::distillation;
use crate::distillation::Evaluation;
use crate::distillation::Plan;
use crate::distillation::Progress;
use crate::forest::Boosting;
use crate::forest::GrowParams;
use crate::forest::Growth;
use crate::forest::Splitter;
use crate::forest::encode;
use crate::report;
use crate::report::progress;
use crate::simulation;
use crate::simulation::Comparison;
use crate::simulation::Contender;
use crate::simulation::Scenario;
use crate::simulation::Suite;
use crate::units::Share;

/// Distil a forest from random simulated worlds, for `learn: off`.
#[derive(Args, Debug)]
pub(crate) struct DistilArgs {
    /// Where to write the model; its card goes beside it as .md
    #[arg(long, value_name = "FILE.forest")]
    out: PathBuf,
    /// How often worlds are played, from the second time on mostly by what was distilled before
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Worlds in each round
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    worlds: u32,
    /// The same command gives the same model, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What finds the splits of the trees
    #[arg(long, value_enum, default_value_t = Trainer::Histogram)]
    trainer: Trainer,
    /// Little of everything, to see that it works: two rounds of short worlds
    #[arg(long, conflicts_with_all = ["rounds", "worlds"])]
    quick: bool,
    /// The worlds of the card are drawn from these seeds, which nothing was tuned on
    #[arg(long, default_value = "10..15", value_parser = simulate::seeds, conflicts_with = "quick")]
    seeds: Range<u64>,
    /// Worlds played at once [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// What finds the splits of the trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Trainer {
    /// linfa-trees, on a few thousand rows a tree
    Linfa,
    /// Counts in bins, on most rows for every tree
    Histogram,
}

const QUICK_SEEDS: Range<u64> = 10..11;
/// What is looked at after a quick run.
const QUICK_WORLDS: [&str; 1] = ["sparse"];
/// What is looked at besides the thirteen worlds.
const BEYOND: [&str; 4] = ["hetero-32", "antag-32", "antag-075", "hetero-095"];
/// The best classical selector of each of the worlds is one of these.
const RIVALS: [&str; 5] = [
    "least_requests",
    "peak_ewma_all",
    "ewma",
    "load_weighted",
    "forest_online",
];

const QUICK_ROUNDS: u32 = 2;
const QUICK_WORLD_COUNT: u32 = 10;
const QUICK_ARRIVALS: u32 = 8000;
/// Of a world; neighbouring decisions resemble each other.
const DECISIONS: u32 = 280;

/// Runs the command.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn run(args: &DistilArgs) -> anyhow::Result<()> {
    train::check_out(&args.out)?;
    let plan = plan(args);
    let command = command(args);
    let mut shelf = Directory::new(&args.out, &plan);
    shelf.open();
    let distilled = distil(&plan, &command, &mut shelf)?;
    // First the model: nothing that happens from here on may lose it.
    train::write_file(&args.out, &encode(&distilled.model))?;
    let evaluation = evaluate(args, &plan, &Contender::frozen(Arc::new(distilled.model.clone())))?;
    for comparison in iter::once(&evaluation.suite).chain(&evaluation.beyond) {
        terminal::print(&simulate::tables(comparison))?;
    }
    let command = command_of_card(args, &command);
    let card = distillation::card(&plan, &distilled, &command, &evaluation);
    let beside = args.out.with_extension("md");
    train::write_file(&beside, card.as_bytes())?;
    shelf.clear();
    let size = report::size(encode(&distilled.model).len() as u64);
    let (out, beside) = (args.out.display(), beside.display());
    terminal::tell(format_args!("wrote {out} ({size}) and {beside}"));
    Ok(())
}

fn plan(args: &DistilArgs) -> Plan {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = args.jobs.unwrap_or_else(cores);
    Plan {
        rounds: if args.quick { QUICK_ROUNDS } else { args.rounds },
        worlds: if args.quick { QUICK_WORLD_COUNT } else { args.worlds },
        arrivals: if args.quick {
            QUICK_ARRIVALS
        } else {
            Scenario::RANDOM_ARRIVALS
        },
        decisions: DECISIONS,
        seed: args.seed,
        growth: growth(args.trainer, threads),
        threads,
    }
}

/// A tree a stage, each believed in part, so that what one gets wrong the others can put right; as many as a decision has time
/// for. With few of them, each sees all features.
fn growth(trainer: Trainer, threads: NonZeroUsize) -> Growth {
    const ROW_SHARE: f64 = 0.6;
    // linfa asks a simpler question of fewer rows, so that it takes more trees to say as much.
    let (trees, rate, feature_share, min_leaf, splitter) = match trainer {
        Trainer::Linfa => (60, 0.2, 0.6, 20, Splitter::Linfa),
        Trainer::Histogram => (32, 0.4, 1.0, 100, Splitter::Histogram(ROW_SHARE)),
    };
    let params = GrowParams {
        trees,
        depth: 6,
        min_leaf,
        min_split: 2 * min_leaf,
        rows_per_tree: 5000,
        feature_share,
        leaf_prior: 20.0,
        threads,
    };
    params.boosted(Boosting {
        stages: trees,
        rate,
        splitter,
    })
}

/// The command that makes the same model again.
fn command(args: &DistilArgs) -> String {
    let out = train::quoted(&args.out.display().to_string());
    let size = if args.quick {
        "--quick".to_owned()
    } else {
        format!("--rounds {} --worlds {}", args.rounds, args.worlds)
    };
    let trainer = match args.trainer {
        Trainer::Linfa => " --trainer linfa",
        Trainer::Histogram => "",
    };
    format!("sylvan distil --out {out} {size} --seed {}{trainer}", args.seed)
}

/// The command that makes the same card again: other worlds to look at the model in make no other model.
fn command_of_card(args: &DistilArgs, command: &str) -> String {
    let Range { start, end } = &args.seeds;
    if args.quick {
        command.to_owned()
    } else {
        format!("{command} --seeds {start}..{end}")
    }
}

fn distil(plan: &Plan, command: &str, shelf: &mut Directory<'_>) -> anyhow::Result<distillation::Distilled> {
    let total = u64::from(plan.rounds) * u64::from(plan.worlds);
    let mut shown = progress::Progress::new(terminal::progress(), "distil", total);
    let mut done = 0;
    let distilled = distillation::distil(plan, command, shelf, |progress| {
        let message = match progress {
            Progress::Played { round, worlds } => {
                done = u64::from(round - 1) * u64::from(plan.worlds) + u64::from(worlds);
                format!("round {round}, {worlds} of {} worlds", plan.worlds)
            }
            Progress::Growing { round } => format!("round {round}, growing the forest"),
            Progress::Comparing => "comparing with a bagged forest".to_owned(),
        };
        shown.update(done, &message, clock::now());
    })?;
    shown.finish(&format!("{} rounds of {} worlds", plan.rounds, plan.worlds));
    Ok(distilled)
}

/// How the model does in worlds that come with the program.
fn evaluate(args: &DistilArgs, plan: &Plan, distilled: &Contender) -> anyhow::Result<Evaluation> {
    let seeds = if args.quick { QUICK_SEEDS } else { args.seeds.clone() };
    let play = |names: &[&str]| -> anyhow::Result<Comparison> {
        let mut contenders: Vec<Contender> = RIVALS
            .iter()
            .map(|name| Contender::named(name))
            .collect::<Result<_, _>>()?;
        contenders.push(distilled.clone());
        let suite = Suite {
            scenarios: simulate::scenarios(names)?,
            contenders,
            seeds: seeds.clone(),
            jitter: Share::NONE,
        };
        Ok(simulation::compare(&simulate::play(&suite, plan.threads.get())))
    };
    Ok(Evaluation {
        suite: play(if args.quick { &QUICK_WORLDS } else { &[] })?,
        beyond: (!args.quick).then(|| play(&BEYOND)).transpose()?,
        seeds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_in_a_card_makes_the_same_model_and_card() {
        let args = DistilArgs {
            out: PathBuf::from("models/default.forest"),
            rounds: 4,
            worlds: 600,
            seed: 7,
            trainer: Trainer::Histogram,
            quick: false,
            seeds: 10..15,
            jobs: None,
        };
        assert_eq!(
            command(&args),
            "sylvan distil --out models/default.forest --rounds 4 --worlds 600 --seed 7"
        );
        assert_eq!(command_of_card(&args, "sylvan distil"), "sylvan distil --seeds 10..15");
        let quick = DistilArgs { quick: true, ..args };
        assert_eq!(
            command(&quick),
            "sylvan distil --out models/default.forest --quick --seed 7"
        );
    }
}
