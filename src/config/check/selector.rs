//! `selector`: a word, or a word with its settings.

use std::path::Path;
use std::path::PathBuf;

use crate::config::Learning;
use crate::config::Pool;
use crate::config::Selector;
use crate::config::check::decision_log;
use crate::config::check::gateway;
use crate::config::check::learning;
use crate::config::check::metrics::Metrics;
use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::Section;
use crate::config::read::nearest;

/// What is chosen by when nothing is said.
const DEFAULT: &str = "round_robin";

/// A selector type that a pool may name, and what it works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectorType<'n> {
    /// Its registered name.
    pub name: &'n str,
    /// Whether it takes a `model`.
    pub model: ModelUse,
    /// Whether it needs a `metrics_source`.
    pub metrics: MetricsUse,
}

/// Whether a selector type takes a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelUse {
    /// It has no use for one.
    Never,
    /// It learns one while it serves; one that is named is what it starts from, or stays with.
    Learned,
    /// It cannot do without; where none is named, it is the pool's own in the state directory.
    Required,
}

/// Whether a selector type looks at the backends' metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsUse {
    /// It may look at them, or not.
    Optional,
    /// It cannot do without.
    Required,
}

/// The selector of the pool in `section`, whose backends' metrics are `metrics`.
pub(super) fn selector(section: &Section<'_>, types: &[SelectorType<'_>], metrics: &Metrics) -> Option<Selector> {
    let Some(node) = section.optional("selector") else {
        return Some(by_word(DEFAULT));
    };
    let (selector, selector_type) = if node.is_section() {
        node.section(|section| with_settings(section, types))??
    } else {
        let selector_type = known_type(node, types)?;
        (by_word(selector_type.name), selector_type)
    };
    require_metrics(node, selector_type, metrics);
    Some(selector)
}

fn by_word(name: &str) -> Selector {
    Selector {
        kind: name.to_owned(),
        model: None,
        fallback: None,
        learning: Learning::default(),
        decision_log: None,
    }
}

fn with_settings<'t>(section: &Section<'_>, types: &'t [SelectorType<'t>]) -> Option<(Selector, &'t SelectorType<'t>)> {
    let selector_type = section
        .required("type", DEFAULT)
        .and_then(|node| known_type(node, types));
    if selector_type.is_some_and(|known| known.model == ModelUse::Never) {
        let because = format!(
            "is for a selector that uses a model, and `{}` does not",
            selector_type?.name
        );
        section.inapplicable("model", &because);
        section.inapplicable("fallback", &because);
    }
    let model: Option<PathBuf> = section.optional("model").and_then(gateway::path);
    let fallback = section.optional("fallback").and_then(|node| fallback(node, types));
    let learning = learning::learning(section, selector_type);
    let decision_log = decision_log::decision_log(section, selector_type);
    let selector_type = selector_type?;
    let selector = Selector {
        model,
        fallback,
        learning,
        decision_log,
        ..by_word(selector_type.name)
    };
    Some((selector, selector_type))
}

/// What serves while a model cannot must itself need none.
fn fallback(node: Located<'_>, types: &[SelectorType<'_>]) -> Option<String> {
    let known = known_type(node, types)?;
    if known.model != ModelUse::Never {
        node.refuse(
            format!("`{}` uses a model itself, so it cannot stand in for one", known.name),
            "use round_robin or least_requests",
        );
    }
    Some(known.name.to_owned())
}

fn known_type<'t>(node: Located<'_>, types: &'t [SelectorType<'t>]) -> Option<&'t SelectorType<'t>> {
    let text = node.word("the name of a selector type")?;
    let known = types.iter().find(|known| known.name == text);
    if known.is_none() {
        node.refuse(
            format!("unknown selector type {}", quoted(text)),
            type_remedy(text, types),
        );
    }
    known
}

fn type_remedy(text: &str, types: &[SelectorType<'_>]) -> String {
    let names: Vec<&str> = types.iter().map(|known| known.name).collect();
    let guess = nearest(text, &names).map(|name| format!("did you mean `{name}`? "));
    format!("{}there are: {}", guess.unwrap_or_default(), names.join(", "))
}

/// The model of `pool`, which a selector that cannot do without is given where none is named: a word of YAML then
/// swaps it in.
pub(super) fn give_own_model(pool: &mut Pool, types: &[SelectorType<'_>], state_dir: &Path) {
    let needs_one = |known: &SelectorType<'_>| known.name == pool.selector.kind && known.model == ModelUse::Required;
    if pool.selector.model.is_none() && types.iter().any(needs_one) {
        pool.selector.model = Some(state_dir.join(format!("{}.forest", pool.name)));
    }
}

fn require_metrics(node: Located<'_>, selector_type: &SelectorType<'_>, metrics: &Metrics) {
    if selector_type.metrics == MetricsUse::Required && matches!(metrics, Metrics::Absent) {
        node.refuse(
            format!(
                "selector `{}` needs the backends' metrics, and this pool has none",
                selector_type.name
            ),
            "add `metrics_source: { type: agent, port: 9902 }` to the pool",
        );
    }
}
