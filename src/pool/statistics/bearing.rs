//! How one backend bears load: what its latency is at which load, how much it gets done, and up to where it copes.
//!
//! The averages of `learned` say how a backend does now; these say how it would do with more. Between backends they
//! are compared, so they are in units that all backends of a pool share.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::elementary::ln;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::fade;
use crate::pool::statistics::left;
use crate::pool::statistics::left::Left;
use crate::pool::statistics::line::Line;
use crate::pool::statistics::line::LineSums;
use crate::pool::statistics::sample::Sample;
use crate::units::Timestamp;

/// How a backend bears load, as it counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bearing {
    /// Its own line of latency over load; as far as little is known of it, the fleet's.
    pub(crate) line: Line,
    /// ln of the work it gets done while it is busy: seconds of usual latency in a second.
    pub ln_work_rate: f32,
    /// The most work that it got done so over about two minutes: seconds of usual latency in a second, above zero.
    pub peak_work_rate: f32,
    /// Seconds that an attempt sent to it usually takes.
    pub cost: f32,
    /// The highest load under which it was no slower than the fleet.
    pub knee: f32,
    /// Slowness of what was sent to it while it was all but idle, over about thirty seconds.
    pub y_unloaded: f32,
    /// Answers since it began to be slower than it was, forgotten soon after it is not.
    pub drifting: f32,
    /// Seconds since its last answer, a minute at most.
    pub idle_seconds: f32,
}

impl Default for Bearing {
    /// That of a backend of which nothing is known, and nothing of others.
    fn default() -> Self {
        BearingFigures::default().read(
            Line::default(),
            MOST_IDLE_SECONDS,
            &Left::after(f32::INFINITY, f32::INFINITY),
        )
    }
}

/// What a [`Bearing`] is worked out from. Written by whoever holds the backend's [`BearingSums`].
#[derive(Debug, Default)]
pub(crate) struct BearingFigures {
    /// Intercept and slope in one word.
    line: AtomicU64,
    /// How many answers the line rests on, faded.
    answers: Figure,
    ln_work_rate: Figure,
    peak_work_rate: Figure,
    cost: Figure,
    knee: Figure,
    y_unloaded: Figure,
    drifting: Figure,
}

/// What only a writer needs.
#[derive(Debug, Default)]
pub(crate) struct BearingSums {
    line: LineSums<LINE_SECONDS>,
    /// Seconds of usual latency, and seconds of being busy, both faded.
    work: f32,
    busy: f32,
    at: Timestamp,
}

/// An attempt that taught something, and how it compares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) sample: &'a Sample,
    /// Its latency over what its route class usually takes.
    pub(crate) multiple: f32,
    /// Its excess.
    pub(crate) z: f32,
    /// By how much its backend is slower than it was.
    pub(crate) drift: f32,
    /// The line of all backends.
    pub(crate) fleet: Line,
}

/// A backend's own line forgets over this many seconds: an antagonist comes and goes in less than a minute.
const LINE_SECONDS: u32 = left::SLOW as u32;
/// The fleet's line counts as so many answers at each of four loads, ten in all.
const FLEET_ROWS_AT_A_LOAD: f64 = 2.5;
const FLEET_ROWS: f32 = 10.0;
const WORK_SECONDS: f32 = 10.0;
/// So much work is taken to have been done in as many seconds, until more is known.
const WORK_PRIOR_SECONDS: f32 = 0.05;
/// What has got nothing done yet; its ln is finite.
const LEAST_WORK_RATE: f32 = 1e-3;
const MOST_IDLE_SECONDS: f32 = 60.0;
/// What is sent to a backend usually costs what the last fifty attempts did.
const COST_STEP: f32 = 0.02;
/// A backend copes while its answers take less than half as long again (e^0.4) as the fleet's would.
const COPES_BELOW: f32 = 0.4;
/// It forgets where it coped over this many answers.
const KNEE_ANSWERS: f32 = 2000.0;
/// At most one other attempt in flight.
const UNLOADED: f32 = 2.0;
const UNLOADED_STEP: f32 = 0.02;
/// Slower by half than over the last half minute is drifting.
const DRIFTS_ABOVE: f32 = 0.4;
const DRIFT_LEFT: f32 = 0.9;

impl BearingFigures {
    /// Takes in what was seen at `now`.
    pub(crate) fn record(&self, sums: &mut BearingSums, seen: &Seen<'_>, now: Timestamp) {
        let Seen { sample, z, drift, .. } = *seen;
        sums.line.add(sample.load, seen.multiple, now);
        let line = sums.line.line_beside(seen.fleet, FLEET_ROWS_AT_A_LOAD);
        self.line.store(line.to_word(), Ordering::Relaxed);
        self.answers.store(sums.line.weight() as f32);
        self.work(sums, sample, now);
        self.cost(sample.cost);
        let knee = self.knee.load() * (1.0 - 1.0 / KNEE_ANSWERS);
        self.knee
            .store(if z < COPES_BELOW { knee.max(sample.load) } else { knee });
        if sample.load <= UNLOADED {
            self.y_unloaded.approach(sample.slowness, UNLOADED_STEP);
        }
        let drifting = self.drifting.load();
        self.drifting.store(if drift > DRIFTS_ABOVE {
            drifting + 1.0
        } else {
            DRIFT_LEFT * drifting
        });
    }

