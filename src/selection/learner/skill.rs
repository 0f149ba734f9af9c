//! Whether a model's forecasts of late were any good: each is compared with what came of the very request that it was
//! made for.

use std::collections::VecDeque;

use crate::selection::Charge;

/// The newest pairs of what came and what was forecast.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Skill {
    pairs: VecDeque<(f32, f32)>,
}

/// How far back the comparison goes.
const WINDOW: usize = 3000;
/// Fewer pairs say nothing.
const FEWEST: usize = 300;
/// A forest that explains less than a twentieth of what the base score does not is more likely to err than to help.
const LEAST: f64 = 0.05;

impl Skill {
    pub(super) fn push(&mut self, label: f32, forecast: f32) {
        if self.pairs.len() == WINDOW {
            self.pairs.pop_front();
        }
        self.pairs.push_back((label, forecast));
    }

    /// 1 - MSE(label - forecast) / MSE(label), labels being centred; `None` with too few pairs.
    pub(super) fn share(&self) -> Option<f64> {
        if self.pairs.len() < FEWEST {
            return None;
        }
        let pairs = || {
            self.pairs
                .iter()
                .map(|&(label, forecast)| (f64::from(label), f64::from(forecast)))
        };
        let mean = pairs().map(|(label, _)| label).sum::<f64>() / self.pairs.len() as f64;
        let left: f64 = pairs().map(|(label, forecast)| (label - mean - forecast).powi(2)).sum();
        let all: f64 = pairs().map(|(label, _)| (label - mean).powi(2)).sum();
        Some(if all > 0.0 { 1.0 - left / all } else { 0.0 })
    }

    pub(super) fn charge(&self) -> Charge {
        match self.share() {
            None => Charge::Unproven,
            Some(share) if share < LEAST => Charge::NoSkill,
            Some(_) => Charge::InCharge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after `count` forecasts of labels that take turns at 1 and -1.
    #[track_caller]
    fn check(count: usize, forecast: impl Fn(f32) -> f32, expected: Charge) {
        let mut skill = Skill::default();
        for number in 0..count {
            let label = if number % 2 == 0 { 1.0 } else { -1.0 };
            skill.push(label, forecast(label));
        }
        assert_eq!(skill.charge(), expected, "{:?}", skill.share());
    }

    #[test]
    fn too_few_forecasts_prove_nothing() {
        check(299, |label| label, Charge::Unproven);
    }

    #[test]
    fn forecasts_that_foresee_something_are_trusted() {
        check(300, |label| 0.5 * label, Charge::InCharge);
    }

    #[test]
    fn forecasts_that_foresee_nothing_are_not() {
        check(300, |_| 0.0, Charge::NoSkill);
        check(300, |label| -label, Charge::NoSkill);
        check(300, |label| 3.0 * label, Charge::NoSkill);
    }

    #[test]
    fn old_forecasts_are_forgotten() {
        let mut skill = Skill::default();
        (0..3000).for_each(|_| skill.push(1.0, -1.0));
        for number in 0..3000 {
            let label = if number % 2 == 0 { 1.0 } else { -1.0 };
            skill.push(label, label);
        }
        assert_eq!(skill.share(), Some(1.0));
    }
}
