//! What a forest sees of a backend beside the other candidates: the features of a model that was distilled in other
//! worlds than the one it serves in.
//!
//! A forest that learns where it serves knows what is usual there. One that does not must be shown it: how a backend bears
//! load compared with those beside it, in units that hold anywhere. Whatever is measured in units of its own (bytes, requests
//! a second, the age of a poll) is left out or compared.

use crate::elementary::lns;
use crate::forest::Rows;
use crate::pool::BackendIndex;
use crate::pool::Bearing;
use crate::pool::Occupancy;
use crate::pool::PoolSnapshot;
use crate::pool::Standing;
use crate::selection::RequestFacts;
use crate::selection::features::UNKNOWN;
use crate::selection::features::known;

/// How many features there are.
pub const COMPARED_COUNT: usize = 46;

/// The features, in order; a model file carries a digest of this.
///
/// | name | what it is |
/// |---|---|
/// | `n` ... `route_class` | as in [`FEATURE_NAMES`](crate::selection::FEATURE_NAMES) |
/// | `route_excess` | see [`Signals`](crate::pool::Signals) |
/// | `ln_load`, `mean_ln_load` | ln of (in flight + 1) / weight, and its mean over the candidates |
/// | `z_drift` | `z_fast - z_slow` |
/// | `y_unloaded`, `knee`, `drifting`, `idle_seconds`, `ln_work_rate`, `ln_peak_work_rate` | see [`Bearing`](crate::pool::Bearing) |
/// | `ln_next` | ln of what the backend's own line says of one more request, over the load |
/// | `ln_marginal` | the same of what one more request costs all |
/// | `line_share`, `fleet_line_share` | the part of its own line, and of the fleet's, that grows with load |
/// | `ln_offered` | ln of the work that is sent to it in a second |
/// | `rel_...` | the same minus its mean over the candidates |
/// | `ln_filling`, `mean_ln_filling` | ln of the load over the most work it got done of late, and its mean over the candidates |
/// | `ln_over_knee` | ln of the load over the knee |
/// | `cpu`, `ram`, `sent_since_poll` | as in [`FEATURE_NAMES`](crate::selection::FEATURE_NAMES) |
/// | `n_since_poll`, `n_over_mean` | in flight now, minus at the last poll, and minus the mean since |
/// | `ln_cpu_per_n` | see [`Occupancy`](crate::pool::Occupancy) |
/// | `ln_cpu_next`, `ln_cpu_next_least` | ln of the CPU that is in use with one more request, each using as much as of late, or as little as ever of late |
/// | `rel_cpu`, `rel_ln_rx` | compared with those candidates whose metrics are known |
/// | `mean_cpu` | the mean over these |
///
/// The last eleven say so when the backend was never polled or too long ago.
pub const COMPARED_NAMES: [&str; COMPARED_COUNT] = [
    "n",
    "y_fast",
    "z_slow",
    "z_fast",
    "z_route",
    "route_deviation",
    "error_rate",
    "age_ratio",
    "route_class",
    "route_excess",
    "ln_load",
    "mean_ln_load",
    "z_drift",
    "y_unloaded",
    "knee",
    "drifting",
    "idle_seconds",
    "ln_work_rate",
    "ln_peak_work_rate",
    "ln_next",
    "ln_marginal",
    "line_share",
    "fleet_line_share",
    "ln_offered",
    "rel_ln_load",
    "rel_z_slow",
    "rel_z_fast",
    "rel_ln_next",
    "rel_ln_work_rate",
    "rel_ln_offered",
    "ln_filling",
    "mean_ln_filling",
    "ln_over_knee",
    "rel_y_fast",
    "rel_ln_peak_work_rate",
    "cpu",
    "ram",
    "sent_since_poll",
    "n_since_poll",
    "n_over_mean",
    "ln_cpu_per_n",
    "ln_cpu_next",
    "ln_cpu_next_least",
    "rel_cpu",
    "rel_ln_rx",
    "mean_cpu",
];

