//! The threads that do the shop's work, as many and as fast as its cores, with a bounded queue before them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::TrySendError;
use std::sync::mpsc::sync_channel;
use std::thread;

use axum::response::Response;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::clock;
use crate::demo::cores::Account;
use crate::demo::cores::Slot;
use crate::demo::cores::Work;
use crate::demo::cores::thread_cpu_time;
use crate::demo::shop::pages::Problem;
use crate::demo::shop::store::Store;
use crate::units::Timestamp;

/// Requests that may wait; the next one is refused. At 2 ms each, a core has half a second of work in hand by then.
const QUEUE: usize = 256;

/// What a worker does with its store.
type Task = Box<dyn FnOnce(&mut Store) -> Response + Send>;

/// A queue with workers behind it. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    queue: SyncSender<Job>,
}

struct Job {
    queued_at: Timestamp,
    task: Task,
    reply: oneshot::Sender<Response>,
}

impl Workers {
    /// One worker per slot of `account`'s machine, each with a store from `stores`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(account: &Arc<Account>, stores: Vec<Store>) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for (number, store) in stores.into_iter().enumerate() {
            let (jobs, account) = (Arc::clone(&jobs), Arc::clone(account));
            thread::Builder::new()
                .name("shop-worker".to_owned())
                .spawn(move || work(&jobs, store, &account, number))?;
        }
        Ok(Self { queue })
    }

    /// Has `task` done when its turn comes.
    ///
    /// # Errors
    /// `Full` when too many wait, `Closed` when no worker is left.
    pub(super) async fn run(&self, task: Task) -> Result<Response, Problem> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            queued_at: clock::now(),
            task,
            reply,
        };
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Problem::Full,
            TrySendError::Disconnected(_) => Problem::Closed,
        })?;
        answer.await.map_err(|_| Problem::Closed)
    }
}

/// One worker's life: takes the next job, does it, and keeps its slot for as long as a smaller machine would take.
fn work(jobs: &Mutex<Receiver<Job>>, mut store: Store, account: &Account, number: usize) {
    let mut slot = Slot::new(account.cores());
    while let Some(job) = next(jobs) {
        // The visitor may have gone while it waited.
        if job.reply.is_closed() {
            continue;
        }
        let (started_at, used_before) = (clock::now(), thread_cpu_time());
        account.begin(number, slot.due(job.queued_at));
        let response = (job.task)(&mut store);
        let hold = slot.charge(&Work {
            queued_at: job.queued_at,
            started_at,
            ended_at: clock::now(),
            used: thread_cpu_time().saturating_sub(used_before),
        });
        thread::sleep(hold.until.since(clock::now()));
        account.end(number, hold.busy);
        // The visitor may have gone meanwhile.
        let _ = job.reply.send(response);
    }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cores::Cores;
    use axum::response::IntoResponse;
    use tokio::task::JoinSet;

    fn workers(name: &str) -> Arc<Workers> {
        let account = Arc::new(Account::new(Cores::ONE));
        Arc::new(Workers::start(&account, vec![Store::create(name).unwrap()]).unwrap())
    }

    #[tokio::test]
    async fn one_request_too_many_is_refused_and_the_others_are_answered() {
        let workers = workers("one-too-many");
        let (open, closed) = sync_channel::<()>(0);
        let closed = Arc::new(Mutex::new(closed));
        let mut requests = JoinSet::new();
        for _ in 0..QUEUE + 10 {
            let (workers, closed) = (Arc::clone(&workers), Arc::clone(&closed));
            // Whichever comes first keeps the worker until the door opens.
            let task = move |_: &mut Store| format!("{:?}", closed.lock().recv()).into_response();
            requests.spawn(async move { workers.run(Box::new(task)).await });
        }
        let refused = requests.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(Problem::Full)), "{refused:?}");
        drop(open);
        let results = requests.join_all().await;
        let answered = results.iter().filter(|result| result.is_ok()).count();
        // One more than the queue holds when the worker had taken the first by then.
        assert!(answered == QUEUE || answered == QUEUE + 1, "{answered}");
    }
}
