//! What the learned selector must reach in the worlds that come with the program, as data: `forest_online`, which learns
//! while it serves, and `forest`, with the model that comes with the program.

use sylvan::simulation::Comparison;
use sylvan::simulation::Figures;

/// A limit on what `forest_online` is measured at in one world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) world: &'static str,
    pub(crate) figure: Figure,
    pub(crate) at_most: f64,
}

/// What is limited.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    /// Mean latency over that of this selector.
    Mean(&'static str),
    /// The 99th percentile over that of this selector.
    P99(&'static str),
    /// The share of the requests that end in an error.
    Errors,
}

/// Every bar. Where the rivals differ little (`homog`, `burst`) the forest must not cost anything; where they differ, it
/// must be about as good as the best of them, and better than the one that most sites run.
pub(crate) const BARS: [Bar; 32] = [
    mean("homog", "least_requests", 1.01),
    mean("hetero", "peak_ewma_all", 1.00),
    mean("hetero", "least_requests", 0.88),
    p99("hetero", "peak_ewma_all", 0.95),
    mean("hetcores", "peak_ewma_all", 0.99),
    mean("hetcores", "least_requests", 0.90),
    mean("antag", "peak_ewma_all", 1.00),
    mean("antag", "least_requests", 0.98),
    mean("antag", "round_robin", 0.65),
    mean("antag-075", "least_requests", 1.10),
    mean("hetero-095", "peak_ewma_all", 1.06),
    mean("hetero-095", "least_requests", 1.00),
    mean("brown", "ewma", 1.05),
    mean("brown", "least_requests", 1.00),
    mean("brown", "round_robin", 0.12),
    mean("brownio", "ewma", 1.05),
    mean("brownio", "least_requests", 1.00),
    mean("brownio", "round_robin", 0.12),
    mean("fail", "least_requests", 1.04),
    Bar {
        world: "fail",
        figure: Figure::Errors,
        at_most: 0.0015,
    },
    mean("cold", "least_requests", 1.08),
    mean("cold", "ewma", 0.90),
    mean("burst", "least_requests", 1.01),
    mean("deg", "least_requests", 0.78),
    p99("deg", "least_requests", 0.70),
    mean("multi", "ewma", 1.00),
    mean("multi", "least_requests", 0.85),
    mean("multi", "peak_ewma", 0.85),
    mean("paper", "ewma", 1.01),
    mean("paper", "round_robin", 0.87),
    mean("sparse", "least_requests", 0.68),
    mean("sparse", "ewma", 1.00),
];

/// Over the thirteen worlds, to the best classical selector of each: geometric mean and worst.
pub(crate) const SUITE: (f64, f64) = (0.99, 1.08);

/// The same for the forest that comes with the program, and the geometric mean of its 99th percentiles.
pub(crate) const FROZEN_SUITE: (f64, f64, f64) = (0.97, 1.06, 0.96);

/// Its mean latency to the best classical selector, in worlds that are larger or fuller than the thirteen.
pub(crate) const FROZEN_ELSEWHERE: [(&str, f64); 4] = [
    ("hetero-32", 0.95),
    ("antag-32", 0.95),
    ("antag-075", 1.08),
    ("hetero-095", 1.08),
];

/// Its mean latency without metrics from second 50 on over that with them.
pub(crate) const FROZEN_UNPOLLED: f64 = 1.03;

/// The rivals over the thirteen worlds in the study that the bars come from, so that nobody wins against a weak
/// opponent: geometric mean and worst ratio of mean latencies to the best classical selector of each.
pub(crate) const STUDY: [(&str, f64, f64); 5] = [
    ("peak_ewma_all", 1.024, 1.179),
    ("ewma", 1.031, 1.309),
    ("c3", 1.039, 1.116),
    ("peak_ewma", 1.087, 1.364),
    ("least_requests", 1.089, 1.719),
];

const fn mean(world: &'static str, rival: &'static str, at_most: f64) -> Bar {
    Bar {
        world,
        figure: Figure::Mean(rival),
        at_most,
    }
}

const fn p99(world: &'static str, rival: &'static str, at_most: f64) -> Bar {
    Bar {
        world,
        figure: Figure::P99(rival),
        at_most,
    }
}

impl Bar {
    /// Where `forest` is in `comparison`; not a number where it was not measured.
    pub(crate) fn found(&self, comparison: &Comparison) -> f64 {
        let figures = |selector| figures(comparison, self.world, selector);
        let Some(forest) = figures("forest_online") else {
            return f64::NAN;
        };
        let over =
            |rival, figure: fn(&Figures) -> f64| figures(rival).map_or(f64::NAN, |it| figure(forest) / figure(it));
        match self.figure {
            Figure::Mean(rival) => over(rival, |it| it.mean_ms),
            Figure::P99(rival) => over(rival, |it| it.p99_ms),
            Figure::Errors => forest.error_rate,
        }
    }

    /// What it limits, for a reader.
    pub(crate) fn name(&self) -> String {
        match self.figure {
            Figure::Mean(rival) => format!("mean over {rival}"),
            Figure::P99(rival) => format!("p99 over {rival}"),
            Figure::Errors => "share of errors".to_owned(),
        }
    }
}

/// What `selector` met with in `world`.
pub(crate) fn figures<'a>(comparison: &'a Comparison, world: &str, selector: &str) -> Option<&'a Figures> {
    let (_, selectors) = comparison.scenarios.iter().find(|(name, _)| name == world)?;
    let relative = selectors.iter().find(|it| it.selector == selector)?;
    Some(&relative.figures)
}
