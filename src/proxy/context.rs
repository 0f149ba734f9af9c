//! One request's memory, from its header to its end.

use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::config::Config;
use crate::generation::Generation;
use crate::generation::ServedPool;
use crate::pool::Attempt;
use crate::pool::BackendSet;
use crate::pool::Outcome;
use crate::pool::RouteClass;
use crate::pool::Verdict;
use crate::proxy::Shared;
use crate::routing::RouteStats;
use crate::routing::StatusClass;
use crate::selection::Decision;
use crate::selection::Lesson;
use crate::selection::Occasion;
use crate::selection::RequestFacts;
use crate::selection::Settled;
use crate::telemetry::Counted;
use crate::units::Draws;
use crate::units::Timestamp;

/// What is remembered of a request. Dropping it, whatever for, settles what is still open.
#[derive(Debug)]
pub struct Context {
    /// The configuration that it arrived under, for all of its life.
    generation: Arc<Generation>,
    /// When its header was complete.
    arrived: Timestamp,
    /// Where its end is counted, once it is known which route it takes.
    stats: Option<Arc<RouteStats>>,
    /// The position of its pool, once it is routed.
    pool: usize,
    /// What kind of request it is to its pool.
    route_class: RouteClass,
    /// What it has in common with other requests of its client.
    affinity: Option<u64>,
    /// The attempt under way.
    attempt: Option<Attempt>,
    /// What is learned from it, if anything is.
    lesson: Option<Lesson>,
    /// What is kept of it to be explained later, if anything is.
    decision: Option<Box<Decision>>,
    /// The backends that were tried in vain.
    tried: BackendSet,
    /// Bytes of its body so far.
    body_bytes: u64,
    /// Whether the client has sent all of it.
    body_ended: bool,
    /// What the last failed attempt is worth to the client.
    failure_status: Option<u16>,
    sequence: u64,
    draws: Draws,
    _in_flight: Counted,
}

impl Context {
    pub(super) fn new(shared: &Arc<Shared>, now: Timestamp) -> Self {
        let (sequence, draws) = shared.next_request();
        Self {
            generation: shared.current.take(),
            arrived: now,
            stats: None,
            pool: usize::MAX,
            route_class: RouteClass::default(),
            affinity: None,
            attempt: None,
            lesson: None,
            decision: None,
            tried: BackendSet::default(),
            body_bytes: 0,
            body_ended: false,
            failure_status: None,
            sequence,
            draws,
            _in_flight: Counted::enter(&shared.telemetry, |telemetry| &telemetry.in_flight).0,
        }
    }

    /// A number to find this request by, in answers and in the log.
    pub(super) fn id(&self) -> u64 {
        Draws::new(self.arrived.nanos() ^ self.sequence.rotate_left(48)).next()
    }

    pub(super) fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    pub(super) fn config(&self) -> &Config {
        &self.generation.config
    }

    /// Its pool, once it is routed.
    pub(super) fn pool(&self) -> Option<&ServedPool> {
        self.generation.pools.get(self.pool)
    }

    /// Further attempts that its pool allows in all.
    pub(super) fn retries_allowed(&self) -> usize {
        self.config()
            .pools
            .get(self.pool)
            .map_or(0, |pool| usize::from(pool.retries))
    }

    pub(super) fn attempt(&mut self) -> Option<&mut Attempt> {
        self.attempt.as_mut()
    }

    pub(super) fn failure_status(&self) -> Option<u16> {
        self.failure_status
    }

    /// Notes where it goes (`None`: nowhere) and where that is counted.
    pub(super) fn routed(&mut self, pool: Option<usize>, stats: Option<Arc<RouteStats>>) {
        self.pool = pool.unwrap_or(usize::MAX);
        self.stats = stats;
    }

    /// Notes what a selector is told of it.
    pub(super) fn described(&mut self, route_class: RouteClass, affinity: Option<u64>) {
        self.route_class = route_class;
        self.affinity = affinity;
    }

