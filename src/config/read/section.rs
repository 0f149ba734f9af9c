//! Mappings whose keys their reader knows.

use std::cell::RefCell;

use crate::config::document::NodeId;
use crate::config::error::quoted;
use crate::config::read::Located;
use crate::config::read::suggestion;

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Section<'d> {
    at: Located<'d>,
    children: &'d [NodeId],
    asked: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    pub(super) fn new(at: Located<'d>, children: &'d [NodeId]) -> Self {
        Self {
            at,
            children,
            asked: RefCell::default(),
        }
    }

    /// The value of `key`, when it is written; one that variables leave empty is not.
    pub(crate) fn optional(&self, key: &'static str) -> Option<Located<'d>> {
        self.asked.borrow_mut().push(key);
        let child = self.children().find(|child| child.key() == Some(key));
        child.filter(|child| !child.is_emptied())
    }

    /// The value of `key`; `example` shows how it is written when it is not.
    pub(crate) fn required(&self, key: &'static str, example: &str) -> Option<Located<'d>> {
        let value = self.optional(key);
        if value.is_none() {
            self.at
                .refuse(format!("key `{key}` is missing"), format!("write `{key}: {example}`"));
        }
        value
    }

    /// What `read` makes of the value of `key`; `default` when there is none.
    pub(crate) fn or<T>(&self, key: &'static str, default: T, read: impl FnOnce(Located<'d>) -> Option<T>) -> T {
        self.optional(key).and_then(read).unwrap_or(default)
    }

    /// Refuses `key` where it would do nothing: `because` ends a sentence that begins with the key.
    pub(crate) fn inapplicable(&self, key: &'static str, because: &str) {
        if let Some(value) = self.optional(key) {
            value.refuse_key(format!("`{key}` {because}"), "remove it");
        }
    }

    /// The section itself, for what is wrong between its keys.
    pub(crate) fn itself(&self) -> Located<'d> {
        self.at
    }

    pub(super) fn refuse_unknown(&self) {
        let mut known = self.asked.take();
        known.sort_unstable();
        known.dedup();
        for child in self.children() {
            if let Some(name) = child.key().filter(|name| !known.contains(name)) {
                child.refuse_key(format!("unknown key {}", quoted(name)), suggestion(name, &known));
            }
        }
    }

    fn children(&self) -> impl Iterator<Item = Located<'d>> {
        self.children.iter().map(|id| self.at.at(*id))
    }
}
