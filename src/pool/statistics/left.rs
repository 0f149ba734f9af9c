//! What is left of a backend's averages while nothing comes from it.

use crate::elementary::exps;
use crate::pool::statistics::figure::exponent;

/// Seconds over which what is true of a moment fades.
pub(super) const QUICK: f32 = 5.0;
/// Seconds over which what one route class shows fades.
pub(super) const ROUTE: f32 = 20.0;
/// Seconds over which what is true of a backend fades.
pub(super) const SLOW: f32 = 30.0;
/// Seconds over which the most that it ever got done fades, and no further: a floor of e^-1.
pub(super) const PEAK: f32 = 120.0;

/// Shares of what was, worked out together: several exponentials at once take little longer than one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) quick: f32,
    pub(super) slow: f32,
    pub(super) peak: f32,
    /// Of what all route classes together show, over the time that one alone fades.
    pub(super) all_routes: f32,
    /// Of what one route class shows.
    pub(super) route: f32,
}

impl Left {
    /// When a backend has answered nothing for `idle` seconds, and nothing of a route class for `route_idle`.
    pub(super) fn after(idle: f32, route_idle: f32) -> Self {
        let [quick, slow, peak, all_routes, route, ..] = exps([
            exponent(idle, QUICK),
            exponent(idle, SLOW),
            exponent(idle.min(PEAK), PEAK),
            exponent(idle, ROUTE),
            exponent(route_idle, ROUTE),
            // Eight are two times four.
            0.0,
            0.0,
            0.0,
        ]);
        Self {
            quick,
            slow,
            peak,
            all_routes,
            route,
        }
    }
}
