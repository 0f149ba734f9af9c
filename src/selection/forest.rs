//! The learned selector: exact counts of requests in flight, corrected within bounds by what a forest has learned.
//!
//! A backend's score is `ln((n + 1) / w) + 0.8 * route_deviation + 0.55 * F`, the lowest is chosen. The first two terms
//! are the *base score*: they steer by what is known for certain, and alone are least requests with an eye for routes
//! that one backend serves badly. `F` is the forest's estimate of how much slower the backend is than that, in
//! ln of latency, bounded to a factor of five.
//!
//! Why not `F` alone, and why not all of it: under processor sharing with n requests on c cores the latency of one
//! more grows as (n + 1) / c, but what it costs everybody as (2n + 1) / c. An estimate of one's own latency is selfish,
//! and about half of it comes close to the cost to all. Beyond what it was grown from a tree is flat, so that it could not
//! steer away from a backend which has never been so full; the count can.
//!
//! Among more than eight backends the first eight trees name the eight that the others are asked about ([`Shortlist`]), and
//! a model may have a forest of its own for them.

use std::cell::RefCell;
use std::sync::Arc;

use crate::elementary::ln;
use crate::forest::Rows;
use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Charge;
use crate::selection::Choice;
use crate::selection::ModelSlot;
use crate::selection::Ranker;
use crate::selection::Reason;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::features;
use crate::selection::features::Features;
use crate::selection::features::View;

mod candidates;
mod lowest;
mod options;
mod shortlist;

pub use options::ForestOptions;
pub(crate) use options::build;

use candidates::MOST;
pub(crate) use lowest::Lowest;
pub(crate) use shortlist::Rank;
pub(crate) use shortlist::Shortlist;

/// How far a route that a backend serves badly counts against it.
const DEVIATION_WEIGHT: f32 = 0.8;
/// How far the estimate of a forest that learned latencies counts: between the caller's own latency and the cost to everybody. In simulated worlds
/// 0.65 is 3 % slower on cold caches and close to saturation, 0.8 is 14 % and 10 %, and both gain on uneven cores alone.
const FOREST_WEIGHT: f32 = 0.55;
/// Its estimate is bounded to this; it moves one backend by a factor of e^0.88 = 2.4 in requests in flight at most.
const BOUND: f32 = 1.6;
/// How far the estimate of a distilled forest counts at most: it is one of the cost to everybody, and less than all of it is
/// robust where the worlds that it was distilled in are not those that it serves in.
const DISTILLED_WEIGHT: f32 = 0.95;
/// By how much less it counts for the part of the fleet's latency that grows with load. Where requests wait for each other,
/// those in flight say for certain what a forest guesses, and what it overlooks makes a crowd; where they never do, it alone knows.
const DISTILLED_WEIGHT_LOST: f32 = 5.0;
/// How far it counts at least.
const LEAST_DISTILLED_WEIGHT: f32 = 0.7;
/// What it was distilled from is bounded to this.
const DISTILLED_BOUND: f32 = 3.0;

/// How far a forest's estimate counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    weight: f32,
    bound: f32,
}

impl Counts {
    /// In a decision among candidates of which one is seen so; what the fleet does is the same in all of them.
    pub(crate) fn of(view: View, seen: &[f32]) -> Self {
        match view {
            View::Alone => Self::LEARNED,
            View::Compared => {
                let lost = DISTILLED_WEIGHT_LOST * seen[features::FLEET_LINE_SHARE];
                Self {
                    weight: (DISTILLED_WEIGHT - lost).max(LEAST_DISTILLED_WEIGHT),
                    bound: DISTILLED_BOUND,
                }
            }
        }
    }

    /// Of a forest that learned latencies.
    const LEARNED: Self = Self {
        weight: FOREST_WEIGHT,
        bound: BOUND,
    };

    /// The score of a backend whose base score this is and of which a forest says `estimate`.
    pub(crate) fn score(self, base: f32, estimate: f32) -> f32 {
        base + self.weight * self.bounded(estimate)
    }

    /// What an estimate within its bounds is multiplied by.
    pub(crate) fn weight(self) -> f32 {
        self.weight
    }

    /// An estimate within its bounds.
    pub(crate) fn bounded(self, estimate: f32) -> f32 {
        estimate.clamp(-self.bound, self.bound)
    }
}

/// The learned selector; see the module.
#[derive(Clone, Debug)]
pub struct Forest {
    model: Arc<ModelSlot>,
    without_model: WithoutModel,
}

/// What a forest selector does while it has no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutModel {
    /// Chooses by the base score: the model is being learned.
    Base,
    /// Names nobody: there will be no model unless somebody brings one.
    Nobody,
}

/// What the forest selector says of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    /// The backend with the lowest score.
    pub(crate) backend: BackendIndex,
    /// Its score.
    pub(crate) score: f32,
    /// The score of another backend that was asked about, if it was among the candidates. It may be lower where the first
    /// trees sorted it out.
    pub(crate) other: Option<f32>,
    /// Why.
    pub(crate) reason: Reason,
}

impl Forest {
    pub(crate) fn new(model: Arc<ModelSlot>, without_model: WithoutModel) -> Self {
        Self { model, without_model }
    }

    /// The best of the candidates, and the score of `other`; `None` when there is no candidate or no usable model.
    pub(crate) fn judge(
        &self,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        other: Option<BackendIndex>,
    ) -> Option<Judgement> {
        self.model.with_ranker(|charge, ranker| {
            if !self.chooses(charge) {
                return None;
            }
            let ranker = ranker.filter(|_| charge == Charge::InCharge);
            SCRATCH.with_borrow_mut(|scratch| scratch.judge(pool, request, ranker, other))
        })
    }

