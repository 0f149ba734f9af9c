//! A simulated backend: requests share its cores, wait when too many run, and are refused when too many wait.
//!
//! All that run progress at one speed, `speed * min(1, cores / (running + antagonist threads))`. So a request that
//! needs work w is done when the backend's *virtual time*, which advances at that speed, has advanced by w, and the
//! next one done is the one whose virtual end is the least: an event costs O(log n), whatever changes the speed
//! (Parekh and Gallager's virtual time of processor sharing, IEEE/ACM Transactions on Networking, 1993). First come,
//! first served and thread pools differ in how many run at once, and in nothing else.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::VecDeque;

use crate::simulation::scenario::Machine;
use crate::simulation::world::Effect;

/// A request on a backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Job {
    /// What the engine knows it by.
    pub(crate) flight: usize,
    pub(crate) route: usize,
    /// Seconds of a core of speed 1, before the backend's own faults.
    pub(crate) work: f64,
}

/// What a backend says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It runs or waits.
    Admitted,
    /// 503, at once.
    Full,
    /// An error, after a millisecond.
    Failing,
}

/// What a metrics endpoint counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Meters {
    /// Seconds that the CPU was busy, as it reports them, of all its cores together taken as one.
    pub(crate) busy: f64,
    pub(crate) bytes_sent: f64,
    pub(crate) bytes_recv: f64,
}

/// A backend at work. Times are in seconds from the start of the world.
#[derive(Debug)]
pub(crate) struct Backend {
    machine: Machine,
    max_running: usize,
    faults: Faults,
    running: BinaryHeap<Running>,
    waiting: VecDeque<Job>,
    meters: Meters,
    /// Up to when everything here is worked out.
    now: f64,
    /// Work done for each request that ran all the time.
    virtual_now: f64,
    /// How fast virtual time advances.
    pace: f64,
    /// The part of the CPU that is in use.
    busy: f64,
    started: u64,
}

/// What is wrong with a backend now.
#[derive(Debug)]
struct Faults {
    /// Threads of others.
    threads: f64,
    /// Times longer.
    slow: f64,
    reported_cpu: f64,
    /// Failures that overlap.
    failing: u32,
    /// Silences that overlap.
    silent: u32,
    cold: Option<Cold>,
    /// Times more work, by route.
    routes: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Cold {
    amplitude: f64,
    requests: f64,
    served: f64,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    job: Job,
    virtual_end: f64,
    /// Tells apart what ends at once: first in, first out.
    number: u64,
}

impl Backend {
    pub(crate) fn new(machine: &Machine, routes: usize) -> Self {
        let faults = Faults {
            threads: 0.0,
            slow: 1.0,
            reported_cpu: 1.0,
            failing: 0,
            silent: 0,
            cold: None,
            routes: vec![1.0; routes],
        };
        let mut backend = Self {
            machine: machine.clone(),
            max_running: machine.max_running(),
            faults,
            running: BinaryHeap::new(),
            waiting: VecDeque::new(),
            meters: Meters::default(),
            now: 0.0,
            virtual_now: 0.0,
            pace: 0.0,
            busy: 0.0,
            started: 0,
        };
        backend.adjust();
        backend
    }

    /// Takes in a request of `bytes`.
    pub(crate) fn admit(&mut self, job: Job, bytes: u64, now: f64) -> Admission {
        self.advance(now);
        self.meters.bytes_recv += bytes as f64;
        if self.faults.failing > 0 {
            return Admission::Failing;
        }
        if self.running.len() < self.max_running {
            self.start(job);
            self.adjust();
        } else if self.waiting.len() < self.machine.max_queued {
            self.waiting.push_back(job);
        } else {
            return Admission::Full;
        }
        Admission::Admitted
    }

    /// When the next request will be done if nothing changes; infinity when none runs.
    pub(crate) fn next_end(&self) -> f64 {
        self.running.peek().map_or(f64::INFINITY, |first| {
            self.now + (first.virtual_end - self.virtual_now) / self.pace
        })
    }

    /// Ends the request that [`Self::next_end`] foretold.
    pub(crate) fn complete(&mut self, now: f64) -> Option<Job> {
        self.advance(now);
        let done = self.running.pop()?;
        // Exactly there, whatever rounding says.
        self.virtual_now = done.virtual_end;
        if let Some(cold) = &mut self.faults.cold {
            cold.served += 1.0;
        }
        if let Some(next) = self.waiting.pop_front() {
            self.start(next);
        }
        if self.running.is_empty() {
            // Small numbers are precise numbers.
            self.virtual_now = 0.0;
        }
        self.adjust();
        Some(done.job)
    }

