//! A forest that knows before the first request: what the clairvoyant reference does in many random worlds, put into
//! terms that a gateway can see.
//!
//! In each round fresh worlds are drawn and played by several policies, and of some decisions all candidates are kept with
//! what they would have cost everybody. From the second round on most worlds are played by the forest of the round before:
//! a policy that only ever watched others does not know the states that its own mistakes lead to (Ross, Gordon and Bagnell: A
//! reduction of imitation learning and structured prediction to no-regret online learning, AISTATS 2011). The same plan
//! gives the same bytes on any number of threads.

mod card;
mod kept;
mod round;

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::forest::Boosting;
use crate::forest::Decisions;
use crate::forest::FEW;
use crate::forest::Forest;
use crate::forest::GrowError;
use crate::forest::Growth;
use crate::forest::Model;
use crate::forest::ModelError;
use crate::forest::ModelKind;
use crate::forest::Rows;
use crate::forest::Training;
use crate::forest::grow_ranker;
use crate::selection::Shortlist;
use crate::selection::View;
use crate::selection::compared_score;

pub use card::Evaluation;
pub use card::card;

/// What is to be distilled from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How often worlds are played, from the second time on by what was distilled before; at least 1.
    pub rounds: u32,
    /// Worlds in each round.
    pub worlds: u32,
    /// Requests in a world, about.
    pub arrivals: u32,
    /// Decisions that are kept of a world, about.
    pub decisions: u32,
    /// Of every draw.
    pub seed: u64,
    /// How the forest is grown.
    pub growth: Growth,
    /// How many worlds are played at once.
    pub threads: NonZeroUsize,
}

/// A round that was played.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Decisions that were kept.
    pub decisions: Decisions,
    /// What the model of the round before explains of them; `None` in the first.
    pub explained_before: Option<f64>,
}

/// Where rounds are kept, so that work that was interrupted need not be done again.
pub trait Shelf {
    /// Round `number`, if it is there.
    fn get(&mut self, number: u32) -> Option<Round>;
    /// Keeps `round` as round `number`. What cannot be kept is played again.
    fn put(&mut self, number: u32, round: &Round);
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoShelf;

impl Shelf for NoShelf {
    fn get(&mut self, _: u32) -> Option<Round> {
        None
    }

