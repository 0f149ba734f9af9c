//! Values without parts: texts, words, numbers and amounts.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::document::Kind;
use crate::config::document::Scalar;
use crate::config::error::quoted;
use crate::config::quantity;
use crate::config::quantity::Quantity;
use crate::config::read::Located;
use crate::config::read::Refusal;
use crate::config::read::suggestion;
use crate::units::Celsius;
use crate::units::Share;

impl<'d> Located<'d> {
    /// A text. A number is none, unless a variable brought it.
    pub(crate) fn text(self) -> Option<&'d str> {
        self.text_as("a text")
    }

    /// A text without blank or control characters around or within, and not empty.
    pub(crate) fn word(self, expected: &str) -> Option<&'d str> {
        let text = self.text_as(expected)?;
        if text.is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return self.fail(
                format!("{}: {} is not {expected}", self.label(), quoted(text)),
                "write it without spaces",
            );
        }
        Some(text)
    }

    /// A text or a number, as written.
    pub(crate) fn plain(self, expected: &str) -> Option<&'d str> {
        match self.scalar() {
            Some(Scalar {
                kind: Kind::Text | Kind::Number,
                text,
                ..
            }) => Some(text),
            _ => self.mismatch(expected),
        }
    }

    /// A text that stays between its reader, this process and nobody else.
    pub(crate) fn secret(self) -> Option<&'d str> {
        self.document.hide(self.id);
        match self.scalar() {
            Some(Scalar {
                kind: Kind::Truth | Kind::Number,
                is_substituted: false,
                ..
            }) => self.fail(format!("{} is not a text", self.label()), "put it in quotes"),
            _ => self.text(),
        }
    }

    /// The text, as `parse` understands it.
    pub(crate) fn parsed<T>(self, expected: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        match parse(self.text_as(expected)?) {
            Ok(value) => Some(value),
            Err(refusal) => self.fail(refusal.message, refusal.remedy),
        }
    }

    /// One of the words on the left, as what stands on its right.
    pub(crate) fn choice<T: Clone>(self, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let text = self.text_as(&format!("one of {}", words.join(", ")))?;
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Some(value.clone()),
            None => self.fail(
                format!("{} cannot be {}", self.label(), quoted(text)),
                suggestion(text, &words),
            ),
        }
    }

    /// A whole number within `bounds`.
    pub(crate) fn number(self, bounds: RangeInclusive<u64>) -> Option<u64> {
        let Some(Scalar {
            kind: Kind::Number,
            text,
            ..
        }) = self.scalar()
        else {
            return self.mismatch("a whole number");
        };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => self.out_of_bounds(text, bounds.start(), bounds.end()),
        }
    }

    /// The word `none` as `None`, or a whole number within `bounds`.
    pub(crate) fn number_or(self, none: &str, bounds: RangeInclusive<u64>) -> Option<Option<u64>> {
        match self.scalar() {
            _ if self.is_word(none) => Some(None),
            Some(Scalar { kind: Kind::Number, .. }) => self.number(bounds).map(Some),
            _ => self.mismatch(&format!("`{none}` or a whole number")),
        }
    }

    /// `off` as `None`, or a temperature within `bounds`.
    pub(crate) fn temperature_or_off(self, bounds: RangeInclusive<Celsius>) -> Option<Option<Celsius>> {
        if self.is_word("off") {
            return Some(None);
        }
        self.quantity(&quantity::TEMPERATURE, bounds).map(Some)
    }

    fn is_word(self, word: &str) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.kind == Kind::Text && scalar.text == word)
    }

    /// A duration within `bounds`.
    pub(crate) fn duration(self, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        self.quantity(&quantity::DURATION, bounds)
    }

    /// A number of bytes within `bounds`.
    pub(crate) fn size(self, bounds: RangeInclusive<u64>) -> Option<u64> {
        self.quantity(&quantity::SIZE, bounds)
    }

    /// A percentage from `least` to 100 %.
    pub(crate) fn share(self, least: Share) -> Option<Share> {
        self.quantity(&quantity::SHARE, least..=Share::new(1.0)?)
    }

    fn quantity<T: PartialOrd>(self, quantity: &Quantity<T>, bounds: RangeInclusive<T>) -> Option<T> {
        let scalar = self
            .scalar()
            .filter(|scalar| matches!(scalar.kind, Kind::Text | Kind::Number));
        let Some(Scalar { text, .. }) = scalar else {
            return self.mismatch(quantity.name);
        };
        match (quantity.parse)(text) {
            Some(value) if bounds.contains(&value) => Some(value),
            Some(_) => self.out_of_bounds(text, (quantity.show)(bounds.start()), (quantity.show)(bounds.end())),
            None => {
                let message = format!("{}: expected {}, found {}", self.label(), quantity.name, self.found());
                self.fail(message, quantity.remedy)
            }
        }
    }

    fn out_of_bounds<T, B: PartialEq + Display>(self, written: &str, low: B, high: B) -> Option<T> {
        let message = format!("{} is {}, which is out of bounds", self.label(), quoted(written));
        let remedy = if low == high {
            format!("use {low}")
        } else {
            format!("use {low} to {high}")
        };
        self.fail(message, remedy)
    }

    fn text_as(self, expected: &str) -> Option<&'d str> {
        match self.scalar() {
            Some(Scalar {
                kind: Kind::Text, text, ..
            }) => Some(text),
            Some(Scalar {
                kind: Kind::Truth | Kind::Number,
                text,
                is_substituted: true,
            }) => Some(text),
            _ => self.mismatch(expected),
        }
    }
}
