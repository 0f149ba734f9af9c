//! The lines of the Prometheus text format, and of OpenMetrics where that is the same.
//!
//! One line at a time and nothing remembered: types, help and exemplars are skipped, and so is a line that cannot be
//! read, because a source with one bad line still has good figures.
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::borrow::Cow;

/// One line with a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    labels: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) value: f64,
}

impl Sample<'_> {
    /// The value of the label `name`, if the line has it.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|label| label.0 == name).map(|label| &*label.1)
    }
}

/// The lines of `text` that have a value.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim_start();
    let (name, rest) = line.split_at(line.find(|it| !is_name(it)).unwrap_or(line.len()));
    let rest = rest.trim_start();
    let (labels, rest) = rest.strip_prefix('{').map_or(Some((Vec::new(), rest)), labels)?;
    // A timestamp and an exemplar may follow.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then_some(Sample { name, labels, value })
}

/// A line's labels with what follows the closing brace.
type Labels<'a> = (Vec<(&'a str, Cow<'a, str>)>, &'a str);

fn labels(text: &str) -> Option<Labels<'_>> {
    let mut labels = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, value) = rest.split_once('=')?;
        let (value, after) = quoted(value.trim_start().strip_prefix('"')?)?;
        labels.push((name.trim_end(), value));
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
}

/// A label's value up to its closing quote, which is already opened, with what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut is_escaped = false;
    let end = text.find(|it| {
        let is_end = it == '"' && !is_escaped;
        is_escaped = it == '\\' && !is_escaped;
        is_end
    })?;
    let (value, rest) = text.split_at(end);
    Some((unescaped(value), rest.strip_prefix('"')?))
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        plain.extend(match letter {
            '\\' => letters
                .next()
                .map(|escaped| if escaped == 'n' { '\n' } else { escaped }),
            letter => Some(letter),
        });
    }
    Cow::Owned(plain)
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    use super::*;

    /// Written as `name|label=value,...|value`.
    #[track_caller]
    fn check(line: &str, expected: &str) {
        let found = samples(line).next().map_or("none".to_owned(), |sample| {
            let labels: Vec<String> = sample
                .labels
                .iter()
                .map(|label| format!("{}={}", label.0, label.1))
                .collect();
            format!("{}|{}|{}", sample.name, labels.join(","), sample.value)
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_is_a_name_labels_and_a_value() {
        check("up 1", "up||1");
        check("node_load1 0.25 1395066363000", "node_load1||0.25");
        check(r#"cpu{cpu="0",mode="idle"} 7.5e3"#, "cpu|cpu=0,mode=idle|7500");
        check("\t cpu { cpu = \"0\" , } 3  17", "cpu|cpu=0|3");
        check(r#"hits_total{path="/"} 3 # {trace_id="7"} 1"#, "hits_total|path=/|3");
        check("up{} 1\r", "up||1");
    }

    #[test]
    fn numbers_may_be_no_numbers() {
        check("x NaN", "x||NaN");
        check("x +Inf", "x||inf");
        check("x -Inf", "x||-inf");
    }

    #[test]
    fn label_values_may_hold_anything() {
        check(r#"x{a="}, b=\"c\" {",d="e"} 1"#, r#"x|a=}, b="c" {,d=e|1"#);
        check(r#"x{a="C:\\",b="1\n2"} 1"#, "x|a=C:\\,b=1\n2|1");
    }

    #[test]
    fn lines_without_a_value_are_skipped() {
        let lines = [
            "",
            "  ",
            "# HELP up is it",
            "# EOF",
            "up",
            "up one",
            "{} 1",
            "up{a=\"1\" 1",
            "up{a=1} 1",
            "up{a} 1",
        ];
        for line in lines {
            check(line, "none");
        }
    }

    #[test]
    fn a_label_is_found_by_its_name() {
        let sample = samples(r#"x{a="1",b="2"} 1"#).next().unwrap();
        assert_eq!((sample.label("b"), sample.label("c")), (Some("2"), None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(?s).*") {
            samples(&text).for_each(drop);
        }

        #[test]
        fn any_near_miss_is_read_to_its_end(text in r#"[a{}="\\, \n1#]*"#) {
            samples(&text).for_each(drop);
        }

        #[test]
        fn a_label_survives_its_escapes(value in "(?s).*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            // What splits lines elsewhere stands unescaped in a label only after a carriage return.
            if !value.contains('\r') {
                let line = format!("x{{a=\"{escaped}\"}} 1");
                let sample = samples(&line).next().unwrap();
                assert_eq!(sample.label("a"), Some(value.as_str()));
            }
        }
    }
}
