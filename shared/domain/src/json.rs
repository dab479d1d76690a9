//! Reads a body, record by record, and notices what a plain reader swallows: an attribute that stands twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::characters::without_byte_order_mark;
use crate::finding::{Finding, FindingCode, Kind};
use crate::known_words::may_be_quoted;
use crate::reason::Text;
use crate::shape::Walk;
use crate::stage::StageName;
use crate::submission::list_of;

/// Takes a record: whose list it is in, and its place there. The records of a body are never all trees at once.
pub(crate) type Take<'a> = dyn FnMut(StageName, usize, Value, &mut Walk) + 'a;

/// What a body is beside its records.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// Its attributes, its lists of records among them: these are empty here.
    pub(crate) attributes: Map<String, Value>,
    /// How many records each list had, by the stage's index; none where there is no list.
    pub(crate) lengths: [Option<usize>; 4],
}

/// Reads a body: each record goes to `take`, what is wrong on the way to the walk's faults. A byte order mark before it
/// is skipped. Fails in words: the place, never the text.
pub(crate) fn read(body: &[u8], walk: &mut Walk, take: &mut Take<'_>) -> Result<Frame, Text> {
    let body = without_byte_order_mark(body);
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = place(body, error.valid_up_to());
        told(("The body is not UTF-8", "Innehållet är inte UTF-8"), at)
    })?;
    let unreadable = |error: serde_json::Error| {
        let what = if error.is_eof() {
            ("The body ends too early", "Innehållet slutar för tidigt")
        } else {
            ("The body is not JSON", "Innehållet är inte JSON")
        };
        told(what, (error.line(), error.column()))
    };
    let mut source = serde_json::Deserializer::from_str(text);
    let mut context = Context { path: Vec::new(), walk, take, lengths: [None; 4] };
    let tree = Reader(&mut context).deserialize(&mut source).map_err(unreadable)?;
    source.end().map_err(unreadable)?;
    match tree {
        Value::Object(attributes) => Ok(Frame { attributes, lengths: context.lengths }),
        _ => {
            let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
            Err(told(
                ("The body is not a JSON object", "Innehållet är inte ett JSON-objekt"),
                place(body, start),
            ))
        }
    }
}

/// What is wrong, in English and Swedish, and at which line and column.
fn told((en, sv): (&str, &str), (line, column): (usize, usize)) -> Text {
    Text {
        en: format!("{en}: line {line}, column {column}. Nothing was stored. Correct it and send again."),
        sv: format!("{sv}: rad {line}, kolumn {column}. Inget har sparats. Rätta det och skicka igen."),
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

struct Context<'a, 't> {
    path: Vec<Step>,
    walk: &'a mut Walk,
    take: &'a mut Take<'t>,
    lengths: [Option<usize>; 4],
}

struct Reader<'a, 'c, 't>(&'a mut Context<'c, 't>);

impl Context<'_, '_> {
    /// The stage whose list is the current place.
    fn list(&self) -> Option<StageName> {
        match self.path.as_slice() {
            [Step::Name(name)] => StageName::ORDER.into_iter().find(|stage| list_of(*stage) == name),
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

impl<'de> DeserializeSeed<'de> for Reader<'_, '_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_, '_> {
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
                (Some(record), Some(stage)) => (context.take)(stage, index, record, context.walk),
                (None, stage) => {
                    if let Some(length) = stage.and_then(|stage| context.lengths.get_mut(stage.index())) {
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
                let kind = Kind::form(FindingCode::DuplicateAttribute, None);
                context.walk.findings.add(kind, None, || Finding::new(kind, pointer));
            }
            context.path.pop();
        }
        Ok(Value::Object(attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &[u8]) -> String {
        read(body, &mut Walk::default(), &mut |_, _, _, _| {}).map(drop).unwrap_err().en
    }

    #[test]
    fn what_is_no_json_object_is_named_by_its_place() {
        let told = |body: &[u8], what: &str| {
            assert_eq!(why(body), format!("{what}. Nothing was stored. Correct it and send again."));
        };
        told(b"{\n \"a\": nu }", "The body is not JSON: line 2, column 9");
        told(b"{} {}", "The body is not JSON: line 1, column 4");
        told(b"", "The body ends too early: line 1, column 0");
        told(b"{\"a\": [1,", "The body ends too early: line 1, column 9");
        told(b"\n [1]", "The body is not a JSON object: line 2, column 2");
        told(b"null", "The body is not a JSON object: line 1, column 1");
        told(b"{\n\"\xe5\"", "The body is not UTF-8: line 2, column 2");
        let deep = "[".repeat(100_000);
        assert!(why(deep.as_bytes()).starts_with("The body is not JSON: line 1, column 1"));
    }

    #[test]
    fn the_tree_is_that_of_a_plain_reader() {
        let body = br#"{"a": [null, true, -1, 18446744073709551615, 1.5, "x\u00e5", {}], "b": {"c": []}}"#;
        let mut walk = Walk::default();
        assert_eq!(
            Value::Object(read(body, &mut walk, &mut |_, _, _, _| {}).unwrap().attributes),
            serde_json::from_slice::<Value>(body).unwrap()
        );
        assert_eq!(walk.findings.counts(), []);
        let marked = ["\u{feff}".as_bytes(), body].concat();
        let read = read(&marked, &mut walk, &mut |_, _, _, _| {}).unwrap();
        assert_eq!(Value::Object(read.attributes), serde_json::from_slice::<Value>(body).unwrap());
    }

    #[test]
    fn an_attribute_that_stands_twice_is_found() {
        let body =
            r#"{"a": [{"b": 1, "b": 2}], "Åsa Ek": {"c": 1, "c": 1}, "x201502099809": {"c": 1, "c": 1}}"#;
        let mut walk = Walk::default();
        read(body.as_bytes(), &mut walk, &mut |_, _, _, _| {}).unwrap();
        let pointers: Vec<_> = walk.findings.listed().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/0/b", "", ""]);
    }

    #[test]
    fn records_are_taken_one_by_one() {
        let body = br#"{"persons": [{"id": 1}, 2], "options": {"persons": [3]}, "duties": [], "groups": {}}"#;
        let mut taken = Vec::new();
        let frame = read(body, &mut Walk::default(), &mut |stage, index, record, _| {
            taken.push((stage, index, record));
        });
        let frame = frame.unwrap();
        assert_eq!(frame.lengths, [Some(2), Some(0), None, None]);
        assert_eq!(frame.attributes["persons"], serde_json::json!([]));
        assert_eq!(frame.attributes["options"], serde_json::json!({"persons": [3]}));
        let users = StageName::Users;
        assert_eq!(taken, [(users, 0, serde_json::json!({"id": 1})), (users, 1, serde_json::json!(2))]);
    }
}
