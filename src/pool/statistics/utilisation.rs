//! The weight that a backend's utilisation gives it: Envoy's client-side weighted round robin.

use std::time::Duration;

use parking_lot::Mutex;

use crate::pool::Totals;
use crate::pool::statistics::figure::Figure;
use crate::units::Timestamp;

/// Requests a second over utilisation, errors counting as utilisation on top, from poll to poll.
///
/// The last poll replaces those before, as the last report does there: the figures are means over the time between
/// two polls already, and an older weight sends requests to a backend that has none to spare any more.
///
/// `qps / (utilisation + eps / qps * penalty)`: see Envoy's `client_side_weighted_round_robin` extension and gRPC's
/// proposal A58. There the backend reports its own rates; here they are this gateway's.
#[derive(Debug, Default)]
pub(crate) struct UtilisationWeight {
    weight: Figure,
    seen: Mutex<Option<(Timestamp, Totals)>>,
}

/// Envoy's default: a backend that only fails looks fully used.
const ERROR_PENALTY: f64 = 1.0;
/// Below this a utilisation is noise, and a quotient by it a lottery.
const LEAST_UTILISATION: f64 = 0.01;

impl UtilisationWeight {
    /// Takes in a poll that found the share `utilisation` of the CPU in use, and the sums at that time.
    pub(crate) fn polled(&self, utilisation: f64, totals: Totals, now: Timestamp) {
        let Some((then, before)) = self.seen.lock().replace((now, totals)) else {
            return;
        };
        if let Some(weight) = weight(utilisation, before, totals, now.since(then)) {
            self.weight.store(weight as f32);
        }
    }

    /// The weight, unless too little was seen for one.
    pub(crate) fn weight(&self) -> Option<f32> {
        Some(self.weight.load()).filter(|weight| *weight > 0.0)
    }
}

/// The weight after one window; `None` when nothing was sent in it, or the figure is missing.
fn weight(utilisation: f64, before: Totals, after: Totals, window: Duration) -> Option<f64> {
    let requests = after.requests.saturating_sub(before.requests) as f64;
    let errors = after.errors.saturating_sub(before.errors) as f64;
    let qps = requests / window.as_secs_f64();
    // NaN, a figure that is missing, makes a weight that is none.
    let used = utilisation.clamp(LEAST_UTILISATION, 1.0) + errors / requests * ERROR_PENALTY;
    Some(qps / used).filter(|weight| weight.is_finite() && *weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weight after polls of (utilisation, requests so far, errors so far), a second apart.
    #[track_caller]
    fn check(polls: &[(f64, u64, u64)], expected: Option<f32>) {
        let weight = UtilisationWeight::default();
        for (second, (utilisation, requests, errors)) in polls.iter().enumerate() {
            let totals = Totals {
                requests: *requests,
                errors: *errors,
                ..Totals::default()
            };
            weight.polled(*utilisation, totals, Timestamp::from_seconds(100.0 + second as f64));
        }
        assert_eq!(weight.weight(), expected);
    }

    #[test]
    fn a_backend_that_does_more_with_less_weighs_more() {
        check(&[(0.5, 0, 0)], None);
        check(&[(0.5, 0, 0), (0.5, 100, 0)], Some(200.0));
        check(&[(0.5, 0, 0), (0.25, 100, 0)], Some(400.0));
        check(&[(0.5, 0, 0), (f64::NAN, 100, 0)], None);
    }

    #[test]
    fn errors_count_as_utilisation() {
        check(&[(0.5, 0, 0), (0.5, 100, 50)], Some(100.0));
    }

    #[test]
    fn the_last_poll_counts_unless_nothing_was_sent() {
        check(&[(0.5, 0, 0), (0.5, 100, 0), (0.5, 300, 0)], Some(400.0));
        check(&[(0.5, 0, 0), (0.5, 100, 0), (0.5, 100, 0)], Some(200.0));
    }
}