    /// Everything as it counts when nothing has come for `idle` seconds, and so much is `left`; `fleet` is the line of all
    /// backends.
    pub(super) fn read(&self, fleet: Line, idle: f32, left: &Left) -> Bearing {
        Bearing {
            line: self.line(fleet, left.slow),
            ln_work_rate: self.ln_work_rate.load() * left.slow,
            peak_work_rate: (self.peak_work_rate.load() * left.peak).max(LEAST_WORK_RATE),
            cost: self.cost.load(),
            knee: self.knee.load(),
            y_unloaded: self.y_unloaded.load() * left.slow,
            drifting: self.drifting.load(),
            idle_seconds: idle.min(MOST_IDLE_SECONDS),
        }
    }

    /// Its own line and the fleet's, each as far as it counts.
    fn line(&self, fleet: Line, left: f32) -> Line {
        let answers = self.answers.load();
        if answers <= 0.0 {
            return fleet;
        }
        // The stored line has the fleet's of its time in it; what has faded since goes to the fleet's of now.
        let share = left * (answers + FLEET_ROWS) / (answers * left + FLEET_ROWS);
        let own = Line::from_word(self.line.load(Ordering::Relaxed));
        Line {
            intercept: fleet.intercept + share * (own.intercept - fleet.intercept),
            slope: fleet.slope + share * (own.slope - fleet.slope),
        }
    }

    fn work(&self, sums: &mut BearingSums, sample: &Sample, now: Timestamp) {
        let elapsed = now.since(sums.at).as_secs_f32();
        let left = fade(elapsed, WORK_SECONDS);
        sums.work = sums.work * left + if sample.is_error { 0.0 } else { sample.cost };
        // It was busy since its last answer, or since it last ceased to be idle.
        sums.busy = sums.busy * left + elapsed.min(now.since(sample.busy_since).as_secs_f32());
        sums.at = sums.at.max(now);
        let rate = (sums.work + WORK_PRIOR_SECONDS) / (sums.busy + WORK_PRIOR_SECONDS);
        self.ln_work_rate.store(ln(rate));
        let peak = self.peak_work_rate.load() * fade(elapsed, left::PEAK);
        self.peak_work_rate.store(peak.max(rate));
    }

    fn cost(&self, cost: f32) {
        let known = self.cost.load() > 0.0;
        self.cost.approach(cost, if known { COST_STEP } else { 1.0 });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pool::RouteClass;

    const FLEET: Line = Line {
        intercept: 0.8,
        slope: 0.2,
    };
    const COST: f32 = 0.01;

    fn at(seconds: f32) -> Timestamp {
        Timestamp::from_seconds(1000.0).plus(Duration::from_secs_f32(seconds))
    }

    fn sample(load: f32, multiple: f32, busy_since: Timestamp) -> Sample {
        Sample {
            class: RouteClass::default(),
            slowness: multiple.ln(),
            is_error: false,
            load,
            cost: COST,
            busy_since,
        }
    }

    /// A backend that answers a hundred times a second until second `seconds`, at loads of 1 to 4, `slower` times as slow as
    /// the fleet.
    fn answered(seconds: u16, slower: f32) -> BearingFigures {
        let (figures, mut sums) = (BearingFigures::default(), BearingSums::default());
        for number in 0..100 * seconds {
            let load = 1.0 + f32::from(number % 4);
            let sample = sample(load, slower * FLEET.at(load), at(0.0));
            let seen = Seen {
                sample: &sample,
                multiple: slower * FLEET.at(load),
                z: slower.ln(),
                drift: 0.0,
                fleet: FLEET,
            };
            figures.record(&mut sums, &seen, at(f32::from(number) / 100.0));
        }
        figures
    }

    impl BearingFigures {
        /// As it counts when nothing has come for so many seconds.
        fn read_after(&self, idle: f32) -> Bearing {
            self.read(FLEET, idle, &Left::after(idle, idle))
        }
    }

    #[track_caller]
    fn close(found: f32, expected: f32) {
        assert!(
            (found - expected).abs() < 0.03 * expected.abs().max(1.0),
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn nothing_known_is_the_fleets_line() {
        let bearing = BearingFigures::default().read_after(0.0);
        assert_eq!(bearing.line, FLEET);
        assert!(bearing.peak_work_rate > 0.0);
    }

    #[test]
    fn its_own_line_is_found_and_fades_into_the_fleets() {
        let figures = answered(60, 3.0);
        close(figures.read_after(0.0).line.at(2.0), 3.0 * FLEET.at(2.0));
        close(figures.read_after(600.0).line.at(2.0), FLEET.at(2.0));
    }

    #[test]
    fn work_is_measured_while_it_is_busy() {
        // A hundred answers a second of a hundredth of a second each are one second of work in a second.
        close(answered(60, 1.0).read_after(0.0).ln_work_rate, 0.0);
        let (figures, mut sums) = (BearingFigures::default(), BearingSums::default());
        for number in 0..100_u16 {
            // Idle for most of each second: 5 ms busy for 10 ms of work.
            let now = at(1.0 + f32::from(number));
            let since = at(0.995 + f32::from(number));
            figures.work(&mut sums, &sample(1.0, 1.0, since), now);
        }
        let rate = figures.read_after(0.0).ln_work_rate;
        assert!(
            (0.3..0.7).contains(&rate),
            "{rate} instead of about ln 2, less the prior"
        );
    }

    #[test]
    fn the_knee_is_the_highest_load_under_which_it_copes() {
        close(answered(10, 1.0).read_after(0.0).knee, 4.0);
        assert_eq!(answered(10, 2.0).read_after(0.0).knee, 0.0);
    }
}
