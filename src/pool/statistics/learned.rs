//! What a learning selector knows of one backend.
//!
//! Two quantities are averaged. The *slowness* y of an answer is the ln of its latency over what its route class
//! usually takes; an error counts as thirty times as long. Its *excess* z is the slowness beyond what the requests in
//! flight at dispatch explain, by the line that all backends share.

use parking_lot::Mutex;

use crate::elementary::exp;
use crate::elementary::ln;
use crate::pool::statistics::bearing::Bearing;
use crate::pool::statistics::bearing::BearingFigures;
use crate::pool::statistics::bearing::BearingSums;
use crate::pool::statistics::bearing::Seen;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::Moment;
use crate::pool::statistics::figure::fade;
use crate::pool::statistics::fleet::RouteClass;
use crate::pool::statistics::line::FleetLineSums;
use crate::pool::statistics::line::Line;
use crate::pool::statistics::sample::Sample;
use crate::units::Timestamp;

/// Averages over the attempts at one backend, as they count at one moment for one route class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signals {
    /// Slowness over about two seconds.
    pub y_fast: f32,
    /// Excess over about thirty seconds.
    pub z_slow: f32,
    /// Excess over about two seconds.
    pub z_fast: f32,
    /// Excess of the route class over about ten seconds.
    pub z_route: f32,
    /// By how much it differs from the backend's.
    pub route_excess: f32,
    /// By how much the route class's excess differs from the backend's; 0 where it is little or little is known.
    pub route_deviation: f32,
    /// Share of errors over about three seconds.
    pub error_rate: f32,
}

/// The averages of one backend.
#[derive(Debug)]
pub(crate) struct Learned {
    /// Whoever holds it may write the averages.
    sums: Mutex<Sums>,
    y_fast: Figure,
    z_slow: Figure,
    z_fast: Figure,
    /// Excess over about ten seconds, all route classes together.
    z_all: Figure,
    error_rate: Figure,
    bearing: BearingFigures,
    at: Moment,
    routes: Box<[RouteExcess; RouteClass::COUNT]>,
}

#[derive(Debug, Default)]
struct Sums {
    /// Its part of the fleet's line.
    line: FleetLineSums,
    bearing: BearingSums,
}

#[derive(Debug, Default)]
struct RouteExcess {
    z: Figure,
    /// Answers of late.
    answers: Figure,
    at: Moment,
}

/// An average that follows new values over `tau` seconds, but with each by at least `floor`, and that counts for less
/// the longer nothing new comes, over `idle_tau` seconds.
struct Memory {
    tau: f32,
    floor: f32,
    idle_tau: f32,
}

const Y_FAST: Memory = Memory {
    tau: 2.0,
    floor: 0.02,
    idle_tau: 5.0,
};
const Z_SLOW: Memory = Memory {
    tau: 30.0,
    floor: 0.002,
    idle_tau: 30.0,
};
const Z_FAST: Memory = Memory {
    tau: 2.0,
    floor: 0.02,
    idle_tau: 5.0,
};
const Z_ROUTE: Memory = Memory {
    tau: 10.0,
    floor: 0.03,
    idle_tau: 20.0,
};
const ERROR_RATE: Memory = Memory {
    tau: 3.0,
    floor: 0.1,
    idle_tau: 5.0,
};
/// The count of a route class's answers forgets over this many seconds.
const ROUTE_COUNT_SECONDS: f32 = 20.0;
/// With this many answers, half of what a route class shows is believed.
const HALF_BELIEVED: f32 = 10.0;
/// Deviations up to here are noise.
const DEVIATION_THRESHOLD: f32 = 0.3;

impl Memory {
    fn step(&self, seconds: f32) -> f32 {
        (1.0 - fade(seconds, self.tau)).max(self.floor)
    }

    fn faded(&self, figure: &Figure, idle: f32) -> f32 {
        figure.load() * fade(idle, self.idle_tau)
    }
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            sums: Mutex::default(),
            y_fast: Figure::default(),
            z_slow: Figure::default(),
            z_fast: Figure::default(),
            z_all: Figure::default(),
            error_rate: Figure::default(),
            bearing: BearingFigures::default(),
            at: Moment::default(),
            routes: Box::new(std::array::from_fn(|_| RouteExcess::default())),
        }
    }
}

