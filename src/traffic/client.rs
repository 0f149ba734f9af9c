//! What all requests of a run share: connections, the mix, and the tally they report to.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::header;
use http_body_util::Full;
use tokio::time::timeout;

use crate::clock;
use crate::traffic::Failure;
use crate::traffic::Load;
use crate::traffic::Mix;
use crate::traffic::Plan;
use crate::traffic::Pulse;
use crate::traffic::Summary;
use crate::traffic::connections::Connections;
use crate::traffic::exchange::Answer;
use crate::traffic::exchange::exchange;
use crate::traffic::mix::Call;
use crate::traffic::summary::Tally;
use crate::units::Timestamp;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("sylvan-traffic/", env!("CARGO_PKG_VERSION")));
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Sends the requests of one run and counts what comes of them.
#[derive(Debug)]
pub(super) struct Client {
    connections: Connections,
    host: HeaderValue,
    mix: Mix,
    timeout: Duration,
    tally: Mutex<Tally>,
}

impl Client {
    pub(super) fn new(plan: &Plan) -> Self {
        let limit = match plan.load {
            Load::Open { .. } => plan.max_connections,
            Load::Closed { connections } => connections,
        };
        Self {
            connections: Connections::new(plan.target.address, limit),
            host: plan.target.host.clone(),
            mix: plan.mix.clone(),
            timeout: plan.timeout,
            tally: Mutex::default(),
        }
    }

    /// Sends the request of `draw`, which was meant to leave at `intended`, and waits for all of its answer.
    pub(super) async fn ask(&self, draw: u64, intended: Timestamp) -> Result<Answer, Failure> {
        let left = self.timeout.saturating_sub(clock::now().since(intended));
        let request = self.request(self.mix.call(draw));
        timeout(left, exchange(&self.connections, request))
            .await
            .unwrap_or(Err(Failure::Timeout))
    }

    /// Counts what came of a request after `latency`.
    pub(super) fn record(&self, outcome: Result<Answer, Failure>, latency: Duration) {
        self.tally().record(outcome, latency);
    }

    /// The figures of the run so far, which took `elapsed`.
    pub(super) fn summary(&self, elapsed: Duration) -> Summary {
        self.tally().summary(elapsed)
    }

    /// The figures since the previous pulse, `period` ago.
    pub(super) fn pulse(&self, elapsed: Duration, period: Duration) -> Pulse {
        self.tally().pulse(elapsed, period)
    }

    fn request(&self, call: Call) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = call.uri;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::USER_AGENT, USER_AGENT);
        if let Some(form) = call.form {
            headers.insert(header::CONTENT_TYPE, FORM);
            *request.method_mut() = Method::POST;
            *request.body_mut() = Full::new(form);
        }
        request
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