/// Stands in for the metrics that are not known: absolute ones are below anything that is, differences are none.
const UNKNOWN_METRICS: [f32; COMPARED_COUNT - METRICS_FROM] = [
    UNKNOWN, UNKNOWN, UNKNOWN, 0.0, 0.0, UNKNOWN_LN, UNKNOWN_LN, UNKNOWN_LN, 0.0, 0.0, UNKNOWN,
];
/// Below the ln of two per cent of a CPU for a hundred thousand requests.
const UNKNOWN_LN: f32 = -20.0;
/// Where ln of (in flight + 1) / weight stands.
pub(crate) const LN_LOAD: usize = 10;
/// Where the part of the fleet's latency that grows with load stands.
pub(crate) const FLEET_LINE_SHARE: usize = 22;
const LN_FILLING: usize = 30;
/// Pairs of what is compared and where the difference stands.
const RELATIVE: [(usize, usize); 8] = [
    (LN_LOAD, 24),
    (2, 25),
    (3, 26),
    (19, 27),
    (17, 28),
    (23, 29),
    (1, 33),
    (18, 34),
];
/// Pairs of what is averaged and where the mean stands.
const MEANS: [(usize, usize); 2] = [(LN_LOAD, 11), (LN_FILLING, 31)];
const METRICS_FROM: usize = 35;
const CPU: usize = 35;
const REL_CPU: usize = 43;
const REL_LN_RX: usize = 44;
const MEAN_CPU: usize = 45;
/// Nobody's knee is lower.
const LEAST_KNEE: f32 = 0.5;
/// Seconds of work in a second below which a backend is as good as idle.
const LEAST_OFFERED: f32 = 0.02;
/// Bytes a second below which traffic is none.
const LEAST_RX: f32 = 50.0;

/// Replaces `rows` by those of `candidates` for `request`, in the same order. Allocates only beyond their capacity.
pub(super) fn fill(pool: &PoolSnapshot<'_>, request: &RequestFacts, candidates: &[BackendIndex], rows: &mut Rows) {
    rows.clear();
    let fleet = FleetFacts::of(pool, request);
    for index in candidates {
        of_backend(pool, request, *index, &fleet, rows.add());
    }
    compare(rows);
}

/// Makes the rows of a decision look as if no metrics were known.
pub(crate) fn blank_metrics(row: &mut [f32]) {
    row[METRICS_FROM..].copy_from_slice(&UNKNOWN_METRICS);
}

/// What is the same for all candidates.
#[derive(Default)]
struct FleetFacts {
    class_rank: f32,
    line_share: f32,
}

impl FleetFacts {
    fn of(pool: &PoolSnapshot<'_>, request: &RequestFacts) -> Self {
        pool.fleet().map_or_else(Self::default, |fleet| Self {
            class_rank: f32::from(fleet.rank(request.route_class)),
            line_share: fleet.line().share_of_load(),
        })
    }
}

/// Fills in all but what comes of comparing; where a difference will stand, what is compared.
fn of_backend(
    pool: &PoolSnapshot<'_>,
    request: &RequestFacts,
    index: BackendIndex,
    fleet: &FleetFacts,
    row: &mut [f32],
) {
    let Standing { signals, bearing } = pool.standing(index, request.route_class);
    let metrics = Polled::of(pool, index);
    let in_flight = pool.in_flight(index) as f32;
    let logs = Logs::of(pool, index, in_flight, &bearing, metrics.rx);
    row[..METRICS_FROM].copy_from_slice(&[
        in_flight,
        signals.y_fast,
        signals.z_slow,
        signals.z_fast,
        signals.z_route,
        signals.route_deviation,
        signals.error_rate,
        pool.age_ratio(index),
        fleet.class_rank,
        signals.route_excess,
        logs.load,
        0.0,
        signals.z_fast - signals.z_slow,
        bearing.y_unloaded,
        bearing.knee,
        bearing.drifting,
        bearing.idle_seconds,
        bearing.ln_work_rate,
        logs.peak_work_rate,
        logs.next,
        logs.marginal,
        bearing.line.share_of_load(),
        fleet.line_share,
        logs.offered,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        logs.load - logs.peak_work_rate,
        0.0,
        logs.load - logs.knee,
        0.0,
        0.0,
    ]);
    if !metrics.is_known {
        return blank_metrics(row);
    }
    row[METRICS_FROM..].copy_from_slice(&[
        metrics.cpu,
        metrics.ram,
        pool.sent_since_poll(index) as f32,
        in_flight - metrics.occupancy.at_poll,
        in_flight - metrics.occupancy.mean_since,
        metrics.known_ln(metrics.occupancy.ln_cpu_per_request),
        metrics.known_ln(logs.in_flight + metrics.occupancy.ln_cpu_per_request),
        metrics.known_ln(logs.in_flight + metrics.occupancy.least_ln_cpu_per_request),
        metrics.cpu,
        logs.rx,
        UNKNOWN,
    ]);
}

