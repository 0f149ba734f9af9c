//! What a gateway reads from the backends' metrics endpoints.

use crate::pool::BackendMetrics;
use crate::simulation::backend::Backend;
use crate::simulation::backend::Meters;
use crate::simulation::engine::moment;

/// What a gateway remembers of its last poll.
#[derive(Clone)]
pub(super) struct Poll {
    at: f64,
    meters: Vec<Meters>,
}

/// A backend's meters at two polls.
struct Span {
    since: Meters,
    until: Meters,
    seconds: f64,
}

impl Poll {
    /// No poll so far of `backends` backends.
    pub(super) fn new(backends: usize) -> Self {
        Self {
            at: 0.0,
            meters: vec![Meters::default(); backends],
        }
    }

    /// The metrics of `backends` over the time since the last poll, their CPU figures off by `errors`.
    pub(super) fn read(
        &mut self,
        backends: &mut [Backend],
        errors: impl Iterator<Item = f64>,
        now: f64,
    ) -> Vec<BackendMetrics> {
        let seconds = now - std::mem::replace(&mut self.at, now);
        let mut metrics = Vec::with_capacity(backends.len());
        for ((backend, seen), error) in backends.iter_mut().zip(&mut self.meters).zip(errors) {
            let until = backend.meters(now);
            let since = std::mem::replace(seen, until);
            let span = Span { since, until, seconds };
            metrics.push(span.metrics(backend.memory(), error, now));
        }
        metrics
    }
}

impl Span {
    fn metrics(&self, memory: f64, error: f64, now: f64) -> BackendMetrics {
        let cpu = (self.per_second(|meters| meters.busy) + error).clamp(0.0, 1.0);
        BackendMetrics {
            cpu_percent: (100.0 * cpu) as f32,
            ram_percent: (100.0 * memory) as f32,
            bytes_sent: self.per_second(|meters| meters.bytes_sent) as f32,
            bytes_recv: self.per_second(|meters| meters.bytes_recv) as f32,
            at: moment(now),
        }
    }

    fn per_second(&self, meter: fn(&Meters) -> f64) -> f64 {
        if self.seconds > 0.0 {
            (meter(&self.until) - meter(&self.since)) / self.seconds
        } else {
            0.0
        }
    }
}
