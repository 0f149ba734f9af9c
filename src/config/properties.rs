//! What holds for every text: it is read or refused, with bounded time, memory and talk.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample;

use crate::config::tests::parse_here;
use crate::config::tests::project;
use crate::config::tests::read;
use crate::config::tests::told;

/// Ten nested lists of ten aliases each stand for 10^10 values; this took all memory of parsers without a bound.
#[test]
fn aliases_do_not_multiply() {
    let line = |level: usize| {
        format!(
            "k{level}: &k{level} [{}]\n",
            vec![format!("*k{}", level - 1); 10].join(", ")
        )
    };
    let text: String = std::iter::once("k0: &k0 x\n".to_owned())
        .chain((1..=10).map(line))
        .collect();
    assert!(told(&text).starts_with("error: more than 100000 keys and values"));
}

#[test]
fn what_is_too_large_is_refused_unread() {
    let told = told(&"# a long comment\n".repeat(100_000));
    assert!(
        told.starts_with("error: the file is larger than 1048576 bytes"),
        "{told}"
    );
}

#[test]
fn many_errors_stay_few_enough_to_read() {
    let keys: String = (0..40_000).map(|number| format!("k{number}: 1\n")).collect();
    let count = parse_here(&keys).unwrap_err().count();
    assert!((100..1_000).contains(&count), "{count}");
}

/// Pieces that YAML gives a meaning to, and keys that the gateway does.
fn fragment() -> impl Strategy<Value = String> {
    let meaningful = [
        "- ",
        "? ",
        ": ",
        ":",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!t ",
        "|\n",
        ">-\n",
        "\"",
        "'",
        "# ",
        "\n",
        "\n  ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\r",
        "\u{feff}",
        "${PORT}",
        "${",
        "$${",
        "<<",
        "~",
        "0x1f",
        "1e400",
        "-0",
        ".nan",
        "\\",
        "é",
        "pools",
        "shop",
        "routes",
        "match",
        "5s",
        "50%",
        "[200-299]",
        "auto",
        "\u{85}",
        "\u{2028}",
        "\0",
    ];
    prop_oneof![4 => sample::select(meaningful.to_vec()).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

/// `conf/gateway.yaml` with stretches of it replaced.
fn mutated() -> impl Strategy<Value = String> {
    let example = read(project("conf/gateway.yaml"));
    let edit = (any::<sample::Index>(), 0..12usize, vec(fragment(), 0..4));
    vec(edit, 1..6).prop_map(move |edits| edits.into_iter().fold(example.clone(), edited))
}

fn edited(text: String, (start, length, pieces): (sample::Index, usize, Vec<String>)) -> String {
    let chars: Vec<char> = text.chars().collect();
    let start = start.index(chars.len().max(1));
    let (head, tail) = (
        &chars[..start.min(chars.len())],
        &chars[(start + length).min(chars.len())..],
    );
    head.iter()
        .copied()
        .chain(pieces.concat().chars())
        .chain(tail.iter().copied())
        .collect()
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in vec(fragment(), 0..80).prop_map(|pieces| pieces.concat())) {
        told(&text);
    }

    #[test]
    fn any_edit_of_a_good_file_is_read_or_refused(text in mutated()) {
        told(&text);
    }

    #[test]
    fn a_refusal_names_at_least_one_error_with_its_place(text in mutated()) {
        if let Err(errors) = parse_here(&text) {
            prop_assert!(errors.count() > 0);
            prop_assert!(errors.errors.iter().all(|error| error.line > 0 && error.column > 0 && !error.remedy.is_empty()));
        }
    }
}
