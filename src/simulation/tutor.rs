//! Watches decisions in a simulated world and keeps some of them, with all candidates and what each would have cost.
//!
//! Of a live decision only the chosen backend's outcome is ever known. Here the clairvoyant reference says it of every
//! candidate, and it says what a choice costs everybody, not how long the one request takes.

use crate::forest::Decisions;
use crate::forest::Rows;
use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::View;
use crate::selection::base_score;
use crate::selection::blank_compared;
use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::marginal_cost::Prices;
use crate::simulation::marginal_cost::Truth;
use crate::simulation::world::World;
use crate::units::Draws;

/// Labels are bounded to this: what costs twenty times as much is not to be chosen, however much more it costs.
const BOUND: f32 = 3.0;
/// The share of the decisions whose metrics are hidden, so that a model knows what to do without them.
const BLANK_SHARE: f64 = 0.15;
/// In so many worlds some requests go anywhere: a policy alone never shows the states that it avoids.
const WANDERING_WORLDS: f64 = 0.6;
/// At most this share of them, and mostly far fewer.
const MOST_WANDERING: f64 = 0.3;

#[derive(Debug)]
pub(crate) struct Tutor {
    draws: Draws,
    /// The share of the decisions that are kept.
    kept: f64,
    /// The share of the requests that chance sends anywhere.
    wandering: f64,
    candidates: Vec<BackendIndex>,
    rows: Rows,
    labels: Vec<f32>,
    decisions: Decisions,
}

impl Tutor {
    /// A tutor who keeps about `decisions` of those in `world`.
    pub(crate) fn new(world: &World, decisions: u32) -> Self {
        let mut draws = chance::stream(world.seed, Purpose::Tutor, 0);
        let wanders = draws.fraction() < WANDERING_WORLDS;
        let share = MOST_WANDERING * draws.fraction() * draws.fraction();
        Self {
            draws,
            kept: f64::from(decisions) / world.requests.len().max(1) as f64,
            wandering: if wanders { share } else { 0.0 },
            candidates: Vec::new(),
            rows: Rows::new(View::Compared.schema().width(), 0),
            labels: Vec::new(),
            decisions: Decisions::default(),
        }
    }

    /// What it has kept.
    pub(crate) fn into_decisions(self) -> Decisions {
        self.decisions
    }

    /// Looks at the decision about `request`, which is of `route`, and keeps it or not.
    pub(crate) fn watch(&mut self, pool: &PoolSnapshot<'_>, request: &RequestFacts, route: usize, truth: Truth<'_>) {
        if self.draws.fraction() >= self.kept {
            return;
        }
        self.candidates.clear();
        self.candidates.extend(pool.eligible(&request.tried));
        if self.candidates.len() < 2 {
            return;
        }
        View::Compared.fill(pool, request, &self.candidates, &mut self.rows);
        self.label(pool, route, truth);
        if self.draws.fraction() < BLANK_SHARE {
            self.rows.for_each(blank_compared);
        }
        self.decisions.push(&self.rows, &self.labels);
    }

    /// Where chance sends a request instead, if it does.
    pub(crate) fn wander(&mut self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        if self.draws.fraction() >= self.wandering {
            return None;
        }
        let count = pool.eligible(&request.tried).count();
        let index = pool.eligible(&request.tried).nth(self.draws.below(count))?;
        Some(Choice::by_policy(index))
    }

    /// By how much each candidate costs more than its base score says, beside the others.
    fn label(&mut self, pool: &PoolSnapshot<'_>, route: usize, truth: Truth<'_>) {
        self.labels.clear();
        let prices = Prices::new(truth);
        for (place, index) in self.candidates.iter().enumerate() {
            let base = base_score(self.rows.row(place), pool.relative_weight(*index) as f32);
            let price = prices.ln(*index, route).unwrap_or_default();
            self.labels.push(price as f32 - base);
        }
        let mean = self.labels.iter().sum::<f32>() / self.labels.len() as f32;
        for label in &mut self.labels {
            *label = (*label - mean).clamp(-BOUND, BOUND);
        }
    }
}
