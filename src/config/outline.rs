//! Where everything in a YAML text stands: every key, value, list and mapping, with its line and column.
//!
//! Also the place of the bounds: what gets past here is one document, not too deep, not too large, and without
//! aliases that multiply. Values are [`yaml`](crate::config::yaml)'s.

use std::collections::BTreeMap;

use saphyr_parser::Event;
use saphyr_parser::Parser;
use saphyr_parser::Span;
use saphyr_parser::StrInput;

use crate::config::place::Fault;
use crate::config::place::Place;

/// Values within values; the deepest key of a gateway file is at 7.
const DEEPEST: usize = 32;
/// Keys and values in all, aliases counted for all that they stand for: far above 1,024 backends of five keys in a few pools.
const MOST_VALUES: usize = 100_000;

/// A value's place, and those of what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) place: Place,
    pub(crate) shape: Shape,
    /// How many values it holds, itself included.
    size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Scalar,
    Sequence(Vec<Outline>),
    /// The places of the keys, and their values.
    Mapping(Vec<(Place, Outline)>),
}

impl Outline {
    fn scalar(place: Place) -> Self {
        Self {
            place,
            shape: Shape::Scalar,
            size: 1,
        }
    }

    fn sequence(place: Place, items: Vec<Self>) -> Self {
        let size = 1 + items.iter().map(|item| item.size).sum::<usize>();
        Self {
            place,
            shape: Shape::Sequence(items),
            size,
        }
    }

    /// A block mapping is pointed at by its first key, a `{` mapping by its brace.
    fn mapping(place: Place, entries: Vec<(Place, Self)>) -> Self {
        let size = 1 + entries.iter().map(|(_, value)| 1 + value.size).sum::<usize>();
        let first_key = entries
            .first()
            .map(|(key, _)| *key)
            .filter(|key| key.starts_with(place));
        Self {
            place: first_key.unwrap_or(Place { length: 1, ..place }),
            shape: Shape::Mapping(entries),
            size,
        }
    }

    /// As the value of a key: what is nothing, a list or a mapping is pointed at by its key.
    fn under(self, key: Place) -> Self {
        let stands_for_itself = matches!(self.shape, Shape::Scalar) && self.place.length > 0;
        Self {
            place: if stands_for_itself { self.place } else { key },
            ..self
        }
    }
}

/// The outline of the one document in `text`; the first fault ends it.
pub(crate) fn outline(text: &str) -> Result<Outline, Fault> {
    let mut outliner = Outliner {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        values: 0,
    };
    outliner.document()
}

struct Outliner<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Outline>,
    /// Counted up to [`MOST_VALUES`].
    values: usize,
}

impl<'t> Outliner<'t> {
    fn document(&mut self) -> Result<Outline, Fault> {
        self.skip_to_document()?;
        let first = self.next()?;
        let outline = self.value(first, 0)?;
        self.next()?; // the end of the document
        match self.next()? {
            (Event::StreamEnd, _) => Ok(outline),
            (_, span) => Err(Fault::new(
                Place::at(span.start),
                "a second YAML document begins here",
                "keep one document in a file: remove this `---` and what follows, or what precedes it",
            )),
        }
    }

    fn skip_to_document(&mut self) -> Result<(), Fault> {
        loop {
            match self.next()?.0 {
                Event::DocumentStart(_) => return Ok(()),
                Event::StreamEnd => return Err(nothing_written()),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Fault> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(not_yaml(Place::at(*error.marker()), error.info())),
            None => Err(nothing_written()),
        }
    }

    fn value(&mut self, (event, span): (Event<'t>, Span), depth: usize) -> Result<Outline, Fault> {
        let place = Place::of(span);
        self.count(1, place)?;
        if depth > DEEPEST {
            return Err(Fault::new(
                place,
                format!("more than {DEEPEST} levels deep"),
                "nest less",
            ));
        }
        match event {
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(_, _, _, Some(_)) => Err(tagged(place)),
            Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => Err(tagged(place)),
            Event::Scalar(_, _, anchor, None) => Ok(self.keep(anchor, Outline::scalar(place))),
            Event::SequenceStart(anchor, None) => {
                let items = self.items(depth)?;
                Ok(self.keep(anchor, Outline::sequence(place, items)))
            }
            Event::MappingStart(anchor, None) => {
                let entries = self.entries(depth)?;
                Ok(self.keep(anchor, Outline::mapping(place, entries)))
            }
            _ => Err(not_yaml(place, "a value is missing")),
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Outline>, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                event => items.push(self.value(event, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Place, Outline)>, Fault> {
        let mut entries = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                event => self.key(event)?,
            };
            let event = self.next()?;
            entries.push((key, self.value(event, depth + 1)?.under(key)));
        }
    }

    fn key(&mut self, (event, span): (Event<'t>, Span)) -> Result<Place, Fault> {
        let place = Place::of(span);
        self.count(1, place)?;
        match event {
            Event::Scalar(_, _, 0, None) => Ok(place),
            _ => Err(Fault::new(
                place,
                "this key is more than a word",
                "write a plain word, without anchor, tag or brackets",
            )),
        }
    }

    /// What an alias stands for is pointed at where it is written, but the alias itself where it is used.
    fn alias(&mut self, anchor: usize, place: Place) -> Result<Outline, Fault> {
        let Some(meant) = self.anchors.get(&anchor) else {
            return Err(Fault::new(
                place,
                "this alias stands for what it is itself in",
                "write the value out",
            ));
        };
        let meant = Outline { place, ..meant.clone() };
        self.count(meant.size, place)?;
        Ok(meant)
    }

    fn keep(&mut self, anchor: usize, outline: Outline) -> Outline {
        if anchor > 0 {
            self.anchors.insert(anchor, outline.clone());
        }
        outline
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Fault> {
        self.values += more;
        if self.values <= MOST_VALUES {
            return Ok(());
        }
        Err(Fault::new(
            place,
            format!("more than {MOST_VALUES} keys and values"),
            "make the file smaller, or use fewer aliases",
        ))
    }
}

fn nothing_written() -> Fault {
    Fault::new(
        Place::START,
        "nothing is written here",
        "write at least the required keys",
    )
}

fn not_yaml(place: Place, cause: &str) -> Fault {
    Fault::new(
        place,
        format!("not valid YAML: {cause}"),
        "look here and just above for wrong indentation, an open quote or bracket, or a text that needs quotes",
    )
}

fn tagged(place: Place) -> Fault {
    Fault::new(
        place,
        "a tag stands before this value, and tags mean nothing here",
        "remove the tag",
    )
}
