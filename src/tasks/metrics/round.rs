//! One round of polls: every backend of a pool is asked at once, each for itself.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::join_all;

use crate::clock;
use crate::config;
use crate::config::MetricsSource;
use crate::pool::Backend;
use crate::pool::BackendIndex;
use crate::pool::BackendMetrics;
use crate::pool::Pool;
use crate::tasks::metrics::memory::BackendMemory;
use crate::tasks::metrics::memory::Memory;
use crate::tasks::metrics::memory::Turn;
use crate::tasks::metrics::source::PollError;
use crate::tasks::metrics::source::poll;
use crate::telemetry::Telemetry;
use crate::training::dataset::Row;
use crate::training::dataset::Window;
use crate::units::Timestamp;

/// What a round needs: no more of a generation than its own pool.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) pool: Arc<Pool>,
    /// Where each backend's metrics are, in the pool's order.
    pub(super) addresses: Vec<Option<SocketAddr>>,
    pub(super) source: MetricsSource,
    pub(super) dataset: Option<config::Dataset>,
    pub(super) began: Timestamp,
    pub(super) telemetry: Arc<Telemetry>,
}

/// One backend after its poll.
struct Visited {
    memory: BackendMemory,
    metrics: Option<BackendMetrics>,
    window: Option<Window>,
}

impl Round {
    /// Asks every backend; its figures are known as soon as it answers, whatever the others do. What is remembered
    /// comes back with the pool's name. Takes no longer than one poll may.
    pub(super) async fn run(self, mut memory: Memory) -> (String, Memory) {
        let visits =
            self.pool
                .members()
                .iter()
                .zip(&self.addresses)
                .enumerate()
                .map(|(position, (member, address))| {
                    let mut known = memory.take(member.backend.address());
                    // All windows end as the round begins, so that the rows of a round can be compared.
                    let window = known.window_to(member.backend.totals());
                    self.visit(BackendIndex::new(position), *address, known, window)
                });
        let visited = join_all(visits).await;
        self.pool.end_metrics_round();
        if let Some(log) = memory.log(self.dataset.as_ref()) {
            log.append(self.rows(&visited));
        }
        let addresses = self
            .pool
            .members()
            .iter()
            .map(|member| member.backend.address().to_owned());
        memory.keep(addresses.zip(visited.into_iter().map(|visited| visited.memory)));
        (self.pool.name().to_owned(), memory)
    }

    async fn visit(
        &self,
        index: BackendIndex,
        address: Option<SocketAddr>,
        mut memory: BackendMemory,
        window: Option<Window>,
    ) -> Visited {
        let Some(address) = address else {
            return Visited {
                memory,
                metrics: None,
                window,
            };
        };
        let polled = poll(&self.source, address).await;
        self.report(index, address, polled.as_ref().err(), memory.turn(polled.is_err()));
        let figures = |reading| memory.figures(&self.source, address, reading, clock::now());
        let metrics = polled.ok().map(figures);
        if let Some(metrics) = metrics {
            self.pool.measure(index, metrics);
        }
        Visited {
            memory,
            metrics,
            window,
        }
    }

    /// Counts a failure; logs only a change, because a source that is gone is gone at every poll.
    fn report(&self, index: BackendIndex, address: SocketAddr, error: Option<&PollError>, turn: Option<Turn>) {
        let pool = self.pool.name();
        let backend = self.pool.backend(index).map_or("", |backend| backend.address());
        let path = &self.source.path;
        if let Some(error) = error {
            self.telemetry.poll_failures.increment();
            if turn == Some(Turn::Bad) {
                log::warn!(pool, backend; "no metrics from http://{address}{path}: {error}; asked again at every poll");
            }
        } else if turn == Some(Turn::Good) {
            log::info!(pool, backend; "metrics from http://{address}{path} again");
        }
    }

    fn rows(&self, visited: &[Visited]) -> String {
        let mut rows = String::new();
        for (member, visited) in self.pool.members().iter().zip(visited) {
            self.row(&member.backend, visited).append_to(&mut rows);
        }
        rows
    }

    fn row(&self, backend: &Backend, visited: &Visited) -> Row {
        let figures = |it: BackendMetrics| [it.cpu_percent, it.ram_percent, it.bytes_sent, it.bytes_recv];
        let known = |figure: f32| (!figure.is_nan()).then_some(figure);
        Row {
            timestamp: self.began,
            metrics: visited.metrics.map_or([None; 4], |metrics| figures(metrics).map(known)),
            server_id: backend.ordinal(),
            window: visited.window,
            pool: self.pool.name().to_owned(),
            address: backend.address().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
