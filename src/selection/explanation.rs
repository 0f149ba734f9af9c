//! A decision of the forest selector taken again from what it saw, with the code that serves, and taken apart.

use crate::forest;
use crate::forest::Rows;
use crate::selection::FEATURE_COUNT;
use crate::selection::Features;
use crate::selection::features;
use crate::selection::forest::Lowest;
use crate::selection::forest::base_score;
use crate::selection::forest::bounded;
use crate::selection::forest::score;

/// What is known of a candidate when the choice is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// Its weight over the pool's mean weight.
    pub weight: f32,
    /// What a forest sees of it.
    pub features: Features,
}

/// A decision taken again.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The candidates, in the order in which they were looked at.
    pub candidates: Vec<Explained>,
    /// The place of the one that is chosen.
    pub winner: usize,
    /// How many have the winner's score and requests in flight; more than 1 when chance decided.
    pub ties: usize,
}

/// How a candidate's score comes about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The part of its requests in flight and its weight.
    pub in_flight: f32,
    /// The part of how badly it serves the request's route.
    pub route_deviation: f32,
    /// What the forest says of it; `None` without a model.
    pub estimate: Option<Estimate>,
    /// The sum; the lowest is chosen.
    pub score: f32,
}

/// What a forest says of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// How much slower it is than its base score says, in ln of latency.
    pub raw: f32,
    /// What it adds to the score: bounded, and weighted.
    pub counted: f32,
    /// Whether `raw` is beyond the bounds.
    pub is_bounded: bool,
    /// What each feature adds to `raw`, beside a candidate whose features are the mean of all candidates'.
    pub contributions: Vec<f64>,
    /// What the forest says of that mean.
    pub of_mean: f32,
}

/// Takes the decision among `sights` for the request with this `draw` again, by the base score alone without a
/// `forest`; `None` when there is no candidate.
///
/// # Panics
/// When `forest` sees other features than this build's; [`schema`](crate::selection::schema) tells.
#[must_use]
pub fn explain(sights: &[Sight], draw: u64, forest: Option<&forest::Forest>) -> Option<Explanation> {
    let estimates = forest.map(|forest| estimates(forest, sights));
    let candidates: Vec<Explained> = sights
        .iter()
        .enumerate()
        .map(|(place, sight)| explained(sight, estimates.as_ref().map(|estimates| estimates[place].clone())))
        .collect();
    let mut lowest = Lowest::new(draw);
    for (place, (candidate, sight)) in candidates.iter().zip(sights).enumerate() {
        lowest.offer(place, (candidate.score, sight.features[features::IN_FLIGHT]));
    }
    let (winner, _) = lowest.best()?;
    Some(Explanation {
        candidates,
        winner,
        ties: lowest.ties(),
    })
}

fn explained(sight: &Sight, estimate: Option<Estimate>) -> Explained {
    let base = base_score(&sight.features, sight.weight);
    let mut elsewhere = sight.features;
    elsewhere[features::ROUTE_DEVIATION] = 0.0;
    let in_flight = base_score(&elsewhere, sight.weight);
    Explained {
        in_flight,
        route_deviation: base - in_flight,
        score: estimate.as_ref().map_or(base, |estimate| score(base, estimate.raw)),
        estimate,
    }
}

/// What `forest` says of each of `sights`, scored in one batch with their mean as it is when serving.
fn estimates(forest: &forest::Forest, sights: &[Sight]) -> Vec<Estimate> {
    let mean = mean(sights);
    let mut rows = Rows::new(FEATURE_COUNT, sights.len() + 1);
    for features in sights.iter().map(|sight| &sight.features).chain([&mean]) {
        rows.add().copy_from_slice(features);
    }
    let mut raw = vec![0.0; sights.len() + 1];
    forest.score(&rows, &mut raw);
    let of_mean = raw[sights.len()];
    let estimate = |(sight, raw): (&Sight, f32)| Estimate {
        raw,
        counted: score(0.0, raw),
        is_bounded: bounded(raw) != raw,
        contributions: forest.contributions(&sight.features, &mean),
        of_mean,
    };
    sights.iter().zip(raw.iter().copied()).map(estimate).collect()
}

fn mean(sights: &[Sight]) -> Features {
    std::array::from_fn(|feature| {
        let sum: f64 = sights.iter().map(|sight| f64::from(sight.features[feature])).sum();
        (sum / sights.len().max(1) as f64) as f32
    })
}

#[cfg(test)]
mod tests;