    /// Takes in `bytes` more of its body, the last ones if that is its `end`; the sum so far.
    pub(super) fn take_body(&mut self, bytes: usize, end: bool) -> u64 {
        self.body_ended |= end;
        self.body_bytes = self.body_bytes.saturating_add(bytes as u64);
        self.body_bytes
    }

    /// Whether it is the client that is waited for.
    pub(super) fn waits_for_client(&self) -> bool {
        !self.body_ended
    }

    /// What a selector is told for the next attempt; every attempt has its own draw.
    pub(super) fn facts(&mut self) -> RequestFacts {
        RequestFacts {
            sequence: self.sequence,
            draw: self.draws.next(),
            affinity: self.affinity,
            route_class: self.route_class,
            tried: self.tried,
        }
    }

    /// Goes on with `attempt`. One that was under way is dropped without a verdict: Pingora found its kept-alive
    /// connection closed and starts over, also with the body.
    pub(super) fn begin(&mut self, attempt: Attempt, lesson: Option<Lesson>, decision: Option<Box<Decision>>) {
        self.file(None);
        self.body_bytes = 0;
        self.attempt = Some(attempt);
        self.lesson = lesson;
        self.decision = decision;
    }

    /// Ends the attempt under way, and does not go to its backend again; how many have been tried now.
    pub(super) fn give_up(&mut self, verdict: Verdict, status: u16, now: Timestamp) -> usize {
        if let Some(outcome) = self.conclude(verdict, now) {
            self.tried.insert(outcome.backend);
        }
        self.failure_status = Some(status);
        self.tried.len()
    }

    /// Ends the request: `status` was sent to the client, and `failure` ended it if one did.
    pub(super) fn settle(&mut self, status: Option<u16>, failure: Option<Verdict>, now: Timestamp) {
        let verdict = failure.or(status.map(Verdict::of_status)).unwrap_or(Verdict::Aborted);
        self.conclude(verdict, now);
        if let Some(stats) = self.stats.take() {
            stats.record(StatusClass::of(status), now.since(self.arrived), self.tried.len());
        }
    }

    /// Ends the attempt under way, if there is one, and passes on what is learned from it.
    fn conclude(&mut self, verdict: Verdict, now: Timestamp) -> Option<Outcome> {
        let outcome = self.attempt.take()?.finish(verdict, now);
        let notebook = self.pool().and_then(|served| served.notebook.as_deref());
        if let Some((notebook, lesson)) = notebook.zip(self.lesson) {
            notebook.record(lesson, &outcome);
        }
        self.file(Some(outcome));
        Some(outcome)
    }

    /// Passes on what was kept of the attempt's decision, if anything was, with what became of it.
    fn file(&mut self, outcome: Option<Outcome>) {
        let Some(decision) = self.decision.take() else { return };
        let occasion = Occasion {
            request: self.id(),
            route: self.stats.as_ref().map(|stats| stats.route.clone()).unwrap_or_default(),
        };
        if let Some(log) = self.pool().and_then(|served| served.decision_log.as_ref()) {
            log.settle(Settled {
                decision,
                occasion,
                outcome,
            });
        }
    }

    fn is_overdue(&self, now: Timestamp) -> bool {
        now.since(self.arrived) >= self.config().timeouts.request
    }

    /// How long it may still take.
    pub(super) fn time_left(&self, now: Timestamp) -> Duration {
        self.config().timeouts.request.saturating_sub(now.since(self.arrived))
    }
}

impl Drop for Context {
    /// Settles a request that never came to its end: the door cut it off when its time was up, or a hook panicked.
    fn drop(&mut self) {
        if self.attempt.is_none() && self.stats.is_none() {
            return;
        }
        let now = clock::now();
        // Once an answer has begun, it may as well be the client that does not read it.
        let has_answered = self.attempt.as_ref().is_some_and(Attempt::is_answered);
        let verdict = if self.is_overdue(now) && !self.waits_for_client() && !has_answered {
            Verdict::Timeout
        } else {
            Verdict::Aborted
        };
        self.settle(None, Some(verdict), now);
    }
}
