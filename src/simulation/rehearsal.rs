//! How a classifier comes by its model in a simulated world: as the paper's did, from a time under round robin.
//!
//! The world is played once more with other chance. From each poll the metrics of all backends are kept, and as their
//! class the backend that answered soonest until the next one; see `crate::training` for the same from recorded data.

use std::sync::Arc;

use crate::forest::Classes;
use crate::forest::GrowError;
use crate::forest::GrowParams;
use crate::forest::Model;
use crate::forest::ModelError;
use crate::forest::ModelKind;
use crate::forest::Samples;
use crate::forest::Schema;
use crate::forest::Training;
use crate::forest::grow_classifier;
use crate::pool::BackendMetrics;
use crate::pool::Totals;
use crate::simulation::engine::Engine;
use crate::simulation::engine::Round;
use crate::simulation::gateway::Contender;
use crate::simulation::scenario::Scenario;
use crate::simulation::world::World;

/// Enough to tell a busy backend from an idle one, and little enough to wait for.
const POLLS: u32 = 300;
/// Sets the rehearsal's chance apart from the world's own.
const SALT: u64 = 0x5eed_0f7e_4e15_a75a;
/// What a failed request counts for, in seconds: a backend must not win by failing fast.
const ERROR_SECONDS: f64 = 1.0;

/// `contender` as it is, or with a model for `world` where it needs one and one can be had.
pub(crate) fn prepare(world: &World, contender: &Contender) -> Contender {
    if !contender.needs_model() {
        return contender.clone();
    }
    let Ok(round_robin) = Contender::named("round_robin") else {
        return contender.clone();
    };
    let rehearsed = World::draw(&rehearsed(&world.scenario), world.seed ^ SALT);
    let rounds = Engine::new(&rehearsed, &round_robin).rounds();
    contender.with_model(model(&rounds, world.seed).ok().map(Arc::new))
}

/// As long as it takes to see enough polls.
fn rehearsed(scenario: &Scenario) -> Scenario {
    Scenario {
        duration: scenario.duration.max(scenario.polls.interval * POLLS),
        ..scenario.clone()
    }
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
enum NoModel {
    #[error("nothing was served between two polls")]
    Nothing,
    #[error(transparent)]
    Grow(#[from] GrowError),
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn model(rounds: &[Round], seed: u64) -> Result<Model, NoModel> {
    let backends = rounds.first().ok_or(NoModel::Nothing)?.metrics.len();
    let examples: Vec<(&Round, usize)> = rounds.windows(2).filter_map(example).collect();
    let schema = Schema::joint(backends).ok_or(NoModel::Nothing)?;
    let fills = vec![0.0; schema.width()];
    let samples = Samples::new(schema, examples.iter().flat_map(|(round, _)| features(round)).collect())?;
    let classes = Classes::new(examples.iter().map(|(_, best)| *best).collect(), backends)?;
    let forest = grow_classifier(&samples, &classes, &GrowParams::default(), seed)?;
    let training = Training {
        rows: examples.len() as u64,
        seed,
        ..Training::default()
    };
    Ok(Model::new(ModelKind::Classifier { backends }, forest, fills, training)?)
}

/// A round, and the backend that did best until the next.
fn example(rounds: &[Round]) -> Option<(&Round, usize)> {
    let [round, next] = rounds else { return None };
    let costs = round.totals.iter().zip(&next.totals).map(|(then, now)| cost(then, now));
    let known = costs.enumerate().filter_map(|(position, cost)| Some((position, cost?)));
    let best = known.min_by(|one, other| one.1.total_cmp(&other.1))?;
    Some((round, best.0))
}

/// Mean seconds of a request between two readings; `None` when there was none.
fn cost(then: &Totals, now: &Totals) -> Option<f64> {
    let requests = (now.requests - then.requests) as f64;
    let errors = (now.errors - then.errors) as f64;
    let seconds = now.latency.saturating_sub(then.latency).as_secs_f64();
    (requests > 0.0).then(|| (seconds + ERROR_SECONDS * errors) / requests)
}

fn features(round: &Round) -> impl Iterator<Item = f32> {
    let figures = |it: &BackendMetrics| [it.cpu_percent, it.ram_percent, it.bytes_sent, it.bytes_recv];
    round.metrics.iter().flat_map(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::simulation::parse;
    use crate::simulation::simulate;

    #[test]
    fn the_classifier_herds_when_polls_are_rare() {
        let text = include_str!("../../conf/scenarios/paper-poll5.yaml");
        let scenario = parse("paper-poll5", Source { name: "paper", text }).unwrap();
        let world = World::draw(&scenario, 0);
        let mean_ms = |name| simulate(&world, &Contender::named(name).unwrap()).figures.mean_ms;
        let (classifier, round_robin) = (mean_ms("classifier"), mean_ms("round_robin"));
        assert!(
            classifier > 3.0 * round_robin,
            "{classifier} ms against {round_robin} ms"
        );
    }

    #[test]
    fn nothing_is_learned_from_nothing() {
        assert!(matches!(model(&[], 0), Err(NoModel::Nothing)));
    }
}
