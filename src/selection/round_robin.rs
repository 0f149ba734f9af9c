//! Each backend in its turn, by pingora-load-balancing's own weighted round robin.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;

use pingora_load_balancing::Backend;
use pingora_load_balancing::selection::BackendIter;
use pingora_load_balancing::selection::BackendSelection;
use pingora_load_balancing::selection::RoundRobin as Weighted;

use crate::pool::BackendIndex;
use crate::pool::Member;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::RequestFacts;
use crate::selection::Selector;
use crate::units::Draws;

/// Weighted round robin.
///
/// Pingora's algorithm deals out positions; this selector passes over backends that are not eligible, and lets a
/// backend that starts slowly keep only a part of its turns.
pub struct RoundRobin {
    turns: Arc<Weighted>,
    tries: usize,
}

impl RoundRobin {
    /// Turns among `members`, by their weights.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let stand_ins: BTreeSet<Backend> = members
            .iter()
            .enumerate()
            .map(|(position, member)| stand_in(position, member))
            .collect();
        // One round by weight, then twice around: enough to meet every backend even when threads interleave.
        Self {
            turns: Arc::new(Weighted::build(&stand_ins)),
            tries: 1 + 2 * members.len(),
        }
    }
}

impl std::fmt::Debug for RoundRobin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoundRobin")
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl Selector for RoundRobin {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        let mut draws = Draws::new(request.draw);
        let mut turns = self.turns.iter(&[]);
        for _ in 0..self.tries {
            let Some(index) = turns.next().and_then(position) else {
                break;
            };
            if pool.is_eligible(index, &request.tried) && draws.fraction() < pool.warmth(index) {
                return Some(Choice::by_policy(index));
            }
        }
        pool.eligible(&request.tried).next().map(Choice::by_policy)
    }
}

/// Pingora deals in addresses, this crate in positions: a position travels as the port of an address that nobody
/// connects to.
fn stand_in(position: usize, member: &Member) -> Backend {
    let port = u16::try_from(position).unwrap_or(u16::MAX);
    Backend {
        addr: pingora::protocols::l4::socket::SocketAddr::Inet(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        weight: usize::from(member.weight.number()),
        ext: http::Extensions::new(),
    }
}

fn position(backend: &Backend) -> Option<BackendIndex> {
    backend
        .addr
        .as_inet()
        .map(|address| BackendIndex::new(usize::from(address.port())))
}
