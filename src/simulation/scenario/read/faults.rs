//! The section `faults`.

use std::ops::Range;
use std::time::Duration;

use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::config::read::suggestion;
use crate::simulation::scenario::Fault;
use crate::simulation::scenario::FaultKind;
use crate::simulation::scenario::Route;
use crate::simulation::scenario::read::numbers;
use crate::simulation::scenario::read::overlook;

const MOST_FAULTS: usize = 1_024;
/// Times longer, or more work.
const LARGEST_FACTOR: f64 = 1_000.0;

/// What a fault's `type` can be.
#[derive(Clone, Copy)]
enum Kind {
    Antagonist,
    Slowdown,
    Failure,
    Silence,
    ColdCache,
    SlowRoute,
}

const KINDS: [(&str, Kind); 6] = [
    ("antagonist", Kind::Antagonist),
    ("slowdown", Kind::Slowdown),
    ("failure", Kind::Failure),
    ("silence", Kind::Silence),
    ("cold_cache", Kind::ColdCache),
    ("slow_route", Kind::SlowRoute),
];
/// Every key of any kind: where the kind is unknown, none of them is complained about.
const KEYS: [&str; 11] = [
    "threads_per_core",
    "on",
    "off",
    "from",
    "to",
    "at",
    "factor",
    "reported_cpu",
    "amplitude",
    "requests",
    "route",
];

/// The faults of `backends` backends that serve `routes`.
pub(super) fn faults(file: &Section<'_>, backends: usize, routes: &[Route]) -> Option<Vec<Fault>> {
    let Some(list) = file.optional("faults") else {
        return Some(Vec::new());
    };
    let read = |node: Located<'_>| node.section(|section| fault(section, backends, routes))?;
    list.items(MOST_FAULTS)?
        .into_iter()
        .map(read)
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

fn fault(section: &Section<'_>, backends: usize, routes: &[Route]) -> Option<Fault> {
    let kind = section
        .required("type", "slowdown")
        .and_then(|node| node.choice(&KINDS));
    let befallen = section
        .required("backends", "[0]")
        .and_then(|node| positions(node, backends));
    let kind = match kind {
        Some(Kind::Antagonist) => antagonist(section),
        Some(Kind::Slowdown) => slowdown(section),
        Some(Kind::Failure) => during(section).map(|during| FaultKind::Failure { during }),
        Some(Kind::Silence) => during(section).map(|during| FaultKind::Silence { during }),
        Some(Kind::ColdCache) => cold_cache(section),
        Some(Kind::SlowRoute) => slow_route(section, routes),
        None => {
            overlook(section, &KEYS);
            None
        }
    };
    Some(Fault {
        backends: befallen?,
        kind: kind?,
    })
}

/// Positions among the backends, from 0, in the order of the file.
fn positions(node: Located<'_>, backends: usize) -> Option<Vec<usize>> {
    let last = backends.saturating_sub(1) as u64;
    let position = |node: Located<'_>| node.number(0..=last).map(|number| number as usize);
    node.items(backends)?.into_iter().map(position).collect()
}

fn antagonist(section: &Section<'_>) -> Option<FaultKind> {
    let threads = section.required("threads_per_core", "2");
    let threads_per_core = threads.and_then(|node| numbers::decimal(node, 0.0..=LARGEST_FACTOR));
    let default = Duration::from_secs(5)..=Duration::from_secs(30);
    let on = section.or("on", default.clone(), numbers::spread);
    let off = section.or("off", default, numbers::spread);
    Some(FaultKind::Antagonist {
        threads_per_core: threads_per_core?,
        on,
        off,
    })
}

fn slowdown(section: &Section<'_>) -> Option<FaultKind> {
    let (during, factor) = (during(section), factor(section));
    let reported_cpu = section.or("reported_cpu", 1.0, |node| numbers::percentage(node, 0.01..=1.0));
    Some(FaultKind::Slowdown {
        during: during?,
        factor: factor?,
        reported_cpu,
    })
}

fn cold_cache(section: &Section<'_>) -> Option<FaultKind> {
    let at = section
        .required("at", "50s")
        .and_then(|node| numbers::span(node, Duration::ZERO));
    let amplitude = section.or("amplitude", 5.0, |node| numbers::decimal(node, 0.0..=LARGEST_FACTOR));
    let requests = section.or("requests", 1_500.0, |node| numbers::decimal(node, 1.0..=1e9));
    Some(FaultKind::ColdCache {
        at: at?,
        amplitude,
        requests,
    })
}

fn slow_route(section: &Section<'_>, routes: &[Route]) -> Option<FaultKind> {
    let route = section
        .required("route", "search")
        .and_then(|node| position(node, routes));
    let (during, factor) = (during(section), factor(section));
    Some(FaultKind::SlowRoute {
        route: route?,
        during: during?,
        factor: factor?,
    })
}

fn position(node: Located<'_>, routes: &[Route]) -> Option<usize> {
    let name = node.word("a route's name")?;
    let position = routes.iter().position(|route| route.name == name);
    if position.is_none() {
        let names: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
        node.refuse(format!("there is no route {}", quoted(name)), suggestion(name, &names));
    }
    position
}

fn during(section: &Section<'_>) -> Option<Range<Duration>> {
    numbers::window(section.optional("from"), section.optional("to"))
}

fn factor(section: &Section<'_>) -> Option<f64> {
    let node = section.required("factor", "5")?;
    numbers::decimal(node, 1.0..=LARGEST_FACTOR)
}