/// Logarithms, worked out together.
struct Logs {
    in_flight: f32,
    load: f32,
    next: f32,
    marginal: f32,
    offered: f32,
    peak_work_rate: f32,
    knee: f32,
    rx: f32,
}

impl Logs {
    fn of(pool: &PoolSnapshot<'_>, index: BackendIndex, in_flight: f32, bearing: &Bearing, rx: f32) -> Self {
        let line = bearing.line;
        let load = (in_flight + 1.0) / pool.relative_weight(index) as f32;
        let expected = line.at(load);
        let [in_flight, load, next, marginal, offered, peak_work_rate, knee, rx] = lns([
            in_flight + 1.0,
            load,
            expected / load,
            // Of n + 1 requests each takes a + b (n + 1): the last of them costs all a + b (2n + 1).
            (expected + line.slope * (load - 1.0).max(0.0)) / load,
            LEAST_OFFERED + pool.send_rate(index) * bearing.cost,
            bearing.peak_work_rate,
            bearing.knee.max(LEAST_KNEE),
            rx.max(0.0) + LEAST_RX,
        ]);
        Self {
            in_flight,
            load,
            next,
            marginal,
            offered,
            peak_work_rate,
            knee,
            rx,
        }
    }
}

/// What the last poll says.
struct Polled {
    is_known: bool,
    cpu: f32,
    ram: f32,
    rx: f32,
    occupancy: Occupancy,
}

impl Polled {
    fn of(pool: &PoolSnapshot<'_>, index: BackendIndex) -> Self {
        let Some(metrics) = pool.fresh_metrics(index) else {
            return Self {
                is_known: false,
                cpu: UNKNOWN,
                ram: UNKNOWN,
                rx: UNKNOWN,
                occupancy: Occupancy::default(),
            };
        };
        Self {
            is_known: true,
            cpu: known(metrics.cpu_percent / 100.0),
            ram: known(metrics.ram_percent / 100.0),
            rx: known(metrics.bytes_recv),
            occupancy: pool.occupancy(index),
        }
    }

    /// A logarithm of something that was made of the CPU figure.
    fn known_ln(&self, ln: f32) -> f32 {
        if self.cpu == UNKNOWN || ln.is_nan() {
            UNKNOWN_LN
        } else {
            ln
        }
    }
}

fn compare(rows: &mut Rows) {
    let sums = Sums::of(rows);
    let all = sums.columns.map(|sum| sum / sums.rows);
    let known = sums.metrics.map(|sum| sum / sums.known);
    rows.for_each(|row| {
        for ((from, to), mean) in RELATIVE.iter().zip(all) {
            row[*to] = row[*from] - mean;
        }
        for ((_, to), mean) in MEANS.iter().zip([all[0], all[RELATIVE.len()]]) {
            row[*to] = mean;
        }
        // A poll may bring other figures without that of the CPU.
        let is_known = row[CPU] != UNKNOWN;
        row[REL_CPU] = if is_known { row[REL_CPU] - known[0] } else { 0.0 };
        row[REL_LN_RX] = if is_known { row[REL_LN_RX] - known[1] } else { 0.0 };
        row[MEAN_CPU] = if is_known { known[0] } else { UNKNOWN };
    });
}

/// What the means are made of, gathered in one pass.
struct Sums {
    rows: f32,
    /// Of what is compared among all candidates, in the order of [`RELATIVE`], and of the last of [`MEANS`].
    columns: [f32; RELATIVE.len() + 1],
    /// Candidates whose metrics are known, and the sums of their CPU and of ln of their bytes received.
    known: f32,
    metrics: [f32; 2],
}

