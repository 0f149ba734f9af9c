//! A loaded YAML document: values that know their place, and what is found wrong with them.
//!
//! [`read`](crate::config::read) reads typed values from it; findings are gathered on the way, so that one pass names them all.

use std::cell::RefCell;

use crate::config::error::ConfigErrors;
use crate::config::error::Finding;
use crate::config::error::Severity;
use crate::config::error::excerpt;
use crate::config::place::Fault;
use crate::config::place::Place;

/// Errors, and warnings, that are kept: more than anyone reads, and a bound for what a broken file can cost.
const MOST_FINDINGS: usize = 200;
/// Characters of a key in a path.
const LONGEST_STEP: usize = 60;

/// A YAML document as a tree of nodes.
#[derive(Debug)]
pub(crate) struct Document {
    file: String,
    text: String,
    /// Parents before children; the root is the first.
    nodes: Vec<Node>,
    findings: RefCell<Vec<Finding>>,
    /// Places whose text is not shown to anyone.
    secrets: RefCell<Vec<Place>>,
}

/// A node's index in its document.
pub(crate) type NodeId = usize;

/// A value, its place, and the way to it.
#[derive(Debug)]
pub(crate) struct Node {
    parent: Option<NodeId>,
    pub(crate) step: Step,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// How one gets from a node to a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Root,
    Key { name: String, place: Place },
    Index(usize),
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<NodeId>),
    Mapping(Vec<NodeId>),
}

impl Value {
    /// Stands where a finding has already said that there is no value; nobody complains about it again.
    pub(crate) const NOTHING: Self = Self::Scalar(Scalar {
        text: String::new(),
        kind: Kind::Unknown,
        is_substituted: false,
    });
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// As written, except that numbers are normal.
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// Whether variables were put into it: then a text may look like a number without its writer's doing.
    pub(crate) is_substituted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    Truth,
    Number,
    Text,
    /// Its variables have no values, or nobody can read it; that is already among the findings.
    Unknown,
}

