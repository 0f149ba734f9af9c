//! Whether a backend is fit to serve: a small machine over probes and results, without a clock.
//!
//! Two judges stand beside each other. Active probes make a backend up or down by results in a row. Results of real
//! requests eject it for a while: at once after a few connect failures in a row, or when the average share of errors
//! is too high. An ejection ends in probation: one request at a time until one succeeds (the half-open state of a
//! circuit breaker), and a failure there ejects for twice as long.

use std::time::Duration;

use crate::pool::HealthPolicy;
use crate::units::Timestamp;

/// Connect failures in a row that eject at once: one may be chance, three at any real rate are milliseconds.
const CONNECT_FAILURES_TO_EJECT: u32 = 3;
/// The average share of errors forgets over this many seconds ...
const ERROR_MEMORY_SECONDS: f64 = 3.0;
/// ... but every result counts at least this much, so that seven errors in a row reach one half.
const ERROR_STEP_FLOOR: f64 = 0.1;
/// ... and at most this much, so that after an idle spell a single error does not eject.
const ERROR_STEP_CEILING: f64 = 0.25;
/// Without traffic an average of errors fades, so that old news does not judge.
const ERROR_IDLE_SECONDS: f64 = 5.0;

/// What probes say of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthState {
    /// Not probed yet.
    Unknown,
    /// Answers its probes, or is not probed.
    Up,
    /// Fails its probes.
    Down,
}

/// How a health probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// As expected.
    Success,
    /// Not connected, too late, or with another status.
    Failure,
}

/// What a probe changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// The state before.
    pub from: HealthState,
    /// The state from now on.
    pub to: HealthState,
}

/// Why a result speaks against a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection could be made.
    Connect,
    /// Anything else that is the backend's fault.
    Error,
}

/// Where passive judgement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Serves.
    Good,
    /// Serves nobody until then; on probation from then on.
    Ejected {
        /// The end of the ejection.
        until: Timestamp,
    },
}

/// The memory of both judges for one backend.
#[derive(Debug)]
pub(crate) struct Health {
    state: HealthState,
    successes: u32,
    failures: u32,
    standing: Standing,
    error_rate: f64,
    connect_failures: u32,
    ejections: u32,
    last_result: Timestamp,
}

impl Health {
    pub(crate) fn new(state: HealthState) -> Self {
        Self {
            state,
            successes: 0,
            failures: 0,
            standing: Standing::Good,
            error_rate: 0.0,
            connect_failures: 0,
            ejections: 0,
            last_result: Timestamp::default(),
        }
    }

    pub(crate) fn state(&self) -> HealthState {
        self.state
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing
    }

    /// Starts over with active probes (`Unknown`) or without them (`Up`), as a changed policy asks.
    pub(crate) fn set_probed(&mut self, probed: bool) {
        match (probed, self.state) {
            (false, _) => self.state = HealthState::Up,
            (true, HealthState::Up) if self.successes == 0 => self.state = HealthState::Unknown,
            (true, _) => {}
        }
    }

    /// Takes in a probe. The first one decides at once what nothing was known about.
    pub(crate) fn probed(&mut self, probe: ProbeResult, policy: &HealthPolicy) -> Option<HealthChange> {
        match probe {
            ProbeResult::Success => (self.successes, self.failures) = (self.successes.saturating_add(1), 0),
            ProbeResult::Failure => (self.successes, self.failures) = (0, self.failures.saturating_add(1)),
        }
        let known = self.state != HealthState::Unknown;
        let next = match probe {
            ProbeResult::Success if !known || self.successes >= policy.healthy_threshold => HealthState::Up,
            ProbeResult::Failure if !known || self.failures >= policy.unhealthy_threshold => HealthState::Down,
            _ => self.state,
        };
        let from = std::mem::replace(&mut self.state, next);
        (from != next).then_some(HealthChange { from, to: next })
    }

    /// Takes in the result of an attempt, ejecting if `may_eject` allows; says whether the standing changed.
    pub(crate) fn concluded(
        &mut self,
        failure: Option<Failure>,
        policy: &HealthPolicy,
        may_eject: impl FnOnce() -> bool,
        now: Timestamp,
    ) -> bool {
        self.error_rate = self.error_rate_after(failure.is_some(), now);
        self.last_result = now;
        match failure {
            None => self.connect_failures = 0,
            Some(Failure::Connect) => self.connect_failures += 1,
            Some(Failure::Error) => {}
        }
        match self.standing {
            Standing::Ejected { until } if now < until => false,
            Standing::Ejected { .. } if failure.is_none() => self.readmit(),
            Standing::Ejected { .. } => self.eject(policy, now),
            Standing::Good if self.is_outlier(policy) && may_eject() => self.eject(policy, now),
            Standing::Good => false,
        }
    }

    fn is_outlier(&self, policy: &HealthPolicy) -> bool {
        self.connect_failures >= CONNECT_FAILURES_TO_EJECT || self.error_rate > policy.error_rate.fraction()
    }

    fn eject(&mut self, policy: &HealthPolicy, now: Timestamp) -> bool {
        let doubled = policy.base_ejection_time.saturating_mul(1 << self.ejections.min(16));
        self.ejections += 1;
        self.standing = Standing::Ejected {
            until: now.plus(doubled.min(policy.max_ejection_time)),
        };
        true
    }

