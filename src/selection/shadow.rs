//! A forest that is asked about every request and obeyed in none.

use std::sync::Arc;

use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::Forest;
use crate::selection::Proposal;
use crate::selection::RequestFacts;
use crate::selection::Selector;

/// Another selector's choice, with what the forest would have chosen beside it.
#[derive(Debug)]
pub struct Shadow {
    serving: Arc<dyn Selector>,
    forest: Forest,
}

impl Shadow {
    /// `serving` chooses, `forest` is noted.
    #[must_use]
    pub fn new(serving: Arc<dyn Selector>, forest: Forest) -> Self {
        Self { serving, forest }
    }
}

impl Selector for Shadow {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let choice = self.serving.select(pool, request)?;
        let judgement = self.forest.judge(pool, request, Some(choice.backend));
        let proposal = judgement.map(|judgement| Proposal {
            backend: judgement.backend,
            gain: judgement.other.map_or(0.0, |other| other - judgement.score),
        });
        Some(Choice { proposal, ..choice })
    }
}
