//! What a learning selector knows of one backend.
//!
//! Two quantities are averaged. The *slowness* y of an answer is the ln of its latency over what its route class
//! usually takes; an error counts as thirty times as long. Its *excess* z is the slowness beyond what the requests in
//! flight at dispatch explain, by the line that all backends share.

use parking_lot::Mutex;

use crate::elementary::exp;
use crate::elementary::exps;
use crate::elementary::ln;
use crate::pool::statistics::bearing::Bearing;
use crate::pool::statistics::bearing::BearingFigures;
use crate::pool::statistics::bearing::BearingSums;
use crate::pool::statistics::bearing::Seen;
use crate::pool::statistics::figure::Figure;
use crate::pool::statistics::figure::Moment;
use crate::pool::statistics::figure::exponent;
use crate::pool::statistics::figure::fade;
use crate::pool::statistics::fleet::RouteClass;
use crate::pool::statistics::left;
use crate::pool::statistics::left::Left;
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

/// How a backend does, and how it would do with more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// How it does.
    pub signals: Signals,
    /// How it bears load.
    pub bearing: Bearing,
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

/// An average that follows new values over `tau` seconds, but with each by at least `floor`. The longer nothing new comes the
/// less it counts; see [`Left`].
struct Memory {
    tau: f32,
    floor: f32,
}

const FAST: Memory = Memory { tau: 2.0, floor: 0.02 };
const SLOW: Memory = Memory {
    tau: 30.0,
    floor: 0.002,
};
const ROUTES: Memory = Memory { tau: 10.0, floor: 0.03 };
const ERRORS: Memory = Memory { tau: 3.0, floor: 0.1 };

/// How far an answer moves the averages, worked out together as [`Left`] is.
struct Steps {
    fast: f32,
    slow: f32,
    all_routes: f32,
    errors: f32,
    route: f32,
    /// What is left of the count of a route class's answers.
    answers_left: f32,
}

/// With this many answers, half of what a route class shows is believed.
const HALF_BELIEVED: f32 = 10.0;
/// Deviations up to here are noise.
const DEVIATION_THRESHOLD: f32 = 0.3;

impl Memory {
    fn step(&self, left: f32) -> f32 {
        (1.0 - left).max(self.floor)
    }
}

impl Steps {
    fn after(idle: f32, route_idle: f32) -> Self {
        let [fast, slow, all_routes, errors, route, answers_left, ..] = exps([
            exponent(idle, FAST.tau),
            exponent(idle, SLOW.tau),
            exponent(idle, ROUTES.tau),
            exponent(idle, ERRORS.tau),
            exponent(route_idle, ROUTES.tau),
            exponent(route_idle, left::ROUTE),
            0.0,
            0.0,
        ]);
        Self {
            fast: FAST.step(fast),
            slow: SLOW.step(slow),
            all_routes: ROUTES.step(all_routes),
            errors: ERRORS.step(errors),
            route: ROUTES.step(route),
            answers_left,
        }
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
        let route = self.route(sample.class);
        let steps = Steps::after(self.idle(now), route.idle(now));
        self.y_fast.approach(sample.slowness, steps.fast);
        self.z_slow.approach(z, steps.slow);
        self.z_fast.approach(z, steps.fast);
        self.z_all.approach(z, steps.all_routes);
        self.error_rate
            .approach(f32::from(u8::from(sample.is_error)), steps.errors);
        route.record(z, &steps, now);
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
        self.y_fast.load() * fade(self.idle(now), left::QUICK)
    }

    /// Everything, as it counts at `now` for a request of `class`.
    pub(crate) fn signals(&self, class: RouteClass, now: Timestamp) -> Signals {
        let route = self.route(class);
        self.signals_of(route, &Left::after(self.idle(now), route.idle(now)))
    }

    /// The same, and how the backend bears load; `fleet` is the line of all backends.
    pub(crate) fn standing(&self, class: RouteClass, fleet: Line, now: Timestamp) -> Standing {
        let (route, idle) = (self.route(class), self.idle(now));
        let left = Left::after(idle, route.idle(now));
        Standing {
            signals: self.signals_of(route, &left),
            bearing: self.bearing.read(fleet, idle, &left),
        }
    }

    /// [`Signals::route_deviation`] alone.
    pub(crate) fn route_deviation(&self, class: RouteClass, now: Timestamp) -> f32 {
        let route = self.route(class);
        let (z_route, believed) = route.read(fade(route.idle(now), left::ROUTE));
        deviation(
            z_route - self.z_all.load() * fade(self.idle(now), left::ROUTE),
            believed,
        )
    }

    /// Its part of the fleet's line at `now`.
    pub(crate) fn line_sums(&self, now: Timestamp) -> FleetLineSums {
        self.sums.lock().line.faded(now)
    }

    fn signals_of(&self, route: &RouteExcess, left: &Left) -> Signals {
        let (z_route, believed) = route.read(left.route);
        let route_excess = z_route - self.z_all.load() * left.all_routes;
        Signals {
            y_fast: self.y_fast.load() * left.quick,
            z_slow: self.z_slow.load() * left.slow,
            z_fast: self.z_fast.load() * left.quick,
            z_route,
            route_excess,
            route_deviation: deviation(route_excess, believed),
            error_rate: self.error_rate.load() * left.quick,
        }
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
    fn record(&self, z: f32, steps: &Steps, now: Timestamp) {
        self.z.approach(z, steps.route);
        self.answers.store(self.answers.load() * steps.answers_left + 1.0);
        self.at.store(now);
    }

    /// Seconds since its last answer.
    fn idle(&self, now: Timestamp) -> f32 {
        self.at.seconds_until(now)
    }

    /// The excess, and how far to believe it, of which so much is `left`.
    fn read(&self, left: f32) -> (f32, f32) {
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