impl Learned {
    /// Takes in `sample`; `line` is the fleet's.
    pub(crate) fn record(&self, sample: &Sample, line: Line, now: Timestamp) {
        let multiple = exp(sample.slowness.min(crate::pool::statistics::SLOWEST));
        let z = sample.slowness - ln(line.at(sample.load));
        let mut sums = self.sums.lock();
        sums.line.add(sample.load, multiple, now);
        let idle = self.at.seconds_until(now);
        self.y_fast.approach(sample.slowness, Y_FAST.step(idle));
        self.z_slow.approach(z, Z_SLOW.step(idle));
        self.z_fast.approach(z, Z_FAST.step(idle));
        self.z_all.approach(z, Z_ROUTE.step(idle));
        self.error_rate
            .approach(f32::from(u8::from(sample.is_error)), ERROR_RATE.step(idle));
        self.route(sample.class).record(z, now);
        let seen = Seen {
            sample,
            multiple,
            z,
            drift: self.z_fast.load() - self.z_slow.load(),
            fleet: line,
        };
        self.bearing.record(&mut sums.bearing, &seen, now);
        self.at.store(now);
    }

    /// The slowness of late, with which an answer that never came is compared.
    pub(crate) fn y_fast(&self, now: Timestamp) -> f32 {
        Y_FAST.faded(&self.y_fast, self.idle(now))
    }

    /// Everything, as it counts at `now` for a request of `class`.
    pub(crate) fn signals(&self, class: RouteClass, now: Timestamp) -> Signals {
        let idle = self.idle(now);
        // Two of the time constants are the same.
        let recent = fade(idle, Y_FAST.idle_tau);
        let route = self.route(class);
        let (z_route, believed) = route.read(now);
        let route_excess = z_route - Z_ROUTE.faded(&self.z_all, idle);
        Signals {
            y_fast: self.y_fast.load() * recent,
            z_slow: Z_SLOW.faded(&self.z_slow, idle),
            z_fast: self.z_fast.load() * recent,
            z_route,
            route_excess,
            route_deviation: deviation(route_excess, believed),
            error_rate: self.error_rate.load() * recent,
        }
    }

    /// [`Signals::route_deviation`] alone.
    pub(crate) fn route_deviation(&self, class: RouteClass, now: Timestamp) -> f32 {
        let (z_route, believed) = self.route(class).read(now);
        deviation(z_route - Z_ROUTE.faded(&self.z_all, self.idle(now)), believed)
    }

    /// Its part of the fleet's line at `now`.
    pub(crate) fn line_sums(&self, now: Timestamp) -> FleetLineSums {
        self.sums.lock().line.faded(now)
    }

    /// How it bears load, as it counts at `now`; `fleet` is the line of all backends.
    pub(crate) fn bearing(&self, fleet: Line, now: Timestamp) -> Bearing {
        self.bearing.read(fleet, self.idle(now))
    }

    fn idle(&self, now: Timestamp) -> f32 {
        self.at.seconds_until(now)
    }

    fn route(&self, class: RouteClass) -> &RouteExcess {
        // A class is always in range; see `RouteClass::new`.
        &self.routes[class.number()]
    }
}

impl RouteExcess {
    fn record(&self, z: f32, now: Timestamp) {
        let idle = self.at.seconds_until(now);
        self.z.approach(z, Z_ROUTE.step(idle));
        self.answers
            .store(self.answers.load() * fade(idle, ROUTE_COUNT_SECONDS) + 1.0);
        self.at.store(now);
    }

    /// The excess, and how far to believe it.
    fn read(&self, now: Timestamp) -> (f32, f32) {
        // The excess and the count fade alike: one exponential does for both.
        const { assert!(Z_ROUTE.idle_tau == ROUTE_COUNT_SECONDS) };
        let left = fade(self.at.seconds_until(now), ROUTE_COUNT_SECONDS);
        let answers = self.answers.load() * left;
        (self.z.load() * left, answers / (answers + HALF_BELIEVED))
    }
}

/// A difference as far as it is believed, less what is noise.
fn deviation(difference: f32, believed: f32) -> f32 {
    let shrunk = difference * believed;
    shrunk.signum() * (shrunk.abs() - DEVIATION_THRESHOLD).max(0.0)
}

#[cfg(test)]
mod tests;
