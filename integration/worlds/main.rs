//! Whether the learned selector keeps what is promised of it, in the simulated worlds that come with the program.
//!
//! Four worlds under two seeds are played with every `cargo test`. All of them, with a table for
//! docs/benchmarks, are played by
//!
//! ```sh
//! SYLVAN_WORLDS=0..5 cargo test --release --test worlds -- --nocapture
//! SYLVAN_WORLDS="0..5 15%" cargo test --release --test worlds -- --nocapture
//! ```
//!
//! the second with every number of every world moved by up to 15 %.
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the table is what the whole run is for")]

mod bars;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use sylvan::simulation::Comparison;
use sylvan::simulation::Contender;
use sylvan::simulation::Fault;
use sylvan::simulation::FaultKind;
use sylvan::simulation::Relative;
use sylvan::simulation::SHIPPED;
use sylvan::simulation::Scenario;
use sylvan::simulation::Suite;
use sylvan::simulation::WORLDS;
use sylvan::simulation::compare;
use sylvan::units::Share;

use crate::bars::BARS;
use crate::bars::Bar;
use crate::bars::FROZEN_ELSEWHERE;
use crate::bars::FROZEN_SUITE;
use crate::bars::FROZEN_UNPOLLED;
use crate::bars::STUDY;
use crate::bars::SUITE;
use crate::bars::figures;

/// Uneven speeds, a route that one backend serves badly, cold caches, and a backend that fails.
const SHORT: [&str; 4] = ["hetero", "deg", "cold", "fail"];
const SHORT_SEEDS: Range<u64> = 0..2;
/// Whom the bars of those worlds name.
const SHORT_RIVALS: [&str; 3] = ["least_requests", "peak_ewma_all", "ewma"];
/// Everybody whom the forest is held against, in the order of the table.
const RIVALS: [&str; 8] = [
    "round_robin",
    "least_requests",
    "p2c",
    "peak_ewma",
    "peak_ewma_all",
    "ewma",
    "c3",
    "load_weighted",
];
/// The forest that learns, and the one that comes with the program.
const FORESTS: [&str; 2] = ["forest_online", "forest"];
/// Geometric mean and worst of the latter in the four worlds, to the best of three rivals.
const SHORT_FROZEN: (f64, f64) = (0.95, 1.09);
/// How much longer than round robin's the paper's policy must make the mean latency when polls are five seconds apart:
/// it is kept as a baseline that herds, and one that did not would not be the paper's.
const HERDING: f64 = 3.0;

fn scenario(name: &str) -> Scenario {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name);
    let shipped = shipped.unwrap_or_else(|| panic!("no world is called {name}"));
    shipped.scenario().unwrap_or_else(|errors| panic!("{errors}"))
}

fn play(worlds: &[&str], selectors: &[&str], seeds: Range<u64>, jitter: Share) -> Comparison {
    play_all(
        worlds.iter().map(|name| scenario(name)).collect(),
        selectors,
        seeds,
        jitter,
    )
}

