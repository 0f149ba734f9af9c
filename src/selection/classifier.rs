//! The paper's policy: a random forest over the polled figures of all backends names the one that serves until the
//! next poll.
//!
//! It reproduces the paper and stays a baseline. Between two polls everything goes to one backend, so at any real
//! load it herds: the backend that looked idle drowns before the next look, and the other stands idle. Use
//! `least_requests` where that matters.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::forest::Model;
use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::ModelSlot;
use crate::selection::Reason;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::selection::SelectorContext;

/// Backends that a model can tell apart; a joint row of this many is kept on the stack.
const MAX_BACKENDS: usize = 64;
/// Figures of one backend in a joint row: cpu, ram, bytes sent, bytes received.
const FIGURES: usize = 4;

/// The paper's classifier; see the module. Names nobody where it has no word of the model, or the winner is not
/// eligible.
#[derive(Debug)]
pub struct Classifier {
    model: Arc<ModelSlot>,
    /// The backends in the order of their ordinals: data sets and models call them by these.
    order: Box<[BackendIndex]>,
    /// The round that the last vote was taken in, times 2^16, plus the winner's position plus one; see [`pack`].
    last_vote: AtomicU64,
}

impl Classifier {
    /// The classifier of a pool.
    #[must_use]
    pub fn new(context: &SelectorContext<'_>) -> Self {
        let mut order: Vec<usize> = (0..context.members.len()).collect();
        order.sort_by_key(|position| context.members.get(*position).map(|member| member.backend.ordinal()));
        Self {
            model: Arc::clone(context.model),
            order: order.into_iter().map(BackendIndex::new).collect(),
            last_vote: AtomicU64::new(0),
        }
    }

    /// The winner of this round: one vote a poll, whoever asks first takes it for everybody.
    fn winner(&self, pool: &PoolSnapshot<'_>) -> Option<BackendIndex> {
        let round = pool.metrics_round();
        // Relaxed: round and winner travel in one word.
        let (voted, winner) = unpack(self.last_vote.load(Ordering::Relaxed));
        if voted == round & ROUND_MASK && winner.is_some() {
            return winner;
        }
        let winner = self.model.with(|model| model.and_then(|model| self.vote(model, pool)));
        self.last_vote.store(pack(round, winner), Ordering::Relaxed);
        winner
    }

    /// The model's word on the figures of the last poll; `None` when it was made for another number of backends or a
    /// backend's figures are missing or older than three polls.
    fn vote(&self, model: &Model, pool: &PoolSnapshot<'_>) -> Option<BackendIndex> {
        model.check_pool(self.order.len()).ok()?;
        let mut row = [f32::NAN; MAX_BACKENDS * FIGURES];
        let joint = row.get_mut(..self.order.len() * FIGURES)?;
        for (index, figures) in self.order.iter().zip(joint.chunks_exact_mut(FIGURES)) {
            let it = pool.fresh_metrics(*index)?;
            figures.copy_from_slice(&[it.cpu_percent, it.ram_percent, it.bytes_sent, it.bytes_recv]);
        }
        self.order.get(model.vote(joint)).copied()
    }
}

impl Selector for Classifier {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let winner = self.winner(pool)?;
        let may_serve = pool.is_eligible(winner, &request.tried);
        may_serve.then(|| Choice::new(winner, Reason::Model))
    }
}

const ROUND_MASK: u64 = u64::MAX >> 16;

fn pack(round: u64, winner: Option<BackendIndex>) -> u64 {
    let winner = winner.map_or(0, |index| index.position() as u64 + 1);
    (round & ROUND_MASK) << 16 | winner & 0xffff
}

fn unpack(word: u64) -> (u64, Option<BackendIndex>) {
    let winner = (word & 0xffff) as usize;
    (word >> 16, winner.checked_sub(1).map(BackendIndex::new))
}
