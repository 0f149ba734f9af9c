//! Plays a world out, from event to event.
//!
//! An arriving request is sent on by its gateway, reaches its backend half a round trip later, leaves it when it is
//! done and is back at the gateway another half round trip later: its first byte is its last. What takes a constant
//! time waits in a queue that is in order by itself; what does not, in a tournament.

mod flights;
mod polls;

use std::collections::VecDeque;

use crate::forest::Decisions;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::Totals;
use crate::pool::Verdict;
use crate::simulation::backend::Admission;
use crate::simulation::backend::Backend;
use crate::simulation::backend::Job;
use crate::simulation::chance;
use crate::simulation::chance::Purpose;
use crate::simulation::engine::flights::Flight;
use crate::simulation::engine::flights::Flights;
use crate::simulation::engine::polls::Poll;
use crate::simulation::gateway::Contender;
use crate::simulation::gateway::Gateway;
use crate::simulation::marginal_cost::Truth;
use crate::simulation::report::Report;
use crate::simulation::report::Tally;
use crate::simulation::soonest::Soonest;
use crate::simulation::tutor::Tutor;
use crate::simulation::world::Happening;
use crate::simulation::world::World;
use crate::units::Timestamp;

/// The moment of a world's start: some time after the epoch, which means "never" in some places.
const START_SECONDS: u64 = 1_000_000;
/// A failing backend takes so long to say so, in seconds.
const FAILURE_TIME: f64 = 0.001;

/// One poll of one gateway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) metrics: Vec<BackendMetrics>,
    /// The sums of each backend until then.
    pub(crate) totals: Vec<Totals>,
}

/// A world under way.
pub(crate) struct Engine<'w> {
    world: &'w World,
    gateways: Vec<Gateway>,
    backends: Vec<Backend>,
    /// Requests sent to each backend and not done there, of all gateways.
    committed: Vec<u32>,
    /// When each backend is done with a request.
    ends: Soonest,
    /// Half a round trip.
    way: f64,
    flights: Flights,
    outbound: VecDeque<(f64, usize)>,
    failing: VecDeque<(f64, usize)>,
    inbound: VecDeque<(f64, usize)>,
    /// How many of the world's requests have arrived, and of its changes have happened.
    arrived: usize,
    happened: usize,
    polls: Vec<Poll>,
    /// What the first gateway's polls have found.
    rounds: Vec<Round>,
    tally: Tally,
    /// Who keeps decisions to learn from, if anybody does.
    tutor: Option<Tutor>,
}

/// Events, in the order in which they happen when they happen at once.
#[derive(Clone, Copy)]
enum Event {
    Change,
    Returns,
    Fails,
    Completes(usize),
    Reaches,
    Arrives,
}

impl<'w> Engine<'w> {
    pub(crate) fn new(world: &'w World, contender: &Contender) -> Self {
        let scenario = &world.scenario;
        let count = scenario.backends.len();
        let backend = |machine| Backend::new(machine, scenario.routes.len());
        Self {
            world,
            gateways: (0..scenario.gateways)
                .map(|number| Gateway::new(world, number, contender))
                .collect(),
            backends: scenario.backends.iter().map(backend).collect(),
            committed: vec![0; count],
            ends: Soonest::new(count),
            way: scenario.round_trip.as_secs_f64() / 2.0,
            flights: Flights::default(),
            outbound: VecDeque::new(),
            failing: VecDeque::new(),
            inbound: VecDeque::new(),
            arrived: 0,
            happened: 0,
            polls: vec![Poll::new(count); scenario.gateways],
            rounds: Vec::new(),
            tally: Tally::new(world, contender.name()),
            tutor: None,
        }
    }

    /// What came of the world, once every request that arrives has been answered.
    pub(crate) fn run(mut self) -> Report {
        self.play();
        self.tally.report()
    }

    /// About `count` of the world's decisions, each with what all of its candidates would have cost.
    pub(crate) fn decisions(mut self, count: u32) -> Decisions {
        let lifetime = self.world.scenario.metrics_lifetime();
        self.gateways = std::mem::take(&mut self.gateways)
            .into_iter()
            .map(|gateway| gateway.watched(lifetime))
            .collect();
        self.tutor = Some(Tutor::new(self.world, count));
        self.play();
        self.tutor.map(Tutor::into_decisions).unwrap_or_default()
    }

    /// What the polls of the first gateway found.
    pub(crate) fn rounds(mut self) -> Vec<Round> {
        self.play();
        self.rounds
    }

    fn play(&mut self) {
        while self.arrived < self.world.requests.len() || !self.flights.is_empty() {
            let (event, now) = self.next();
            match event {
                Event::Change => self.change(now),
                Event::Returns => self.finish(now),
                Event::Fails => self.fail(now),
                Event::Completes(backend) => self.complete(backend, now),
                Event::Reaches => self.reach(now),
                Event::Arrives => self.arrive(now),
            }
        }
    }

