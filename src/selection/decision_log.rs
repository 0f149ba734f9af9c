//! Which decisions are kept with what they rest on, and where they wait to be written.
//!
//! Attempts are taken by chance alone, never by their outcome, as a notebook takes them; but a notebook keeps what is
//! learned from and this what can be explained: all candidates, and the model that scored them.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::counters::Counter;
use crate::forest::Model;
use crate::forest::Rows;
use crate::pool::BackendIndex;
use crate::pool::Outcome;
use crate::pool::Pool;
use crate::pool::PoolSnapshot;
use crate::selection::Charge;
use crate::selection::Choice;
use crate::selection::ModelSlot;
use crate::selection::RequestFacts;
use crate::selection::Sight;
use crate::selection::View;
use crate::selection::forest;
use crate::selection::ranker_view;
use crate::units::Draws;
use crate::units::Share;
use crate::units::Timestamp;

/// Decisions that wait for a writer; with none to take them, older ones stay and newer ones are dropped.
const MOST_WAITING: usize = 2048;
/// Sets these draws apart from those that the choice was made with, and from a notebook's.
const SALT: u64 = 0x2b8e_53f0_96d4_1c7a;

/// Takes a share of a pool's decisions.
#[derive(Clone, Debug)]
pub struct DecisionLog {
    /// Attempts whose draw is below are taken.
    below: u64,
    queue: Arc<DecisionQueue>,
}

/// Where settled decisions wait, and what has become of all of them so far.
#[derive(Debug, Default)]
pub struct DecisionQueue {
    waiting: Mutex<Vec<Settled>>,
    /// Decisions that were written.
    pub written: Counter,
    /// Decisions that were dropped because too many were waiting.
    pub dropped: Counter,
    /// Decisions that could not be written.
    pub unwritten: Counter,
}

/// A decision, and all that it rests on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// When it was made.
    pub at: Timestamp,
    /// The pool, as it was.
    pub pool: Arc<Pool>,
    /// What was known of the request.
    pub request: RequestFacts,
    /// What was chosen.
    pub choice: Choice,
    /// Whether the forest was in charge.
    pub charge: Charge,
    /// The model, if it was.
    pub model: Option<Arc<Model>>,
    /// What that model sees.
    pub view: View,
    /// The backends that the forest selector looks at, in order.
    pub candidates: Vec<(BackendIndex, Sight)>,
}

/// What a decision is remembered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occasion {
    /// The request's number, as the log and the answers have it.
    pub request: u64,
    /// The route that it took.
    pub route: String,
}

/// A decision whose attempt is over.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The decision.
    pub decision: Box<Decision>,
    /// What it is remembered by.
    pub occasion: Occasion,
    /// What became of it; `None` when the request began anew, because a kept connection was found closed.
    pub outcome: Option<Outcome>,
}

impl DecisionLog {
    /// Takes `share` of the attempts, into `queue`.
    #[must_use]
    pub fn new(share: Share, queue: Arc<DecisionQueue>) -> Self {
        Self {
            // `as` saturates: all of them is as good as 2^64.
            below: (share.fraction() * 2_f64.powi(64)) as u64,
            queue,
        }
    }

    /// Where its decisions wait.
    #[must_use]
    pub fn queue(&self) -> &Arc<DecisionQueue> {
        &self.queue
    }

    /// Whether an attempt with this draw is taken.
    #[must_use]
    pub fn takes(&self, draw: u64) -> bool {
        Draws::new(draw ^ SALT).next() < self.below
    }

    /// Enters a decision whose attempt is over. Never waits for a disk.
    pub fn settle(&self, settled: Settled) {
        let mut waiting = self.queue.waiting.lock();
        if waiting.len() < MOST_WAITING {
            waiting.push(settled);
        } else {
            self.queue.dropped.increment();
        }
    }
}

impl DecisionQueue {
    /// Takes out everything that waits.
    #[must_use]
    pub fn drain(&self) -> Vec<Settled> {
        std::mem::take(&mut *self.waiting.lock())
    }
}

impl Decision {
    /// What `choice` among the backends of `pool`, whose `snapshot` it was made from, rests on. To be called before the
    /// attempt begins.
    #[must_use]
    pub fn new(
        pool: &Arc<Pool>,
        snapshot: &PoolSnapshot<'_>,
        request: &RequestFacts,
        choice: &Choice,
        model: &ModelSlot,
    ) -> Self {
        let charge = model.charge();
        let model = model.current().filter(|_| charge == Charge::InCharge);
        let view = model.as_deref().and_then(ranker_view).unwrap_or(View::Alone);
        let candidates = forest::candidates(snapshot, request);
        let mut rows = Rows::new(view.names().len(), candidates.len());
        view.fill(snapshot, request, &candidates, &mut rows);
        let sight = |(place, index): (usize, BackendIndex)| Sight {
            weight: snapshot.relative_weight(index) as f32,
            features: rows.row(place)[..view.names().len()].to_vec(),
        };
        Self {
            at: snapshot.now(),
            pool: Arc::clone(pool),
            request: *request,
            choice: *choice,
            charge,
            model,
            view,
            candidates: candidates
                .iter()
                .copied()
                .zip(candidates.iter().copied().enumerate().map(sight))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::tests::NOW;
    use crate::selection::tests::pool;
    use crate::selection::tests::request;

    fn settled() -> Settled {
        let pool = pool(&[1, 3]);
        let choice = Choice::by_policy(BackendIndex::new(1));
        let decision = Decision::new(&pool, &pool.snapshot(NOW), &request(1), &choice, &ModelSlot::default());
        Settled {
            decision: Box::new(decision),
            occasion: Occasion::default(),
            outcome: None,
        }
    }

    #[test]
    fn the_share_of_the_attempts_is_taken_by_their_draws() {
        let count = |percent: f64| {
            let log = DecisionLog::new(Share::new(percent / 100.0).unwrap(), Arc::default());
            (0..10_000)
                .filter(|sequence| log.takes(request(*sequence).draw))
                .count()
        };
        assert_eq!((count(0.0), count(100.0)), (0, 10_000));
        assert!((80..120).contains(&count(1.0)), "{}", count(1.0));
    }

    #[test]
    fn every_candidate_is_kept_with_its_weight() {
        let weights: Vec<f32> = settled().decision.candidates.iter().map(|it| it.1.weight).collect();
        assert_eq!(weights, [0.5, 1.5]);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_dropped_is_counted() {
        let log = DecisionLog::new(Share::HALF, Arc::default());
        let settled = settled();
        for _ in 0..MOST_WAITING + 3 {
            log.settle(settled.clone());
        }
        assert_eq!(log.queue().dropped.count(), 3);
        assert_eq!(log.queue().drain().len(), MOST_WAITING);
        assert!(log.queue().drain().is_empty());
    }
}
