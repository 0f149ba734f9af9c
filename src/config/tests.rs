//! What files mean, and what is said about those that mean nothing: `integration/config_cases` and `conf`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::config::Checked;
use crate::config::ConfigErrors;
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
    selector_type("forest", ModelUse::Optional, MetricsUse::Optional),
];

const fn selector_type(name: &str, model: ModelUse, metrics: MetricsUse) -> SelectorType<'_> {
    SelectorType { name, model, metrics }
}

fn parse_here(text: &str) -> Result<Checked, ConfigErrors> {
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

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// What a person is told about `text`: `ok` and the warnings, or the errors.
fn told(text: &str) -> String {
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
