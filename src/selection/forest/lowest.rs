//! Which of the scored backends is chosen.

use crate::units::Draws;

/// The candidate with the lowest (score, in flight) of those that are offered, ties by the request's draw.
#[derive(Clone, Debug)]
pub(crate) struct Lowest {
    draws: Draws,
    best: Option<usize>,
    rank: (f32, f32),
    ties: usize,
}

impl Lowest {
    /// Nobody yet, for the request with this draw.
    pub(crate) fn new(draw: u64) -> Self {
        Self {
            draws: Draws::new(draw),
            best: None,
            rank: (f32::INFINITY, f32::INFINITY),
            ties: 0,
        }
    }

    /// Compares the candidate at `place` with the best so far.
    pub(crate) fn offer(&mut self, place: usize, rank: (f32, f32)) {
        if rank < self.rank || self.best.is_none() {
            (self.best, self.rank, self.ties) = (Some(place), rank, 1);
        } else if rank == self.rank {
            self.ties += 1;
            if self.draws.below(self.ties) == 0 {
                self.best = Some(place);
            }
        }
    }

    /// The place of the best, and its score.
    pub(crate) fn best(&self) -> Option<(usize, f32)> {
        Some((self.best?, self.rank.0))
    }

    /// How many share the first place.
    pub(crate) fn ties(&self) -> usize {
        self.ties
    }
}
