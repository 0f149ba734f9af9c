//! Control groups, version 1 and 2: what the group of a process uses and may use.
//!
//! Limits hold for a group and all below it, so the tightest one on the way up to the root counts. In a container
//! the path that the kernel names may lie outside the mount: then the mount's own root is the group.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::agent::procfs::malformed;
use crate::agent::procfs::read_text;

/// Where every distribution mounts them.
pub(super) const MOUNT: &str = "/sys/fs/cgroup";

/// One control group, found in the file system.
#[derive(Debug)]
pub(super) struct Cgroup {
    cpu: Place,
    accounting: Place,
    cpuset: Place,
    memory: Place,
}

impl Cgroup {
    /// The group that `membership` (the text of /proc/PID/cgroup) names below `mount`.
    pub(super) fn locate(mount: &Path, membership: &str) -> Self {
        let place = |controller| Place::of(controller, mount, membership);
        Self {
            cpu: place("cpu"),
            accounting: place("cpuacct"),
            cpuset: place("cpuset"),
            memory: place("memory"),
        }
    }

    /// CPU time used so far, in core-seconds.
    pub(super) fn cpu_seconds(&self) -> io::Result<f64> {
        let (file, per_second) = match self.accounting.version {
            Version::One => ("cpuacct.usage", 1e9),
            Version::Two => ("cpu.stat", 1e6),
        };
        let path = self.accounting.group().join(file);
        let text = read_text(&path)?;
        let used = match self.accounting.version {
            Version::One => parse_number(&text),
            Version::Two => parse_field(&text, "usage_usec"),
        };
        used.map(|used| used as f64 / per_second)
            .ok_or_else(|| malformed(&path))
    }

    /// The cores the group may use at once: its quota, else its cpuset, else `None`.
    pub(super) fn cpu_limit_cores(&self) -> Option<f64> {
        let quota = self.cpu.levels.iter().filter_map(|level| self.quota_at(level));
        quota.reduce(f64::min).or_else(|| self.cpuset_cores())
    }

    /// Memory in use, without file pages that the kernel would drop first: what Kubernetes calls the working set.
    pub(super) fn memory_bytes(&self) -> io::Result<u64> {
        let (usage, inactive) = match self.memory.version {
            Version::One => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.current", "inactive_file"),
        };
        let path = self.memory.group().join(usage);
        let used = parse_number(&read_text(&path)?).ok_or_else(|| malformed(&path))?;
        let statistics = read_text(&self.memory.group().join("memory.stat"))?;
        Ok(used.saturating_sub(parse_field(&statistics, inactive).unwrap_or(0)))
    }

    /// The memory the group may use, or `None` when nothing limits it.
    pub(super) fn memory_limit_bytes(&self) -> Option<u64> {
        let file = match self.memory.version {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        };
        let limits = self
            .memory
            .levels
            .iter()
            .filter_map(|level| read_number(&level.join(file)));
        limits.min()
    }

    fn quota_at(&self, level: &Path) -> Option<f64> {
        match self.cpu.version {
            Version::One => {
                let quota = read_number(&level.join("cpu.cfs_quota_us"))?;
                quota_cores(quota, read_number(&level.join("cpu.cfs_period_us"))?)
            }
            Version::Two => parse_cpu_max(&read_text(&level.join("cpu.max")).ok()?),
        }
    }

    fn cpuset_cores(&self) -> Option<f64> {
        let files: &[&str] = match self.cpuset.version {
            Version::One => &["cpuset.effective_cpus", "cpuset.cpus"],
            Version::Two => &["cpuset.cpus.effective"],
        };
        let mut paths = self
            .cpuset
            .levels
            .iter()
            .flat_map(|level| files.iter().map(|file| level.join(file)));
        paths.find_map(|path| parse_cpu_list(&read_text(&path).ok()?))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The folders of one controller, from the group's own up to the mount's root.
#[derive(Debug)]
struct Place {
    version: Version,
    levels: Vec<PathBuf>,
}

impl Place {
    fn of(controller: &str, mount: &Path, membership: &str) -> Self {
        let (version, root, group) = match parse_membership(membership, controller) {
            Some(group) => (Version::One, mount.join(controller), group),
            None => (
                Version::Two,
                mount.to_owned(),
                parse_membership(membership, "").unwrap_or("/"),
            ),
        };
        let own = root.join(group.trim_start_matches('/'));
        let levels = if own.is_dir() {
            levels_between(&own, &root)
        } else {
            vec![root]
        };
        Self { version, levels }
    }

    fn group(&self) -> &Path {
        // `levels_between` starts with the group itself and the other branch holds the root.
        self.levels.first().expect("a place has at least one level")
    }
}

fn levels_between(own: &Path, root: &Path) -> Vec<PathBuf> {
    let within = own.ancestors().take_while(|level| level.starts_with(root));
    within.map(Path::to_owned).collect()
}

/// The group in /proc/PID/cgroup (cgroups(7)) for a version 1 `controller`; the empty name is version 2's.
fn parse_membership<'text>(text: &'text str, controller: &str) -> Option<&'text str> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let mut controllers = parts.next()?.split(',');
        controllers.any(|name| name == controller).then(|| parts.next())?
    })
}

fn read_number(path: &Path) -> Option<u64> {
    parse_number(&read_text(path).ok()?)
}

