//! The agent's one background loop, and the place where its last sample lies.

use std::io;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;
use tokio::time::interval;

use crate::agent::Reading;
use crate::agent::Sample;
use crate::agent::Source;
use crate::clock;
use crate::units::Timestamp;

/// What was measured last, for any number of readers.
#[derive(Debug)]
pub struct Sampler {
    last: Mutex<Result<Sample, String>>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            last: Mutex::new(Err("nothing is measured yet: ask again after one interval".to_owned())),
        }
    }
}

impl Sampler {
    /// The last sample.
    ///
    /// # Errors
    /// Says why there is none: before the end of the first window, and while the source cannot be read.
    pub fn latest(&self) -> Result<Sample, String> {
        self.last.lock().clone()
    }

    /// Reads `source` every `period` and keeps the sample; does not return, and ends by being dropped.
    pub async fn keep_sampling(&self, mut source: Box<dyn Source>, period: Duration) {
        let mut ticks = interval(period);
        // A late sample covers a longer window; a hurried one after it would cover next to nothing.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut previous = None;
        loop {
            ticks.tick().await;
            previous = self.record(previous, source.read(), clock::now());
        }
    }

    /// Keeps what one reading at `now` says, and returns what the next window starts from.
    fn record(
        &self,
        previous: Option<(Timestamp, Reading)>,
        read: io::Result<Reading>,
        now: Timestamp,
    ) -> Option<(Timestamp, Reading)> {
        match (previous, read) {
            (Some((then, earlier)), Ok(later)) => {
                *self.last.lock() = Ok(Sample::between(&earlier, &later, now.since(then)));
                Some((now, later))
            }
            (None, Ok(first)) => Some((now, first)),
            (_, Err(error)) => {
                self.fail(error.to_string());
                None
            }
        }
    }

    fn fail(&self, reason: String) {
        let mut last = self.last.lock();
        if last.as_ref().err() != Some(&reason) {
            log::warn!("cannot measure: {reason}");
            *last = Err(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn sent(sent_bytes: u64) -> Reading {
        Reading {
            sent_bytes,
            ..Reading::default()
        }
    }

    #[test]
    fn the_first_reading_opens_a_window_and_the_second_closes_it() {
        let sampler = Sampler::default();
        let opened = sampler.record(None, Ok(sent(100)), at(1.0));
        assert!(sampler.latest().is_err());
        sampler.record(opened, Ok(sent(300)), at(3.0));
        let sample = sampler.latest().unwrap();
        assert_eq!((sample.sent_per_second, sample.window), (100.0, Duration::from_secs(2)));
    }

    #[test]
    fn a_source_that_fails_leaves_its_reason_and_no_stale_figures() {
        let sampler = Sampler::default();
        let opened = sampler.record(None, Ok(sent(0)), at(1.0));
        let opened = sampler.record(opened, Ok(sent(1)), at(2.0));
        let after = sampler.record(opened, Err(io::Error::other("process 7 is gone")), at(3.0));
        assert_eq!(after, None);
        assert_eq!(sampler.latest().unwrap_err(), "process 7 is gone");
    }
}
