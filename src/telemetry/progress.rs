//! How the learning of each pool goes: written by the task that trains, read by whoever shows it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;

use crate::units::Timestamp;

/// How the learning of a pool goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Outcomes that are known.
    pub rows: usize,
    /// How much of what the base score leaves unexplained the models of late foresaw, 0 to 1; `None` while unknown.
    pub skill: Option<f64>,
    /// How many models were made for the pool, by earlier processes too.
    pub models: u64,
    /// Since when the model is there.
    pub model_since: Option<Timestamp>,
    /// Models that this process made.
    pub retrains: u64,
    /// Attempts to make one that ended in an error.
    pub errors: u64,
    /// Attempts to make one that ended in a panic.
    pub panics: u64,
    /// How long it took to make the newest.
    pub last_retrain: Option<Duration>,
    /// Why a retraining that is due has to wait.
    pub delay: Option<Delay>,
    /// How many of them had to wait, by reason.
    pub delays: [u64; Delay::ALL.len()],
    /// How often the state could not be written.
    pub save_failures: u64,
    /// When the state was last written.
    pub saved_at: Option<Timestamp>,
}

/// Why a retraining has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// More is waiting for a CPU than the limit allows.
    Busy,
    /// The machine is hotter than the limit allows.
    Hot,
    /// Training took its share of the time.
    Resting,
}

impl Delay {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Busy, Self::Hot, Self::Resting];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Hot => "hot",
            Self::Resting => "resting",
        }
    }
}

/// Says it to an operator.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the machine is busier than runtime.max_load",
            Self::Hot => "the machine is hotter than runtime.max_temperature",
            Self::Resting => "training has taken its share of the time",
        })
    }
}

impl Progress {
    /// Notes that a retraining has to wait because of `delay`, or has not; one that waits is counted once.
    pub fn wait(&mut self, delay: Option<Delay>) {
        let news = delay.filter(|delay| self.delay != Some(*delay));
        if let Some(count) = news.and_then(|delay| self.delays.get_mut(delay as usize)) {
            *count += 1;
        }
        self.delay = delay;
    }
}

/// The progress of every pool that learns, by name.
#[derive(Debug, Default)]
pub struct ProgressBoard(Mutex<BTreeMap<String, Progress>>);

impl ProgressBoard {
    /// Puts up `pools` in place of what was there.
    pub fn put(&self, pools: BTreeMap<String, Progress>) {
        *self.0.lock() = pools;
    }

    /// How it goes with `pool`, if it learns.
    #[must_use]
    pub fn of(&self, pool: &str) -> Option<Progress> {
        self.0.lock().get(pool).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retraining_that_waits_is_counted_once_a_reason() {
        let mut progress = Progress::default();
        for delay in [
            Some(Delay::Hot),
            Some(Delay::Hot),
            Some(Delay::Busy),
            None,
            Some(Delay::Busy),
        ] {
            progress.wait(delay);
        }
        assert_eq!(progress.delays, [2, 1, 0]);
        assert_eq!(progress.delay, Some(Delay::Busy));
    }
}
