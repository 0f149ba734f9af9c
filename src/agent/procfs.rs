//! The kernel's text files under /proc: read in one place, understood by pure functions.

use std::fs;
use std::io;
use std::path::Path;

/// Ticks in a second in /proc/stat. `USER_HZ` is part of the kernel's ABI: 100 wherever Rust's Linux targets run.
const TICKS_PER_SECOND: f64 = 100.0;

/// Interfaces that carry no traffic of their own: loopback, and the inner ends of bridges and tunnels, whose bytes
/// pass a real interface as well and would count twice.
const SECOND_SIGHT: [&str; 7] = ["lo", "veth", "docker", "br-", "virbr", "cni", "ifb"];

/// The CPU time of a whole machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CpuTimes {
    /// Core-seconds that were not idle. Time stolen by a hypervisor counts: it is gone for work all the same.
    pub(super) busy_seconds: f64,
    /// Processors online.
    pub(super) cores: usize,
}

/// The text of a kernel file; the error names the file.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// The error for a kernel file whose text is not what its documentation says.
pub(super) fn malformed(path: &Path) -> io::Error {
    let text = format!("{}: not in the format the kernel documents", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// The CPU times in the text of /proc/stat (proc_stat(5)).
pub(super) fn parse_cpu_times(text: &str) -> Option<CpuTimes> {
    let total = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = total
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    // user nice system idle iowait irq softirq steal guest guest_nice; guest time is part of user time already.
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = ticks[..] else {
        return None;
    };
    let is_processor = |line: &&str| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    Some(CpuTimes {
        busy_seconds: (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND,
        cores: text.lines().filter(is_processor).count(),
    })
}

/// Bytes sent and received by a network namespace in the text of /proc/net/dev (proc_net(5)).
pub(super) fn parse_network(text: &str) -> Option<(u64, u64)> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| !SECOND_SIGHT.iter().any(|prefix| name.trim().starts_with(prefix)))
        .map(|(_, counters)| interface_bytes(counters))
        .try_fold((0, 0), |(sent, received), interface| {
            interface.map(|(out, into)| (sent + out, received + into))
        })
}

/// Bytes sent and received in one interface's counters: eight of receiving, then eight of sending.
fn interface_bytes(counters: &str) -> Option<(u64, u64)> {
    let mut fields = counters.split_whitespace();
    let received = fields.next()?.parse().ok()?;
    let sent = fields.nth(7)?.parse().ok()?;
    Some((sent, received))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  11729 10 4218 124319 463 1 42 21 500 0\n\
                        cpu0 5525 5 1883 62853 105 0 6 8 250 0\n\
                        cpu1 6203 5 2335 61466 357 1 36 13 250 0\n\
                        intr 912 0 0\nctxt 5129\nbtime 1763844000\n";

    const NET_DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
docker0:   9000      90    0    0    0     0          0         0     8000      80    0    0    0     0       0          0
  eth0: 107539426    5717    0    0    0     0          0         0   450422    3708    0    0    0     0       0          0
  eth1:      10       1    0    0    0     0          0         0       20       1    0    0    0     0       0          0
";

    #[test]
    fn busy_time_is_everything_but_idle_and_waiting_and_counts_guests_once() {
        let expected = CpuTimes {
            busy_seconds: 160.21,
            cores: 2,
        };
        assert_eq!(parse_cpu_times(STAT), Some(expected));
    }

    #[test]
    fn network_bytes_add_the_real_interfaces() {
        assert_eq!(parse_network(NET_DEV), Some((450_442, 107_539_436)));
    }

    #[test]
    fn text_of_another_kind_is_refused() {
        assert_eq!(parse_cpu_times("cpu  1 2 three"), None);
        assert_eq!(parse_cpu_times(""), None);
        assert_eq!(parse_network("eth0: 1 2"), None);
    }
}
