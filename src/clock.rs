//! The one reader of time and entropy; everything else is told the time and handed its random numbers.
//!
//! The floors below take a [`Timestamp`] and seeded [`Draws`](crate::units::Draws) as arguments, so that they can be
//! tested and simulated.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::time::Instant;
use std::time::SystemTime;

use crate::units::Timestamp;

/// Where the process's clock starts: the calendar is read once, the rest is monotone.
static START: LazyLock<Start> = LazyLock::new(Start::capture);

/// The present moment. Follows the monotone clock from the first call on, so a stepped system clock never shows.
#[must_use]
pub fn now() -> Timestamp {
    START.now()
}

/// 64 random bits from the operating system, for seeds; not for secrets.
#[must_use]
pub fn entropy() -> u64 {
    // The keys of the standard library's hasher are the system's entropy, and differ at every call.
    RandomState::new().hash_one(0_u64)
}

/// One reading of both clocks.
#[derive(Debug)]
struct Start {
    calendar: Timestamp,
    monotone: Instant,
}

impl Start {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    fn capture() -> Self {
        // A clock set before 1970 reads as the epoch: only differences matter then.
        let calendar = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            calendar: Timestamp::default().plus(calendar),
            monotone: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        self.calendar.plus(self.monotone.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_steps_back() {
        let moments: Vec<Timestamp> = (0..1000).map(|_| now()).collect();
        assert!(moments.is_sorted());
    }

    #[test]
    fn time_is_the_calendar_of_this_century() {
        assert!(now().seconds() > 1.7e9);
    }

    #[test]
    fn entropy_differs_at_every_call() {
        assert_ne!(entropy(), entropy());
    }
}
