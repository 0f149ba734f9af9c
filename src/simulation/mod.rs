//! Worlds to measure selectors in: seeded, exact to the event, without a network and without a clock.
//!
//! A [`Scenario`] is read from a file; [`World::draw`] draws everything that chance decides about it; `engine` then
//! plays it out, event by event, between simulated backends (`backend`) and simulated gateways (`gateway`), whose
//! pools and selectors are the ones that serve live traffic. The same scenario, selector and seed give the same
//! [`Report`], byte for byte, whatever runs beside it.

mod backend;
mod chance;
mod comparison;
mod engine;
mod gateway;
mod marginal_cost;
mod parallel;
mod rehearsal;
mod report;
mod scenario;
mod school;
mod soonest;
mod suite;
mod tutor;
mod world;

use crate::forest::Decisions;

pub use comparison::Comparison;
pub use comparison::Relative;
pub use comparison::compare;
pub use gateway::Contender;
pub use gateway::UnknownContender;
pub use parallel::in_order;
pub use report::CURVE;
pub use report::Figures;
pub use report::Report;
pub use report::Row;
pub use scenario::Arrivals;
pub use scenario::Demand;
pub use scenario::Discipline;
pub use scenario::Fault;
pub use scenario::FaultKind;
pub use scenario::Machine;
pub use scenario::Polls;
pub use scenario::Route;
pub use scenario::SHIPPED;
pub use scenario::Scenario;
pub use scenario::Shipped;
pub use scenario::WORLDS;
pub use scenario::parse;
pub use suite::Suite;
pub use world::World;

/// About `count` decisions of `contender` in `world`, each with all of its candidates as a distilled forest sees them,
/// labelled with what they would have cost everybody. Chance sends some of the requests elsewhere, in most worlds.
#[must_use]
pub fn decisions(world: &World, contender: &Contender, count: u32) -> Decisions {
    engine::Engine::new(world, contender).decisions(count)
}

/// What becomes of `world` when `contender` chooses in all its gateways. One that needs a model for its own pool is
/// trained first, in the same scenario under another seed.
#[must_use]
pub fn simulate(world: &World, contender: &Contender) -> Report {
    engine::Engine::new(world, &rehearsal::prepare(world, contender)).run()
}
