//! A thread of its own for work that may block, and its end: it is told to end, and waited for, but not for ever.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

/// A thread that works until it is told to end.
#[derive(Debug)]
pub struct Worker {
    /// Closed when it should end.
    stop: mpsc::Sender<Infallible>,
    /// Closed when it has ended.
    ended: mpsc::Receiver<Infallible>,
}

/// How a worker hears that it should end.
#[derive(Debug)]
pub(super) struct Stop(mpsc::Receiver<Infallible>);

impl Worker {
    /// Starts a thread called `name` that does `work`.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub(super) fn start(name: &str, work: impl FnOnce(Stop) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (ending, ended) = mpsc::channel();
        let run = move || {
            work(Stop(stopped));
            drop::<mpsc::Sender<Infallible>>(ending);
        };
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { stop, ended })
    }

    /// Tells it to end, and waits for `patience`; whether it has ended.
    pub(super) fn end(self, patience: Duration) -> bool {
        drop(self.stop);
        self.ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout)
    }
}

impl Stop {
    /// Waits for `period`; whether it is time to end.
    pub(super) fn after(&self, period: Duration) -> bool {
        self.0.recv_timeout(period) != Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_waits_for_the_work_at_hand() {
        let (sender, done) = mpsc::channel();
        let worker = Worker::start("test", move |stop| {
            while !stop.after(Duration::from_millis(1)) {}
            sender.send("the last of it").unwrap();
        });
        assert!(worker.unwrap().end(Duration::from_secs(10)));
        assert_eq!(done.try_recv(), Ok("the last of it"));
    }

    #[test]
    fn an_end_does_not_wait_for_ever() {
        let (release, held) = mpsc::channel::<Infallible>();
        let worker = Worker::start("test", move |_| {
            let _ = held.recv();
        });
        assert!(!worker.unwrap().end(Duration::from_millis(10)));
        drop(release);
    }
}
