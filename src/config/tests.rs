//! What files mean, and what is said about those that mean nothing: `integration/config_cases` and `conf`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::config::Checked;
use crate::config::ConfigErrors;
use crate::config::Learn;
use crate::config::Learning;
use crate::config::Match;
use crate::config::MetricsUse;
use crate::config::ModelUse;
use crate::config::SelectorType;
use crate::config::Source;
use crate::config::parse;
use crate::config::render;

/// Between a case's YAML and what is expected of it.
const DASHES: &str = "---8<---\n";

const SELECTORS: [SelectorType<'_>; 5] = [
    selector_type("round_robin", ModelUse::Never, MetricsUse::Optional),
    selector_type("random", ModelUse::Never, MetricsUse::Optional),
    selector_type("least_requests", ModelUse::Never, MetricsUse::Optional),
    selector_type("classifier", ModelUse::Required, MetricsUse::Required),
    selector_type("forest", ModelUse::Learned, MetricsUse::Optional),
];

const fn selector_type(name: &str, model: ModelUse, metrics: MetricsUse) -> SelectorType<'_> {
    SelectorType { name, model, metrics }
}

pub(super) fn parse_here(text: &str) -> Result<Checked, ConfigErrors> {
    let variable = |name: &str| match name {
        "PORT" => Some("8080".to_owned()),
        "TOKEN" => Some("0123456789012345".to_owned()),
        "LIST" => Some("[1, 2]".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    parse(
        Source {
            name: "gateway.yaml",
            text,
        },
        &variable,
        &SELECTORS,
    )
}

pub(super) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(super) fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// What a person is told about `text`: `ok` and the warnings, or the errors.
pub(super) fn told(text: &str) -> String {
    match parse_here(text) {
        Ok(checked) => ["ok".to_owned(), render(&checked.warnings)]
            .join("\n")
            .trim_end()
            .to_owned(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn every_case_is_told_as_its_file_says() {
    let mut cases: Vec<PathBuf> = fs::read_dir(project("integration/config_cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.sort();
    assert!(cases.len() >= 30, "the cases are gone");
    let failures: Vec<String> = cases.iter().filter_map(|path| failure(path)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn failure(path: &Path) -> Option<String> {
    let case = read(path);
    let (yaml, expected) = case
        .split_once(DASHES)
        .unwrap_or_else(|| panic!("{}: no line of dashes", path.display()));
    let told = told(yaml);
    (told != expected.trim_end()).then(|| format!("{}, expected:\n{expected}but it is:\n{told}", path.display()))
}

#[test]
fn the_files_in_conf_are_taken_without_a_warning() {
    for file in ["conf/gateway.yaml", "conf/minimal.yaml"] {
        assert_eq!(told(&read(project(file))), "ok", "{file}");
    }
}

/// A file with every section, and a key in each that none of them has.
const NO_SUCH_KEYS: &str = r#"
no_such_key: 1
version: 1
admin: { bind: "127.0.0.1:9901", no_such_key: 1 }
log: { no_such_key: 1 }
runtime: { no_such_key: 1 }
defaults: { timeouts: { no_such_key: 1 }, limits: { no_such_key: 1 }, no_such_key: 1 }
listeners: [{ name: web, bind: ":80", no_such_key: 1 }]
routes: [{ name: everything, pool: shop, match: { no_such_key: 1 }, no_such_key: 1 }]
pools:
  shop:
    backends: [{ address: "127.0.0.1:3001", no_such_key: 1 }]
    selector: { type: forest, learn: { no_such_key: 1 }, decision_log: { dir: state/log, no_such_key: 1 }, no_such_key: 1 }
    metrics_source: { type: agent, port: 9902, no_such_key: 1 }
    dataset: { file: rows.csv, no_such_key: 1 }
    health_check: { type: http, expect: { status: [200], no_such_key: 1 }, no_such_key: 1 }
    outlier_detection: { no_such_key: 1 }
    retries: { no_such_key: 1 }
    no_such_key: 1
"#;

/// The path of every key that is accepted, as the reference writes it: learned from what errors offer instead.
fn every_key() -> Vec<String> {
    let errors = parse_here(NO_SUCH_KEYS).unwrap_err().errors;
    assert_eq!(
        errors.len(),
        NO_SUCH_KEYS.matches("no_such_key").count(),
        "a section is read twice, or not at all"
    );
    errors
        .iter()
        .flat_map(|error| offered(&error.path, &error.remedy))
        .collect()
}

fn offered(path: &str, remedy: &str) -> Vec<String> {
    let section = path
        .trim_end_matches("no_such_key")
        .replace("[0]", "[]")
        .replace("pools.shop", "pools.<name>");
    let keys = remedy
        .strip_prefix("use one of: ")
        .unwrap_or_else(|| panic!("{path}: {remedy}"));
    keys.split(", ").map(|key| format!("{section}{key}")).collect()
}

#[test]
fn the_reference_names_every_key() {
    let reference = read(project("docs/configuration.md"));
    for key in every_key() {
        assert!(
            reference.contains(&format!("`{key}`")),
            "docs/configuration.md does not name `{key}`"
        );
    }
}

#[test]
fn the_reference_names_no_other_key() {
    let keys = every_key();
    let reference = read(project("docs/configuration.md"));
    let rows = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    for (key, _) in rows {
        assert!(
            keys.iter().any(|known| known == key),
            "docs/configuration.md names `{key}`, which is not accepted"
        );
    }
}

#[test]
fn the_example_writes_every_key() {
    let example = read(project("conf/gateway.yaml"));
    for key in every_key() {
        let word = key.rsplit('.').next().unwrap_or_default();
        assert!(
            example.contains(&format!("{word}:")),
            "conf/gateway.yaml has no `{key}`"
        );
    }
}

#[test]
fn the_example_says_what_the_defaults_are() {
    let said = parse_here(&read(project("conf/gateway.yaml"))).unwrap().config;
    let left_out = parse_here(&read(project("conf/minimal.yaml"))).unwrap().config;
    assert_eq!(said.timeouts, left_out.timeouts);
    assert_eq!(
        (said.limits, said.log, said.runtime),
        (left_out.limits, left_out.log, left_out.runtime)
    );
    assert_eq!(said.drain_timeout, left_out.drain_timeout);
    assert_eq!(said.pools[1].selector.learning.mode, Learning::default().mode);
    assert_eq!(said.pools[1].selector.learning.explore, Learning::online().explore);
    assert_eq!(said.pools[1].selector.learning.preset, Learning::default().preset);
    let (said, left_out) = (&said.pools[0], &left_out.pools[0]);
    assert_eq!(said.outlier_detection, left_out.outlier_detection);
    assert_eq!(
        (said.panic_threshold, said.slow_start, said.retries),
        (left_out.panic_threshold, left_out.slow_start, left_out.retries)
    );
}

#[test]
fn a_route_knows_what_it_asks_for() {
    let config = parse_here(&read(project("conf/gateway.yaml"))).unwrap().config;
    let expected = Match {
        hosts: vec!["shop.example".to_owned(), "*.shop.example".to_owned()],
        path_prefix: Some("/checkout".to_owned()),
        methods: vec![http::Method::POST],
        headers: vec![(
            http::HeaderName::from_static("x-beta"),
            http::HeaderValue::from_static("1"),
        )],
    };
    assert_eq!(config.routes[0].matches, expected);
    assert_eq!(config.routes.last().unwrap().matches, Match::default());
}

#[track_caller]
fn check_learning(settings: &str, expected: &Learning) {
    let case = read(project("integration/config_cases/selector_with_everything.case"));
    let yaml = case.split(DASHES).next().unwrap_or_default();
    let line = yaml.lines().find(|line| line.contains("selector:")).unwrap();
    let text = yaml.replace(line, &format!("    selector: {settings}"));
    let config = parse_here(&text).unwrap().config;
    assert_eq!(config.pools[0].selector.learning, *expected, "{settings}");
}

#[test]
fn a_forest_stays_as_it_is_unless_it_is_told_to_learn() {
    check_learning("forest", &Learning::default());
    check_learning("{ type: forest, learn: off }", &Learning::default());
    check_learning("{ type: forest, learn: online }", &Learning::online());
    let every = |seconds| Learn::Online(Some(std::time::Duration::from_secs(seconds)));
    check_learning(
        "{ type: forest, learn: { every: 20s } }",
        &Learning {
            learn: every(20),
            ..Learning::online()
        },
    );
    check_learning("{ type: forest, learn: off, model: a.forest }", &Learning::default());
}

#[test]
fn a_finding_knows_its_path() {
    let errors = parse_here(NO_SUCH_KEYS).unwrap_err().errors;
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert!(paths.contains(&"pools.shop.backends[0].no_such_key"), "{paths:?}");
}

#[test]
fn a_token_is_not_in_debug_output() {
    let text = read(project("conf/minimal.yaml")) + "admin: { bind: ':9901', token: '${TOKEN}' }";
    let shown = format!("{:?}", parse_here(&text).unwrap().config);
    assert!(shown.contains("***") && !shown.contains("0123456789"), "{shown}");
}

#[test]
fn a_selector_that_needs_a_model_has_one_of_its_own() {
    let text = read(project("integration/config_cases/selector_needs_metrics.case"));
    let yaml = text.split(DASHES).next().unwrap_or_default();
    let word = yaml.replace("{ type: classifier, model: models/shop.forest }", "classifier");
    let checked = parse_here(&format!("{word}    metrics_source: {{ type: agent, port: 9902 }}\n")).unwrap();
    assert_eq!(
        checked.config.pools[0].selector.model,
        Some(PathBuf::from("state/shop.forest"))
    );
}
