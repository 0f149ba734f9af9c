//! `sylvan train` on files as users have them: whole, mixed, torn and wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::root;

/// What `sylvan train` with `arguments`, run in the repository, wrote to its two streams; its exit code.
fn train(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_sylvan"))
        .current_dir(root())
        .arg("train")
        .args(arguments)
        .output()
        .expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// The figures of a comparison without those that are times.
fn timeless(file: &Path) -> Value {
    let text = fs::read_to_string(file).expect("the figures are written");
    let mut figures: Value = serde_json::from_str(&text).expect("the figures are JSON");
    for method in figures["methods"].as_array_mut().into_iter().flatten() {
        method["scores"]["fit_seconds"] = Value::Null;
        method["scores"]["predict_us"] = Value::Null;
    }
    figures
}

#[test]
fn a_comparison_shows_every_method_and_is_the_same_for_the_same_seed() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = ["one.json", "other.json"].map(|name| dir.path().join(name));
    for file in &files {
        let path = file.display().to_string();
        let (table, said, code) = train(&[
            "integration/fixtures/shop.csv",
            "--compare",
            "--trees",
            "9",
            "--json",
            &path,
        ]);
        assert_eq!(code, Some(0), "{said}");
        for name in [
            "decision_tree",
            "random_forest",
            "linfa_forest",
            "adaboost",
            "logistic_regression",
            "naive_bayes",
            "linear_svm",
            "rbf_svm",
            "k_nearest",
        ] {
            assert!(table.contains(name), "{name} in\n{table}");
        }
        assert!(table.contains("choice: "), "{table}");
    }
    assert_eq!(timeless(&files[0]), timeless(&files[1]));
}

#[test]
fn a_page_shows_the_methods_and_what_the_forest_depends_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("page.html");
    let path = file.display().to_string();
    let (_, said, code) = train(&[
        "integration/fixtures/shop.csv",
        "--compare",
        "--trees",
        "9",
        "--html",
        &path,
    ]);
    assert_eq!(code, Some(0), "{said}");
    let page = fs::read_to_string(&file).expect("the page is written");
    for part in [
        "<svg",
        "Lost without a feature",
        "ROC curves",
        "What was taken for what",
        "cpu_percent_1",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script") && !page.contains("src="));
}

#[test]
fn rows_that_cannot_be_used_are_named_and_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("torn.csv");
    let whole = fs::read_to_string(root().join("integration/fixtures/shop.csv")).expect("the fixture");
    let second = whole.lines().nth(1).expect("a row");
    fs::write(&file, format!("{whole}{second}\nnonsense,1,2\n1795403161.2")).expect("a file");
    let json = dir.path().join("found.json").display().to_string();
    let (_, said, code) = train(&[&file.display().to_string(), "--trees", "9", "--json", &json]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "torn.csv: 1 row(s) were read before",
        "torn.csv:341: timestamp is `nonsense`",
        "torn.csv:342: torn",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let found: Value = serde_json::from_str(&fs::read_to_string(json).expect("figures")).expect("JSON");
    let data = &found["data"];
    assert_eq!(
        (&data["skipped"], &data["torn"], &data["duplicates"]),
        (&3.into(), &1.into(), &1.into())
    );
}

#[test]
fn a_decision_log_is_compared_on_but_trains_no_model() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut log = String::new();
    for row in 0..60 {
        let (busy, slowness) = if row % 2 == 0 { (1, -0.5) } else { (9, 0.5) };
        log += &format!(
            r#"{{"version":1,"time":{row},"pool":"api","request":"{row:016x}","attempt":1,"chosen":"a","candidates":"#
        );
        log += &format!(r#"[{{"backend":"a","features":{{"n":{busy}}}}}],"outcome":{{"slowness":{slowness}}}}}"#);
        log.push('\n');
    }
    fs::write(dir.path().join("decisions.jsonl"), log + "{\"version\":1").expect("a log");
    let path = dir.path().display().to_string();
    let (table, said, code) = train(&[&path, "--compare", "--trees", "9"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("decisions.jsonl:61: torn"), "{said}");
    assert!(
        table.contains("slower than usual") && table.contains("60 rows to learn from"),
        "{table}"
    );
    let (_, said, code) = train(&[&path]);
    assert!(
        code == Some(2) && said.contains("no model is trained from a decision log"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_names_the_file_and_the_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("short.csv");
    let whole = fs::read_to_string(root().join("integration/fixtures/shop.csv")).expect("the fixture");
    let short: Vec<&str> = whole.lines().take(12).collect();
    fs::write(&file, short.join("\n") + "\n").expect("a file");
    let (_, said, code) = train(&[&file.display().to_string(), "--compare"]);
    assert_ne!(code, Some(0));
    assert!(said.contains("short.csv: ") && said.contains("record longer"), "{said}");
    let (_, said, code) = train(&["integration/fixtures/shop.csv", "--compare", "--out", "x.forest"]);
    assert_eq!(code, Some(2), "{said}");
}
