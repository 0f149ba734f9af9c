//! Makes one process behave like a machine with a chosen number of CPU cores, also a fraction.
//!
//! Work is done by as many worker slots as the number rounded up. After a piece of work that used `t` seconds of CPU,
//! its slot stays held until `t` times slots per core have passed since it began: half a core takes twice as long,
//! and is full at half the rate. Work is served first come, first served, where a real machine would share the
//! processor among requests: waiting times are alike, a short request behind a long one waits longer here.
//! It does not make threads slower, and does not count what the connections themselves cost.

use std::str::FromStr;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::time::ClockId;
use rustix::time::clock_gettime;

use crate::units::Timestamp;

/// How late a slot may start counting from where it became free: sleeps end late by some tenths of a millisecond, and
/// without this the machine would be smaller than it says. Longer delays are a busy real machine, and are not made up.
const CATCH_UP: Duration = Duration::from_millis(2);

/// A number of CPU cores: 0.05 to 64.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cores(f64);

impl Cores {
    /// One whole core.
    pub const ONE: Self = Self(1.0);

    /// `cores`, or `None` outside 0.05 to 64.
    #[must_use]
    pub fn new(cores: f64) -> Option<Self> {
        (0.05..=64.0).contains(&cores).then_some(Self(cores))
    }

    /// The number itself.
    #[must_use]
    pub const fn number(self) -> f64 {
        self.0
    }

    /// How many pieces of work are done at once.
    #[must_use]
    pub fn slots(self) -> usize {
        // At most 64, see `new`.
        self.0.ceil() as usize
    }

    /// How much longer work holds a slot than it uses CPU: slots per core, at least 1.
    fn stretch(self) -> f64 {
        self.0.ceil() / self.0
    }
}

impl FromStr for Cores {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cores = text.parse().ok().and_then(Self::new);
        cores.ok_or_else(|| format!("`{text}` is no number of cores; write 0.05 to 64, such as 0.5"))
    }
}

/// One piece of finished work.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// When it came in.
    pub queued_at: Timestamp,
    /// When a slot took it up.
    pub started_at: Timestamp,
    /// When it was done.
    pub ended_at: Timestamp,
    /// The CPU time it used.
    pub used: Duration,
}

/// What a slot does after a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The slot takes nothing up before this moment, and the work's answer leaves at it.
    pub until: Timestamp,
    /// How long the slot was taken by this work, from when both were there until it is released.
    pub busy: Duration,
}

/// One worker's place on the smaller machine.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    stretch: f64,
    free_at: Timestamp,
}

impl Slot {
    /// A free slot of a machine with `cores`.
    #[must_use]
    pub fn new(cores: Cores) -> Self {
        Self {
            stretch: cores.stretch(),
            free_at: Timestamp::default(),
        }
    }

    /// When work that came in at `queued_at` found, or will find, the slot free.
    #[must_use]
    pub fn due(&self, queued_at: Timestamp) -> Timestamp {
        queued_at.max(self.free_at)
    }

    /// Charges the slot with `work`. On an overcrowded real machine work begins later and takes longer than it would on
    /// the smaller one: that counts as busy, since nothing else could have been done.
    pub fn charge(&mut self, work: &Work) -> Hold {
        let due = self.due(work.queued_at);
        let late = work.started_at.since(due);
        let start = due.plus(late.saturating_sub(CATCH_UP));
        let until = start.plus(work.used.mul_f64(self.stretch)).max(work.ended_at);
        self.free_at = until;
        Hold {
            until,
            busy: until.since(due),
        }
    }
}

/// The CPU time of the smaller machine, added up over all slots, with the work under way.
#[derive(Debug)]
pub struct Account {
    cores: Cores,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    /// Of finished work.
    busy: Duration,
    /// When each slot began what it is doing. Counted too: one search on a tenth of a core lasts longer than many a
    /// window that the agent reports on.
    under_way: Vec<Option<Timestamp>>,
}

impl Account {
    /// An empty account of a machine with `cores`.
    #[must_use]
    pub fn new(cores: Cores) -> Self {
        let books = Books {
            busy: Duration::ZERO,
            under_way: vec![None; cores.slots()],
        };
        Self {
            cores,
            books: Mutex::new(books),
        }
    }

    /// The machine's cores.
    #[must_use]
    pub const fn cores(&self) -> Cores {
        self.cores
    }

    /// The slot numbered `slot` has had work since `due`.
    pub fn begin(&self, slot: usize, due: Timestamp) {
        self.books.lock().set(slot, Some(due));
    }

    /// The slot numbered `slot` is free again, after having been `busy`.
    pub fn end(&self, slot: usize, busy: Duration) {
        let mut books = self.books.lock();
        books.set(slot, None);
        books.busy += busy;
    }

    /// Core-seconds used up to `now`: all slots busy for a second are `cores` core-seconds.
    #[must_use]
    pub fn core_seconds(&self, now: Timestamp) -> f64 {
        let books = self.books.lock();
        let open = books.under_way.iter().flatten().map(|since| now.since(*since));
        (books.busy + open.sum::<Duration>()).as_secs_f64() / self.cores.stretch()
    }
}

