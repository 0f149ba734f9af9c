//! What is wrong with a file: the place, the cause, the remedy, and how a person reads them.

use std::fmt;

/// A line longer than this many characters is not shown: it would bury what is said about it.
const LONGEST_EXCERPT: usize = 240;
/// What a person wrote is quoted up to this many characters.
const LONGEST_QUOTE: usize = 60;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken, but it hardly says what its writer means.
    Warning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the file is refused for it.
    pub severity: Severity,
    /// The file as its reader called it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters it is about, on that line; at least 1.
    pub length: usize,
    /// The dotted path of the key or value, as in `pools.shop.backends[1].weight`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The line itself, secrets starred out; `None` when there is no such line or it is too long to show.
    pub excerpt: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.severity, self.message)?;
        write!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        match &self.excerpt {
            Some(excerpt) => self.point_into(excerpt, f),
            None => write!(f, "\n   = {}", self.remedy),
        }
    }
}

impl Finding {
    fn point_into(&self, excerpt: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let before: String = excerpt.chars().take(self.column - 1).map(blank).collect();
        let carets = "^".repeat(self.length);
        write!(f, "\n{number} | {excerpt}\n{margin} | {before}{carets} {}", self.remedy)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Everything that is wrong with a file that is refused, from its top to its end; at least one error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", render(errors))]
pub struct ConfigErrors {
    /// The errors alone: warnings are for files that are taken.
    pub errors: Vec<Finding>,
}

impl ConfigErrors {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.errors.len()
    }
}

/// The findings as a person reads them, one after the other, without a line break at the end.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// `text` in backticks: on one line, without control characters, and not too long.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(LONGEST_QUOTE).map(printable).collect();
    let rest = if text.chars().nth(LONGEST_QUOTE).is_some() {
        "..."
    } else {
        ""
    };
    format!("`{shown}{rest}`")
}

/// The line `text` as it may be shown: printable, and only when it is short enough to help.
pub(crate) fn excerpt(text: &str) -> Option<String> {
    let is_short = text.chars().nth(LONGEST_EXCERPT).is_none();
    is_short.then(|| text.chars().map(|c| if c == '\t' { c } else { printable(c) }).collect())
}

/// What a file says may not move a terminal's cursor.
fn printable(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}

fn blank(c: char) -> char {
    if c == '\t' { c } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(excerpt: Option<&str>) -> Finding {
        Finding {
            severity: Severity::Error,
            file: "conf/gateway.yaml".to_owned(),
            line: 31,
            column: 13,
            length: 7,
            path: "pools.api.selector.type".to_owned(),
            message: "unknown selector type `forrest`".to_owned(),
            remedy: "did you mean `forest`?".to_owned(),
            excerpt: excerpt.map(str::to_owned),
        }
    }

    #[test]
    fn carets_stand_under_what_is_wrong() {
        let expected = "error: unknown selector type `forrest`\n  --> conf/gateway.yaml:31:13\n\
                        31 |       type: forrest\n   |             ^^^^^^^ did you mean `forest`?";
        assert_eq!(finding(Some("      type: forrest")).to_string(), expected);
    }

    #[test]
    fn a_line_that_cannot_be_shown_leaves_place_and_remedy() {
        let expected = "error: unknown selector type `forrest`\n  --> conf/gateway.yaml:31:13\n   \
                        = did you mean `forest`?";
        assert_eq!(finding(None).to_string(), expected);
        assert_eq!(excerpt(&"x".repeat(LONGEST_EXCERPT + 1)), None);
    }

    #[test]
    fn what_is_quoted_stays_on_one_line() {
        assert_eq!(quoted("a\u{1b}[2J\nb"), "`a\u{fffd}[2J\u{fffd}b`");
        assert_eq!(quoted(&"x".repeat(100)), format!("`{}...`", "x".repeat(LONGEST_QUOTE)));
    }
}
