//! The floors of ARCHITECTURE.md and the conventions of the code, proved over the source text.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::root;

/// Every module and its height; a module uses only lower ones. Between the floors stand what their neighbours may
/// use: `generation` above the decisions, `clock` and `telemetry` below what stands outside, `cli` above the roof.
const HEIGHTS: [(&str, u32); 28] = [
    ("units", 0),
    ("counters", 0),
    ("elementary", 0),
    ("config", 10),
    ("pool", 10),
    ("forest", 10),
    ("routing", 20),
    ("filters", 20),
    ("selection", 20),
    ("generation", 25),
    ("simulation", 30),
    ("training", 30),
    ("report", 30),
    ("distillation", 35),
    ("clock", 40),
    ("shutdown", 40),
    ("telemetry", 40),
    ("tls", 45),
    ("proxy", 45),
    ("tasks", 45),
    ("admin", 45),
    ("server", 50),
    ("agent", 50),
    ("traffic", 50),
    ("process", 50),
    ("demo", 55),
    ("evaluation", 55),
    ("cli", 60),
];
/// From here on there may be a clock, entropy, a disk and a network.
const OUTSIDE: u32 = 40;
/// Files and folders that are compiled for tests only.
const TESTS: [&str; 3] = ["tests", "tests.rs", "properties.rs"];
/// Modules that may open files.
const FILE_OPENERS: [&str; 10] = [
    "cli",
    "server",
    "tasks",
    "tls",
    "telemetry",
    "agent",
    "traffic",
    "process",
    "demo",
    "evaluation",
];

/// A file of the library or the binary.
struct Source {
    /// From `src/` on.
    path: PathBuf,
    /// The module of the first floor of folders that it belongs to; empty for `lib.rs` and `main.rs`.
    module: String,
    text: String,
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(root().join("src").join(&path)).expect("a file that was listed");
        let first = path
            .iter()
            .next()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let module = first.strip_suffix(".rs").unwrap_or(&first);
        let module = if matches!(module, "lib" | "main") { "" } else { module };
        Self {
            module: module.to_owned(),
            path,
            text,
        }
    }

    fn height(&self) -> u32 {
        match self.module.as_str() {
            "" => u32::MAX,
            module => height(module).unwrap_or_else(|| panic!("`{module}` has no floor: add it to HEIGHTS")),
        }
    }

    /// Its lines with their numbers, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines
            .map(|(number, line)| (number, without_comment(line)))
            .filter(|(_, line)| !line.trim().is_empty())
    }

    /// As [`Self::code`], without the tests, which come last in their file or have one of their own.
    fn shipped_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.iter().any(|name| TESTS.iter().any(|test| name == *test));
        self.code()
            .take_while(move |(_, line)| !is_test && line.trim() != "#[cfg(test)]")
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        ""
    } else {
        line.split(" // ").next().unwrap_or(line)
    }
}

fn height(module: &str) -> Option<u32> {
    HEIGHTS.iter().find(|entry| entry.0 == module).map(|entry| entry.1)
}

fn sources() -> Vec<Source> {
    let mut paths = files_below(&root().join("src"), "rs");
    paths.sort();
    let from_src = |path: PathBuf| path.strip_prefix(root().join("src")).map(Path::to_path_buf);
    paths
        .into_iter()
        .filter_map(|path| from_src(path).ok())
        .map(Source::read)
        .collect()
}

fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").filter_map(Result::ok) {
        match entry.path() {
            path if path.is_dir() => found.extend(files_below(&path, extension)),
            path if path.extension().is_some_and(|it| it == extension) => found.push(path),
            _ => {}
        }
    }
    found
}

/// Fails with every line of every file that `objection` objects to.
#[track_caller]
fn check_lines<'a>(
    lines: impl Iterator<Item = (&'a Source, (usize, &'a str))>,
    objection: impl Fn(&Source, &str) -> Option<String>,
) {
    let mut objections = String::new();
    for (source, (number, line)) in lines {
        if let Some(why) = objection(source, line) {
            let _ = writeln!(
                objections,
                "src/{}:{number}: {why}: {}",
                source.path.display(),
                line.trim()
            );
        }
    }
    assert!(objections.is_empty(), "\n{objections}");
}

/// The modules that `line` names after `crate::`.
fn used_modules(line: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.split("crate::")
        .skip(1)
        .filter_map(move |rest| rest.split(|c| !is_word(c)).next())
        .filter(|word| !word.is_empty())
}

#[test]
fn a_module_uses_only_lower_floors() {
    let sources = sources();
    let lines = sources
        .iter()
        .flat_map(|source| source.code().map(move |line| (source, line)));
    check_lines(lines, |source, line| {
        let is_higher =
            |module: &&str| *module != source.module && height(module).is_none_or(|height| height >= source.height());
        let higher = used_modules(line)
            .filter(|_| !line.contains("$crate"))
            .find(is_higher)?;
        Some(format!("`{}` must not use `{higher}`", source.module))
    });
}

