//! Requests leave as soon as the previous one on their connection is answered: the most that gets through.

use crate::clock;
use crate::clock::Draws;
use crate::traffic::Failure;
use crate::traffic::client::Client;
use crate::units::Timestamp;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// After a refused connection: a dead target is asked again, but not in a spin.
const CONNECT_PAUSE: Duration = Duration::from_millis(50);

/// Keeps `connections` busy until `end`, then waits for the answers under way without counting them: a rate of what
/// was answered within a time must not depend on how long the slowest takes.
pub(super) async fn drive(connections: usize, client: &Arc<Client>, end: Timestamp) {
    let sequence = Arc::new(AtomicU64::new(0));
    let mut requests = JoinSet::new();
    for _ in 0..connections {
        requests.spawn(keep_busy(Arc::clone(client), Arc::clone(&sequence), end));
    }
    while requests.join_next().await.is_some() {}
}

async fn keep_busy(client: Arc<Client>, sequence: Arc<AtomicU64>, end: Timestamp) {
    let draws = Draws::seeded(client.seed);
    loop {
        let sent = clock::now();
        if sent >= end {
            return;
        }
        // Relaxed: the number only has to be another one each time.
        let outcome = client
            .ask(draws.draw(sequence.fetch_add(1, Ordering::Relaxed)), sent)
            .await;
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
