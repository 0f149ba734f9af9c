//! A second selector for when the first one cannot tell.

use std::sync::Arc;

use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::Reason;
use crate::selection::RequestFacts;
use crate::selection::Selector;

/// Asks `fallback` where `selector` names nobody, which is also what one says whose model cannot be used.
#[derive(Debug)]
pub struct Fallback<S> {
    selector: S,
    fallback: Arc<dyn Selector>,
}

impl<S: Selector> Fallback<S> {
    /// `selector`, or else `fallback`.
    #[must_use]
    pub fn new(selector: S, fallback: Arc<dyn Selector>) -> Self {
        Self { selector, fallback }
    }
}

impl<S: Selector> Selector for Fallback<S> {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let second = || {
            Some(Choice {
                reason: Reason::Fallback,
                ..self.fallback.select(pool, request)?
            })
        };
        self.selector.select(pool, request).or_else(second)
    }
}
