//! What holds for the whole gateway: `admin`, `log`, `runtime` and `defaults`.

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use crate::config::Admin;
use crate::config::Limits;
use crate::config::Log;
use crate::config::Runtime;
use crate::config::Timeouts;
use crate::config::check::address;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::units::Celsius;

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::Off),
    ("error", LevelFilter::Error),
    ("warn", LevelFilter::Warn),
    ("info", LevelFilter::Info),
    ("debug", LevelFilter::Debug),
    ("trace", LevelFilter::Trace),
];
const THREADS: RangeInclusive<u64> = 1..=1_024;
const LOAD: RangeInclusive<u64> = 1..=1_000;
/// A thread of the lowest priority hardly comes to run then, and what it takes is missed elsewhere.
const MAX_LOAD: Option<NonZeroU32> = NonZeroU32::new(4);
const TEMPERATURE: RangeInclusive<Celsius> = Celsius(20)..=Celsius(150);
/// Here a Raspberry Pi begins to slow down, and most other machines are hotter than is good for them.
const MAX_TEMPERATURE: Option<Celsius> = Some(Celsius(80));
const CONNECTIONS: RangeInclusive<u64> = 1..=10_000_000;
/// Below, a packet that is sent again would end it; above, it is no timeout any more.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3_600);
/// Pingora's parser stops at 1 MiB.
const HEADER_BYTES: RangeInclusive<u64> = 1 << 10..=1 << 20;
const BODY_BYTES: RangeInclusive<u64> = 1..=1 << 40;
/// A token is sent in a header.
const LONGEST_TOKEN: usize = 256;
/// Sixteen random characters are beyond guessing over a network.
const SHORT_TOKEN: usize = 16;

const TIMEOUTS: Timeouts = Timeouts {
    header: Duration::from_secs(10),
    connect: Duration::from_secs(2),
    request: Duration::from_secs(30),
    idle: Duration::from_secs(60),
};
const LIMITS: Limits = Limits {
    max_header_bytes: 16 << 10,
    max_body_bytes: 10 << 20,
    max_connections: None,
};
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// The section `defaults`.
pub(super) struct Defaults {
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
    pub(super) drain_timeout: Duration,
}

pub(super) fn admin(node: Located<'_>) -> Option<Admin> {
    node.section(|section| {
        let bind = section.required("bind", "127.0.0.1:9901").and_then(address::bind);
        let written = section.optional("token");
        let admin = Admin {
            bind: bind?,
            token: written.and_then(token),
        };
        guard(section, &admin, written);
        Some(admin)
    })?
}

/// Whoever reaches the admin listener can change what the gateway does.
fn guard(section: &Section<'_>, admin: &Admin, written: Option<Located<'_>>) {
    if admin.bind.ip().to_canonical().is_loopback() {
        return;
    }
    match (written, &admin.token) {
        (None, _) => section.itself().refuse(
            format!(
                "`admin` listens on {}, beyond this machine, without a token",
                admin.bind
            ),
            "add `token: \"${ADMIN_TOKEN}\"`, or bind it to 127.0.0.1",
        ),
        (Some(node), Some(token)) if token.len() < SHORT_TOKEN => {
            node.warn(
                "`token` can be guessed",
                format!("use at least {SHORT_TOKEN} random characters"),
            );
        }
        _ => {}
    }
}

fn token(node: Located<'_>) -> Option<String> {
    let text = node.secret()?;
    let is_valid = (1..=LONGEST_TOKEN).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if !is_valid {
        node.refuse(
            "`token` cannot be sent in a header",
            "use 1 to 256 visible ASCII characters without spaces",
        );
    }
    is_valid.then(|| text.to_owned())
}

pub(super) fn log(file: &Section<'_>) -> Log {
    let read = |node: Located<'_>| {
        node.section(|section| section.or("level", LevelFilter::Info, |level| level.choice(&LEVELS)))
    };
    Log {
        level: file.or("log", LevelFilter::Info, read),
    }
}

pub(super) fn runtime(file: &Section<'_>) -> Runtime {
    let default = Runtime {
        threads: None,
        state_dir: PathBuf::from("state"),
        max_load: MAX_LOAD,
        max_temperature: MAX_TEMPERATURE,
    };
    file.or("runtime", default.clone(), |node| {
        node.section(|section| Runtime {
            threads: section.or("threads", None, threads),
            state_dir: section.or("state_dir", default.state_dir, path),
            max_load: section.or("max_load", default.max_load, load),
            max_temperature: section.or("max_temperature", default.max_temperature, |node| {
                node.temperature_or_off(TEMPERATURE)
            }),
        })
    })
}

fn load(node: Located<'_>) -> Option<Option<NonZeroU32>> {
    Some(
        node.number_or("off", LOAD)?
            .and_then(|number| u32::try_from(number).ok())
            .and_then(NonZeroU32::new),
    )
}

fn threads(node: Located<'_>) -> Option<Option<NonZeroUsize>> {
    Some(
        node.number_or("auto", THREADS)?
            .and_then(|number| usize::try_from(number).ok())
            .and_then(NonZeroUsize::new),
    )
}

/// A path as it stands; relative ones start at the working directory.
pub(super) fn path(node: Located<'_>) -> Option<PathBuf> {
    let text = node.text()?;
    if text.is_empty() || text.contains(char::is_control) {
        node.refuse("this is not a path", "write the path of a file, as in state/shop.csv");
        return None;
    }
    Some(PathBuf::from(text))
}

pub(super) fn defaults(file: &Section<'_>) -> Defaults {
    let default = || Defaults {
        timeouts: TIMEOUTS,
        limits: LIMITS,
        drain_timeout: DRAIN_TIMEOUT,
    };
    file.or("defaults", default(), |node| {
        node.section(|section| Defaults {
            timeouts: section.or("timeouts", TIMEOUTS, |node| node.section(timeouts)),
            limits: section.or("limits", LIMITS, |node| node.section(limits)),
            drain_timeout: section.or("drain_timeout", DRAIN_TIMEOUT, timeout),
        })
    })
}

fn timeouts(section: &Section<'_>) -> Timeouts {
    Timeouts {
        header: section.or("header", TIMEOUTS.header, timeout),
        connect: section.or("connect", TIMEOUTS.connect, timeout),
        request: section.or("request", TIMEOUTS.request, timeout),
        idle: section.or("idle", TIMEOUTS.idle, timeout),
    }
}

fn timeout(node: Located<'_>) -> Option<Duration> {
    node.duration(TIMEOUT)
}

fn limits(section: &Section<'_>) -> Limits {
    Limits {
        max_header_bytes: section.or("max_header_bytes", LIMITS.max_header_bytes, |node| {
            node.size(HEADER_BYTES)
        }),
        max_body_bytes: section.or("max_body_bytes", LIMITS.max_body_bytes, |node| node.size(BODY_BYTES)),
        max_connections: section.or("max_connections", None, connections),
    }
}

fn connections(node: Located<'_>) -> Option<Option<NonZeroU32>> {
    Some(
        node.number_or("auto", CONNECTIONS)?
            .and_then(|number| u32::try_from(number).ok())
            .and_then(NonZeroU32::new),
    )
}
