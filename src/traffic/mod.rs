//! The traffic client: seeded requests at a rate that does not wait for the answers, measured as a user would.
//!
//! **Open loop**: arrival times and routes follow from the seed alone, and latency counts from the moment a request was
//! meant to be sent. A gateway that stalls therefore pays for every request that it kept waiting, also for those that a
//! polite client would not have sent. **Closed loop**: a fixed number of connections, each sending its next request as
//! soon as it has an answer; it measures the most that gets through, and its latencies are those of a full queue.
//!
//! In the order of a request: [`Schedule`] says when, [`Mix`] says what, `connections` finds a connection, `exchange`
//! sends and reads, [`Summary`] holds what came of it. Redirects are not followed, cookies are not kept.

mod client;
mod closed_loop;
mod connections;
mod exchange;
mod failure;
pub mod json;
mod mix;
mod open_loop;
mod schedule;
mod summary;
mod target;
#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use failure::Failures;
pub use mix::InvalidPath;
pub use mix::Mix;
pub use schedule::Arrival;
pub use schedule::Arrivals;
pub use schedule::Rate;
pub use schedule::Schedule;
pub use summary::Latencies;
pub use summary::Pulse;
pub use summary::Summary;
#[cfg(test)]
pub(crate) use summary::summary_of;
pub use target::InvalidUrl;
pub use target::Target;
pub use target::TargetError;
pub use target::Url;

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::traffic::client::Client;
use crate::units::Timestamp;

/// Between two calls of the progress function.
const PULSE_PERIOD: Duration = Duration::from_secs(1);
/// Less says little of a rate; not half a second, since a run of 2.5 s would have it or not by chance.
const SHORTEST_PULSE: Duration = Duration::from_millis(300);

/// What to send, where, how and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who is asked.
    pub target: Target,
    /// How requests follow each other.
    pub load: Load,
    /// How long requests are sent; the last answers of an open loop may come later.
    pub duration: Duration,
    /// Decides every arrival time and every route.
    pub seed: u64,
    /// What is asked for.
    pub mix: Mix,
    /// Connections at most; beyond it requests wait, and the wait counts into their latency.
    pub max_connections: usize,
    /// The longest a request may take from its intended time to the end of its answer.
    pub timeout: Duration,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// At a rate, whether or not the earlier ones are answered.
    Open {
        /// Requests per second on average.
        rate: Rate,
        /// How the arrivals are spread.
        arrivals: Arrivals,
    },
    /// On each of so many connections as soon as its previous one is answered; `Plan::max_connections` does not apply.
    Closed {
        /// How many requests are under way at any time.
        connections: usize,
    },
}

/// Carries `plan` out and says what came of it; ends early, without waiting for answers, when `stop` completes.
///
/// `progress` is called about once a second, and at the end for a rest that is long enough. Failures are counted, never logged: a dead target gives a summary full of
/// [`Failure::Connect`]; [`Target::resolve`] finds that out beforehand.
pub async fn run(plan: &Plan, stop: impl Future<Output = ()>, mut progress: impl FnMut(&Pulse)) -> Summary {
    let client = Arc::new(Client::new(plan));
    let start = clock::now();
    let pulsed_at = Cell::new(start);
    let ended_at = tokio::select! {
        ended_at = drive(plan, &client, start) => ended_at,
        never = watch(&client, start, &pulsed_at, &mut progress) => match never {},
        () = stop => clock::now(),
    };
    let (elapsed, rest) = (ended_at.since(start), ended_at.since(pulsed_at.get()));
    if rest >= SHORTEST_PULSE {
        progress(&client.pulse(elapsed, rest));
    }
    client.summary(elapsed)
}

/// Sends everything; the moment up to which its answers count.
async fn drive(plan: &Plan, client: &Arc<Client>, start: Timestamp) -> Timestamp {
    let end = start.plus(plan.duration);
    match plan.load {
        Load::Open { rate, arrivals } => {
            let schedule = Schedule::new(rate, arrivals, plan.duration, plan.seed);
            open_loop::drive(schedule, client, start).await;
            tokio::time::sleep(end.since(clock::now())).await;
            clock::now()
        }
        Load::Closed { connections } => {
            closed_loop::drive(connections, plan.seed, client, end).await;
            end
        }
    }
}

/// The loop behind the live figures; it ends with the run it watches.
async fn watch(
    client: &Client,
    start: Timestamp,
    pulsed_at: &Cell<Timestamp>,
    progress: &mut impl FnMut(&Pulse),
) -> Infallible {
    let mut ticks = tokio::time::interval(PULSE_PERIOD);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = clock::now();
        progress(&client.pulse(now.since(start), now.since(pulsed_at.get())));
        pulsed_at.set(now);
    }
}