    fn put(&mut self, _: u32, _: &Round) {}
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many worlds of this round have been played.
    Played {
        /// From 1 on.
        round: u32,
        /// Worlds.
        worlds: u32,
    },
    /// All of them; the round's forest is being grown.
    Growing {
        /// From 1 on.
        round: u32,
    },
    /// What boosting is worth is being measured.
    Comparing,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Distilled {
    /// The model.
    pub model: Model,
    /// What each round had.
    pub rounds: Vec<RoundSummary>,
    /// What forests explain of decisions in worlds that they have not seen, among the candidates that all trees are asked
    /// about: this one's likes, and one of the same size that is bagged.
    pub explained: Explained,
}

/// A round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundSummary {
    /// Decisions that were kept.
    pub decisions: usize,
    /// Their candidates.
    pub candidates: usize,
    /// What the forest of the round before explains of them; `None` in the first.
    pub explained_before: Option<f64>,
}

/// Shares of the variance of the labels within decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explained {
    /// By trees in stages.
    pub boosted: f64,
    /// By trees beside each other.
    pub bagged: f64,
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum DistilError {
    /// The worlds had too few requests.
    #[error("no decision among two backends was seen; use more worlds")]
    NoDecisions,
    /// The forest cannot be grown.
    #[error(transparent)]
    Grow(#[from] GrowError),
    /// It cannot be a model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The share of the decisions that comparisons are measured on.
const HELD_OUT: usize = 10;

/// Does as `plan` says, but for rounds that are on the `shelf`, and tells of the progress; `command` goes into the model.
///
/// # Errors
/// When there is nothing to learn from, or a parameter of the growth is out of range.
pub fn distil(
    plan: &Plan,
    command: &str,
    shelf: &mut impl Shelf,
    mut tell: impl FnMut(Progress),
) -> Result<Distilled, DistilError> {
    let mut kept: Vec<Decisions> = Vec::new();
    let mut rounds = Vec::new();
    let mut next = shelf.get(1);
    for number in 1..=plan.rounds.max(1) {
        let round = match next.take() {
            Some(round) => round,
            None => {
                let model = grown_before(plan, &kept, command, number, &mut tell)?;
                let decisions = round::play(plan, number, model.as_ref(), &mut tell);
                let explained_before = model
                    .filter(|_| !decisions.is_empty())
                    .map(|model| explained(&model, &decisions));
                let round = Round {
                    decisions,
                    explained_before,
                };
                shelf.put(number, &round);
                round
            }
        };
        rounds.push(RoundSummary::from(&round));
        // What the policies of the first round meet is not what a distilled forest meets.
        if number == 2 {
            kept.clear();
        }
        kept.push(round.decisions);
        next = (number < plan.rounds).then(|| shelf.get(number + 1)).flatten();
    }
    tell(Progress::Growing { round: plan.rounds });
    let model = grow(plan, &kept, command)?;
    tell(Progress::Comparing);
    let explained = compare(plan, kept)?;
    Ok(Distilled {
        model,
        rounds,
        explained,
    })
}

/// The forest of the rounds before round `number`, which plays most of that one's worlds.
fn grown_before(
    plan: &Plan,
    kept: &[Decisions],
    command: &str,
    number: u32,
    tell: &mut impl FnMut(Progress),
) -> Result<Option<Arc<Model>>, DistilError> {
    if number == 1 {
        return Ok(None);
    }
    tell(Progress::Growing { round: number - 1 });
    Ok(Some(Arc::new(grow(plan, kept, command)?)))
}

fn grow(plan: &Plan, rounds: &[Decisions], command: &str) -> Result<Model, DistilError> {
    let training = Training {
        rows: rounds.iter().map(|round| round.candidates() as u64).sum(),
        seed: plan.seed,
        command: command.to_owned(),
        ..Training::default()
    };
    model(&plan.growth, rounds, training)
}

/// A forest for decisions among few candidates and one for those among many, or one for all if there are only the ones or
/// the others.
fn model(growth: &Growth, rounds: &[Decisions], training: Training) -> Result<Model, DistilError> {
    let seed = training.seed;
    let (mut few, mut many) = (Decisions::default(), Decisions::default());
    for round in rounds {
        let (of_few, of_many) = round.divided(FEW);
        few.append(of_few);
        many.append(of_many);
    }
    let model = |forest: Forest| {
        let fills = vec![0.0; forest.schema().width()];
        Model::new(ModelKind::Ranker, forest, fills, training)
    };
    Ok(match (few.is_empty(), many.is_empty()) {
        (true, true) => return Err(DistilError::NoDecisions),
        (false, true) => model(forest(growth, few, seed)?)?,
        (true, false) => model(forest(growth, many, seed)?)?,
        (false, false) => {
            let few = forest(growth, few, seed)?;
            model(few)?.with_among_many(forest(growth, many, seed)?)?
        }
    })
}

fn forest(growth: &Growth, decisions: Decisions, seed: u64) -> Result<Forest, GrowError> {
    let (samples, comparisons) = decisions.into_samples(View::Compared.schema())?;
    grow_ranker(&samples, &comparisons, growth, seed, compared_score)
}

/// As many trees, beside each other.
fn bagged(growth: Growth) -> Growth {
    growth.params.boosted(Boosting {
        stages: 1,
        rate: 1.0,
        ..growth.boosting
    })
}

impl From<&Round> for RoundSummary {
    fn from(round: &Round) -> Self {
        Self {
            decisions: round.decisions.len(),
            candidates: round.decisions.candidates(),
            explained_before: round.explained_before,
        }
    }
}

/// Grows both kinds of forests on most of the decisions and looks at the rest, which are of other worlds.
fn compare(plan: &Plan, rounds: Vec<Decisions>) -> Result<Explained, DistilError> {
    let mut all = Decisions::default();
    rounds.into_iter().for_each(|round| all.append(round));
    let count = all.len();
    let (seen, unseen) = all.split(count - count / HELD_OUT);
    let seen = [seen];
    let of = |growth: Growth| {
        let training = Training {
            seed: plan.seed,
            ..Training::default()
        };
        Ok::<_, DistilError>(explained(&model(&growth, &seen, training)?, &unseen))
    };
    Ok(Explained {
        boosted: of(plan.growth)?,
        bagged: of(bagged(plan.growth))?,
    })
}

/// The share of the variance within decisions that `model` explains, among the candidates that it asks all trees about.
fn explained(model: &Model, decisions: &Decisions) -> f64 {
    let mut rows = Rows::new(model.forest().schema().width(), 0);
    let (mut all, mut left) = (0.0, 0.0);
    for (seen, labels) in decisions.each() {
        rows.clear();
        seen.chunks(rows.width())
            .for_each(|row| rows.add().copy_from_slice(row));
        let mut estimates = vec![0.0; labels.len()];
        let rank = |place: usize, estimate: f32| (compared_score(rows.row(place), estimate), 0.0);
        let list = Shortlist::of(model.forest_among(labels.len()), &rows, 0, &mut estimates, rank);
        let places = list.places().iter();
        all += squares(places.clone().map(|&place| labels[place]));
        left += squares(places.map(|&place| labels[place] - estimates[place]));
    }
    1.0 - left / all.max(f64::MIN_POSITIVE)
}

/// The sum of the squares of what `numbers` differ from their mean.
fn squares(numbers: impl ExactSizeIterator<Item = f32> + Clone) -> f64 {
    let mean = numbers.clone().map(f64::from).sum::<f64>() / numbers.len().max(1) as f64;
    numbers.map(|number| (f64::from(number) - mean).powi(2)).sum()
}

#[cfg(test)]
pub(crate) mod tests;
