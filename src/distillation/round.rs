//! One round: who plays which world.

use std::sync::Arc;

use crate::distillation::Plan;
use crate::distillation::Progress;
use crate::forest::Decisions;
use crate::forest::Model;
use crate::simulation::Contender;
use crate::simulation::Scenario;
use crate::simulation::World;
use crate::simulation::decisions;
use crate::simulation::in_order;
use crate::units::Draws;

/// Who plays the first round, in turn: good ones, to see good states, and bad ones, to see what good ones avoid.
const FIRST: [&str; 8] = [
    "random",
    "round_robin",
    "least_requests",
    "p2c",
    "peak_ewma_all",
    "ewma",
    "marginal_cost",
    "forest_online",
];
/// Who plays every later one, beside the forest that was distilled so far.
const OTHERS: [&str; 3] = ["forest_online", "least_requests", "peak_ewma_all"];
/// In turns of eight, how many are that forest's.
const OWN_TURNS: usize = 5;

/// The decisions of round `number`, played by `model` if there is one.
pub(super) fn play(plan: &Plan, number: u32, model: Option<&Arc<Model>>, tell: &mut impl FnMut(Progress)) -> Decisions {
    let contenders = contenders(model);
    let mut worlds = 0;
    let of_world = |world: usize| {
        let seed = seed(plan.seed, number, world);
        let scenario = Scenario::random(seed, plan.arrivals);
        let contender = &contenders[world % contenders.len()];
        decisions(&World::draw(&scenario, seed), contender, plan.decisions)
    };
    let played = in_order(plan.worlds as usize, plan.threads.get(), of_world, |_| {
        worlds += 1;
        tell(Progress::Played { round: number, worlds });
    });
    let mut all = Decisions::default();
    played.into_iter().for_each(|decisions| all.append(decisions));
    all
}

fn contenders(model: Option<&Arc<Model>>) -> Vec<Contender> {
    let named =
        |names: &[&str]| -> Vec<Contender> { names.iter().filter_map(|name| Contender::named(name).ok()).collect() };
    let Some(model) = model else { return named(&FIRST) };
    let own = (0..OWN_TURNS).map(|_| Contender::frozen(Arc::clone(model)));
    own.chain(named(&OTHERS)).collect()
}

/// The seed of a world: no two of a plan's are the same but by chance.
fn seed(plan: u64, round: u32, world: usize) -> u64 {
    let place = u64::from(round) << 32 | world as u64;
    Draws::new(Draws::new(plan).next() ^ place).next()
}
