//! The Prometheus text of everything that is counted, read where it is counted at the moment of the scrape.

mod forests;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::MetricEncoder;
use prometheus_client::encoding::NoLabelSet;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::counters::Histogram;
use crate::generation::Current;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::pool::Backend;
use crate::pool::HealthState;
use crate::pool::Verdict;
use crate::routing::RouteStats;
use crate::routing::StatusClass;
use crate::selection::DecisionQueue;
use crate::selection::Reason;
use crate::telemetry::Telemetry;
use crate::telemetry::names;
use crate::telemetry::names::Name;
use crate::units::Timestamp;

/// Reads the time; handed in, so that telemetry has no clock of its own.
type Now = fn() -> Timestamp;
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// Turns the counts of a process into Prometheus text.
#[derive(Debug)]
pub struct Exposition {
    registry: Registry,
}

impl Exposition {
    /// The exposition of `current` and `telemetry`.
    #[must_use]
    pub fn new(current: Arc<Current>, telemetry: Arc<Telemetry>, now: Now) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Counts {
            current,
            telemetry,
            now,
        }));
        Self { registry }
    }

    /// The text of this moment, in the OpenMetrics format.
    ///
    /// # Errors
    /// Only when a text cannot be written to memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

struct Counts {
    current: Arc<Current>,
    telemetry: Arc<Telemetry>,
    now: Now,
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counts").finish_non_exhaustive()
    }
}

impl Collector for Counts {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut page = Page {
            encoder,
            generation: self.current.take(),
            now: (self.now)(),
        };
        page.routes()?;
        page.backends()?;
        page.polls()?;
        page.decisions()?;
        page.forests(&self.telemetry.progress)?;
        page.proposals()?;
        page.decision_logs()?;
        page.process(&self.telemetry)?;
        page.reloads(&self.telemetry)
    }
}

struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
    generation: Arc<Generation>,
    now: Timestamp,
}

