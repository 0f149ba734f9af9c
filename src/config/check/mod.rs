//! What a file says -> a [`Config`], or everything that is wrong with it.
//!
//! A file below here reads one part of the configuration, top-down. Readers return a default or nothing where they
//! have refused something: what they return is dropped then, and the next key is read all the same.

mod address;
mod decision_log;
mod gateway;
mod health;
mod learning;
mod listeners;
mod metrics;
mod path;
mod pools;
mod reach;
mod routes;
mod selector;

use std::collections::BTreeMap;

use crate::config::Config;
use crate::config::Pool;
use crate::config::document::Document;
use crate::config::error::ConfigErrors;
use crate::config::error::Finding;
use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Refusal;
use crate::config::read::Section;
use crate::config::yaml::Source;
use crate::config::yaml::load;

pub use selector::MetricsUse;
pub use selector::ModelUse;
pub use selector::SelectorType;

/// The only version of the file's shape so far.
const VERSION: u64 = 1;
/// Listeners, routes and pools: each list's length, for the sake of the checks between them.
const MOST_ITEMS: usize = 1_024;
/// Characters of a name; it becomes a label in metrics and part of file names.
const LONGEST_NAME: usize = 64;

/// A configuration that may serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// What the file means.
    pub config: Config,
    /// What its writer hardly meant, from the file's top to its end.
    pub warnings: Vec<Finding>,
}

/// What `source` means. `variable` knows the environment, `selectors` the selector types that a pool may name.
///
/// # Errors
/// Everything that is wrong with the file, each with its place and a remedy.
pub fn parse(
    source: Source<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    selectors: &[SelectorType<'_>],
) -> Result<Checked, ConfigErrors> {
    parsed(load(source, variable), selectors)
}

/// As [`parse`], as if `selector` were the selector of `pool`: what is found lies where it is in the text as it stands.
///
/// # Errors
/// As those of [`parse`].
pub fn parse_with_selector(
    source: Source<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    selectors: &[SelectorType<'_>],
    (pool, selector): (&str, &str),
) -> Result<Checked, ConfigErrors> {
    let mut document = load(source, variable);
    // A selector that is of that type already keeps its settings.
    if document.text_at(&["pools", pool, "selector", "type"]) != Some(selector) {
        document.put(&["pools", pool], "selector", selector);
    }
    parsed(document, selectors)
}

/// What only turns out once what a file names is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The way to what names it: keys, and places in lists.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// `problems` of `source`, which reads well, each with its place: where the way to it ends in the file, or as far as it
/// leads there.
#[must_use]
pub fn refused(
    source: Source<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    selectors: &[SelectorType<'_>],
    problems: &[Problem],
) -> ConfigErrors {
    let document = load(source, variable);
    // Only who reads a file knows which of its places are secrets.
    let _ = read(&document, selectors);
    for problem in problems {
        if let Some(id) = document.nearest(&problem.path) {
            document.refuse(id, &problem.message, &problem.remedy);
        }
    }
    match document.conclude(None::<Config>) {
        Ok((_, errors)) | Err(ConfigErrors { errors }) => ConfigErrors { errors },
    }
}

fn parsed(document: Document, selectors: &[SelectorType<'_>]) -> Result<Checked, ConfigErrors> {
    let config = read(&document, selectors);
    let (config, warnings) = document.conclude(config)?;
    Ok(Checked { config, warnings })
}

fn read(document: &Document, selectors: &[SelectorType<'_>]) -> Option<Config> {
    Located::root(document)?.section(|file| config(file, selectors))?
}

fn config(file: &Section<'_>, selectors: &[SelectorType<'_>]) -> Option<Config> {
    let _ = file
        .required("version", "1")
        .and_then(|version| version.number(VERSION..=VERSION));
    let admin = file.optional("admin").and_then(gateway::admin);
    let listeners = listeners::listeners(file, admin.as_ref());
    let pools = pools::pools(file, selectors);
    let routes = routes::routes(file, pools.as_deref());
    let log = gateway::log(file);
    let runtime = gateway::runtime(file);
    let defaults = gateway::defaults(file);
    let mut pools: Vec<Pool> = pools?.into_iter().map(|named| named.pool).collect::<Option<_>>()?;
    for pool in &mut pools {
        selector::give_own_model(pool, selectors, &runtime.state_dir);
    }
    Some(Config {
        admin,
        log,
        runtime,
        timeouts: defaults.timeouts,
        limits: defaults.limits,
        drain_timeout: defaults.drain_timeout,
        listeners: listeners?,
        routes: routes?,
        pools,
    })
}

/// A name, of a `thing` that no other one on the lines in `seen` has.
fn unique_name(node: Located<'_>, thing: &str, seen: &mut BTreeMap<String, usize>) -> Option<String> {
    let name = node.parsed("a name", |text| parse_name(text).map(str::to_owned))?;
    if let Some(line) = seen.insert(name.clone(), node.line()) {
        node.refuse(
            format!("a {thing} called `{name}` is there already"),
            format!("use another name; the other is on line {line}"),
        );
    }
    Some(name)
}

fn parse_name(text: &str) -> Result<&str, Refusal> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && text.chars().all(is_word) && text.len() <= LONGEST_NAME {
        return Ok(text);
    }
    let remedy = "use at most 64 letters, digits, `-`, `_` and `.`, a letter or digit first";
    Err(Refusal::new(format!("{} cannot be a name", quoted(text)), remedy))
}
