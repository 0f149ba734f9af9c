//! Polls the metrics of every backend, pool by pool, each at its own interval.
//!
//! A round asks all backends of a pool at once and bounds each poll; a pool's next round waits for its last, and no
//! pool waits for another. What a request needs is only what `crate::pool` remembers, so a source that is slow, wrong
//! or gone costs a request nothing: the figures grow old, and their age is known. `round` is one round, `source` one
//! poll, `reading` what an answer means, `memory` what connects one round with the next.

mod agent;
mod exposition;
mod memory;
mod prometheus;
mod reading;
mod round;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::clock;
use crate::config;
use crate::config::MetricsSource;
use crate::generation::Current;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::shutdown::Shutdown;
use crate::shutdown::stopped;
use crate::telemetry::Telemetry;
use crate::units::Timestamp;

use memory::Memory;
use round::Round;

/// How soon a pool that a reload brought is seen; what is known to be due is not kept waiting for it.
const LOOK: Duration = Duration::from_millis(100);

/// The loop: begins every round that is due, and takes in those that end.
pub async fn run(current: Arc<Current>, telemetry: Arc<Telemetry>, mut shutdown: Shutdown) {
    let mut poller = Poller {
        telemetry,
        pools: BTreeMap::new(),
    };
    let mut rounds = FuturesUnordered::new();
    loop {
        let (generation, now) = (current.take(), clock::now());
        rounds.extend(
            poller
                .begin_due(&generation, now)
                .into_iter()
                .map(|(round, memory)| round.run(memory)),
        );
        tokio::select! {
            () = stopped(&mut shutdown) => return,
            Some((pool, memory)) = rounds.next() => poller.end(&pool, memory),
            () = tokio::time::sleep(poller.pause(&generation, now)) => {}
        }
    }
}

/// When each pool's rounds begin.
#[derive(Debug)]
struct Poller {
    telemetry: Arc<Telemetry>,
    pools: BTreeMap<String, Polled>,
}

/// A pool that is polled.
#[derive(Debug)]
struct Polled {
    /// When its last round was to begin.
    began: Option<Timestamp>,
    /// What the last round left; away while a round runs, so two rounds of a pool cannot overlap.
    memory: Option<Memory>,
}

impl Poller {
    /// The rounds that are due at `now`, each with what the one before left to it.
    fn begin_due(&mut self, generation: &Generation, now: Timestamp) -> Vec<(Round, Memory)> {
        // A pool that is not polled any more is forgotten, but not before its last round ends.
        self.pools
            .retain(|name, polled| polled.memory.is_none() || source(generation, name).is_some());
        let begin = |(served, pool, source): (&ServedPool, &config::Pool, &MetricsSource)| {
            let memory = self
                .pools
                .entry(pool.name.clone())
                .or_default()
                .begin(source.interval, now)?;
            let round = Round {
                pool: Arc::clone(&served.pool),
                addresses: served.metrics_addresses.clone(),
                source: source.clone(),
                dataset: pool.dataset.clone(),
                began: now,
                telemetry: Arc::clone(&self.telemetry),
            };
            Some((round, memory))
        };
        sources(generation).filter_map(begin).collect()
    }

    fn end(&mut self, pool: &str, memory: Memory) {
        if let Some(polled) = self.pools.get_mut(pool) {
            polled.memory = Some(memory);
        }
    }

    /// How long nothing is due after `now`.
    fn pause(&self, generation: &Generation, now: Timestamp) -> Duration {
        let waiting = |pool: &config::Pool, source: &MetricsSource| {
            let polled = self.pools.get(&pool.name).filter(|polled| polled.memory.is_some())?;
            Some(polled.due(source.interval)?.since(now))
        };
        sources(generation)
            .filter_map(|(_, pool, source)| waiting(pool, source))
            .fold(LOOK, Duration::min)
    }
}

impl Default for Polled {
    fn default() -> Self {
        Self {
            began: None,
            memory: Some(Memory::default()),
        }
    }
}

impl Polled {
    /// Begins a round if one is due at `now`: what the one before left.
    fn begin(&mut self, interval: Duration, now: Timestamp) -> Option<Memory> {
        let due = self.due(interval).unwrap_or(now);
        let memory = if now >= due { self.memory.take() } else { None }?;
        // Rounds keep their rhythm after a late one; what was missed altogether is not made up for.
        self.began = Some(if now.since(due) < interval { due } else { now });
        Some(memory)
    }

    /// When the next round is to begin; `None` before the first.
    fn due(&self, interval: Duration) -> Option<Timestamp> {
        self.began.map(|began| began.plus(interval))
    }
}

/// The pools that have a metrics source.
fn sources(generation: &Generation) -> impl Iterator<Item = (&ServedPool, &config::Pool, &MetricsSource)> {
    let pools = generation.pools.iter().zip(&generation.config.pools);
    pools.filter_map(|(served, pool)| Some((served, pool, pool.metrics_source.as_ref()?)))
}

fn source<'a>(generation: &'a Generation, pool: &str) -> Option<&'a MetricsSource> {
    generation.config.pool(pool)?.metrics_source.as_ref()
}

#[cfg(test)]
mod tests;