    fn chooses(&self, charge: Charge) -> bool {
        match charge {
            Charge::OtherModel => false,
            Charge::NoModel => self.without_model == WithoutModel::Base,
            _ => true,
        }
    }
}

impl Selector for Forest {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let judgement = self.judge(pool, request, None)?;
        Some(Choice::new(judgement.backend, judgement.reason))
    }
}

/// The base score of a backend with these features and this weight over the mean.
pub(crate) fn base_score(features: &[f32], weight: f32) -> f32 {
    base(
        features[features::IN_FLIGHT],
        weight,
        features[features::ROUTE_DEVIATION],
    )
}

/// The base score of a backend that is seen beside the others: its load is among what is seen.
fn compared_base(seen: &[f32]) -> f32 {
    seen[features::LN_LOAD] + DEVIATION_WEIGHT * seen[features::ROUTE_DEVIATION]
}

/// The score of a backend that is seen so beside the others and of which a forest says `estimate`.
pub(crate) fn compared_score(seen: &[f32], estimate: f32) -> f32 {
    Counts::of(View::Compared, seen).score(compared_base(seen), estimate)
}

/// The backends that are scored for `request`, in order.
pub(crate) fn candidates(pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Vec<BackendIndex> {
    let mut candidates = Vec::new();
    candidates::collect(pool, request, &mut candidates);
    candidates
}

/// What `forest` says of one backend with these features, as it counts.
pub(crate) fn forecast(forest: &crate::forest::Forest, features: &Features) -> f32 {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.rows.clear();
        scratch.rows.add().copy_from_slice(features);
        let mut estimate = [0.0];
        forest.score(&scratch.rows, &mut estimate);
        Counts::LEARNED.bounded(estimate[0])
    })
}

fn base(in_flight: f32, weight: f32, route_deviation: f32) -> f32 {
    ln((in_flight + 1.0) / weight) + DEVIATION_WEIGHT * route_deviation
}

thread_local! {
    /// A thread decides about one request at a time, so one place for the rows will do, made at its first decision.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

struct Scratch {
    candidates: Vec<BackendIndex>,
    rows: Rows,
    compared: Rows,
    estimates: [f32; MOST],
}

impl Scratch {
    fn new() -> Self {
        Self {
            candidates: Vec::with_capacity(MOST),
            rows: Rows::new(features::FEATURE_COUNT, MOST),
            compared: Rows::new(features::COMPARED_COUNT, MOST),
            estimates: [0.0; MOST],
        }
    }

    fn judge(
        &mut self,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        ranker: Option<Ranker<'_>>,
        other: Option<BackendIndex>,
    ) -> Option<Judgement> {
        candidates::collect(pool, request, &mut self.candidates);
        match ranker {
            Some(ranker) => self.judge_by(ranker, pool, request, other),
            None => self.judge_by_base(pool, request, other),
        }
    }

    /// By the base score and what a forest says.
    fn judge_by(
        &mut self,
        Ranker { model, view }: Ranker<'_>,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        other: Option<BackendIndex>,
    ) -> Option<Judgement> {
        let (candidates, estimates) = (&self.candidates, &mut self.estimates);
        let forest = model.forest_among(candidates.len());
        let rows = match view {
            View::Alone => &mut self.rows,
            View::Compared => &mut self.compared,
        };
        view.fill(pool, request, candidates, rows);
        let counts = Counts::of(view, rows.iter().next()?);
        let rank = |place: usize, estimate: f32| -> Rank {
            let row = rows.row(place);
            let base = match view {
                View::Alone => base_score(row, pool.relative_weight(candidates[place]) as f32),
                View::Compared => compared_base(row),
            };
            (counts.score(base, estimate), row[features::IN_FLIGHT])
        };
        let list = Shortlist::of(forest, rows, request.draw, estimates, rank);
        let mut lowest = Lowest::new(request.draw);
        for &place in list.places() {
            lowest.offer(place, rank(place, estimates[place]));
        }
        let other = place(candidates, other).map(|place| {
            list.complete(forest, rows, place, estimates);
            rank(place, estimates[place]).0
        });
        self.judgement(&lowest, Reason::Model, other)
    }

    /// By the base score alone.
    fn judge_by_base(
        &self,
        pool: &PoolSnapshot<'_>,
        request: &RequestFacts,
        other: Option<BackendIndex>,
    ) -> Option<Judgement> {
        let rank = |place: usize| -> Rank {
            let index = self.candidates[place];
            let in_flight = pool.in_flight(index) as f32;
            let deviation = pool.route_deviation(index, request.route_class);
            let base = base(in_flight, pool.relative_weight(index) as f32, deviation);
            (base, in_flight)
        };
        let mut lowest = Lowest::new(request.draw);
        for place in 0..self.candidates.len() {
            lowest.offer(place, rank(place));
        }
        let other = place(&self.candidates, other).map(|place| rank(place).0);
        self.judgement(&lowest, Reason::Base, other)
    }

    fn judgement(&self, lowest: &Lowest, reason: Reason, other: Option<f32>) -> Option<Judgement> {
        let (best, score) = lowest.best()?;
        Some(Judgement {
            backend: self.candidates[best],
            score,
            other,
            reason,
        })
    }
}

/// Where `index` stands among `candidates`.
fn place(candidates: &[BackendIndex], index: Option<BackendIndex>) -> Option<usize> {
    let index = index?;
    candidates.iter().position(|candidate| *candidate == index)
}

#[cfg(test)]
pub(crate) mod tests;