    fn readmit(&mut self) -> bool {
        self.standing = Standing::Good;
        self.error_rate = 0.0;
        self.ejections = 0;
        true
    }

    fn error_rate_after(&self, is_error: bool, now: Timestamp) -> f64 {
        let idle = now.since(self.last_result).as_secs_f64();
        let step = (1.0 - libm::exp(-idle / ERROR_MEMORY_SECONDS)).clamp(ERROR_STEP_FLOOR, ERROR_STEP_CEILING);
        let faded = self.error_rate * libm::exp(-idle / ERROR_IDLE_SECONDS);
        faded + step * (f64::from(u8::from(is_error)) - faded)
    }
}

/// The weight factor of a backend that came back `ago`: from a tenth to one over `slow_start`.
#[must_use]
pub(crate) fn slow_start_factor(ago: Duration, slow_start: Duration) -> f64 {
    const FIRST_SHARE: f64 = 0.1;
    if ago >= slow_start {
        return 1.0;
    }
    FIRST_SHARE + (1.0 - FIRST_SHARE) * ago.as_secs_f64() / slow_start.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Share;

    fn policy() -> HealthPolicy {
        HealthPolicy {
            probed: true,
            healthy_threshold: 2,
            unhealthy_threshold: 3,
            error_rate: Share::HALF,
            max_ejection: Share::HALF,
            base_ejection_time: Duration::from_secs(1),
            max_ejection_time: Duration::from_secs(10),
            panic_threshold: Share::HALF,
            slow_start: Duration::from_secs(10),
        }
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(1000.0 + seconds)
    }

    /// Feeds probes written as `+` and `-`, and checks the states as `?`, `u` and `d`.
    #[track_caller]
    fn check_probes(probes: &str, expected: &str) {
        let mut health = Health::new(HealthState::Unknown);
        let states: String = probes
            .chars()
            .map(|probe| {
                let result = if probe == '+' {
                    ProbeResult::Success
                } else {
                    ProbeResult::Failure
                };
                health.probed(result, &policy());
                match health.state() {
                    HealthState::Unknown => '?',
                    HealthState::Up => 'u',
                    HealthState::Down => 'd',
                }
            })
            .collect();
        assert_eq!(states, expected);
    }

    #[test]
    fn the_first_probe_decides() {
        check_probes("+", "u");
        check_probes("-", "d");
    }

    #[test]
    fn going_down_takes_three_failures_in_a_row() {
        check_probes("+--+---", "uuuuuud");
    }

    #[test]
    fn coming_up_takes_two_successes_in_a_row() {
        check_probes("-+-++", "ddddu");
    }

    fn eject_times(health: &mut Health, failure: Failure, times: u32) -> bool {
        (0..times).fold(false, |_, n| {
            health.concluded(Some(failure), &policy(), || true, at(0.001 * f64::from(n)))
        })
    }

    #[test]
    fn three_connect_failures_in_a_row_eject() {
        let mut health = Health::new(HealthState::Up);
        assert!(!eject_times(&mut health, Failure::Connect, 2));
        assert!(eject_times(&mut health, Failure::Connect, 1));
    }

    #[test]
    fn seven_errors_in_a_row_eject() {
        let mut health = Health::new(HealthState::Up);
        health.concluded(None, &policy(), || true, at(0.0));
        assert!(!eject_times(&mut health, Failure::Error, 6));
        assert!(eject_times(&mut health, Failure::Error, 1));
    }

    #[test]
    fn nothing_is_ejected_where_too_much_already_is() {
        let mut health = Health::new(HealthState::Up);
        for _ in 0..20 {
            assert!(!health.concluded(Some(Failure::Connect), &policy(), || false, at(0.0)));
        }
    }

    #[test]
    fn a_failure_on_probation_doubles_the_ejection() {
        let mut health = Health::new(HealthState::Up);
        eject_times(&mut health, Failure::Connect, 3);
        assert!(health.concluded(Some(Failure::Connect), &policy(), || true, at(2.0)));
        assert_eq!(health.standing(), Standing::Ejected { until: at(4.0) });
        assert!(health.concluded(None, &policy(), || true, at(4.5)));
        assert_eq!(health.standing(), Standing::Good);
    }

    #[test]
    fn late_results_of_older_attempts_do_not_prolong_an_ejection() {
        let mut health = Health::new(HealthState::Up);
        eject_times(&mut health, Failure::Connect, 3);
        let before = health.standing();
        assert!(!health.concluded(Some(Failure::Error), &policy(), || true, at(0.5)));
        assert_eq!(health.standing(), before);
    }

    #[test]
    fn a_returning_backend_grows_to_its_weight() {
        let ten = Duration::from_secs(10);
        assert!((slow_start_factor(Duration::ZERO, ten) - 0.1).abs() < 1e-9);
        assert!((slow_start_factor(Duration::from_secs(5), ten) - 0.55).abs() < 1e-9);
        assert!((slow_start_factor(ten, ten) - 1.0).abs() < 1e-9);
        assert!((slow_start_factor(Duration::ZERO, Duration::ZERO) - 1.0).abs() < 1e-9);
    }
}
