//! A trouble that goes on is told when it begins, once an hour after that, and when it is over.

use std::time::Duration;

use crate::units::Timestamp;

/// The time between two warnings about the same trouble.
const SILENCE: Duration = Duration::from_secs(3600);

/// When a trouble was last told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Warning {
    /// `None` while there is none.
    pub(super) told: Option<Timestamp>,
}

impl Warning {
    /// There is trouble at `now`; whether it is to be told.
    pub(super) fn rises(&mut self, now: Timestamp) -> bool {
        let is_due = self.told.is_none_or(|told| now.since(told) >= SILENCE);
        if is_due {
            self.told = Some(now);
        }
        is_due
    }

    /// There is none; whether there was.
    pub(super) fn falls(&mut self) -> bool {
        self.told.take().is_some()
    }
}