/// A file of one number; `max` and -1 (no limit) are no number.
fn parse_number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The number beside `key` in a file of `key number` lines.
fn parse_field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, number) = line.split_once(' ')?;
        (name == key).then(|| parse_number(number))?
    })
}

/// The cores in version 2's `cpu.max`: quota and period in microseconds, or `max` and a period.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    quota_cores(parse_number(quota)?, parse_number(period)?)
}

fn quota_cores(quota: u64, period: u64) -> Option<f64> {
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// How many processors a list such as `0-3,8` names (cpuset(7)).
fn parse_cpu_list(text: &str) -> Option<f64> {
    let ranges = text.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (parse_number(first)?, parse_number(last)?);
        Some(last.checked_sub(first)? + 1)
    });
    ranges.sum::<Option<u64>>().map(|cores| cores as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A mount with `files` (path, text) in it.
    fn mount(files: &[(&str, &str)]) -> TempDir {
        let mount = TempDir::new().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        mount
    }

    const VERSION_1: &[(&str, &str)] = &[
        ("cpu/pod/cpu.cfs_quota_us", "-1\n"),
        ("cpu/pod/cpu.cfs_period_us", "100000\n"),
        ("cpu/pod/shop/cpu.cfs_quota_us", "150000\n"),
        ("cpu/pod/shop/cpu.cfs_period_us", "100000\n"),
        ("cpuacct/pod/shop/cpuacct.usage", "229820466268\n"),
        ("cpuset/pod/shop/cpuset.effective_cpus", "0-3\n"),
        ("memory/pod/memory.limit_in_bytes", "268435456\n"),
        ("memory/pod/shop/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/pod/shop/memory.usage_in_bytes", "150994944\n"),
        (
            "memory/pod/shop/memory.stat",
            "cache 50331648\nrss 99614720\ntotal_inactive_file 33554432\n",
        ),
    ];

    const VERSION_1_MEMBERSHIP: &str =
        "9:name=systemd:/\n4:memory:/pod/shop\n3:cpuset:/pod/shop\n2:cpu,cpuacct:/pod/shop\n0::/\n";

    const VERSION_2: &[(&str, &str)] = &[
        ("shop.slice/cpu.max", "50000 100000\n"),
        ("shop.slice/cpuset.cpus.effective", "0-1\n"),
        ("shop.slice/web.service/cpu.max", "max 100000\n"),
        (
            "shop.slice/web.service/cpu.stat",
            "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
        ),
        ("shop.slice/web.service/memory.max", "max\n"),
        ("shop.slice/web.service/memory.current", "104857600\n"),
        (
            "shop.slice/web.service/memory.stat",
            "anon 73400320\nfile 31457280\ninactive_file 20971520\n",
        ),
    ];

    const VERSION_2_MEMBERSHIP: &str = "0::/shop.slice/web.service\n";

    #[test]
    fn version_1_takes_the_tightest_limit_on_the_way_up() {
        let mount = mount(VERSION_1);
        let group = Cgroup::locate(mount.path(), VERSION_1_MEMBERSHIP);
        assert_eq!(group.cpu_seconds().unwrap(), 229.820_466_268);
        assert_eq!(group.cpu_limit_cores(), Some(1.5));
        assert_eq!(group.memory_bytes().unwrap(), 112 << 20);
        assert_eq!(group.memory_limit_bytes(), Some(256 << 20));
    }

    #[test]
    fn version_2_takes_the_tightest_limit_on_the_way_up() {
        let mount = mount(VERSION_2);
        let group = Cgroup::locate(mount.path(), VERSION_2_MEMBERSHIP);
        assert_eq!(group.cpu_seconds().unwrap(), 2.5);
        assert_eq!(group.cpu_limit_cores(), Some(0.5));
        assert_eq!(group.memory_bytes().unwrap(), 80 << 20);
        assert_eq!(group.memory_limit_bytes(), None);
    }

    #[test]
    fn without_a_quota_the_cpuset_limits() {
        let files = [("cpu.max", "max 100000\n"), ("cpuset.cpus.effective", "0-3,8,10-11\n")];
        let mount = mount(&files);
        assert_eq!(Cgroup::locate(mount.path(), "0::/\n").cpu_limit_cores(), Some(7.0));
    }

    #[test]
    fn a_path_outside_the_mount_means_the_mount_itself() {
        let mount = mount(&[("cpu.max", "200000 100000\n"), ("cpu.stat", "usage_usec 7000000\n")]);
        let group = Cgroup::locate(mount.path(), "0::/docker/0f8f29488bc7\n");
        assert_eq!(group.cpu_limit_cores(), Some(2.0));
        assert_eq!(group.cpu_seconds().unwrap(), 7.0);
    }

    #[test]
    fn a_missing_file_is_named() {
        let mount = mount(&[]);
        let error = Cgroup::locate(mount.path(), "0::/\n").memory_bytes().unwrap_err();
        assert!(error.to_string().contains("memory.current"), "{error}");
    }

    #[test]
    fn text_of_another_kind_is_no_limit() {
        assert_eq!(parse_cpu_max("max"), None);
        assert_eq!(parse_cpu_max("0 100000"), None);
        assert_eq!(parse_cpu_list(""), None);
        assert_eq!(parse_cpu_list("3-1"), None);
        assert_eq!(parse_membership("nonsense", "cpu"), None);
    }
}
