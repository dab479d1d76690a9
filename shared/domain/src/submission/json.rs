//! Reads a body, record by record, and notices what a plain reader swallows: an attribute that stands twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::kind::attribute::may_be_quoted;
use crate::kind::characters::without_byte_order_mark;
use crate::kind::per_kind::PerKind;
use crate::kind::record_kind::RecordKind;

/// Takes what is read of a body. The records of a body are never all trees at once.
pub(crate) trait Taker {
    /// A record of this kind's list, and its place there.
    fn record(&mut self, kind: RecordKind, index: usize, record: Value);

    /// An attribute that stands twice, by its pointer.
    fn duplicate_attribute(&mut self, pointer: String);
}

/// The rest of a body besides its records.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Its attributes, its lists of records among them: these are empty here.
    pub(crate) attributes: Map<String, Value>,
    /// How many records each list had; none where there is no list.
    pub(crate) lengths: PerKind<Option<usize>>,
}

/// Why a body cannot be read at all. It has the place, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong.
    pub fault: UnreadableFault,
    /// In which line, from 1.
    pub line: usize,
    /// In which column, from 1, in bytes.
    pub column: usize,
}

/// What keeps a body from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableFault {
    /// It is not UTF-8.
    NotUtf8,
    /// It ends too early.
    EndsTooEarly,
    /// It is not JSON.
    NotJson,
    /// It is JSON, and not an object.
    NotAnObject,
}

impl Unreadable {
    fn new(fault: UnreadableFault, (line, column): (usize, usize)) -> Self {
        Self { fault, line, column }
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        let fault = if error.is_eof() { UnreadableFault::EndsTooEarly } else { UnreadableFault::NotJson };
        Self::new(fault, (error.line(), error.column()))
    }
}

/// Reads a body: its records and their faults go to `taker`. A byte order mark before it is skipped.
pub(crate) fn read(body: &[u8], taker: &mut dyn Taker) -> Result<Frame, Unreadable> {
    let body = without_byte_order_mark(body);
    let text = std::str::from_utf8(body)
        .map_err(|error| Unreadable::new(UnreadableFault::NotUtf8, place(body, error.valid_up_to())))?;
    let mut source = serde_json::Deserializer::from_str(text);
    let mut context = Context { path: Vec::new(), taker, lengths: PerKind::default() };
    let tree = Reader(&mut context).deserialize(&mut source)?;
    source.end()?;
    match tree {
        Value::Object(attributes) => Ok(Frame { attributes, lengths: context.lengths }),
        _ => {
            let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
            Err(Unreadable::new(UnreadableFault::NotAnObject, place(body, start)))
        }
    }
}

/// Line and column, both from 1, of a position; columns in bytes, as the JSON reader counts them.
fn place(body: &[u8], position: usize) -> (usize, usize) {
    let before = body.get(..position).unwrap_or(body);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

enum Step {
    Name(String),
    Index(usize),
}

struct Context<'a> {
    path: Vec<Step>,
    taker: &'a mut dyn Taker,
    lengths: PerKind<Option<usize>>,
}

struct Reader<'a, 'c>(&'a mut Context<'c>);