impl Document {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            nodes: Vec::new(),
            findings: RefCell::default(),
            secrets: RefCell::default(),
        }
    }

    /// A new node, without a value so far.
    pub(crate) fn add(&mut self, parent: Option<NodeId>, step: Step, place: Place) -> NodeId {
        self.nodes.push(Node {
            parent,
            step,
            place,
            value: Value::NOTHING,
        });
        self.nodes.len() - 1
    }

    pub(crate) fn set(&mut self, id: NodeId, value: Value) {
        self.nodes[id].value = value;
    }

    /// Puts the scalar `text` under `key` of the mapping that the keys of `path` lead to; in the place of what is there, or
    /// of the mapping's beginning. Does nothing when they lead to no mapping.
    pub(crate) fn put(&mut self, path: &[&str], key: &str, text: &str) {
        let mapping = path.iter().try_fold(0, |id, step| self.child(id, step));
        let Some(parent) = mapping.filter(|&id| self.mapping(id).is_some()) else {
            return;
        };
        let id = self.child(parent, key).unwrap_or_else(|| {
            let place = self.nodes[parent].place;
            let name = key.to_owned();
            let id = self.add(Some(parent), Step::Key { name, place }, place);
            if let Value::Mapping(children) = &mut self.nodes[parent].value {
                children.push(id);
            }
            id
        });
        self.nodes[id].value = Value::Scalar(Scalar {
            text: text.to_owned(),
            kind: Kind::Text,
            is_substituted: false,
        });
    }

    /// The node that the steps of `path` lead to, each a key or a place in a list, or the last one on the way there.
    pub(crate) fn nearest(&self, path: &[String]) -> Option<NodeId> {
        let root = self.root()?;
        let met = path.iter().scan(root, |id, step| {
            *id = match &self.nodes[*id].value {
                Value::Sequence(items) => *items.get(step.parse::<usize>().ok()?)?,
                _ => self.child(*id, step)?,
            };
            Some(*id)
        });
        Some(met.last().unwrap_or(root))
    }

    /// The text of the scalar that the keys of `path` lead to.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let id = path.iter().try_fold(0, |id, step| self.child(id, step))?;
        match &self.nodes[id].value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    fn mapping(&self, id: NodeId) -> Option<&[NodeId]> {
        match &self.nodes.get(id)?.value {
            Value::Mapping(children) => Some(children),
            _ => None,
        }
    }

    fn child(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let is_it = |&id: &NodeId| matches!(&self.nodes[id].step, Step::Key { name, .. } if name == key);
        self.mapping(id)?.iter().copied().find(is_it)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The root, when the text could be read.
    pub(crate) fn root(&self) -> Option<NodeId> {
        (!self.nodes.is_empty()).then_some(0)
    }

    /// The dotted path of a node.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let mut steps = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            steps.push(&self.nodes[id].step);
            next = self.nodes[id].parent;
        }
        steps.into_iter().rev().fold(String::new(), |path, step| match step {
            Step::Root => path,
            Step::Key { name, .. } if path.is_empty() => clipped(name),
            Step::Key { name, .. } => format!("{path}.{}", clipped(name)),
            Step::Index(index) => format!("{path}[{index}]"),
        })
    }

    pub(crate) fn refuse(&self, id: NodeId, message: impl Into<String>, remedy: impl Into<String>) {
        self.refuse_at(id, self.nodes[id].place, message, remedy);
    }

    /// As [`refuse`](Self::refuse), at a place within the node.
    pub(crate) fn refuse_at(&self, id: NodeId, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Error, Some(id), Fault::new(place, message, remedy));
    }

    pub(crate) fn warn(&self, id: NodeId, message: impl Into<String>, remedy: impl Into<String>) {
        self.note(
            Severity::Warning,
            Some(id),
            Fault::new(self.nodes[id].place, message, remedy),
        );
    }

    /// The text is no document at all.
    pub(crate) fn fault(&self, fault: Fault) {
        self.note(Severity::Error, None, fault);
    }

    /// What stands at the node is starred out wherever its line is shown.
    pub(crate) fn hide(&self, id: NodeId) {
        self.secrets.borrow_mut().push(self.nodes[id].place);
    }

    /// `value` and the warnings, when nothing was refused; otherwise the errors; from top to end.
    pub(crate) fn conclude<T>(self, value: Option<T>) -> Result<(T, Vec<Finding>), ConfigErrors> {
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) = self
            .sorted_findings()
            .into_iter()
            .partition(|finding| finding.severity == Severity::Error);
        match value {
            Some(value) if errors.is_empty() => Ok((value, warnings)),
            _ => Err(ConfigErrors { errors }),
        }
    }

    /// Warnings leave room for errors, so that an error is never lost.
    fn note(&self, severity: Severity, id: Option<NodeId>, fault: Fault) {
        let mut findings = self.findings.borrow_mut();
        let room = match severity {
            Severity::Warning => MOST_FINDINGS,
            Severity::Error => 2 * MOST_FINDINGS,
        };
        if findings.len() >= room {
            return;
        }
        findings.push(Finding {
            severity,
            file: self.file.clone(),
            line: fault.place.line.max(1),
            column: fault.place.column.max(1),
            length: fault.place.length.max(1),
            path: id.map(|id| self.path(id)).unwrap_or_default(),
            message: fault.message,
            remedy: fault.remedy,
            excerpt: None,
        });
    }

    fn sorted_findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.take();
        findings.sort_by_key(|finding| (finding.line, finding.column));
        let lines: Vec<&str> = self.text.lines().collect();
        for finding in &mut findings {
            let line = lines.get(finding.line - 1).and_then(|line| excerpt(line));
            finding.excerpt = line.map(|line| self.starred(finding.line, &line));
        }
        findings
    }

    fn starred(&self, line: usize, text: &str) -> String {
        let secrets = self.secrets.borrow();
        let is_secret = |column: usize| secrets.iter().any(|secret| secret.covers(line, column));
        text.chars()
            .enumerate()
            .map(|(index, c)| if is_secret(index + 1) { '*' } else { c })
            .collect()
    }
}

fn clipped(name: &str) -> String {
    name.chars().take(LONGEST_STEP).collect()
}
