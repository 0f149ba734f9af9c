//! The sections `arrivals` and `routes`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::read::Located;
use crate::config::read::Section;
use crate::simulation::scenario::Arrivals;
use crate::simulation::scenario::Demand;
use crate::simulation::scenario::Route;
use crate::simulation::scenario::read::numbers;
use crate::simulation::scenario::read::overlook;

const MOST_ROUTES: usize = 1_024;
const SHORTEST_DEMAND: Duration = Duration::from_micros(1);
/// Beyond it the mean is made by requests that never come in a run of any length.
const WIDEST_SIGMA: f64 = 3.0;
/// How far shares may be from adding up to 1: they are written with a few digits.
const SHARE_TOLERANCE: f64 = 1e-3;
const DEFAULT_REQUEST_BYTES: u64 = 500;
const DEFAULT_RESPONSE_BYTES: u64 = 8 << 10;
const LARGEST_BODY: u64 = 1 << 30;

/// What [`Arrivals`] `type` can be.
#[derive(Clone, Copy)]
enum Pattern {
    Poisson,
    Bursts,
}

pub(super) fn arrivals(file: &Section<'_>) -> Arrivals {
    file.or("arrivals", Arrivals::Poisson, |node| node.section(pattern))
}

fn pattern(section: &Section<'_>) -> Arrivals {
    let choices = [("poisson", Pattern::Poisson), ("bursts", Pattern::Bursts)];
    let chosen = section
        .required("type", "poisson")
        .and_then(|node| node.choice(&choices));
    if let Some(Pattern::Poisson) = chosen {
        return Arrivals::Poisson;
    }
    let phase = |node| numbers::span(node, Duration::from_millis(1));
    Arrivals::Bursts {
        factor: section.or("factor", 2.0, |node| numbers::decimal(node, 1.0..=1_000.0)),
        high: section.or("high", Duration::from_secs(2), phase),
        low: section.or("low", Duration::from_secs(8), phase),
    }
}

pub(super) fn routes(file: &Section<'_>) -> Option<Vec<Route>> {
    let Some(list) = file.optional("routes") else {
        return Some(default_routes());
    };
    let mut names = BTreeMap::new();
    let read = |node: Located<'_>| node.section(|section| route(section, &mut names))?;
    let routes: Vec<Route> = list.items(MOST_ROUTES)?.into_iter().map(read).collect::<Option<_>>()?;
    let sum: f64 = routes.iter().map(|route| route.share).sum();
    if (sum - 1.0).abs() > SHARE_TOLERANCE {
        list.refuse(
            format!("the shares add up to {:.1}%", sum * 100.0),
            "make them add up to 100%",
        );
        return None;
    }
    Some(routes)
}

/// A shop's mix: most requests are cheap, most work is not theirs.
fn default_routes() -> Vec<Route> {
    let lognormal = |mean_ms| Demand::Lognormal {
        mean: Duration::from_millis(mean_ms),
        sigma: 0.3,
    };
    let browse = Demand::Uniform {
        low: Duration::from_millis(2),
        high: Duration::from_millis(5),
    };
    let route = |(name, share, demand): (&str, f64, Demand)| Route {
        name: name.to_owned(),
        share,
        demand,
        request_bytes: DEFAULT_REQUEST_BYTES,
        response_bytes: DEFAULT_RESPONSE_BYTES,
    };
    let mix = [
        ("browse", 0.80, browse),
        ("search", 0.15, lognormal(20)),
        ("checkout", 0.05, lognormal(80)),
    ];
    mix.into_iter().map(route).collect()
}

fn route(section: &Section<'_>, names: &mut BTreeMap<String, usize>) -> Option<Route> {
    let name = section
        .required("name", "search")
        .and_then(|node| unique_name(node, names));
    let share = section
        .required("share", "15%")
        .and_then(|node| numbers::percentage(node, 0.0001..=1.0));
    let demand = section.required("demand", "{ type: uniform, low: 2ms, high: 5ms }");
    let demand = demand.and_then(|node| node.section(demand_of)?);
    Some(Route {
        name: name?,
        share: share?,
        demand: demand?,
        request_bytes: section.or("request_size", DEFAULT_REQUEST_BYTES, |node| {
            node.size(0..=LARGEST_BODY)
        }),
        response_bytes: section.or("response_size", DEFAULT_RESPONSE_BYTES, |node| {
            node.size(0..=LARGEST_BODY)
        }),
    })
}

fn unique_name(node: Located<'_>, names: &mut BTreeMap<String, usize>) -> Option<String> {
    let name = node.word("a name")?.to_owned();
    if let Some(line) = names.insert(name.clone(), node.line()) {
        node.refuse(
            "a route is called that already",
            format!("use another name; the other is on line {line}"),
        );
    }
    Some(name)
}

/// What a demand's `type` can be.
#[derive(Clone, Copy)]
enum Shape {
    Constant,
    Uniform,
    Exponential,
    Lognormal,
}

fn demand_of(section: &Section<'_>) -> Option<Demand> {
    let choices = [
        ("constant", Shape::Constant),
        ("uniform", Shape::Uniform),
        ("exponential", Shape::Exponential),
        ("lognormal", Shape::Lognormal),
    ];
    let shape = section
        .required("type", "lognormal")
        .and_then(|node| node.choice(&choices));
    let span = |node| numbers::span(node, SHORTEST_DEMAND);
    let mean = || section.required("mean", "20ms").and_then(span);
    match shape {
        Some(Shape::Constant) => section.required("value", "5ms").and_then(span).map(Demand::Constant),
        Some(Shape::Uniform) => uniform(section),
        Some(Shape::Exponential) => Some(Demand::Exponential { mean: mean()? }),
        Some(Shape::Lognormal) => {
            let sigma = section.required("sigma", "0.3");
            let sigma = sigma.and_then(|node| numbers::decimal(node, 0.0..=WIDEST_SIGMA));
            Some(Demand::Lognormal {
                mean: mean()?,
                sigma: sigma?,
            })
        }
        None => {
            overlook(section, &["value", "low", "high", "mean", "sigma"]);
            None
        }
    }
}

fn uniform(section: &Section<'_>) -> Option<Demand> {
    let span = |node| numbers::span(node, SHORTEST_DEMAND);
    let low = section.required("low", "2ms").and_then(span);
    let high_node = section.required("high", "5ms");
    let (low, high) = (low?, high_node.and_then(span)?);
    if low > high {
        high_node?.refuse("`high` is less than `low`", "write at least as much");
        return None;
    }
    Some(Demand::Uniform { low, high })
}