impl Context<'_> {
    /// The kind whose list is the current place.
    fn list(&self) -> Option<RecordKind> {
        match self.path.as_slice() {
            [Step::Name(name)] => RecordKind::of_list(name),
            _ => None,
        }
    }

    /// The pointer of the current place, cut at the first name that must not be repeated.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.path.iter() {
            match step {
                Step::Index(index) => pointer.push_str(&format!("/{index}")),
                Step::Name(name) if may_be_quoted(name) => pointer.push_str(&format!("/{name}")),
                Step::Name(_) => break,
            }
        }
        pointer
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let Self(context) = self;
        let of_records = context.list();
        let mut list = Vec::new();
        for index in 0.. {
            context.path.push(Step::Index(index));
            let entry = source.next_element_seed(Reader(context))?;
            context.path.pop();
            match (entry, of_records) {
                (Some(entry), None) => list.push(entry),
                (Some(record), Some(kind)) => context.taker.record(kind, index, record),
                (None, kind) => {
                    if let Some(kind) = kind {
                        let length = &mut context.lengths[kind];
                        *length = Some(length.unwrap_or_default() + index);
                    }
                    break;
                }
            }
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let Self(context) = self;
        let mut attributes = Map::new();
        while let Some(name) = source.next_key::<String>()? {
            context.path.push(Step::Name(name.clone()));
            let value = source.next_value_seed(Reader(context))?;
            if attributes.insert(name, value).is_some() {
                let pointer = context.pointer();
                context.taker.duplicate_attribute(pointer);
            }
            context.path.pop();
        }
        Ok(Value::Object(attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps all that it is given.
    #[derive(Default)]
    struct Taken {
        records: Vec<(RecordKind, usize, Value)>,
        twice: Vec<String>,
    }

    impl Taker for Taken {
        fn record(&mut self, kind: RecordKind, index: usize, record: Value) {
            self.records.push((kind, index, record));
        }

        fn duplicate_attribute(&mut self, pointer: String) {
            self.twice.push(pointer);
        }
    }

    #[test]
    fn what_is_no_json_object_is_named_by_its_place() {
        let why = |body: &[u8]| read(body, &mut Taken::default()).map(drop).unwrap_err();
        for (body, fault, line, column) in [
            (b"{\n \"a\": nu }".as_slice(), UnreadableFault::NotJson, 2, 9),
            (b"{} {}", UnreadableFault::NotJson, 1, 4),
            (b"", UnreadableFault::EndsTooEarly, 1, 0),
            (b"{\"a\": [1,", UnreadableFault::EndsTooEarly, 1, 9),
            (b"\n [1]", UnreadableFault::NotAnObject, 2, 2),
            (b"null", UnreadableFault::NotAnObject, 1, 1),
            (b"{\n\"\xe5\"", UnreadableFault::NotUtf8, 2, 2),
        ] {
            assert_eq!(why(body), Unreadable { fault, line, column });
        }
        let deep = why("[".repeat(100_000).as_bytes());
        assert_eq!((deep.fault, deep.line), (UnreadableFault::NotJson, 1));
        assert_eq!(
            why(b"{} {}").text().en,
            "The body is not JSON: line 1, column 4. Nothing was stored. Correct it and send again."
        );
    }

    #[test]
    fn the_tree_is_that_of_a_plain_reader() {
        let body = br#"{"a": [null, true, -1, 18446744073709551615, 1.5, "x\u00e5", {}], "b": {"c": []}}"#;
        let plain = serde_json::from_slice::<Value>(body).unwrap();
        let mut taken = Taken::default();
        assert_eq!(Value::Object(read(body, &mut taken).unwrap().attributes), plain);
        assert!(taken.twice.is_empty());
        let marked = ["\u{feff}".as_bytes(), body].concat();
        assert_eq!(Value::Object(read(&marked, &mut taken).unwrap().attributes), plain);
    }

    #[test]
    fn an_attribute_that_stands_twice_is_found() {
        let body =
            r#"{"a": [{"b": 1, "b": 2}], "Åsa Ek": {"c": 1, "c": 1}, "x201502099809": {"c": 1, "c": 1}}"#;
        let mut taken = Taken::default();
        read(body.as_bytes(), &mut taken).unwrap();
        assert_eq!(taken.twice, ["/a/0/b", "", ""]);
    }

    #[test]
    fn records_are_taken_one_by_one() {
        let body = br#"{"persons": [{"id": 1}, 2], "options": {"persons": [3]}, "duties": [], "groups": {}}"#;
        let mut taken = Taken::default();
        let frame = read(body, &mut taken).unwrap();
        assert!(frame.lengths.values().eq(&[Some(2), Some(0), None, None]));
        assert_eq!(frame.attributes["persons"], serde_json::json!([]));
        assert_eq!(frame.attributes["options"], serde_json::json!({"persons": [3]}));
        let users = RecordKind::Person;
        assert_eq!(
            taken.records,
            [(users, 0, serde_json::json!({"id": 1})), (users, 1, serde_json::json!(2))]
        );
    }
}
