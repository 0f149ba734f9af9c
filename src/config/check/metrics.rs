//! `metrics_source` and `dataset`: where a pool's figures come from, and where they are kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::Dataset;
use crate::config::MetricsKind;
use crate::config::MetricsSource;
use crate::config::check::gateway;
use crate::config::check::path::parse_path;
use crate::config::read::Located;
use crate::config::read::Section;

const KINDS: [(&str, Option<MetricsKind>); 3] = [
    ("agent", Some(MetricsKind::Agent)),
    ("prometheus", Some(MetricsKind::Prometheus)),
    ("none", None),
];
const PORT: RangeInclusive<u64> = 1..=65_535;
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// One rotation must hold a poll's rows of the largest pool.
const FILE_SIZE: RangeInclusive<u64> = 64 << 10..=1 << 40;
const DEFAULT_FILE_SIZE: u64 = 64 << 20;

/// What is known of a pool's metrics source.
#[derive(Debug)]
pub(super) enum Metrics {
    /// There is one.
    Polled(MetricsSource),
    /// There is none.
    Absent,
    /// There is one, but it was refused: what else is wrong because of it need not be said.
    Refused,
}

impl Metrics {
    pub(super) fn into_source(self) -> Option<MetricsSource> {
        match self {
            Self::Polled(source) => Some(source),
            Self::Absent | Self::Refused => None,
        }
    }
}

pub(super) fn metrics(section: &Section<'_>) -> Metrics {
    match section.optional("metrics_source") {
        Some(node) => node.section(source).unwrap_or(Metrics::Refused),
        None => Metrics::Absent,
    }
}

fn source(section: &Section<'_>) -> Metrics {
    let kind = section.required("type", "agent").and_then(|node| node.choice(&KINDS));
    if kind == Some(None) {
        for key in ["port", "path", "interval"] {
            section.inapplicable(key, "does nothing beside `type: none`");
        }
        return Metrics::Absent;
    }
    let port = section
        .optional("port")
        .and_then(|node| node.number(PORT))
        .and_then(|port| u16::try_from(port).ok());
    let path = section.optional("path").and_then(path);
    let interval = section.or("interval", DEFAULT_INTERVAL, |node| node.duration(INTERVAL));
    let Some(kind) = kind.flatten() else {
        return Metrics::Refused;
    };
    let path = path.unwrap_or_else(|| default_path(kind).to_owned());
    Metrics::Polled(MetricsSource {
        kind,
        port,
        path,
        interval,
    })
}

fn default_path(kind: MetricsKind) -> &'static str {
    match kind {
        MetricsKind::Agent => "/metrics.json",
        MetricsKind::Prometheus => "/metrics",
    }
}

/// A path that is asked for as it stands.
pub(super) fn path(node: Located<'_>) -> Option<String> {
    node.parsed("a path such as /metrics", |text| parse_path(text).map(str::to_owned))
}

pub(super) fn dataset(section: &Section<'_>, metrics: &Metrics) -> Option<Dataset> {
    let node = section.optional("dataset")?;
    if matches!(metrics, Metrics::Absent) {
        node.refuse_key(
            "`dataset` keeps polled metrics, and this pool has no `metrics_source`",
            "add one, or remove `dataset`",
        );
    }
    node.section(|section| {
        let file = section.required("file", "state/shop.csv").and_then(gateway::path);
        let max_size = section.or("max_size", DEFAULT_FILE_SIZE, |node| node.size(FILE_SIZE));
        Some(Dataset { file: file?, max_size })
    })?
}