/// Whether `line` has `word` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn below_the_outside_there_is_no_clock_no_disk_and_no_waiting() {
    const FOREIGN: [&str; 12] = [
        "tokio",
        "async",
        "await",
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "RandomState",
        "std::fs",
        "std::env",
        "std::process",
        "TcpStream",
    ];
    let sources = sources();
    let inside = sources.iter().filter(|source| source.height() < OUTSIDE);
    let lines = inside.flat_map(|source| source.shipped_code().map(move |line| (source, line)));
    check_lines(lines, |source, line| {
        let foreign = FOREIGN.iter().find(|word| has_word(line, word));
        // The algorithms of its load balancing, whose backends carry an address of Pingora's.
        let algorithms = ["pingora_load_balancing", "pingora::protocols::l4::socket::SocketAddr"];
        let is_algorithm = source.module == "selection" && algorithms.iter().any(|it| line.contains(it));
        match foreign {
            Some(word) => Some(format!("`{word}` does not belong below floor 4")),
            None if line.contains("pingora") && !is_algorithm => Some("Pingora does not belong here".to_owned()),
            None => None,
        }
    });
}

#[test]
fn only_those_who_may_open_files() {
    let sources = sources();
    let others = sources
        .iter()
        .filter(|source| !FILE_OPENERS.contains(&source.module.as_str()));
    let lines = others.flat_map(|source| source.shipped_code().map(move |line| (source, line)));
    check_lines(lines, |source, line| {
        let opens = ["std::fs", "tokio::fs", "File::open"]
            .iter()
            .any(|word| line.contains(word));
        opens.then(|| format!("`{}` opens no files", source.module))
    });
}

#[test]
fn one_file_knows_serde_yaml() {
    let sources = sources();
    let others = sources
        .iter()
        .filter(|source| source.path != Path::new("config/yaml.rs"));
    let lines = others.flat_map(|source| source.code().map(move |line| (source, line)));
    check_lines(lines, |_, line| {
        has_word(line, "serde_yaml").then(|| "only config/yaml.rs knows it".to_owned())
    });
}

#[test]
fn nothing_is_built_that_deny_toml_bans() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("a file of the repository");
    let rules = read("deny.toml");
    let banned: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect();
    assert!(!banned.is_empty(), "deny.toml bans nothing");
    let locked = read("Cargo.lock");
    for name in banned {
        assert!(
            !locked.contains(&format!("name = \"{name}\"\n")),
            "`{name}` is banned and in Cargo.lock"
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let sources = sources();
    let first = sources
        .iter()
        .map(|source| (source, (1, source.text.lines().next().unwrap_or_default())));
    check_lines(first, |_, line| {
        (!line.starts_with("//! ")).then(|| "a file opens with `//!`".to_owned())
    });
    for folder in ["integration", "benches", "examples"] {
        for path in files_below(&root().join(folder), "rs") {
            let text = fs::read_to_string(&path).expect("a file that was listed");
            assert!(text.starts_with("//! "), "{} opens with `//!`", path.display());
        }
    }
}

#[test]
fn imports_name_one_item_from_one_module() {
    let sources = sources();
    let lines = sources
        .iter()
        .flat_map(|source| source.code().map(move |line| (source, line)));
    check_lines(lines, |_, line| {
        let is_group = line.contains("use crate::{") || line.contains("use super::{");
        (is_group || line.contains("super::super")).then(|| "name the item from `crate::` on".to_owned())
    });
    let lines = sources
        .iter()
        .flat_map(|source| source.shipped_code().map(move |line| (source, line)));
    check_lines(lines, |_, line| {
        (line.trim_start().contains("use ") && line.contains("::*;")).then(|| "no globs outside tests".to_owned())
    });
}

/// Files that a reader still takes in, and no more than a few of them long.
#[test]
fn files_stay_short() {
    let sources = sources();
    let ends = sources.iter().map(|source| (source, (source.text.lines().count(), "")));
    let long = ends.filter(|(_, (length, _))| *length > 500);
    check_lines(long, |_, _| Some("no file has more than 500 lines".to_owned()));
}

#[test]
fn one_word_stands_for_one_idea() {
    let sources = sources();
    for source in &sources {
        for name in ["utils", "helpers", "common", "manager", "misc"] {
            let is_so_called = source
                .path
                .iter()
                .any(|it| it == name || it == format!("{name}.rs").as_str());
            assert!(
                !is_so_called,
                "{} says nothing about what it holds",
                source.path.display()
            );
        }
    }
}

#[test]
fn every_configuration_that_ships_passes_the_check() {
    let mut checked = 0;
    for entry in fs::read_dir(root().join("conf")).expect("conf/").filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let mut check = Command::new(env!("CARGO_BIN_EXE_sylvan"));
        let output = check
            .current_dir(root())
            .arg("check")
            .arg("-c")
            .arg(&path)
            .output()
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", path.display());
        checked += 1;
    }
    assert!(checked > 0, "conf/ is empty");
}

/// The names of the metrics as `telemetry/names.rs` writes them.
fn metric_names() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/telemetry/names.rs")).expect("the names of the metrics");
    let quoted = text.split('"').skip(1).step_by(2);
    quoted
        .filter(|word| word.starts_with("sylvan_") && !word.contains(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_reference_has_a_row_for_every_metric_and_no_other() {
    let text = fs::read_to_string(root().join("docs/metrics.md")).expect("docs/metrics.md");
    let names = metric_names();
    let row_name = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    let rows: Vec<String> = text
        .lines()
        .filter_map(row_name)
        .filter(|name| name.starts_with("sylvan_"))
        .collect();
    let base = |row: &String| row.strip_suffix("_total").unwrap_or(row).to_owned();
    let documented: Vec<String> = rows.iter().map(base).collect();
    let missing: Vec<&String> = names.iter().filter(|name| !documented.contains(name)).collect();
    let unknown: Vec<&String> = documented.iter().filter(|name| !names.contains(name)).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}; unknown: {unknown:?}"
    );
}
