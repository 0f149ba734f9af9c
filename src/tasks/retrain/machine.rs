//! Whether the machine has time to spare: its load and its temperature, as Linux tells them. Elsewhere nothing is known,
//! and nothing waits.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::config::Runtime;
use crate::telemetry::Delay;

/// Degrees that a sensor may mean; others stand for a sensor that is not there.
const PLAUSIBLE: std::ops::Range<f64> = 1.0..200.0;

/// Gives way to every other thread that has something to do.
pub(super) fn step_back() {
    // Of a process, Linux has no priority but its threads'; elsewhere the data path would step back too.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        log::debug!("training keeps its priority: {error}");
    }
}

/// The machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// Where `proc` and `sys` are.
    root: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/"),
        }
    }
}

impl Machine {
    /// What speaks against training now.
    pub(super) fn delay(&self, runtime: &Runtime) -> Option<Delay> {
        let is_over =
            |limit: Option<f64>, value: Option<f64>| limit.zip(value).is_some_and(|(limit, value)| value > limit);
        if is_over(runtime.max_load.map(|limit| f64::from(limit.get())), self.load()) {
            return Some(Delay::Busy);
        }
        let limit = runtime.max_temperature.map(|limit| f64::from(limit.0));
        is_over(limit, self.temperature()).then_some(Delay::Hot)
    }

    /// The threads that run or wait to, for each core, averaged over a minute. Both numbers are the whole machine's,
    /// also where a container sees fewer cores.
    fn load(&self) -> Option<f64> {
        let average: f64 = self.text("proc/loadavg")?.split(' ').next()?.parse().ok()?;
        let is_core = |line: &&str| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let cores = self.text("proc/stat")?.lines().filter(is_core).count();
        (cores > 0).then(|| average / cores as f64)
    }

    /// Degrees Celsius of the hottest thermal zone.
    fn temperature(&self) -> Option<f64> {
        let zones = fs::read_dir(self.root.join("sys/class/thermal")).ok()?;
        let is_zone = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("thermal_zone"))
        };
        zones
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_zone)
            .filter_map(|zone| degrees(&zone))
            .reduce(f64::max)
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}

fn degrees(zone: &Path) -> Option<f64> {
    let thousandths: f64 = fs::read_to_string(zone.join("temp")).ok()?.trim().parse().ok()?;
    Some(thousandths / 1000.0).filter(|degrees| PLAUSIBLE.contains(degrees))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::units::Celsius;

    /// What a machine of two cores with this load and these zones is found to be, at a load of 4 and 80 degrees.
    #[track_caller]
    fn check(load: &str, zones: &[&str], expected: Option<Delay>) {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("proc/loadavg", load);
        write("proc/stat", "cpu  9 9\ncpu0 4 4\ncpu1 5 5\nintr 1\n");
        write("sys/class/thermal/cooling_device0/temp", "99000");
        for (number, temperature) in zones.iter().enumerate() {
            write(&format!("sys/class/thermal/thermal_zone{number}/temp"), temperature);
        }
        let limits = Runtime {
            threads: None,
            state_dir: PathBuf::new(),
            max_load: NonZeroU32::new(4),
            max_temperature: Some(Celsius(80)),
        };
        let machine = Machine {
            root: root.path().to_path_buf(),
        };
        assert_eq!(machine.delay(&limits), expected, "{load:?} {zones:?}");
        let no_limits = Runtime {
            max_load: None,
            max_temperature: None,
            ..limits
        };
        assert_eq!(machine.delay(&no_limits), None);
    }

    #[test]
    fn a_busy_machine_trains_nothing() {
        check("7.99 1.00 1.00 2/102 8575\n", &[], None);
        check("8.01 1.00 1.00 2/102 8575\n", &[], Some(Delay::Busy));
    }

    #[test]
    fn a_hot_machine_trains_nothing() {
        check("0.50 0.5 0.5 1/1 1\n", &["45000\n", "79900\n"], None);
        check("0.50 0.5 0.5 1/1 1\n", &["80100\n", "45000\n"], Some(Delay::Hot));
    }

    #[test]
    fn what_cannot_be_read_stops_nothing() {
        check("", &["-274000\n", "none", "4000000\n"], None);
        let nowhere = Machine {
            root: PathBuf::from("/no/such/machine"),
        };
        assert_eq!((nowhere.load(), nowhere.temperature()), (None, None));
    }
}