impl Sums {
    fn of(rows: &Rows) -> Self {
        let mut sums = Self {
            rows: 0.0,
            columns: [0.0; RELATIVE.len() + 1],
            known: 0.0,
            metrics: [0.0; 2],
        };
        let [_, filling] = MEANS;
        for row in rows.iter() {
            sums.rows += 1.0;
            for (sum, (from, _)) in sums.columns.iter_mut().zip(RELATIVE.iter().chain([&filling])) {
                *sum += row[*from];
            }
            if row[CPU] != UNKNOWN {
                sums.known += 1.0;
                sums.metrics[0] += row[REL_CPU];
                sums.metrics[1] += row[REL_LN_RX];
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::forest::tests::Stage;
    use crate::selection::tests::NOW;
    use crate::selection::tests::request;

    /// The rows of backends with so many attempts in flight and so much CPU in use; NaN for those that were not polled.
    fn rows(states: &[(usize, f32)]) -> Rows {
        let stage = Stage::new(states);
        let candidates: Vec<BackendIndex> = (0..states.len()).map(BackendIndex::new).collect();
        let mut rows = Rows::new(COMPARED_COUNT, states.len());
        fill(&stage.pool.snapshot(NOW), &request(1), &candidates, &mut rows);
        rows
    }

    #[track_caller]
    fn check(rows: &Rows, feature: &str, expected: &[f32]) {
        let column = COMPARED_NAMES.iter().position(|name| *name == feature).unwrap();
        for (row, expected) in expected.iter().enumerate() {
            let found = rows.row(row)[column];
            assert!(
                (found - expected).abs() < 1e-4,
                "{feature} of {row}: {found} instead of {expected}"
            );
        }
    }

    #[test]
    fn backends_are_compared_with_the_mean_of_all() {
        let rows = rows(&[(0, 0.2), (1, 0.4), (3, 0.9)]);
        let ln_2 = 2_f32.ln();
        check(&rows, "n", &[0.0, 1.0, 3.0]);
        check(&rows, "ln_load", &[0.0, ln_2, 2.0 * ln_2]);
        check(&rows, "mean_ln_load", &[ln_2; 3]);
        check(&rows, "rel_ln_load", &[-ln_2, 0.0, ln_2]);
        check(&rows, "rel_cpu", &[-0.3, -0.1, 0.4]);
    }

    #[test]
    fn what_is_not_known_is_not_compared() {
        let rows = rows(&[(0, 0.2), (0, f32::NAN), (0, 0.4)]);
        check(&rows, "cpu", &[0.2, UNKNOWN, 0.4]);
        check(&rows, "rel_cpu", &[-0.1, 0.0, 0.1]);
    }

    #[test]
    fn every_feature_is_finite() {
        let rows = rows(&[(0, 0.0), (9, f32::NAN), (2, 1.0)]);
        assert!(
            rows.iter()
                .all(|row| row[..COMPARED_COUNT].iter().all(|value| value.is_finite()))
        );
    }

    #[test]
    fn names_stand_where_the_code_has_them() {
        for (from, to) in RELATIVE {
            assert_eq!(COMPARED_NAMES[to], format!("rel_{}", COMPARED_NAMES[from]));
        }
        for (from, to) in MEANS {
            assert_eq!(COMPARED_NAMES[to], format!("mean_{}", COMPARED_NAMES[from]));
        }
        assert_eq!(COMPARED_NAMES[MEAN_CPU], "mean_cpu");
        assert_eq!(COMPARED_NAMES[FLEET_LINE_SHARE], "fleet_line_share");
        assert_eq!(
            (COMPARED_NAMES[LN_LOAD], COMPARED_NAMES[LN_FILLING]),
            ("ln_load", "ln_filling")
        );
        assert_eq!((COMPARED_NAMES[CPU], COMPARED_NAMES[METRICS_FROM]), ("cpu", "cpu"));
        assert_eq!(
            (COMPARED_NAMES[REL_CPU], COMPARED_NAMES[REL_LN_RX]),
            ("rel_cpu", "rel_ln_rx")
        );
        assert_eq!(
            COMPARED_NAMES[crate::selection::features::ROUTE_DEVIATION],
            "route_deviation"
        );
    }
}
