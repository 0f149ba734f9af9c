//! What a text says, whoever reads it: keys in their order, and all of them, also those that stand twice.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::config::document::Kind;
use crate::config::document::Scalar;

/// A value without a place.
#[derive(Debug)]
pub(crate) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Content>),
    Mapping(Vec<(Content, Content)>),
}

impl Content {
    fn scalar(kind: Kind, text: impl ToString) -> Self {
        Self::Scalar(Scalar {
            kind,
            text: text.to_string(),
            is_substituted: false,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Nothing, ""))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Truth, value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Number, value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Number, value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Number, value))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Number, value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Number, value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::scalar(Kind::Text, value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Content::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Content::Mapping(mapping))
    }
}
