//! The one loader of YAML files: text in, a [`Document`] of values that know their place out.
//!
//! Types are serde_yaml's (it alone knows it, here), places are [`outline`]'s; variables are substituted on the way.
//! Nothing in here or in what it uses knows what a gateway is.

use std::collections::BTreeMap;

use crate::config::content::Content;
use crate::config::document::Document;
use crate::config::document::Kind;
use crate::config::document::NodeId;
use crate::config::document::Scalar;
use crate::config::document::Step;
use crate::config::document::Value;
use crate::config::error::quoted;
use crate::config::outline::Outline;
use crate::config::outline::Shape;
use crate::config::outline::outline;
use crate::config::place::Fault;
use crate::config::place::Place;
use crate::config::variables::VariableError;
use crate::config::variables::has_variables;
use crate::config::variables::substitute;

/// Bytes of a file; a thousand backends take about a tenth of it.
const LARGEST: usize = 1 << 20;

/// A file's name, as findings show it, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// A path, or a word for what has none.
    pub name: &'t str,
    /// The YAML.
    pub text: &'t str,
}

/// Reads `source`; what is wrong with it as YAML is among the document's findings.
pub(crate) fn load(source: Source<'_>, variable: &dyn Fn(&str) -> Option<String>) -> Document {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(source.text);
    let mut document = Document::new(source.name, text);
    match parts(text) {
        Ok((outline, content)) => {
            Loader {
                document: &mut document,
                variable,
            }
            .add(None, Step::Root, &outline, content);
        }
        Err(fault) => document.fault(fault),
    }
    document
}

/// `text` with `selector` as the selector of `pool`: its values without its comments. A selector that is of that type
/// already keeps its settings.
///
/// # Errors
/// When it is no YAML of a gateway with such a pool.
pub fn with_selector(text: &str, pool: &str, selector: &str) -> Result<String, String> {
    edited(text, pool, |place| {
        let current = place.get("selector");
        let is_there = current.is_some_and(|it| it.get("type").is_some_and(|kind| kind == selector));
        if !is_there {
            place.insert("selector".into(), selector.into());
        }
    })
}

/// `text` without the dataset of `pool`: its values without its comments.
///
/// # Errors
/// As those of [`with_selector`].
pub fn without_dataset(text: &str, pool: &str) -> Result<String, String> {
    edited(text, pool, |place| {
        place.remove("dataset");
    })
}

fn edited(text: &str, pool: &str, edit: impl FnOnce(&mut serde_yaml::Mapping)) -> Result<String, String> {
    let mut file: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let place = file
        .get_mut("pools")
        .and_then(|pools| pools.get_mut(pool))
        .and_then(serde_yaml::Value::as_mapping_mut)
        .ok_or_else(|| format!("there is no pool {}", quoted(pool)))?;
    edit(place);
    serde_yaml::to_string(&file).map_err(|error| error.to_string())
}

/// The outline comes first: it holds the bounds.
fn parts(text: &str) -> Result<(Outline, Content), Fault> {
    let outline = outline(bounded(text)?)?;
    Ok((outline, content(text)?))
}

/// What is too large is refused before anything walks through it.
fn bounded(text: &str) -> Result<&str, Fault> {
    if text.len() <= LARGEST {
        return Ok(text);
    }
    Err(Fault::new(
        Place::START,
        format!("the file is larger than {LARGEST} bytes"),
        "make it smaller",
    ))
}

fn content(text: &str) -> Result<Content, Fault> {
    serde_yaml::from_str(text).map_err(|error| {
        let place = error.location().map_or(Place::START, |at| Place {
            line: at.line(),
            column: at.column(),
            length: 1,
        });
        Fault::new(place, format!("not valid YAML: {error}"), "write it more plainly")
    })
}

/// Lays content over its outline, node by node.
struct Loader<'d> {
    document: &'d mut Document,
    variable: &'d dyn Fn(&str) -> Option<String>,
}

