//! Counts that many threads add to at once, without a lock.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        // Relaxed: the count orders nothing else.
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The count so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets of a [`Histogram`], in milliseconds; beyond the last one only the count grows.
pub const BUCKET_BOUNDS_MS: [u64; 15] = [1, 2, 4, 7, 10, 20, 40, 70, 100, 200, 400, 700, 1000, 4000, 10_000];

/// How durations are spread, over fixed buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; BUCKET_BOUNDS_MS.len()],
    beyond: Counter,
    sum_nanos: Counter,
}

impl Histogram {
    /// Takes in one duration.
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKET_BOUNDS_MS.iter().position(|bound| nanos <= bound * 1_000_000);
        bucket
            .and_then(|bucket| self.buckets.get(bucket))
            .unwrap_or(&self.beyond)
            .increment();
        self.sum_nanos.add(nanos);
    }

    /// How many durations were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().chain([&self.beyond]).map(Counter::count).sum()
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos.count())
    }

    /// For each bucket its upper bound in seconds and its own count; the last bound is `f64::MAX`.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = BUCKET_BOUNDS_MS.iter().map(|ms| *ms as f64 / 1000.0).chain([f64::MAX]);
        bounds.zip(self.buckets.iter().chain([&self.beyond]).map(Counter::count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for ms in [1, 3, 100, 60_000] {
            histogram.record(Duration::from_millis(ms));
        }
        let filled: Vec<f64> = histogram
            .buckets()
            .filter(|bucket| bucket.1 > 0)
            .map(|bucket| bucket.0)
            .collect();
        assert_eq!(filled, [0.001, 0.004, 0.1, f64::MAX]);
        assert_eq!(histogram.count(), 4);
        assert_eq!(histogram.sum(), Duration::from_millis(60_104));
    }
}
