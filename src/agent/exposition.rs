//! A sample as JSON and as Prometheus text: the agent's wire formats and its metric names.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::agent::Sample;

/// What a scraper is told about [`prometheus_text`].
pub(super) const PROMETHEUS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `_total` is added by the encoder.
const CPU_SECONDS: &str = "sylvan_agent_cpu_seconds";
const CPU_LIMIT: &str = "sylvan_agent_cpu_limit_cores";
const CPU_PERCENT: &str = "sylvan_agent_cpu_percent";
const MEMORY: &str = "sylvan_agent_memory_bytes";
const MEMORY_LIMIT: &str = "sylvan_agent_memory_limit_bytes";
const RAM_PERCENT: &str = "sylvan_agent_ram_percent";
const SENT: &str = "sylvan_agent_network_transmit_bytes";
const RECEIVED: &str = "sylvan_agent_network_receive_bytes";

/// The body of `/metrics.json`.
#[derive(Debug, Serialize)]
pub(super) struct SampleJson {
    cpu_percent: f64,
    ram_percent: f64,
    bytes_sent: f64,
    bytes_recv: f64,
    bytes_sent_total: u64,
    bytes_recv_total: u64,
    window_seconds: f64,
}

impl From<&Sample> for SampleJson {
    fn from(sample: &Sample) -> Self {
        Self {
            cpu_percent: sample.cpu_percent,
            ram_percent: sample.ram_percent,
            bytes_sent: sample.sent_per_second,
            bytes_recv: sample.received_per_second,
            bytes_sent_total: sample.reading.sent_bytes,
            bytes_recv_total: sample.reading.received_bytes,
            window_seconds: sample.window.as_secs_f64(),
        }
    }
}

/// The body of `/metrics`.
///
/// # Errors
/// Never in practice: writing into a string does not fail.
pub(super) fn prometheus_text(sample: Sample) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(sample));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Sample {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let reading = &self.reading;
        let gauges = [
            (CPU_LIMIT, "CPU cores the scope may use", reading.cpu_limit_cores),
            (
                CPU_PERCENT,
                "CPU in use over the last window, percent of the limit",
                self.cpu_percent,
            ),
            (MEMORY, "Memory in use", reading.memory_bytes as f64),
            (
                MEMORY_LIMIT,
                "Memory the scope may use",
                reading.memory_limit_bytes as f64,
            ),
            (RAM_PERCENT, "Memory in use, percent of the limit", self.ram_percent),
        ];
        for (name, help, value) in gauges {
            put(&mut encoder, name, help, &ConstGauge::new(value))?;
        }
        let cpu_seconds = ConstCounter::new(reading.cpu_seconds);
        put(&mut encoder, CPU_SECONDS, "CPU time used, core-seconds", &cpu_seconds)?;
        let sent = ConstCounter::new(reading.sent_bytes);
        put(&mut encoder, SENT, "Bytes sent", &sent)?;
        let received = ConstCounter::new(reading.received_bytes);
        put(&mut encoder, RECEIVED, "Bytes received", &received)
    }
}

fn put(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