impl Loader<'_> {
    fn add(&mut self, parent: Option<NodeId>, step: Step, outline: &Outline, content: Content) -> NodeId {
        let id = self.document.add(parent, step, outline.place);
        let value = match (&outline.shape, content) {
            (Shape::Scalar, Content::Scalar(scalar)) => Value::Scalar(self.resolved(id, scalar)),
            (Shape::Sequence(places), Content::Sequence(items)) if places.len() == items.len() => {
                Value::Sequence(self.items(id, places, items))
            }
            (Shape::Mapping(places), Content::Mapping(entries)) if places.len() == entries.len() => {
                Value::Mapping(self.entries(id, places, entries))
            }
            _ => {
                let message = "this can be read in two ways";
                self.document.refuse(
                    id,
                    message,
                    "write it more plainly: one key or item a line, texts in quotes",
                );
                Value::NOTHING
            }
        };
        self.document.set(id, value);
        id
    }

    fn items(&mut self, parent: NodeId, places: &[Outline], items: Vec<Content>) -> Vec<NodeId> {
        let items = places.iter().zip(items).enumerate();
        items
            .map(|(index, (outline, item))| self.add(Some(parent), Step::Index(index), outline, item))
            .collect()
    }

    /// Keys that stand twice or are no texts are refused; what is under them is left out.
    fn entries(
        &mut self,
        parent: NodeId,
        places: &[(Place, Outline)],
        entries: Vec<(Content, Content)>,
    ) -> Vec<NodeId> {
        let mut seen = BTreeMap::new();
        let mut ids = Vec::new();
        for ((place, outline), (key, content)) in places.iter().zip(entries) {
            let Some(name) = self.key(parent, *place, key) else {
                continue;
            };
            if let Some(first) = seen.insert(name.clone(), *place) {
                self.duplicate(parent, &name, *place, first);
                continue;
            }
            ids.push(self.add(Some(parent), Step::Key { name, place: *place }, outline, content));
        }
        ids
    }

    fn key(&mut self, parent: NodeId, place: Place, key: Content) -> Option<String> {
        match key {
            Content::Scalar(Scalar {
                text, kind: Kind::Text, ..
            }) => Some(text),
            _ => {
                self.document
                    .refuse_at(parent, place, "this key is not a text", "put it in quotes");
                None
            }
        }
    }

    fn duplicate(&mut self, parent: NodeId, name: &str, place: Place, first: Place) {
        let message = format!("key {} stands twice", quoted(name));
        self.document.refuse_at(
            parent,
            place,
            message,
            format!("remove one; the other is on line {}", first.line),
        );
    }

    /// A text with variables takes the type that its substituted form looks like.
    fn resolved(&mut self, id: NodeId, scalar: Scalar) -> Scalar {
        if scalar.kind != Kind::Text || !has_variables(&scalar.text) {
            return scalar;
        }
        match substitute(&scalar.text, self.variable) {
            Ok(text) => Scalar {
                kind: apparent_kind(&text),
                text,
                is_substituted: true,
            },
            Err(error) => {
                self.refuse_variable(id, error);
                Scalar {
                    kind: Kind::Unknown,
                    ..scalar
                }
            }
        }
    }

    fn refuse_variable(&mut self, id: NodeId, error: VariableError) {
        let (message, remedy) = match error {
            VariableError::Unset(name) => (
                format!("variable {} is not set", quoted(&name)),
                "set it, or give it a default: ${NAME:-value}".to_owned(),
            ),
            VariableError::Malformed(text) => (
                format!("{} is not a variable", quoted(&text)),
                "write ${NAME} or ${NAME:-default}; $${ for a plain ${".to_owned(),
            ),
        };
        self.document.refuse(id, message, remedy);
    }
}

/// The kind of the scalar `text`; never a list or a mapping, whatever a variable holds.
fn apparent_kind(text: &str) -> Kind {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | '~');
    match text {
        "" => Kind::Nothing,
        _ if !text.chars().all(is_plain) => Kind::Text,
        _ => match serde_yaml::from_str(text) {
            Ok(Content::Scalar(scalar)) => scalar.kind,
            _ => Kind::Text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pool: &str, selector: &str, expected: &str) {
        let text =
            "a: \"${A:-1}\" # why\npools: { x: { selector: random }, y: { selector: { type: forest, explore: 1% } } }";
        let text = with_selector(text, pool, selector).unwrap_or_else(|error| error);
        assert_eq!(text.replace("  ", " ").replace('\n', ";"), expected);
    }

    #[test]
    fn one_selector_changes_and_the_rest_stays() {
        check(
            "x",
            "forest",
            "a: ${A:-1};pools:; x:;  selector: forest; y:;  selector:;   type: forest;   explore: 1%;",
        );
    }

    #[test]
    fn a_pool_can_do_without_its_dataset() {
        let text = "pools: { x: { dataset: { file: a }, selector: hash }, y: { dataset: { file: b } } }";
        let left = without_dataset(text, "x").unwrap();
        assert!(
            !left.contains("file: a") && left.contains("hash") && left.contains("file: b"),
            "{left}"
        );
    }

    #[test]
    fn settings_stay_with_their_type() {
        let (kept, lost) = ("selector:;   type: forest;   explore: 1%;", "selector: hash;");
        check(
            "y",
            "forest",
            &format!("a: ${{A:-1}};pools:; x:;  selector: random; y:;  {kept}"),
        );
        check(
            "y",
            "hash",
            &format!("a: ${{A:-1}};pools:; x:;  selector: random; y:;  {lost}"),
        );
    }

    #[test]
    fn a_pool_that_is_not_there_is_said() {
        check("z", "forest", "there is no pool `z`");
    }
}
