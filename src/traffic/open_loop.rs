//! Requests leave when the schedule says so, however many are still unanswered.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock;
use crate::traffic::Arrival;
use crate::traffic::Schedule;
use crate::traffic::client::Client;
use crate::units::Timestamp;

/// The pacer looks this often whether the run was stopped.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// Arrivals handed over at once; a pacer that waits here only adds to the latency that it causes.
const BACKLOG: usize = 1024;

/// Sends everything on `schedule` from `start` on and waits for the answers; dropped, it abandons what is under way.
pub(super) async fn drive(schedule: Schedule, client: &Arc<Client>, start: Timestamp) {
    let (sender, mut arrivals) = mpsc::channel(BACKLOG);
    tokio::task::spawn_blocking(move || pace(schedule, start, &sender));
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            arrival = arrivals.recv() => match arrival {
                Some(arrival) => requests.spawn(request(Arc::clone(client), arrival, start)),
                None => break,
            },
            Some(_finished) = requests.join_next() => continue,
        };
    }
    while requests.join_next().await.is_some() {}
}

/// Hands over each arrival at its time. A thread of its own: the runtime's timers are a millisecond coarse, which would
/// be counted as latency.
fn pace(schedule: Schedule, start: Timestamp, arrivals: &mpsc::Sender<Arrival>) {
    for arrival in schedule {
        let due = start.plus(arrival.after);
        while let Some(left) = remaining(due) {
            if arrivals.is_closed() {
                return;
            }
            thread::sleep(left.min(LONGEST_SLEEP));
        }
        if arrivals.blocking_send(arrival).is_err() {
            return;
        }
    }
}

fn remaining(due: Timestamp) -> Option<Duration> {
    let left = due.since(clock::now());
    (!left.is_zero()).then_some(left)
}

async fn request(client: Arc<Client>, arrival: Arrival, start: Timestamp) {
    let intended = start.plus(arrival.after);
    let outcome = client.ask(arrival.draw, intended).await;
    client.record(outcome, clock::now().since(intended));
}