    /// Counts `bytes` of a response.
    pub(crate) fn respond(&mut self, bytes: u64) {
        self.meters.bytes_sent += bytes as f64;
    }

    pub(crate) fn begin(&mut self, effect: Effect, now: f64) {
        self.advance(now);
        match effect {
            Effect::Threads(threads) => self.faults.threads += threads,
            Effect::Slow { factor, reported_cpu } => {
                self.faults.slow *= factor;
                self.faults.reported_cpu *= reported_cpu;
            }
            Effect::Failing => self.faults.failing += 1,
            Effect::Silent => self.faults.silent += 1,
            Effect::Cold { amplitude, requests } => {
                self.faults.cold = Some(Cold {
                    amplitude,
                    requests,
                    served: 0.0,
                })
            }
            Effect::SlowRoute { route, factor } => self.faults.routes[route] *= factor,
        }
        self.adjust();
    }

    pub(crate) fn end(&mut self, effect: Effect, now: f64) {
        self.advance(now);
        match effect {
            Effect::Threads(threads) => self.faults.threads -= threads,
            Effect::Slow { factor, reported_cpu } => {
                self.faults.slow /= factor;
                self.faults.reported_cpu /= reported_cpu;
            }
            Effect::Failing => self.faults.failing -= 1,
            Effect::Silent => self.faults.silent -= 1,
            Effect::Cold { .. } => self.faults.cold = None,
            Effect::SlowRoute { route, factor } => self.faults.routes[route] /= factor,
        }
        self.adjust();
    }

    /// What the metrics endpoint counted until `now`.
    pub(crate) fn meters(&mut self, now: f64) -> Meters {
        self.advance(now);
        self.meters
    }

    /// The part of its memory that is in use: a third at rest, and the rest by what it holds.
    pub(crate) fn memory(&self) -> f64 {
        const AT_REST: f64 = 0.3;
        let held = (self.running.len() + self.waiting.len()) as f64;
        let room = (self.max_running + self.machine.max_queued) as f64;
        AT_REST + (1.0 - AT_REST) * (held / room).min(1.0)
    }

    pub(crate) fn cores(&self) -> f64 {
        self.machine.cores
    }

    /// Threads of others on its cores.
    pub(crate) fn threads(&self) -> f64 {
        self.faults.threads
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.faults.failing > 0
    }

    /// Whether its metrics cannot be polled.
    pub(crate) fn is_silent(&self) -> bool {
        self.faults.silent > 0
    }

    /// How many requests run at once.
    pub(crate) fn max_running(&self) -> f64 {
        self.max_running as f64
    }

    /// Units of work that a core of its own does in a second now.
    pub(crate) fn speed(&self) -> f64 {
        self.machine.speed / self.faults.slow
    }

    /// How many times the work a request of `route` is here.
    pub(crate) fn route_factor(&self, route: usize) -> f64 {
        self.faults.routes[route]
    }

    /// Seconds that one unit of work of `route` takes on a core of its own; a cold cache is not counted.
    pub(crate) fn slowness(&self, route: usize) -> f64 {
        self.route_factor(route) / self.speed()
    }

    fn start(&mut self, job: Job) {
        let virtual_end = self.virtual_now + job.work * self.faults.work_factor(job.route);
        self.started += 1;
        self.running.push(Running {
            job,
            virtual_end,
            number: self.started,
        });
    }

    fn advance(&mut self, now: f64) {
        let elapsed = now - self.now;
        self.meters.busy += elapsed * self.busy;
        if !self.running.is_empty() {
            self.virtual_now += elapsed * self.pace;
        }
        self.now = now;
    }

    /// Works out the pace anew, after anything that it depends on has changed.
    fn adjust(&mut self) {
        let threads = self.running.len() as f64 + self.faults.threads;
        let share = if threads > self.machine.cores {
            self.machine.cores / threads
        } else {
            1.0
        };
        self.pace = self.machine.speed / self.faults.slow * share;
        self.busy = (threads / self.machine.cores).min(1.0) * self.faults.reported_cpu;
    }
}

impl Faults {
    /// How many times its demand a request is when it starts now.
    fn work_factor(&self, route: usize) -> f64 {
        let cold = self
            .cold
            .map_or(0.0, |cold| cold.amplitude * libm::exp(-cold.served / cold.requests));
        self.routes[route] * (1.0 + cold)
    }
}

impl Ord for Running {
    /// What ends first is the greatest: the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .virtual_end
            .total_cmp(&self.virtual_end)
            .then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Running {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Running {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Running {}

#[cfg(test)]
mod tests;
