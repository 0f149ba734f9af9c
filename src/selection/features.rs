//! What a forest sees of a backend when a request is about to be sent: the one place where that is decided, for
//! serving, training, simulation and explanation alike.
//!
//! Never who the backend is: a model serves any number of backends, and learns nothing about one that would not hold
//! for another in the same state.

use crate::forest::Rows;
use crate::forest::Schema;
use crate::pool::BackendIndex;
use crate::pool::PoolSnapshot;
use crate::selection::RequestFacts;

mod compared;

pub use compared::COMPARED_COUNT;
pub use compared::COMPARED_NAMES;
pub(crate) use compared::FLEET_LINE_SHARE;
pub(crate) use compared::LN_LOAD;
pub(crate) use compared::blank_metrics as blank_compared;

/// Which features a forest sees. Either way the first is `n`, and `route_deviation` stands at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Those of a backend alone, [`FEATURE_NAMES`]: for a forest that learns where it serves.
    Alone,
    /// Also how it compares with the other candidates, [`COMPARED_NAMES`]: for one that was distilled elsewhere.
    Compared,
}

/// How many features there are of a backend alone.
pub const FEATURE_COUNT: usize = 16;

/// The features of a backend alone, in order; a model file carries a digest of this.
///
/// | name | what it is |
/// |---|---|
/// | `n` | attempts in flight, before this one |
/// | `y_fast`, `z_slow`, `z_fast`, `z_route`, `route_deviation`, `error_rate` | see [`Signals`](crate::pool::Signals) |
/// | `age_ratio` | how long attempts in flight have waited, over how long they should take |
/// | `send_rate` | attempts a second sent to it |
/// | `route_class` | how many of the route classes seen so far are cheaper than the request's |
/// | `cpu`, `ram` | 0 to 1 at the last poll |
/// | `tx`, `rx` | bytes a second at the last poll |
/// | `metric_age` | seconds since that poll |
/// | `sent_since_poll` | attempts sent since that poll |
///
/// The last six are [`UNKNOWN`] when the backend was never polled or too long ago.
pub const FEATURE_NAMES: [&str; FEATURE_COUNT] = [
    "n",
    "y_fast",
    "z_slow",
    "z_fast",
    "z_route",
    "route_deviation",
    "error_rate",
    "age_ratio",
    "send_rate",
    "route_class",
    "cpu",
    "ram",
    "tx",
    "rx",
    "metric_age",
    "sent_since_poll",
];

/// Stands in for what is not known of a backend's metrics: below anything that is.
pub const UNKNOWN: f32 = -1.0;

/// Where `n` stands.
pub(crate) const IN_FLIGHT: usize = 0;
/// Where `route_deviation` stands.
pub(crate) const ROUTE_DEVIATION: usize = 5;
/// Where the figures from the metrics begin; they go on to the end.
const METRICS_FROM: usize = 10;

/// What a forest sees of one backend.
pub type Features = [f32; FEATURE_COUNT];

impl View {
    /// The view of a forest with `schema`, if this build knows it.
    #[must_use]
    pub fn of(schema: &Schema) -> Option<Self> {
        [Self::Alone, Self::Compared]
            .into_iter()
            .find(|view| view.schema() == *schema)
    }

    /// The schema of a forest that sees it.
    #[must_use]
    pub fn schema(self) -> Schema {
        named(self.names())
    }

    /// The names of its features, in order.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Alone => &FEATURE_NAMES,
            Self::Compared => &COMPARED_NAMES,
        }
    }

    /// Replaces `rows`, which are of this view's width, by those of `candidates` for `request`, in the same order.
    /// Allocates only beyond their capacity.
    pub fn fill(self, pool: &PoolSnapshot<'_>, request: &RequestFacts, candidates: &[BackendIndex], rows: &mut Rows) {
        match self {
            Self::Alone => feature_rows(pool, request, candidates, rows),
            Self::Compared => compared::fill(pool, request, candidates, rows),
        }
    }
}

fn named(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|name| (*name).to_owned()).collect())
        .expect("a few dozen names are neither none nor too many")
}

/// The schema of a forest that sees a backend alone.
#[must_use]
pub fn schema() -> Schema {
    View::Alone.schema()
}

/// Replaces `rows` by those of `candidates` for `request`, in the same order. Allocates only beyond their capacity.
pub fn feature_rows(pool: &PoolSnapshot<'_>, request: &RequestFacts, candidates: &[BackendIndex], rows: &mut Rows) {
    rows.clear();
    for index in candidates {
        rows.add().copy_from_slice(&features(pool, request, *index));
    }
}

/// The features of the backend at `index` for `request`; always finite.
#[must_use]
pub fn features(pool: &PoolSnapshot<'_>, request: &RequestFacts, index: BackendIndex) -> Features {
    let signals = pool.signals(index, request.route_class);
    let class_rank = pool.fleet().map_or(0, |fleet| fleet.rank(request.route_class));
    let [cpu, ram, tx, rx, metric_age, sent_since_poll] = metrics(pool, index);
    [
        pool.in_flight(index) as f32,
        signals.y_fast,
        signals.z_slow,
        signals.z_fast,
        signals.z_route,
        signals.route_deviation,
        signals.error_rate,
        pool.age_ratio(index),
        pool.send_rate(index),
        f32::from(class_rank),
        cpu,
        ram,
        tx,
        rx,
        metric_age,
        sent_since_poll,
    ]
}

/// Makes a row look like that of a backend whose metrics are not known.
pub(crate) fn blank_metrics(features: &mut Features) {
    for feature in features.iter_mut().skip(METRICS_FROM) {
        *feature = UNKNOWN;
    }
}

/// `figure`, which an endpoint may leave out.
fn known(figure: f32) -> f32 {
    if figure.is_finite() { figure } else { UNKNOWN }
}

fn metrics(pool: &PoolSnapshot<'_>, index: BackendIndex) -> [f32; FEATURE_COUNT - METRICS_FROM] {
    let Some(metrics) = pool.fresh_metrics(index) else {
        return [UNKNOWN; FEATURE_COUNT - METRICS_FROM];
    };
    [
        known(metrics.cpu_percent / 100.0),
        known(metrics.ram_percent / 100.0),
        known(metrics.bytes_sent),
        known(metrics.bytes_recv),
        pool.now().since(metrics.at).as_secs_f32(),
        pool.sent_since_poll(index) as f32,
    ]
}
