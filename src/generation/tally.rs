//! What the selectors of a pool have decided.

use crate::counters::Counter;
use crate::selection::Choice;
use crate::selection::Proposal;
use crate::selection::Reason;

/// What the selectors of one type have decided for a pool.
#[derive(Debug)]
pub struct Tally {
    /// The name of the selector's type.
    pub selector: String,
    by_reason: [Counter; Reason::ALL.len()],
    agreed: Counter,
    disagreed: Counter,
    /// Millionths of a unit.
    gain: Counter,
}

/// What a selector would have done that was only asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Proposals {
    /// How often it named the backend that was chosen.
    pub agreed: u64,
    /// How often it named another.
    pub disagreed: u64,
    /// By how much it thinks that its own would have been better in all, in ln of latency.
    pub gain: f64,
}

const MILLION: f64 = 1e6;

impl Tally {
    pub(super) fn new(selector: &str) -> Self {
        Self {
            selector: selector.to_owned(),
            by_reason: Default::default(),
            agreed: Counter::default(),
            disagreed: Counter::default(),
            gain: Counter::default(),
        }
    }

    /// Decisions with `reason`.
    #[must_use]
    pub fn decisions(&self, reason: Reason) -> u64 {
        self.by_reason.get(reason as usize).map_or(0, Counter::count)
    }

    /// What was proposed beside them.
    #[must_use]
    pub fn proposals(&self) -> Proposals {
        Proposals {
            agreed: self.agreed.count(),
            disagreed: self.disagreed.count(),
            gain: self.gain.count() as f64 / MILLION,
        }
    }

    pub(super) fn count(&self, choice: &Choice) {
        if let Some(counter) = self.by_reason.get(choice.reason as usize) {
            counter.increment();
        }
        if let Some(proposal) = choice.proposal {
            self.compare(choice, proposal);
        }
    }

    fn compare(&self, choice: &Choice, proposal: Proposal) {
        if proposal.backend == choice.backend {
            &self.agreed
        } else {
            &self.disagreed
        }
        .increment();
        // `as` makes nothing of what is negative or no number.
        self.gain.add((f64::from(proposal.gain) * MILLION) as u64);
    }
}

impl Proposals {
    /// The part of them that named the backend that was chosen; `None` when there were none.
    #[must_use]
    pub fn agreement(&self) -> Option<f64> {
        let all = self.agreed + self.disagreed;
        (all > 0).then(|| self.agreed as f64 / all as f64)
    }

    /// The part of the latency that would have been saved, as the selector thinks; `None` when it was not asked.
    #[must_use]
    pub fn estimated_gain(&self) -> Option<f64> {
        let all = self.agreed + self.disagreed;
        (all > 0).then(|| 1.0 - (-self.gain / all as f64).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::BackendIndex;

    #[test]
    fn proposals_are_compared_with_what_was_done() {
        let tally = Tally::new("forest");
        let chosen = BackendIndex::new(1);
        for (backend, gain) in [(1, 0.0), (0, 0.2), (2, 0.6), (1, 0.0)] {
            let proposal = Some(Proposal {
                backend: BackendIndex::new(backend),
                gain,
            });
            tally.count(&Choice {
                proposal,
                ..Choice::by_policy(chosen)
            });
        }
        let proposals = tally.proposals();
        assert_eq!((proposals.agreed, proposals.disagreed), (2, 2));
        assert_eq!(proposals.agreement(), Some(0.5));
        assert!((proposals.gain - 0.8).abs() < 1e-5);
        assert!((proposals.estimated_gain().unwrap() - 0.181).abs() < 1e-3);
        assert_eq!(tally.decisions(Reason::Policy), 4);
    }

    #[test]
    fn without_proposals_there_is_nothing_to_compare() {
        let tally = Tally::new("p2c");
        tally.count(&Choice::by_policy(BackendIndex::new(0)));
        assert_eq!(tally.proposals(), Proposals::default());
        assert_eq!(
            (tally.proposals().agreement(), tally.proposals().estimated_gain()),
            (None, None)
        );
    }
}
