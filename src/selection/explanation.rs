//! A decision of the forest selector taken again from what it saw, with the code that serves, and taken apart.

use crate::forest;
use crate::forest::Model;
use crate::forest::Rows;
use crate::selection::View;
use crate::selection::features;
use crate::selection::forest::Counts;
use crate::selection::forest::Lowest;
use crate::selection::forest::Shortlist;
use crate::selection::forest::base_score;

/// What is known of a candidate when the choice is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Its weight over the pool's mean weight.
    pub weight: f32,
    /// What a forest sees of it, in the order of its view's names.
    pub features: Vec<f32>,
}

/// A decision taken again.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The candidates, in the order in which they were looked at.
    pub candidates: Vec<Explained>,
    /// The place of the one that is chosen.
    pub winner: usize,
    /// What the forest's estimates are multiplied by; `None` without a model.
    pub forest_weight: Option<f32>,
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
    /// The sum; the lowest of those that may win is chosen.
    pub score: f32,
    /// Whether all trees were asked about it; of many candidates the first trees sort some out.
    pub may_win: bool,
}

/// What a forest says of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// By how much it exceeds what its base score says, in ln: of latency, or of the cost to everybody, as its view has it.
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

/// Takes the decision among `sights`, all of one `view`, for the request with this `draw` again, by the base score alone
/// without a `model`; `None` when there is no candidate.
///
/// # Panics
/// When `model` or a sight is of another view; [`ranker_view`](crate::selection::ranker_view) tells.
#[must_use]
pub fn explain(view: View, sights: &[Sight], draw: u64, model: Option<&Model>) -> Option<Explanation> {
    let forest = model.map(|model| model.forest_among(sights.len()));
    let counts = Counts::of(view, &sights.first()?.features);
    let estimates = forest.map(|forest| estimates(forest, counts, sights));
    let places = match forest {
        Some(forest) => shortlisted(forest, counts, sights, draw),
        None => (0..sights.len()).collect(),
    };
    let candidates: Vec<Explained> = sights
        .iter()
        .enumerate()
        .map(|(place, sight)| {
            let estimate = estimates.as_ref().map(|estimates| estimates[place].clone());
            explained(counts, sight, estimate, places.contains(&place))
        })
        .collect();
    let mut lowest = Lowest::new(draw);
    for place in places {
        let in_flight = sights[place].features[features::IN_FLIGHT];
        lowest.offer(place, (candidates[place].score, in_flight));
    }
    let (winner, _) = lowest.best()?;
    Some(Explanation {
        candidates,
        winner,
        forest_weight: forest.map(|_| counts.weight()),
        ties: lowest.ties(),
    })
}

/// The places of those that all trees of `forest` are asked about, in the order in which they are compared.
fn shortlisted(forest: &forest::Forest, counts: Counts, sights: &[Sight], draw: u64) -> Vec<usize> {
    let rows = rows(forest, sights.iter().map(|sight| &sight.features));
    let mut estimates = vec![0.0; sights.len()];
    let list = Shortlist::of(forest, &rows, draw, &mut estimates, |place, estimate| {
        let sight = &sights[place];
        let base = base_score(&sight.features, sight.weight);
        (counts.score(base, estimate), sight.features[features::IN_FLIGHT])
    });
    list.places().to_vec()
}

fn rows<'a>(forest: &forest::Forest, features: impl Iterator<Item = &'a Vec<f32>>) -> Rows {
    let mut rows = Rows::new(forest.schema().width(), 0);
    features.for_each(|features| rows.add().copy_from_slice(features));
    rows
}

fn explained(counts: Counts, sight: &Sight, estimate: Option<Estimate>, may_win: bool) -> Explained {
    let base = base_score(&sight.features, sight.weight);
    let mut elsewhere = sight.features.clone();
    elsewhere[features::ROUTE_DEVIATION] = 0.0;
    let in_flight = base_score(&elsewhere, sight.weight);
    Explained {
        in_flight,
        route_deviation: base - in_flight,
        score: estimate
            .as_ref()
            .map_or(base, |estimate| counts.score(base, estimate.raw)),
        estimate,
        may_win,
    }
}

/// What `forest` says of each of `sights`, and of their mean: by all trees, also of those that were sorted out.
fn estimates(forest: &forest::Forest, counts: Counts, sights: &[Sight]) -> Vec<Estimate> {
    let mean = mean(sights);
    let rows = rows(forest, sights.iter().map(|sight| &sight.features).chain([&mean]));
    let mut raw = vec![0.0; sights.len() + 1];
    forest.score(&rows, &mut raw);
    let of_mean = raw[sights.len()];
    let estimate = |(sight, raw): (&Sight, f32)| Estimate {
        raw,
        counted: counts.score(0.0, raw),
        is_bounded: counts.bounded(raw) != raw,
        contributions: forest.contributions(&sight.features, &mean),
        of_mean,
    };
    sights.iter().zip(raw.iter().copied()).map(estimate).collect()
}

fn mean(sights: &[Sight]) -> Vec<f32> {
    let mean = |feature: usize| {
        let sum: f64 = sights.iter().map(|sight| f64::from(sight.features[feature])).sum();
        (sum / sights.len().max(1) as f64) as f32
    };
    (0..sights.first().map_or(0, |sight| sight.features.len()))
        .map(mean)
        .collect()
}

#[cfg(test)]
mod tests;