fn play_all(scenarios: Vec<Scenario>, selectors: &[&str], seeds: Range<u64>, jitter: Share) -> Comparison {
    let contender = |name: &&str| Contender::named(name).expect("a selector of this build");
    let suite = Suite {
        scenarios,
        contenders: selectors.iter().map(contender).collect(),
        seeds,
        jitter,
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    compare(&suite.run(threads, |_| ()))
}

#[test]
fn the_forest_keeps_its_bars_in_four_worlds() {
    let selectors: Vec<&str> = FORESTS.into_iter().chain(SHORT_RIVALS).collect();
    let comparison = play(&SHORT, &selectors, SHORT_SEEDS, Share::NONE);
    let of_these = |bar: &&Bar| SHORT.contains(&bar.world);
    let judged: Vec<Judged> = BARS
        .iter()
        .filter(of_these)
        .map(|bar| Judged::new(bar, &comparison))
        .collect();
    assert!(judged.iter().all(Judged::holds), "\n{}", table(&judged));
    let (mean, worst) = over_worlds(&comparison, "forest", |it| it.mean_ratio);
    assert!(
        mean < SHORT_FROZEN.0 && worst < SHORT_FROZEN.1,
        "forest: {mean}, at worst {worst}"
    );
}

#[test]
fn every_bar_holds_when_all_worlds_are_asked_for() {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let Ok(asked) = std::env::var("SYLVAN_WORLDS") else {
        return;
    };
    let (seeds, jitter) = parse(&asked).unwrap_or_else(|| panic!("SYLVAN_WORLDS is {asked}; use `0..5` or `0..5 15%`"));
    let worlds: Vec<&str> = SHIPPED
        .iter()
        .map(|shipped| shipped.name)
        .filter(|name| *name != "paper-poll5")
        .collect();
    let selectors: Vec<&str> = RIVALS
        .into_iter()
        .chain(["forest_online", "forest", "marginal_cost"])
        .collect();
    let comparison = play(&worlds, &selectors, seeds.clone(), jitter);
    let herding = play(&["paper-poll5"], &["classifier", "round_robin"], seeds.clone(), jitter);
    let mut judged: Vec<Judged> = BARS.iter().map(|bar| Judged::new(bar, &comparison)).collect();
    judged.extend(of_suite(&comparison));
    judged.extend(of_frozen(&comparison));
    judged.push(of_unpolled(seeds.clone(), jitter));
    judged.push(of_classifier(&herding));
    println!("{}\n{}\n{}", ratios(&comparison), rivals(&comparison), table(&judged));
    let missed: Vec<Judged> = judged.into_iter().filter(|it| !it.holds()).collect();
    assert!(missed.is_empty(), "missed:\n{}", table(&missed));
}

/// Reads `0..5` or `0..5 15%`.
fn parse(asked: &str) -> Option<(Range<u64>, Share)> {
    let (seeds, jitter) = asked.split_once(' ').unwrap_or((asked, "0%"));
    let (start, end) = seeds.split_once("..")?;
    let percent: f64 = jitter.strip_suffix('%')?.parse().ok()?;
    Some((start.parse().ok()?..end.parse().ok()?, Share::new(percent / 100.0)?))
}

/// A bar and where the forest was found.
struct Judged {
    world: String,
    what: String,
    range: (f64, f64),
    found: f64,
}

impl Judged {
    fn new(bar: &Bar, comparison: &Comparison) -> Self {
        Self {
            world: bar.world.to_owned(),
            what: bar.name(),
            range: (0.0, bar.at_most),
            found: bar.found(comparison),
        }
    }

    fn at_most(world: &str, what: &str, at_most: f64, found: f64) -> Self {
        Self {
            world: world.to_owned(),
            what: what.to_owned(),
            range: (0.0, at_most),
            found,
        }
    }

    fn holds(&self) -> bool {
        (self.range.0..=self.range.1).contains(&self.found)
    }
}

fn of_suite(comparison: &Comparison) -> [Judged; 2] {
    let (mean, worst) = over_worlds(comparison, "forest_online", |it| it.mean_ratio);
    [
        Judged::at_most(
            "all thirteen",
            "geometric mean over the best rival of each",
            SUITE.0,
            mean,
        ),
        Judged::at_most("all thirteen", "worst of them", SUITE.1, worst),
    ]
}

/// What is promised of the forest that comes with the program, but for what it does without metrics.
fn of_frozen(comparison: &Comparison) -> Vec<Judged> {
    let (mean, worst) = over_worlds(comparison, "forest", |it| it.mean_ratio);
    let (p99, _) = over_worlds(comparison, "forest", |it| it.p99_ratio);
    let of_suite = |what, at_most, found| Judged::at_most("all thirteen", what, at_most, found);
    let elsewhere = FROZEN_ELSEWHERE.into_iter().map(|(world, at_most)| {
        let found = ratio(comparison, world, "forest", |it| it.mean_ratio).unwrap_or(f64::NAN);
        Judged::at_most(world, "forest: mean over the best rival", at_most, found)
    });
    [
        of_suite(
            "forest: geometric mean over the best rival of each",
            FROZEN_SUITE.0,
            mean,
        ),
        of_suite("forest: worst of them", FROZEN_SUITE.1, worst),
        of_suite(
            "forest: geometric mean of the p99 over the best rival's",
            FROZEN_SUITE.2,
            p99,
        ),
    ]
    .into_iter()
    .chain(elsewhere)
    .collect()
}

/// What the forest that comes with the program loses when all metrics are silent from second 50 on.
fn of_unpolled(seeds: Range<u64>, jitter: Share) -> Judged {
    let worlds = || SHIPPED.iter().take(WORLDS).map(|shipped| scenario(shipped.name));
    let silent = worlds().map(|mut scenario| {
        scenario.faults.push(Fault {
            backends: (0..scenario.backends.len()).collect(),
            kind: FaultKind::Silence {
                during: Duration::from_secs(50)..scenario.duration,
            },
        });
        scenario
    });
    let polled = play_all(worlds().collect(), &["forest"], seeds.clone(), jitter);
    let unpolled = play_all(silent.collect(), &["forest"], seeds, jitter);
    let mean_ms = |comparison: &Comparison, world| figures(comparison, world, "forest").map(|it| it.mean_ms);
    let ratios = SHIPPED.iter().take(WORLDS).filter_map(|world| {
        let ratio = mean_ms(&unpolled, world.name)? / mean_ms(&polled, world.name)?;
        println!(
            "without metrics from second 50, {}: {ratio:.3} x as with them",
            world.name
        );
        Some(ratio.ln())
    });
    let mean = (ratios.sum::<f64>() / WORLDS as f64).exp();
    let what = "forest: geometric mean without metrics over with them";
    Judged::at_most("all thirteen", what, FROZEN_UNPOLLED, mean)
}

fn of_classifier(comparison: &Comparison) -> Judged {
    let mean_ms = |selector| figures(comparison, "paper-poll5", selector).map_or(f64::NAN, |it| it.mean_ms);
    Judged {
        world: "paper-poll5".to_owned(),
        what: "mean of classifier over round_robin".to_owned(),
        range: (HERDING, f64::INFINITY),
        found: mean_ms("classifier") / mean_ms("round_robin"),
    }
}

/// Geometric mean and worst of a selector's `figure` over the best rival's, in those of the thirteen worlds that were played.
fn over_worlds(comparison: &Comparison, selector: &str, figure: fn(&Relative) -> Option<f64>) -> (f64, f64) {
    let worlds = SHIPPED.iter().take(WORLDS);
    let ratios: Vec<f64> = worlds
        .filter_map(|world| ratio(comparison, world.name, selector, figure))
        .collect();
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    ((sum / ratios.len() as f64).exp(), worst)
}

fn ratio(comparison: &Comparison, world: &str, selector: &str, figure: fn(&Relative) -> Option<f64>) -> Option<f64> {
    let (_, selectors) = comparison.scenarios.iter().find(|(name, _)| name == world)?;
    figure(selectors.iter().find(|it| it.selector == selector)?)
}

/// Each selector's mean latency over that of the best rival, world by world.
fn ratios(comparison: &Comparison) -> String {
    let worlds: Vec<&str> = comparison.scenarios.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!("| | {} |\n|---|{}\n", worlds.join(" | "), "---|".repeat(worlds.len()));
    for selector in RIVALS.into_iter().chain(FORESTS).chain(["marginal_cost"]) {
        let cells: Vec<String> = worlds
            .iter()
            .map(|world| {
                ratio(comparison, world, selector, |it| it.mean_ratio)
                    .map_or_else(String::new, |ratio| format!("{ratio:.3}"))
            })
            .collect();
        text.push_str(&format!("| {selector} | {} |\n", cells.join(" | ")));
    }
    text
}

/// The rivals beside the study's.
fn rivals(comparison: &Comparison) -> String {
    let mut text = "| rival | mean | study | worst | study |\n|---|---|---|---|---|\n".to_owned();
    for (rival, mean, worst) in STUDY {
        let found = over_worlds(comparison, rival, |it| it.mean_ratio);
        text.push_str(&format!(
            "| {rival} | {:.3} | {mean:.3} | {:.3} | {worst:.3} |\n",
            found.0, found.1
        ));
    }
    text
}

fn table(judged: &[Judged]) -> String {
    let mut text = "| world | what | bar | found | |\n|---|---|---|---|---|\n".to_owned();
    for it in judged {
        let bar = if it.range.1.is_finite() {
            format!("at most {}", it.range.1)
        } else {
            format!("at least {}", it.range.0)
        };
        let verdict = if it.holds() { "" } else { "missed" };
        text.push_str(&format!(
            "| {} | {} | {bar} | {:.4} | {verdict} |\n",
            it.world, it.what, it.found
        ));
    }
    text
}
