//! The section `pools`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Component;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Backend;
use crate::config::MetricsSource;
use crate::config::Pool;
use crate::config::check::MOST_ITEMS;
use crate::config::check::SelectorType;
use crate::config::check::address;
use crate::config::check::health;
use crate::config::check::metrics;
use crate::config::check::metrics::Metrics;
use crate::config::check::parse_name;
use crate::config::check::selector::selector;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::units::Share;
use crate::units::Weight;

const MOST_BACKENDS: usize = 1_024;
const SLOW_START: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_600);
const DEFAULT_SLOW_START: Duration = Duration::from_secs(10);
const ATTEMPTS: RangeInclusive<u64> = 0..=10;
const DEFAULT_ATTEMPTS: u8 = 1;

/// A pool that a route may name, even when something in it was refused.
pub(super) struct NamedPool<'d> {
    pub(super) name: &'d str,
    pub(super) node: Located<'d>,
    pub(super) pool: Option<Pool>,
}

pub(super) fn pools<'d>(file: &Section<'d>, types: &[SelectorType<'_>]) -> Option<Vec<NamedPool<'d>>> {
    let example = "{ shop: { backends: [{ address: \"10.0.0.11:3000\" }] } }";
    let entries = file.required("pools", example).and_then(Located::entries)?;
    if entries.len() > MOST_ITEMS {
        file.itself().refuse(
            format!("there are {} pools", entries.len()),
            format!("at most {MOST_ITEMS} are possible"),
        );
        return None;
    }
    let read = |(name, node): (&'d str, Located<'d>)| NamedPool {
        name,
        node,
        pool: named(name, node, types),
    };
    let pools: Vec<NamedPool<'_>> = entries.into_iter().map(read).collect();
    refuse_shared(&pools, "dataset", "file", |pool| Some(&pool.dataset.as_ref()?.file));
    refuse_shared(&pools, "decision_log", "directory", |pool| {
        Some(&pool.selector.decision_log.as_ref()?.dir)
    });
    Some(pools)
}

fn named(name: &str, node: Located<'_>, types: &[SelectorType<'_>]) -> Option<Pool> {
    if let Err(refusal) = parse_name(name) {
        node.refuse_key(refusal.message, refusal.remedy);
    }
    node.section(|section| pool(name, section, types))?
}

fn pool(name: &str, section: &Section<'_>, types: &[SelectorType<'_>]) -> Option<Pool> {
    let metrics = metrics::metrics(section);
    let backends = backends(section, &metrics);
    let selector = selector(section, types, &metrics);
    let dataset = metrics::dataset(section, &metrics);
    let health_check = health::health_check(section);
    let outlier_detection = health::outlier_detection(section);
    let panic_threshold = section.or("panic_threshold", Share::HALF, |node| node.share(Share::NONE));
    let slow_start = section.or("slow_start", DEFAULT_SLOW_START, |node| node.duration(SLOW_START));
    let retries = section.or("retries", DEFAULT_ATTEMPTS, |node| node.section(attempts));
    Some(Pool {
        name: name.to_owned(),
        backends: backends?,
        selector: selector?,
        metrics_source: metrics.into_source(),
        dataset,
        health_check,
        outlier_detection,
        panic_threshold,
        slow_start,
        retries,
    })
}

fn attempts(section: &Section<'_>) -> u8 {
    let read = |node: Located<'_>| u8::try_from(node.number(ATTEMPTS)?).ok();
    section.or("attempts", DEFAULT_ATTEMPTS, read)
}

fn backends(section: &Section<'_>, metrics: &Metrics) -> Option<Vec<Backend>> {
    let nodes = section
        .required("backends", "[{ address: \"10.0.0.11:3000\" }]")?
        .items(MOST_BACKENDS)?;
    let mut addresses = BTreeMap::new();
    let read = |node: &Located<'_>| node.section(|section| backend(section, metrics, &mut addresses))?;
    nodes.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn backend(section: &Section<'_>, metrics: &Metrics, addresses: &mut BTreeMap<String, usize>) -> Option<Backend> {
    let address = section
        .required("address", "\"10.0.0.11:3000\"")
        .and_then(|node| unique_address(node, addresses));
    let weight = section.or("weight", Weight::ONE, weight);
    let metrics = backend_metrics(section, metrics);
    Some(Backend {
        address: address?,
        weight,
        metrics,
    })
}

fn unique_address(node: Located<'_>, addresses: &mut BTreeMap<String, usize>) -> Option<String> {
    let address = address::endpoint(node)?;
    if let Some(line) = addresses.insert(address.clone(), node.line()) {
        node.refuse(
            format!("backend `{address}` is in this pool already"),
            format!("remove one; the other is on line {line}"),
        );
    }
    Some(address)
}

fn weight(node: Located<'_>) -> Option<Weight> {
    let number = node.number(1..=u64::from(Weight::MAX))?;
    u16::try_from(number).ok().and_then(Weight::new)
}

/// A backend's metrics come from its own endpoint or from the source's port: without either, nobody knows where.
fn backend_metrics(section: &Section<'_>, metrics: &Metrics) -> Option<String> {
    let node = section.optional("metrics");
    match (node, metrics) {
        (Some(node), Metrics::Absent) => node.refuse_key(
            "`metrics` does nothing without a `metrics_source`",
            "add one to the pool, or remove it",
        ),
        (None, Metrics::Polled(MetricsSource { port: None, .. })) => section.itself().refuse(
            "nobody knows where this backend's metrics are",
            "add `port` to the pool's `metrics_source`, or `metrics: host:port` here",
        ),
        _ => {}
    }
    node.and_then(address::endpoint)
}

/// Two pools would overwrite each other's rows.
fn refuse_shared(pools: &[NamedPool<'_>], key: &str, place: &str, path: impl Fn(&Pool) -> Option<&PathBuf>) {
    // `./st` and `st` are one place.
    let plain = |path: &PathBuf| {
        path.components()
            .filter(|part| *part != Component::CurDir)
            .collect::<PathBuf>()
    };
    let mut paths: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for named in pools {
        let Some(path) = named.pool.as_ref().and_then(&path) else {
            continue;
        };
        if let Some(other) = paths.insert(plain(path), named.name) {
            named.node.refuse(
                format!("pools `{other}` and `{}` write the same `{key}`", named.name),
                format!("give each its own {place}"),
            );
        }
    }
}
