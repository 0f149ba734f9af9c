//! A request departs: a snapshot is taken, a backend chosen, an attempt begun, a peer handed to Pingora.

use std::time::Duration;

use pingora::Result;
use pingora::upstreams::peer::HttpPeer;
use pingora::upstreams::peer::PeerOptions;
use pingora_proxy::Session;

use crate::config::Timeouts;
use crate::proxy::context::Context;
use crate::proxy::status_error;
use crate::proxy::upgrade;
use crate::units::Draws;
use crate::units::Timestamp;

/// Chooses a backend for the next attempt, counts it in flight, and says how to reach it.
pub(super) fn depart(session: &Session, context: &mut Context, now: Timestamp) -> Result<Box<HttpPeer>> {
    let facts = context.facts();
    let none_left = context.failure_status().unwrap_or(503);
    let served = context
        .pool()
        .ok_or_else(|| status_error(500, "the request has no pool"))?;
    let snapshot = served.pool.snapshot(now);
    let choice = served
        .selector
        .select(&snapshot, &facts)
        .ok_or_else(|| status_error(none_left, "no backend is left"))?;
    let lesson = served.note(&snapshot, &facts, &choice);
    let decision = served.keep(&snapshot, &facts, &choice);
    // A selector from elsewhere may name what does not exist; that must not become a panic.
    let (attempt, address) = served
        .pool
        .begin(choice.backend, facts.route_class, now)
        .zip(served.address(choice.backend))
        .ok_or_else(|| status_error(500, "the selector named a backend that does not exist"))?;
    served.decided(&choice);
    let mut peer = Box::new(HttpPeer::new(address, false, String::new()));
    peer.group_key = pool_key(served.pool.name());
    set_timeouts(
        &mut peer.options,
        &context.config().timeouts,
        time_left(session, context, now),
    );
    if upgrade::is_asked_for(session) {
        upgrade::prepare(&mut peer);
    }
    context.begin(attempt, lesson, decision);
    Ok(peer)
}

fn set_timeouts(options: &mut PeerOptions, timeouts: &Timeouts, left: Duration) {
    options.connection_timeout = Some(timeouts.connect);
    options.total_connection_timeout = Some(timeouts.connect);
    // Waiting for a header may take what is left of the request's time, but never longer than bytes may stay away.
    options.read_timeout = Some(timeouts.idle.min(left));
    options.write_timeout = Some(timeouts.idle);
    options.idle_timeout = Some(timeouts.idle);
}

/// What is left of the request's time: at least a tick, since it is still wanted; without end for an upgrade.
fn time_left(session: &Session, context: &Context, now: Timestamp) -> Duration {
    if session.is_upgrade_req() {
        Duration::MAX
    } else {
        context.time_left(now).max(Duration::from_millis(1))
    }
}

/// Pools do not share connections: what one pool asks of a connection (a CA, say) is not part of Pingora's own key.
fn pool_key(name: &str) -> u64 {
    name.bytes()
        .fold(0, |key, byte| Draws::new(key ^ u64::from(byte)).next())
}
