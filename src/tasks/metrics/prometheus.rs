//! Prometheus text: the agent's own names, and node_exporter's.

use crate::tasks::metrics::exposition::Sample;
use crate::tasks::metrics::exposition::samples;
use crate::tasks::metrics::reading::Cpu;
use crate::tasks::metrics::reading::Reading;
use crate::tasks::metrics::reading::Traffic;

/// What `text` says; nothing, when it has none of the names.
pub(super) fn read(text: &str) -> Reading {
    let mut sums = Sums::default();
    samples(text)
        .filter(|sample| sample.value.is_finite())
        .for_each(|sample| sums.add(&sample));
    sums.reading()
}

/// What the lines add up to; a machine has many CPUs and devices.
#[derive(Debug, Default)]
struct Sums {
    cpu_percent: Option<f64>,
    busy_seconds: f64,
    total_seconds: f64,
    ram_percent: Option<f64>,
    memory_total: Option<f64>,
    memory_available: Option<f64>,
    sent: Option<f64>,
    received: Option<f64>,
}

impl Sums {
    fn add(&mut self, sample: &Sample<'_>) {
        let value = sample.value;
        match sample.name {
            "sylvan_agent_cpu_percent" => self.cpu_percent = Some(value),
            "sylvan_agent_ram_percent" => self.ram_percent = Some(value),
            "sylvan_agent_network_transmit_bytes_total" => add(&mut self.sent, value),
            "sylvan_agent_network_receive_bytes_total" => add(&mut self.received, value),
            "node_cpu_seconds_total" => self.add_cpu(sample.label("mode"), value),
            "node_memory_MemTotal_bytes" => self.memory_total = Some(value),
            "node_memory_MemAvailable_bytes" => self.memory_available = Some(value),
            "node_network_transmit_bytes_total" if is_outward(sample) => add(&mut self.sent, value),
            "node_network_receive_bytes_total" if is_outward(sample) => add(&mut self.received, value),
            _ => {}
        }
    }

    fn add_cpu(&mut self, mode: Option<&str>, seconds: f64) {
        self.total_seconds += seconds;
        if !matches!(mode, Some("idle" | "iowait")) {
            self.busy_seconds += seconds;
        }
    }

    fn reading(self) -> Reading {
        let (busy, total) = (self.busy_seconds, self.total_seconds);
        let counted = (total > 0.0).then_some(Cpu::Seconds { busy, total });
        Reading {
            cpu: self.cpu_percent.map(Cpu::Percent).or(counted),
            ram_percent: self
                .ram_percent
                .or_else(|| used_percent(self.memory_total?, self.memory_available?)),
            sent: self.sent.map(Traffic::Total),
            received: self.received.map(Traffic::Total),
        }
    }
}

fn add(sum: &mut Option<f64>, value: f64) {
    *sum = Some(sum.unwrap_or(0.0) + value);
}

fn used_percent(total: f64, available: f64) -> Option<f64> {
    (total > 0.0).then(|| 100.0 * (total - available) / total)
}

/// Whether a device leads out of the machine: what containers say to each other passes a bridge and a virtual pair,
/// and would be counted three times.
fn is_outward(sample: &Sample<'_>) -> bool {
    let device = sample.label("device").unwrap_or_default();
    device != "lo"
        && !["veth", "docker", "br-"]
            .iter()
            .any(|inward| device.starts_with(inward))
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Reading) {
        assert_eq!(read(text), expected);
    }

    #[test]
    fn the_agents_names_are_known() {
        let text = "\
            # TYPE sylvan_agent_cpu_percent gauge\n\
            sylvan_agent_cpu_limit_cores 0.5\n\
            sylvan_agent_cpu_percent 12.5\n\
            sylvan_agent_ram_percent 40.0\n\
            sylvan_agent_cpu_seconds_total 99.5\n\
            sylvan_agent_network_transmit_bytes_total 1000\n\
            sylvan_agent_network_receive_bytes_total 500\n\
            # EOF\n";
        check(
            text,
            Reading {
                cpu: Some(Cpu::Percent(12.5)),
                ram_percent: Some(40.0),
                sent: Some(Traffic::Total(1000.0)),
                received: Some(Traffic::Total(500.0)),
            },
        );
    }

    #[test]
    fn node_exporters_names_are_known() {
        check(
            include_str!("node_exporter.txt"),
            Reading {
                cpu: Some(Cpu::Seconds {
                    busy: 370.5,
                    total: 2400.75,
                }),
                ram_percent: Some(25.0),
                sent: Some(Traffic::Total(3_000_500.0)),
                received: Some(Traffic::Total(9_000_250.0)),
            },
        );
    }

    #[test]
    fn what_has_none_of_the_names_says_nothing() {
        check("go_goroutines 8\nprocess_cpu_seconds_total 7\n", Reading::default());
        check("<html>it works</html>", Reading::default());
    }

    #[test]
    fn values_that_are_no_numbers_do_not_spoil_the_rest() {
        let text = "node_cpu_seconds_total{mode=\"user\"} NaN\nnode_cpu_seconds_total{mode=\"idle\"} 3\n\
            node_memory_MemTotal_bytes 0\nnode_memory_MemAvailable_bytes 0\n";
        let cpu = Some(Cpu::Seconds { busy: 0.0, total: 3.0 });
        check(
            text,
            Reading {
                cpu,
                ..Reading::default()
            },
        );
    }

    proptest! {
        #[test]
        fn any_text_gives_a_reading(text in "(?s).*") {
            read(&text);
        }
    }
}
