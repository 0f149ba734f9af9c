//! Everything that chance decides about a run, drawn in advance from its seed: the same for every selector.

mod timeline;

use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::chance::stream;
use crate::simulation::scenario::Arrivals;
use crate::simulation::scenario::Scenario;
use crate::units::Draws;

pub(crate) use timeline::Change;
pub(crate) use timeline::Effect;
pub(crate) use timeline::Happening;

/// A scenario under one seed. Times are in seconds from the start.
#[derive(Debug)]
pub struct World {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    /// In the order of their arrival.
    pub(crate) requests: Vec<Request>,
    /// What happens besides, in order.
    pub(crate) timeline: Vec<Change>,
}

/// A request that will arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) at: f64,
    /// Seconds of a core of speed 1.
    pub(crate) work: f64,
    /// What its selector may make of chance.
    pub(crate) draw: u64,
    pub(crate) route: u16,
    pub(crate) gateway: u16,
}

impl World {
    /// The world of `scenario` under `seed`.
    #[must_use]
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        Self {
            requests: requests(scenario, seed),
            timeline: timeline::draw(scenario, seed),
            scenario: scenario.clone(),
            seed,
        }
    }
}

fn requests(scenario: &Scenario, seed: u64) -> Vec<Request> {
    let end = scenario.duration.as_secs_f64();
    let mut arrivals = Clock::new(scenario, seed);
    let mut gateways = stream(seed, Purpose::Gateways, 0);
    let mut routes = stream(seed, Purpose::Routes, 0);
    let mut demands = stream(seed, Purpose::Demands, 0);
    let mut decisions = stream(seed, Purpose::Decisions, 0);
    let mut requests = Vec::with_capacity((scenario.rate() * end * 1.05) as usize);
    loop {
        let at = arrivals.next();
        if at >= end {
            return requests;
        }
        let route = route(scenario, &mut routes);
        requests.push(Request {
            at,
            work: chance::demand(&scenario.routes[route].demand, &mut demands),
            draw: decisions.next(),
            route: route as u16,
            gateway: gateways.below(scenario.gateways) as u16,
        });
    }
}

/// The position of a route, by the shares.
fn route(scenario: &Scenario, draws: &mut Draws) -> usize {
    let mut left = draws.fraction();
    let last = scenario.routes.len() - 1;
    let is_it = |share: f64| {
        left -= share;
        left < 0.0
    };
    scenario
        .routes
        .iter()
        .map(|route| route.share)
        .position(is_it)
        .unwrap_or(last)
}

/// Tells arrival times.
struct Clock {
    now: f64,
    arrivals: Draws,
    phases: Draws,
    phase: Phase,
    /// The other phase.
    next: Phase,
    phase_end: f64,
}

/// A stretch of a steady rate.
#[derive(Clone, Copy)]
struct Phase {
    rate: f64,
    /// Mean, in seconds.
    length: f64,
}

impl Clock {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let (low, high) = phases(scenario);
        let mut phases = stream(seed, Purpose::Phases, 0);
        // Either phase may be under way at the start, as likely as at any other time.
        let is_low = phases.fraction() * (low.length + high.length) < low.length || low.length.is_infinite();
        let (phase, next) = if is_low { (low, high) } else { (high, low) };
        let phase_end = phase.length * chance::exponential(&mut phases);
        Self {
            now: 0.0,
            arrivals: stream(seed, Purpose::Arrivals, 0),
            phases,
            phase,
            next,
            phase_end,
        }
    }

    fn next(&mut self) -> f64 {
        // The expected number of arrivals until the next one; phases use it up at their rates.
        let mut left = chance::exponential(&mut self.arrivals);
        loop {
            let at = self.now + left / self.phase.rate;
            if at <= self.phase_end {
                self.now = at;
                return at;
            }
            left -= (self.phase_end - self.now) * self.phase.rate;
            self.now = self.phase_end;
            std::mem::swap(&mut self.phase, &mut self.next);
            self.phase_end = self.now + self.phase.length * chance::exponential(&mut self.phases);
        }
    }
}

/// The low and the high phase, so that their mean is the scenario's rate.
fn phases(scenario: &Scenario) -> (Phase, Phase) {
    match scenario.arrivals {
        Arrivals::Poisson => {
            let endless = Phase {
                rate: scenario.rate(),
                length: f64::INFINITY,
            };
            (endless, endless)
        }
        Arrivals::Bursts { factor, high, low } => {
            let (high, low) = (high.as_secs_f64(), low.as_secs_f64());
            let rate = scenario.rate() * (low + high) / (low + high * factor);
            (
                Phase { rate, length: low },
                Phase {
                    rate: rate * factor,
                    length: high,
                },
            )
        }
    }
}

#[cfg(test)]
mod tests;
