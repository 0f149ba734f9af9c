//! Whether the gateway should be sent traffic.

use std::time::Duration;

use crate::admin::Admin;
use crate::generation::Generation;
use crate::pool::HealthState;
use crate::units::Timestamp;

/// Why the gateway should not be sent traffic; `None` when it should.
pub(super) fn why_not_ready(admin: &Admin, now: Timestamp) -> Option<String> {
    if !admin.telemetry.is_started() {
        return Some("starting".to_owned());
    }
    if admin.telemetry.is_draining() {
        return Some("draining".to_owned());
    }
    let generation = admin.current.take();
    let waited = now.since(admin.started);
    unprobed_pool(&generation, waited).map(|pool| format!("pool `{pool}` has not been probed yet"))
}

/// A pool with a backend that nobody has probed yet, unless its first round should long be over.
fn unprobed_pool(generation: &Generation, waited: Duration) -> Option<&str> {
    let pools = generation.pools.iter().zip(&generation.config.pools);
    let mut waiting = pools.filter(|(served, config)| {
        let patience = config
            .health_check
            .as_ref()
            .map_or(Duration::ZERO, |check| check.interval + check.timeout);
        let unknown = |member: &crate::pool::Member| member.backend.state() == HealthState::Unknown;
        waited < patience && served.pool.members().iter().any(unknown)
    });
    waiting.next().map(|(served, _)| served.pool.name())
}