impl Books {
    fn set(&mut self, slot: usize, since: Option<Timestamp>) {
        if let Some(open) = self.under_way.get_mut(slot) {
            *open = since;
        }
    }
}

/// The CPU time this thread has used so far. Not a clock: it stands still while the thread waits.
#[must_use]
pub fn thread_cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(used.tv_sec).unwrap_or(0),
        u32::try_from(used.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(number: f64) -> Cores {
        Cores::new(number).unwrap()
    }

    fn millis(at: f64) -> Timestamp {
        Timestamp::from_seconds(1.0 + at / 1e3)
    }

    fn work(queued: f64, started: f64, ended: f64, used: f64) -> Work {
        Work {
            queued_at: millis(queued),
            started_at: millis(started),
            ended_at: millis(ended),
            used: Duration::from_secs_f64(used / 1e3),
        }
    }

    #[track_caller]
    fn check(slot: &mut Slot, work: Work, until: f64, busy_millis: f64) {
        let hold = slot.charge(&work);
        let near = |actual: f64, expected: f64| (actual - expected).abs() < 1e-3;
        assert!(near((hold.until.seconds() - 1.0) * 1e3, until), "{hold:?}");
        assert!(near(hold.busy.as_secs_f64() * 1e3, busy_millis), "{hold:?}");
    }

    #[test]
    fn half_a_core_holds_its_slot_twice_as_long() {
        check(&mut Slot::new(cores(0.5)), work(0.0, 0.0, 4.0, 4.0), 8.0, 8.0);
        check(&mut Slot::new(Cores::ONE), work(0.0, 0.0, 4.0, 4.0), 4.0, 4.0);
        check(&mut Slot::new(cores(1.5)), work(0.0, 0.0, 3.0, 3.0), 4.0, 4.0);
    }

    #[test]
    fn a_late_wake_up_is_made_up_for_and_an_idle_gap_is_not() {
        let mut slot = Slot::new(cores(0.5));
        check(&mut slot, work(0.0, 0.0, 2.0, 2.0), 4.0, 4.0);
        check(&mut slot, work(1.0, 4.5, 6.5, 2.0), 8.0, 4.0);
        check(&mut slot, work(20.0, 20.0, 22.0, 2.0), 24.0, 4.0);
    }

    #[test]
    fn a_crowded_machine_counts_as_busy_for_as_long_as_it_took() {
        let mut slot = Slot::new(cores(0.5));
        check(&mut slot, work(0.0, 0.0, 30.0, 2.0), 30.0, 30.0);
        check(&mut slot, work(0.0, 50.0, 52.0, 2.0), 52.0, 22.0);
    }

    /// Requests per second of a machine that always has the next piece of work waiting, 2 ms of CPU each.
    fn saturated_rate(number: f64) -> (f64, f64) {
        let account = Account::new(cores(number));
        let mut slots = vec![Slot::new(cores(number)); cores(number).slots()];
        let mut done = 0;
        for slot in &mut slots {
            let mut now = 0.0;
            while now < 1000.0 {
                let hold = slot.charge(&work(0.0, now, now + 2.0, 2.0));
                account.end(0, hold.busy);
                now = (hold.until.seconds() - 1.0) * 1e3;
                done += 1;
            }
        }
        (f64::from(done), account.core_seconds(millis(1000.0)) / number)
    }

    #[test]
    fn throughput_at_saturation_is_in_proportion_and_the_account_reads_full() {
        for number in [0.25, 0.5, 0.75, 1.0, 1.5] {
            let (rate, used) = saturated_rate(number);
            assert!((rate / (500.0 * number) - 1.0).abs() < 0.02, "{number} cores: {rate}/s");
            assert!((used - 1.0).abs() < 0.02, "{number} cores: {used}");
        }
    }

    #[test]
    fn work_under_way_counts_and_an_idle_slot_does_not() {
        let account = Account::new(cores(1.5));
        account.begin(1, millis(100.0));
        assert!((account.core_seconds(millis(400.0)) - 0.3 * 0.75).abs() < 1e-6);
        account.end(1, Duration::from_millis(200));
        assert!((account.core_seconds(millis(900.0)) - 0.2 * 0.75).abs() < 1e-6);
    }

    #[test]
    fn cores_outside_the_range_are_refused() {
        for text in ["0", "-1", "NaN", "65", "many", ""] {
            assert!(text.parse::<Cores>().is_err(), "{text}");
        }
        assert_eq!("0.25".parse(), Ok(cores(0.25)));
    }

    #[test]
    fn a_thread_that_works_uses_cpu_time() {
        let before = thread_cpu_time();
        let sum = (0..1_000_000_u64).fold(0, |sum: u64, n| std::hint::black_box(sum ^ n));
        assert!(thread_cpu_time() > before, "{sum}");
    }
}
