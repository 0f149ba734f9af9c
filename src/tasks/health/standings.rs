//! Says when results, not probes, take a backend out of service, and when it is back.

use std::collections::BTreeSet;

use crate::generation::Generation;
use crate::units::Timestamp;

/// Which backends were out of service at the last look, by pool and address.
#[derive(Debug, Default)]
pub(super) struct Standings {
    ejected: BTreeSet<(String, String)>,
}

/// Someone who came into or went out of service.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Its results were too bad.
    Ejected,
    /// It has made good.
    Readmitted,
}

impl Standings {
    /// Logs what has changed since the last look.
    pub(super) fn log_changes(&mut self, generation: &Generation, now: Timestamp) {
        for (pool, backend, change) in self.changes(generation, now) {
            match change {
                Change::Ejected => log::warn!(pool, backend; "backend is ejected: too many of its requests fail"),
                Change::Readmitted => log::info!(pool, backend; "backend is readmitted"),
            }
        }
    }

    fn changes(&mut self, generation: &Generation, now: Timestamp) -> Vec<(String, String, Change)> {
        let before = std::mem::take(&mut self.ejected);
        let mut changes = Vec::new();
        for served in &generation.pools {
            for member in served.pool.members() {
                let key = (served.pool.name().to_owned(), member.backend.address().to_owned());
                let is_out = member.backend.is_ejected(now) || member.backend.is_on_probation(now);
                match (before.contains(&key), is_out) {
                    (false, true) => changes.push((key.0.clone(), key.1.clone(), Change::Ejected)),
                    (true, false) => changes.push((key.0.clone(), key.1.clone(), Change::Readmitted)),
                    _ => {}
                }
                if is_out {
                    self.ejected.insert(key);
                }
            }
        }
        changes
    }
}
