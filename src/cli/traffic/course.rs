//! How a run went, second by second, in as many moments as a chart can show.

use crate::traffic::Pulse;

/// More do not fit side by side; of a longer run several seconds are one moment.
const MOST_MOMENTS: usize = 600;

/// The moments of a run, whose number is bounded however long it takes.
#[derive(Clone, Debug)]
pub(super) struct Course {
    moments: Vec<Moment>,
    /// Pulses that one moment takes in.
    stride: u32,
    /// What the pulses so far came to.
    seconds: f64,
    errors: u64,
}

/// A second of a run, or a few in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pulses: u32,
    /// When it ended, since the start of the run.
    pub(super) ended_s: f64,
    seconds: f64,
    answers: f64,
    errors: u64,
    /// The highest median of its seconds.
    pub(super) p50_ms: f64,
    /// The highest 99th percentile of its seconds.
    pub(super) p99_ms: f64,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            moments: Vec::new(),
            stride: 1,
            seconds: 0.0,
            errors: 0,
        }
    }
}

impl Course {
    /// Takes in the next pulse of the run.
    pub(super) fn add(&mut self, pulse: &Pulse) {
        let ended_s = pulse.elapsed.as_secs_f64();
        let seconds = ended_s - self.seconds;
        let moment = Moment {
            pulses: 1,
            ended_s,
            seconds,
            answers: pulse.rate_rps * seconds,
            errors: pulse.errors.saturating_sub(self.errors),
            p50_ms: pulse.p50_ms,
            p99_ms: pulse.p99_ms,
        };
        (self.seconds, self.errors) = (ended_s, pulse.errors);
        match self.moments.last_mut() {
            Some(last) if last.pulses < self.stride => last.join(&moment),
            _ => self.moments.push(moment),
        }
        if self.moments.len() > MOST_MOMENTS {
            self.thin();
        }
    }

    pub(super) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Makes one of every two moments.
    fn thin(&mut self) {
        let joined = self.moments.chunks(2).filter_map(|pair| {
            let (first, rest) = pair.split_first()?;
            let mut joined = *first;
            rest.iter().for_each(|second| joined.join(second));
            Some(joined)
        });
        self.moments = joined.collect();
        self.stride *= 2;
    }
}

impl Moment {
    /// Answers of any status per second.
    pub(super) fn answers_per_second(&self) -> f64 {
        self.answers / self.seconds
    }

    pub(super) fn errors_per_second(&self) -> f64 {
        self.errors as f64 / self.seconds
    }

    /// Takes in what came next.
    fn join(&mut self, next: &Self) {
        self.pulses += next.pulses;
        self.ended_s = next.ended_s;
        self.seconds += next.seconds;
        self.answers += next.answers;
        self.errors += next.errors;
        self.p50_ms = self.p50_ms.max(next.p50_ms);
        self.p99_ms = self.p99_ms.max(next.p99_ms);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The course of a run with 10 answers and an error in each of its seconds; in second 7 it stalls.
    fn course(seconds: u64) -> Course {
        let mut course = Course::default();
        for second in 1..=seconds {
            course.add(&Pulse {
                elapsed: Duration::from_secs(second),
                rate_rps: 10.0,
                p50_ms: 1.0,
                p99_ms: if second == 7 { 900.0 } else { 2.0 },
                errors: second,
            });
        }
        course
    }

    #[test]
    fn a_short_run_has_a_moment_for_each_second() {
        let course = course(3);
        let ends: Vec<f64> = course.moments().iter().map(|moment| moment.ended_s).collect();
        assert_eq!(ends, [1.0, 2.0, 3.0]);
        let last = course.moments()[2];
        assert_eq!((last.answers_per_second(), last.errors_per_second()), (10.0, 1.0));
    }

    #[test]
    fn a_long_run_takes_no_more_room_and_keeps_its_counts_and_its_worst_second() {
        let course = course(5000);
        let moments = course.moments();
        assert!(moments.len() <= MOST_MOMENTS, "{}", moments.len());
        assert!(
            moments
                .iter()
                .all(|moment| (moment.errors_per_second() - 1.0).abs() < 1e-9)
        );
        assert_eq!(moments.iter().map(|moment| moment.errors).sum::<u64>(), 5000);
        assert_eq!((moments[0].p99_ms, moments[1].p99_ms), (900.0, 2.0));
        assert_eq!(moments.last().map(|moment| moment.ended_s), Some(5000.0));
    }
}
