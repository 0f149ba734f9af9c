//! Typed reading of a [`Document`]: a value or a finding, never both, and always on to the next key.
//!
//! A method that returns `None` has already said why, at the right place; its caller goes on reading, so that one
//! pass finds everything. A [`Section`] accepts exactly the keys that its reader asks for.

mod scalar;
mod section;

use crate::config::document::Document;
use crate::config::document::Kind;
use crate::config::document::Node;
use crate::config::document::NodeId;
use crate::config::document::Scalar;
use crate::config::document::Step;
use crate::config::document::Value;
use crate::config::error::quoted;
use crate::config::place::Place;

pub(crate) use section::Section;

/// A word longer than this is not compared with what it might have meant.
const LONGEST_TYPO: usize = 64;

/// What messages call a sequence, and a mapping.
const LIST: &str = "a list";
const MAPPING: &str = "keys and values";

/// Why a text is not what it should be, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located<'d> {
    document: &'d Document,
    id: NodeId,
}

impl<'d> Located<'d> {
    /// The document's outermost value, when there is one.
    pub(crate) fn root(document: &'d Document) -> Option<Self> {
        document.root().map(|id| Self { document, id })
    }

    pub(crate) fn refuse(self, message: impl Into<String>, remedy: impl Into<String>) {
        self.document.refuse(self.id, message, remedy);
    }

    pub(crate) fn warn(self, message: impl Into<String>, remedy: impl Into<String>) {
        self.document.warn(self.id, message, remedy);
    }

    /// As [`refuse`](Self::refuse), pointing at its key rather than at its value.
    pub(crate) fn refuse_key(self, message: impl Into<String>, remedy: impl Into<String>) {
        self.document.refuse_at(self.id, self.key_place(), message, remedy);
    }

    /// The line that it stands on, for findings about another place.
    pub(crate) fn line(self) -> usize {
        self.node().place.line
    }

    /// Reads a mapping; keys that `read` does not ask for are refused.
    pub(crate) fn section<T>(self, read: impl FnOnce(&Section<'d>) -> T) -> Option<T> {
        let Value::Mapping(children) = &self.node().value else {
            return self.mismatch(MAPPING);
        };
        let section = Section::new(self, children);
        let result = read(&section);
        section.refuse_unknown();
        Some(result)
    }

    /// The names and values of a mapping whose keys are its writer's choice.
    pub(crate) fn entries(self) -> Option<Vec<(&'d str, Self)>> {
        let Value::Mapping(children) = &self.node().value else {
            return self.mismatch(MAPPING);
        };
        Some(
            children
                .iter()
                .map(|id| self.at(*id))
                .filter_map(|child| Some((child.key()?, child)))
                .collect(),
        )
    }

    /// The items of a list, at least one and at most `most`.
    pub(crate) fn items(self, most: usize) -> Option<Vec<Self>> {
        let Value::Sequence(children) = &self.node().value else {
            return self.mismatch(LIST);
        };
        match children.len() {
            0 => self.fail(format!("{} is empty", self.label()), "write at least one item"),
            length if length > most => self.fail(
                format!("{} has {length} items", self.label()),
                format!("at most {most} are possible"),
            ),
            _ => Some(children.iter().map(|id| self.at(*id)).collect()),
        }
    }

    /// Whether it is a mapping, for what may also be written as one word.
    pub(crate) fn is_section(self) -> bool {
        matches!(self.node().value, Value::Mapping(_))
    }

    fn is_emptied(self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.is_substituted && scalar.kind == Kind::Nothing)
    }

    fn scalar(self) -> Option<&'d Scalar> {
        match &self.node().value {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// Refuses the type, unless something has been said about this value before.
    fn mismatch<T>(self, expected: &str) -> Option<T> {
        if self.scalar().is_some_and(|scalar| scalar.kind == Kind::Unknown) {
            return None;
        }
        let message = format!("{}: expected {expected}, found {}", self.label(), self.found());
        self.fail(message, self.conversion(expected))
    }

    fn conversion(self, expected: &str) -> String {
        match self.scalar().map(|scalar| scalar.kind) {
            Some(Kind::Nothing) => "write a value, or remove the key".to_owned(),
            Some(Kind::Number | Kind::Truth) if expected == "a text" => "put it in quotes".to_owned(),
            Some(Kind::Text) if expected == "a whole number" => "write digits only, without quotes".to_owned(),
            _ if expected == LIST => {
                "write it in brackets: [first, second], or with a `- ` before each item".to_owned()
            }
            _ if expected == MAPPING => "write it as in { key: value }, or a key and its value a line".to_owned(),
            _ => format!("write {expected} here"),
        }
    }

    fn found(self) -> String {
        match &self.node().value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "keys and values".to_owned(),
            Value::Scalar(Scalar {
                kind: Kind::Nothing | Kind::Unknown,
                ..
            }) => "nothing".to_owned(),
            Value::Scalar(Scalar {
                kind: Kind::Number,
                text,
                ..
            }) => format!("the number {}", quoted(text)),
            Value::Scalar(Scalar {
                kind: Kind::Truth,
                text,
                ..
            }) => quoted(text),
            Value::Scalar(Scalar { text, .. }) => format!("the text {}", quoted(text)),
        }
    }

    fn fail<T>(self, message: impl Into<String>, remedy: impl Into<String>) -> Option<T> {
        self.refuse(message, remedy);
        None
    }

    /// What findings call it.
    fn label(self) -> String {
        match &self.node().step {
            Step::Root => "the file".to_owned(),
            Step::Key { name, .. } => quoted(name),
            Step::Index(index) => format!("item {}", index + 1),
        }
    }

    fn key(self) -> Option<&'d str> {
        match &self.node().step {
            Step::Key { name, .. } => Some(name),
            Step::Root | Step::Index(_) => None,
        }
    }

    fn key_place(self) -> Place {
        match self.node().step {
            Step::Key { place, .. } => place,
            Step::Root | Step::Index(_) => self.node().place,
        }
    }

    fn at(self, id: NodeId) -> Self {
        Self { id, ..self }
    }

    fn node(self) -> &'d Node {
        self.document.node(self.id)
    }
}

/// The known word that `typed` was probably meant to be, or all known words.
pub(crate) fn suggestion(typed: &str, known: &[&str]) -> String {
    match nearest(typed, known) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("use one of: {}", known.join(", ")),
    }
}

/// The known word that `typed` is at most a third of its letters away from.
pub(crate) fn nearest<'w>(typed: &str, known: &[&'w str]) -> Option<&'w str> {
    if typed.len() > LONGEST_TYPO {
        return None;
    }
    let distances = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(typed, word), *word));
    let near = distances.filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1));
    near.min().map(|(_, word)| word)
}