impl Page<'_> {
    fn routes(&mut self) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::REQUESTS, MetricType::Counter)?;
        for stats in generation.stats() {
            for class in StatusClass::ALL.into_iter().filter(|class| stats.responses(*class) > 0) {
                let [listener, route, pool] = route_labels(stats);
                counter(
                    &mut family,
                    &[listener, route, pool, ("code_class", class.name())],
                    stats.responses(class),
                )?;
            }
        }
        let mut family = self.family(names::REQUEST_DURATION, MetricType::Histogram)?;
        for stats in generation.stats() {
            histogram(&mut family, &route_labels(stats), stats.duration())?;
        }
        let mut family = self.family(names::RETRIES, MetricType::Counter)?;
        for stats in generation.stats() {
            counter(&mut family, &route_labels(stats), stats.retries())?;
        }
        Ok(())
    }

    fn backends(&mut self) -> fmt::Result {
        let now = self.now;
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::BACKEND_REQUESTS, MetricType::Counter)?;
        for (labels, backend) in backends(&generation) {
            for verdict in Verdict::ALL
                .into_iter()
                .filter(|verdict| backend.verdicts(*verdict) > 0)
            {
                let [pool, address] = labels;
                counter(
                    &mut family,
                    &[pool, address, ("outcome", verdict.name())],
                    backend.verdicts(verdict),
                )?;
            }
        }
        let mut family = self.family(names::BACKEND_LATENCY, MetricType::Histogram)?;
        for (labels, backend) in backends(&generation) {
            histogram(&mut family, &labels, backend.latency())?;
        }
        let mut family = self.family(names::BACKEND_EJECTIONS, MetricType::Counter)?;
        for (labels, backend) in backends(&generation) {
            counter(&mut family, &labels, backend.ejections())?;
        }
        let ejected = |it: &Backend| it.is_ejected(now) || it.is_on_probation(now);
        self.backend_gauge(names::BACKEND_IN_FLIGHT, |it| Some(f64::from(it.in_flight())))?;
        self.backend_gauge(names::BACKEND_UPGRADED, |it| Some(f64::from(it.upgraded())))?;
        self.backend_gauge(names::BACKEND_HEALTHY, |it| Some(truth(it.state() == HealthState::Up)))?;
        self.backend_gauge(names::BACKEND_EJECTED, |it| Some(truth(ejected(it))))
    }

    fn polls(&mut self) -> fmt::Result {
        let now = self.now;
        self.backend_gauge(names::METRICS_AGE, |it| Some(now.since(it.metrics()?.at).as_secs_f64()))?;
        self.backend_gauge(names::BACKEND_CPU, |it| Some(f64::from(it.metrics()?.cpu_percent)))?;
        self.backend_gauge(names::BACKEND_RAM, |it| Some(f64::from(it.metrics()?.ram_percent)))
    }

    fn decisions(&mut self) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(names::DECISIONS, MetricType::Counter)?;
        for served in &generation.pools {
            let pool = ("pool", served.pool.name());
            for tally in &served.tallies {
                let selector = ("selector", tally.selector.as_str());
                for reason in Reason::ALL.into_iter().filter(|reason| tally.decisions(*reason) > 0) {
                    counter(
                        &mut family,
                        &[pool, selector, ("reason", reason.name())],
                        tally.decisions(reason),
                    )?;
                }
            }
        }
        Ok(())
    }

    fn decision_logs(&mut self) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let queues = || generation.pools.iter().filter_map(decision_queue);
        let mut family = self.family(names::DECISIONS_WRITTEN, MetricType::Counter)?;
        for (pool, queue) in queues() {
            counter(&mut family, &[pool], queue.written.count())?;
        }
        let mut family = self.family(names::DECISIONS_LOST, MetricType::Counter)?;
        for (pool, queue) in queues() {
            counter(&mut family, &[pool, ("reason", "queue")], queue.dropped.count())?;
            counter(&mut family, &[pool, ("reason", "disk")], queue.unwritten.count())?;
        }
        Ok(())
    }

    fn process(&mut self, telemetry: &Telemetry) -> fmt::Result {
        self.gauge(names::CONNECTIONS, f64::from(telemetry.connections.count()))?;
        self.gauge(names::IN_FLIGHT, f64::from(telemetry.in_flight.count()))?;
        self.counter(names::CONNECTIONS_REFUSED, telemetry.connections_refused.count())?;
        self.counter(names::HEADER_TIMEOUTS, telemetry.header_timeouts.count())?;
        self.counter(names::MODEL_FAILURES, telemetry.model_failures.count())?;
        self.counter(names::POLL_FAILURES, telemetry.poll_failures.count())
    }

    fn reloads(&mut self, telemetry: &Telemetry) -> fmt::Result {
        let last = telemetry.last_reload();
        self.gauge(names::GENERATION, self.generation.number as f64)?;
        self.counter(names::RELOADS, telemetry.reloads.count())?;
        self.counter(names::RELOAD_FAILURES, telemetry.reload_failures.count())?;
        self.gauge(
            names::LAST_RELOAD,
            truth(last.as_ref().is_none_or(|reload| reload.error.is_none())),
        )?;
        match last {
            Some(reload) => self.gauge(names::LAST_RELOAD_AT, reload.at.seconds()),
            None => Ok(()),
        }
    }

    fn backend_gauge(&mut self, name: Name, value: impl Fn(&Backend) -> Option<f64>) -> fmt::Result {
        let generation = Arc::clone(&self.generation);
        let mut family = self.family(name, MetricType::Gauge)?;
        for (labels, backend) in backends(&generation) {
            if let Some(value) = value(backend) {
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    fn gauge(&mut self, name: Name, value: f64) -> fmt::Result {
        self.family(name, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: Name, value: u64) -> fmt::Result {
        self.family(name, MetricType::Counter)?
            .encode_counter::<NoLabelSet, u64, u64>(&value, None)
    }

    fn family(&mut self, name: Name, kind: MetricType) -> Result<MetricEncoder<'_>, fmt::Error> {
        self.encoder.encode_descriptor(name.0, name.1, None, kind)
    }
}

fn route_labels(stats: &RouteStats) -> Labels<'_, 3> {
    [
        ("listener", &stats.listener),
        ("route", &stats.route),
        ("pool", &stats.pool),
    ]
}

fn backends(generation: &Generation) -> impl Iterator<Item = (Labels<'_, 2>, &Backend)> {
    generation.pools.iter().flat_map(|served| {
        let pool = ("pool", served.pool.name());
        served
            .pool
            .members()
            .iter()
            .map(move |it| ([pool, ("backend", it.backend.address())], &*it.backend))
    })
}

fn decision_queue(served: &ServedPool) -> Option<((&'static str, &str), &DecisionQueue)> {
    let log = served.decision_log.as_ref()?;
    Some((("pool", served.pool.name()), log.queue()))
}

fn counter<const N: usize>(family: &mut MetricEncoder<'_>, labels: &Labels<'_, N>, value: u64) -> fmt::Result {
    family
        .encode_family(labels)?
        .encode_counter::<NoLabelSet, u64, u64>(&value, None)
}

fn histogram<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: &Labels<'_, N>,
    histogram: &Histogram,
) -> fmt::Result {
    let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
    let count = buckets.iter().map(|bucket| bucket.1).sum();
    family
        .encode_family(labels)?
        .encode_histogram::<NoLabelSet>(histogram.sum().as_secs_f64(), count, &buckets, None)
}

fn truth(statement: bool) -> f64 {
    f64::from(u8::from(statement))
}
