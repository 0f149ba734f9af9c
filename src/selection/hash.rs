//! The same backend for the same client, as long as that does not overload it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::sync::Arc;

use pingora_load_balancing::Backend;
use pingora_load_balancing::selection::BackendIter;
use pingora_load_balancing::selection::BackendSelection;
use pingora_load_balancing::selection::consistent::KetamaHashing;
use sha2::Digest;
use sha2::Sha256;

use crate::pool::BackendIndex;
use crate::pool::Member;
use crate::pool::PoolSnapshot;
use crate::selection::Choice;
use crate::selection::LeastRequests;
use crate::selection::RequestFacts;
use crate::selection::Selector;

/// Consistent hashing over the request's affinity, with bounded loads.
///
/// The ring is pingora-load-balancing's Ketama; a change of one backend moves only its own clients. A backend that
/// already has its weight's share of 1.25 times the requests in flight passes the request on along the ring (Mirrokni,
/// Thorup, Zadimoghaddam: Consistent hashing with bounded loads, SODA 2018).
pub struct Hash {
    ring: Arc<KetamaHashing>,
    /// The stand-ins on the ring and whom they stand for, in order.
    positions: Vec<(SocketAddr, BackendIndex)>,
}

/// How much more than its share a backend takes: little imbalance, and few clients that move.
const BOUND: f64 = 1.25;
/// Points of the ring that are looked at per backend before the ring is given up.
const POINTS_PER_BACKEND: usize = 8;
/// The ring has 160 points a unit of weight; beyond this sum weights are scaled down to it, 10 MB at most.
const MOST_WEIGHT: u64 = 8192;

impl Hash {
    /// A ring of `members`, by their addresses and weights.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let total: u64 = members.iter().map(|member| u64::from(member.weight.number())).sum();
        let backends: BTreeSet<Backend> = members.iter().map(|member| on_ring(member, total)).collect();
        let mut positions: Vec<_> = members
            .iter()
            .enumerate()
            .map(|(position, member)| (stand_in(member), BackendIndex::new(position)))
            .collect();
        positions.sort_unstable();
        Self {
            ring: Arc::new(KetamaHashing::build(&backends)),
            positions,
        }
    }

    fn index(&self, backend: &Backend) -> Option<BackendIndex> {
        let address = backend.addr.as_inet()?;
        let at = self
            .positions
            .binary_search_by_key(address, |position| position.0)
            .ok()?;
        self.positions.get(at).map(|position| position.1)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hash")
            .field("positions", &self.positions)
            .finish_non_exhaustive()
    }
}

impl Selector for Hash {
    fn select(&self, pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Option<Choice> {
        // A request that belongs to nobody may go anywhere.
        let key = request.affinity.unwrap_or(request.draw);
        let bound = Bound::of(pool, request);
        let mut points = self.ring.iter(&key.to_le_bytes());
        for _ in 0..POINTS_PER_BACKEND * self.positions.len() {
            let Some(index) = points.next().and_then(|backend| self.index(backend)) else {
                break;
            };
            if pool.is_eligible(index, &request.tried) && bound.admits(pool, index) {
                return Some(Choice::by_policy(index));
            }
        }
        LeastRequests::of_all().select(pool, request)
    }
}

/// How much each backend may have in flight.
struct Bound {
    /// Requests in flight per weight when all is balanced, times the bound.
    per_weight: f64,
}

impl Bound {
    fn of(pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Self {
        let add = |(requests, weights): (f64, f64), index| {
            (
                requests + f64::from(pool.in_flight(index)),
                weights + pool.relative_weight(index),
            )
        };
        let (requests, weights) = pool.eligible(&request.tried).fold((1.0, 0.0), add);
        Self {
            per_weight: BOUND * requests / weights,
        }
    }

    fn admits(&self, pool: &PoolSnapshot<'_>, index: BackendIndex) -> bool {
        let most = (self.per_weight * pool.relative_weight(index)).ceil();
        f64::from(pool.in_flight(index)) < most
    }
}

fn on_ring(member: &Member, total: u64) -> Backend {
    let weight = u64::from(member.weight.number());
    let scaled = if total > MOST_WEIGHT {
        (weight * MOST_WEIGHT / total).max(1)
    } else {
        weight
    };
    Backend {
        addr: pingora::protocols::l4::socket::SocketAddr::Inet(stand_in(member)),
        weight: scaled as usize,
        ext: http::Extensions::new(),
    }
}

/// The ring takes IP addresses only, and a backend may have a name: an address made of a hash of what the
/// configuration calls it, which nobody connects to. So a place on the ring stays when a name is resolved anew.
fn stand_in(member: &Member) -> SocketAddr {
    let digest: [u8; 32] = Sha256::digest(member.backend.address().as_bytes()).into();
    let (address, _) = digest.split_first_chunk::<16>().expect("a digest has 32 bytes");
    SocketAddr::from((Ipv6Addr::from(*address), 1))
}
