//! The requests between a gateway and its backends.

use crate::pool::Verdict;
use crate::simulation::gateway::Departure;

/// A request between its gateway and its return there.
pub(super) struct Flight {
    pub(super) departure: Departure,
    /// Its position among the world's requests.
    pub(super) request: usize,
    pub(super) verdict: Verdict,
}

/// The flights under way, by numbers that are used again.
#[derive(Default)]
pub(super) struct Flights {
    places: Vec<Option<Flight>>,
    free: Vec<usize>,
}

impl Flights {
    pub(super) fn begin(&mut self, flight: Flight) -> usize {
        if let Some(id) = self.free.pop() {
            self.places[id] = Some(flight);
            return id;
        }
        self.places.push(Some(flight));
        self.places.len() - 1
    }

    pub(super) fn get_mut(&mut self, id: usize) -> Option<&mut Flight> {
        self.places.get_mut(id)?.as_mut()
    }

    pub(super) fn end(&mut self, id: usize) -> Option<Flight> {
        let flight = self.places.get_mut(id)?.take()?;
        self.free.push(id);
        Some(flight)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}
