//! Where something stands in a text, and what is wrong there.

use saphyr_parser::Marker;
use saphyr_parser::Span;

/// A stretch of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// In characters; 0 where nothing is written.
    pub(crate) length: usize,
}

impl Place {
    /// The beginning of a file.
    pub(crate) const START: Self = Self {
        line: 1,
        column: 1,
        length: 1,
    };

    pub(crate) fn at(marker: Marker) -> Self {
        Self {
            line: marker.line(),
            column: marker.col() + 1,
            length: 1,
        }
    }

    pub(crate) fn of(span: Span) -> Self {
        let is_on_one_line = span.start.line() == span.end.line();
        let length = if is_on_one_line {
            span.end.col().saturating_sub(span.start.col())
        } else {
            1
        };
        Self {
            length,
            ..Self::at(span.start)
        }
    }

    /// Whether the character at `line` and `column` belongs to it.
    pub(crate) fn covers(self, line: usize, column: usize) -> bool {
        self.line == line && (self.column..self.column + self.length).contains(&column)
    }

    pub(crate) fn starts_with(self, other: Self) -> bool {
        (self.line, self.column) == (other.line, other.column)
    }
}

/// Why a text is not one plain YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Fault {
    pub(crate) fn new(place: Place, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}
