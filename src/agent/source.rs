//! What can be measured: a machine, a process, a control group.

use std::fmt;
use std::io;
use std::path::Path;
use std::thread;

use sysinfo::MemoryRefreshKind;
use sysinfo::Pid;
use sysinfo::ProcessRefreshKind;
use sysinfo::ProcessesToUpdate;
use sysinfo::System;

use crate::agent::Reading;
use crate::agent::cgroup::Cgroup;
use crate::agent::cgroup::MOUNT;
use crate::agent::procfs::malformed;
use crate::agent::procfs::parse_cpu_times;
use crate::agent::procfs::parse_network;
use crate::agent::procfs::read_text;

/// Counts what something uses. Read from one place only: [`crate::agent::Sampler`]'s loop.
pub trait Source: Send + fmt::Debug {
    /// Everything counted up to now.
    ///
    /// # Errors
    /// Says what could not be read, and why.
    fn read(&mut self) -> io::Result<Reading>;
}

/// What an agent measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole machine, as far as the agent sees it.
    Host,
    /// One process, without its children.
    Process {
        /// Its process id.
        pid: u32,
    },
    /// A control group.
    Cgroup {
        /// The process whose group it is; the agent's own when not given.
        pid: Option<u32>,
    },
}

impl Scope {
    /// The source of this scope, read once as a trial. `cores` replaces the number of cores that count as all.
    ///
    /// # Errors
    /// When the scope cannot be measured here: no such process, no control group, not Linux.
    pub fn open(self, cores: Option<f64>) -> io::Result<Box<dyn Source>> {
        let mut source: Box<dyn Source> = match self {
            Self::Host => Box::new(Host {
                cores,
                system: System::new(),
            }),
            Self::Process { pid } => Box::new(Process {
                cores: cores.unwrap_or_else(own_cores),
                network: format!("/proc/{pid}/net/dev"),
                process: ProcessMemory::of(pid),
            }),
            Self::Cgroup { pid } => Box::new(Group::open(pid, cores)?),
        };
        source.read()?;
        Ok(source)
    }
}

/// One process's memory and CPU time, on every platform that sysinfo knows.
#[derive(Debug)]
pub struct ProcessMemory {
    pid: Pid,
    /// When the process started, in seconds; another start under the same id is another process.
    started: Option<u64>,
    system: System,
}

impl ProcessMemory {
    /// The process `pid`.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self {
            pid: Pid::from_u32(pid),
            started: None,
            system: System::new(),
        }
    }

    /// CPU time used so far, memory in use, and the machine's memory as its limit; no network.
    ///
    /// # Errors
    /// `NotFound` when the process has ended.
    pub fn read(&mut self) -> io::Result<Reading> {
        let memory_limit_bytes = total_memory(&mut self.system);
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, kind);
        let process = self.system.process(self.pid).ok_or_else(|| gone(self.pid))?;
        if *self.started.get_or_insert(process.start_time()) != process.start_time() {
            return Err(gone(self.pid));
        }
        Ok(Reading {
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1e3,
            memory_bytes: process.memory(),
            memory_limit_bytes,
            ..Reading::default()
        })
    }
}

/// A whole machine.
#[derive(Debug)]
struct Host {
    cores: Option<f64>,
    system: System,
}

impl Source for Host {
    fn read(&mut self) -> io::Result<Reading> {
        let (cpu_seconds, online) = machine_cpu()?;
        let (sent_bytes, received_bytes) = network("/proc/net/dev")?;
        let memory_limit_bytes = total_memory(&mut self.system);
        Ok(Reading {
            cpu_seconds,
            cpu_limit_cores: self.cores.unwrap_or(online),
            memory_bytes: memory_limit_bytes.saturating_sub(self.system.available_memory()),
            memory_limit_bytes,
            sent_bytes,
            received_bytes,
        })
    }
}

/// One process.
#[derive(Debug)]
struct Process {
    cores: f64,
    network: String,
    process: ProcessMemory,
}

impl Source for Process {
    fn read(&mut self) -> io::Result<Reading> {
        let process = self.process.read()?;
        let (sent_bytes, received_bytes) = network(&self.network)?;
        Ok(Reading {
            cpu_limit_cores: self.cores,
            sent_bytes,
            received_bytes,
            ..process
        })
    }
}

/// A control group.
#[derive(Debug)]
struct Group {
    cores: Option<f64>,
    group: Cgroup,
    network: String,
    system: System,
}

impl Group {
    fn open(pid: Option<u32>, cores: Option<f64>) -> io::Result<Self> {
        let process = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        let membership = read_text(Path::new(&format!("/proc/{process}/cgroup")))?;
        Ok(Self {
            cores,
            group: Cgroup::locate(Path::new(MOUNT), &membership),
            network: format!("/proc/{process}/net/dev"),
            system: System::new(),
        })
    }

    fn cpu_limit_cores(&self) -> io::Result<f64> {
        match self.cores.or_else(|| self.group.cpu_limit_cores()) {
            Some(cores) => Ok(cores),
            None => machine_cpu().map(|(_, online)| online),
        }
    }
}

impl Source for Group {
    fn read(&mut self) -> io::Result<Reading> {
        let (sent_bytes, received_bytes) = network(&self.network)?;
        let total = total_memory(&mut self.system);
        let limit = self.group.memory_limit_bytes();
        Ok(Reading {
            cpu_seconds: self.group.cpu_seconds()?,
            cpu_limit_cores: self.cpu_limit_cores()?,
            memory_bytes: self.group.memory_bytes()?,
            memory_limit_bytes: limit.map_or(total, |limit| limit.min(total)),
            sent_bytes,
            received_bytes,
        })
    }
}

/// Busy core-seconds of the machine, and its processors.
fn machine_cpu() -> io::Result<(f64, f64)> {
    let path = Path::new("/proc/stat");
    let times = parse_cpu_times(&read_text(path)?).ok_or_else(|| malformed(path))?;
    Ok((times.busy_seconds, times.cores as f64))
}

fn network(path: &str) -> io::Result<(u64, u64)> {
    let path = Path::new(path);
    parse_network(&read_text(path)?).ok_or_else(|| malformed(path))
}

fn total_memory(system: &mut System) -> u64 {
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    system.total_memory()
}

/// The cores this process may run on; one when the system does not say.
fn own_cores() -> f64 {
    thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

fn gone(pid: Pid) -> io::Error {
    let text = format!("no process with id {pid}: it has ended or never was; start the agent with a running --pid");
    io::Error::new(io::ErrorKind::NotFound, text)
}
