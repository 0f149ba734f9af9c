//! A scenario file -> a [`Scenario`], or everything that is wrong with it.

mod backends;
mod faults;
mod numbers;
mod traffic;

use std::time::Duration;

use crate::config::ConfigErrors;
use crate::config::Source;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::config::yaml::load;
use crate::simulation::scenario::Polls;
use crate::simulation::scenario::Scenario;

/// Requests of one world: they are drawn in advance and kept in memory.
const MOST_REQUESTS: f64 = 20e6;
const MOST_GATEWAYS: u64 = 256;
/// A world shorter than this measures nothing.
const SHORTEST: Duration = Duration::from_secs(1);
/// A percentage without an upper bound of its own, as a part of 1.
const ANY_LOAD: f64 = 10.0;

/// The world that `source` describes; reports call it `name`.
///
/// # Errors
/// Everything that is wrong with the file, each with its place and a remedy.
pub fn parse(name: &str, source: Source<'_>) -> Result<Scenario, ConfigErrors> {
    let document = load(source, &|_| None);
    let scenario = Located::root(&document).and_then(|root| root.section(|file| scenario(name, file)));
    let (scenario, _) = document.conclude(scenario.flatten())?;
    Ok(scenario)
}

fn scenario(name: &str, file: &Section<'_>) -> Option<Scenario> {
    let backends = backends::backends(file);
    let routes = traffic::routes(file);
    let count = backends.as_ref().map_or(usize::MAX, Vec::len);
    let faults = faults::faults(file, count, routes.as_deref().unwrap_or_default());
    let scenario = Scenario {
        name: name.to_owned(),
        duration: file.or("duration", Duration::from_secs(150), |node| {
            numbers::span(node, SHORTEST)
        }),
        unmeasured: file.or("unmeasured", Duration::from_secs(30), |node| {
            numbers::span(node, Duration::ZERO)
        }),
        gateways: file.or("gateways", 1, |node| {
            node.number(1..=MOST_GATEWAYS).map(|number| number as usize)
        }),
        round_trip: file.or("round_trip", Duration::from_micros(500), |node| {
            numbers::span(node, Duration::ZERO)
        }),
        load: file.or("load", 0.7, |node| numbers::percentage(node, 0.0001..=ANY_LOAD)),
        arrivals: traffic::arrivals(file),
        polls: file.or("metrics", DEFAULT_POLLS, |node| node.section(polls)),
        routes: routes?,
        backends: backends?,
        faults: faults?,
    };
    is_measurable(&scenario, file).then_some(scenario)
}

const DEFAULT_POLLS: Polls = Polls {
    interval: Duration::from_secs(1),
    cpu_noise: 0.03,
};

fn polls(section: &Section<'_>) -> Polls {
    let interval = |node| numbers::span(node, Duration::from_millis(10));
    Polls {
        interval: section.or("interval", DEFAULT_POLLS.interval, interval),
        cpu_noise: section.or("cpu_noise", DEFAULT_POLLS.cpu_noise, |node| {
            numbers::percentage(node, 0.0..=1.0)
        }),
    }
}

/// Whether the world is long enough to be measured, and small enough to be kept in memory.
fn is_measurable(scenario: &Scenario, file: &Section<'_>) -> bool {
    if scenario.unmeasured >= scenario.duration {
        let node = file.optional("unmeasured").unwrap_or(file.itself());
        node.refuse(
            "nothing is left to be measured",
            "make `unmeasured` shorter than `duration`",
        );
        return false;
    }
    let requests = scenario.rate() * scenario.duration.as_secs_f64();
    if requests > MOST_REQUESTS {
        let node = file.optional("duration").unwrap_or(file.itself());
        let message = format!("{requests:.0} requests would arrive in it");
        node.refuse(
            message,
            format!("make `duration` or the backends smaller: at most {MOST_REQUESTS:.0} are possible"),
        );
        return false;
    }
    true
}

/// Takes `keys` for known without reading them: what they belong to was refused already.
fn overlook(section: &Section<'_>, keys: &[&'static str]) {
    for key in keys {
        let _ = section.optional(key);
    }
}