    fn next(&self) -> (Event, f64) {
        let front = |queue: &VecDeque<(f64, usize)>| queue.front().map_or(f64::INFINITY, |(at, _)| *at);
        let change = self
            .world
            .timeline
            .get(self.happened)
            .map_or(f64::INFINITY, |change| change.at);
        let (backend, end) = self.ends.first();
        let arrival = self
            .world
            .requests
            .get(self.arrived)
            .map_or(f64::INFINITY, |request| request.at);
        let mut first = (Event::Change, change);
        for (event, at) in [
            (Event::Returns, front(&self.inbound)),
            (Event::Fails, front(&self.failing)),
            (Event::Completes(backend), end),
            (Event::Reaches, front(&self.outbound)),
            (Event::Arrives, arrival),
        ] {
            if at < first.1 {
                first = (event, at);
            }
        }
        first
    }

    fn arrive(&mut self, now: f64) {
        let position = self.arrived;
        self.arrived += 1;
        let Some(request) = self.world.requests.get(position) else {
            return;
        };
        let truth = Truth {
            backends: &self.backends,
            committed: &self.committed,
        };
        let Some(gateway) = self.gateways.get_mut(usize::from(request.gateway)) else {
            return;
        };
        let Some(departure) = gateway.dispatch(request, truth, self.tutor.as_mut(), moment(now)) else {
            return self.tally.failed(request.at);
        };
        let backend = departure.index().position();
        self.committed[backend] += 1;
        self.tally.dispatched(backend, now);
        let flight = self.flights.begin(Flight {
            departure,
            request: position,
            verdict: Verdict::Success,
        });
        self.outbound.push_back((now + self.way, flight));
    }

    fn reach(&mut self, now: f64) {
        let Some((_, id)) = self.outbound.pop_front() else {
            return;
        };
        let Some(flight) = self.flights.get_mut(id) else { return };
        let request = &self.world.requests[flight.request];
        let (backend, route) = (flight.departure.index().position(), usize::from(request.route));
        let job = Job {
            flight: id,
            route,
            work: request.work,
        };
        let bytes = self.world.scenario.routes[route].request_bytes;
        let admission = self.backends[backend].admit(job, bytes, now);
        match admission {
            Admission::Admitted => return self.ends.set(backend, self.backends[backend].next_end()),
            Admission::Full => self.inbound.push_back((now + self.way, id)),
            Admission::Failing => self.failing.push_back((now + FAILURE_TIME, id)),
        }
        flight.verdict = Verdict::ErrorStatus;
        self.committed[backend] -= 1;
    }

    fn fail(&mut self, now: f64) {
        if let Some((_, id)) = self.failing.pop_front() {
            self.inbound.push_back((now + self.way, id));
        }
    }

    fn complete(&mut self, backend: usize, now: f64) {
        let machine = &mut self.backends[backend];
        if let Some(job) = machine.complete(now) {
            machine.respond(self.world.scenario.routes[job.route].response_bytes);
            self.committed[backend] -= 1;
            self.inbound.push_back((now + self.way, job.flight));
        }
        self.ends.set(backend, machine.next_end());
    }

    fn finish(&mut self, now: f64) {
        let Some(flight) = self.inbound.pop_front().and_then(|(_, id)| self.flights.end(id)) else {
            return;
        };
        let request = &self.world.requests[flight.request];
        if flight.verdict == Verdict::Success {
            self.tally.answered(request.at, now);
        } else {
            self.tally.failed(request.at);
        }
        if let Some(gateway) = self.gateways.get_mut(usize::from(request.gateway)) {
            gateway.conclude(flight.departure, flight.verdict, moment(now));
        }
    }

    fn change(&mut self, now: f64) {
        let Some(change) = self.world.timeline.get(self.happened) else {
            return;
        };
        self.happened += 1;
        match change.what {
            Happening::Poll { gateway } => return self.poll(gateway, now),
            Happening::Begins { backend, effect } => self.backends[backend].begin(effect, now),
            Happening::Ends { backend, effect } => self.backends[backend].end(effect, now),
        }
        for (position, backend) in self.backends.iter().enumerate() {
            self.ends.set(position, backend.next_end());
        }
    }

    /// Reads the metrics of all backends for `gateway`.
    fn poll(&mut self, gateway: usize, now: f64) {
        // The noise is the same for every selector: it depends on who asks whom and when, and on nothing else.
        let mut noise = chance::stream(self.world.seed, Purpose::Noise, self.happened);
        let deviation = self.world.scenario.polls.cpu_noise;
        let errors = std::iter::repeat_with(|| deviation * chance::normal(&mut noise));
        let metrics = self.polls[gateway].read(&mut self.backends, errors, now);
        let asking = &mut self.gateways[gateway];
        for (position, metrics) in metrics.iter().enumerate() {
            if !self.backends[position].is_silent() {
                asking.measure(BackendIndex::new(position), *metrics);
            }
        }
        asking.end_poll();
        if gateway == 0 {
            let totals = asking.totals();
            self.rounds.push(Round { metrics, totals });
        }
    }
}

/// `seconds` from the start as the pool's clock shows them.
pub(super) fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(START_SECONDS * 1_000_000_000 + (seconds * 1e9) as u64)
}

#[cfg(test)]
mod tests;
