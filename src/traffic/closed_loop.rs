//! Requests leave as soon as the previous one on their connection is answered: the most that gets through.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock;
use crate::traffic::Failure;
use crate::traffic::client::Client;
use crate::units::Draws;
use crate::units::Timestamp;

/// After a refused connection: a dead target is asked again, but not in a spin.
const CONNECT_PAUSE: Duration = Duration::from_millis(50);

/// Keeps `connections` busy until `end` with what follows from `seed`, then waits for the answers under way without
/// counting them: what gets through in a given time must not depend on how long the slowest takes.
pub(super) async fn drive(connections: usize, seed: u64, client: &Arc<Client>, end: Timestamp) {
    let mut seeds = Draws::new(seed);
    let mut busy = JoinSet::new();
    for _ in 0..connections {
        busy.spawn(keep_busy(Arc::clone(client), Draws::new(seeds.next()), end));
    }
    while busy.join_next().await.is_some() {}
}

async fn keep_busy(client: Arc<Client>, mut draws: Draws, end: Timestamp) {
    loop {
        let sent = clock::now();
        if sent >= end {
            return;
        }
        let outcome = client.ask(draws.next(), sent).await;
        let is_refused = outcome == Err(Failure::Connect);
        let answered = clock::now();
        if answered < end {
            client.record(outcome, answered.since(sent));
        }
        if is_refused {
            tokio::time::sleep(CONNECT_PAUSE).await;
        }
    }
}
