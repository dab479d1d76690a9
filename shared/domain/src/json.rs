//! Reads a body into a JSON tree and notices what a plain reader swallows: an attribute that stands twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::fault::{Fault, FaultCode, Faults, may_be_quoted};
use crate::reason::Text;

/// The tree of a body, or in words why there is none: the place, never the text.
pub(crate) fn read(body: &[u8], faults: &mut Faults) -> Result<Map<String, Value>, Text> {
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
    let tree = Reader { path: &mut Vec::new(), faults }.deserialize(&mut source).map_err(unreadable)?;
    source.end().map_err(unreadable)?;
    match tree {
        Value::Object(attributes) => Ok(attributes),
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

struct Reader<'a> {
    path: &'a mut Vec<Step>,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn inner(&mut self) -> Reader<'_> {
        Reader { path: self.path, faults: self.faults }
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

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut source: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.path.push(Step::Index(list.len()));
            let entry = source.next_element_seed(self.inner())?;
            self.path.pop();
            match entry {
                Some(entry) => list.push(entry),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut source: A) -> Result<Value, A::Error> {
        let mut attributes = Map::new();
        while let Some(name) = source.next_key::<String>()? {
            self.path.push(Step::Name(name.clone()));
            let value = source.next_value_seed(self.inner())?;
            if attributes.insert(name, value).is_some() {
                let pointer = self.pointer();
                self.faults.add(|| {
                    Fault::new(
                        FaultCode::DuplicateAttribute,
                        pointer,
                        None,
                        "An attribute stands more than once in the same object. Give it once.",
                        "Ett attribut förekommer mer än en gång i samma objekt. Ange det en gång.",
                    )
                });
            }
            self.path.pop();
        }
        Ok(Value::Object(attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &[u8]) -> String {
        read(body, &mut Faults::default()).map(drop).unwrap_err().en
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
        let mut faults = Faults::default();
        assert_eq!(
            Value::Object(read(body, &mut faults).unwrap()),
            serde_json::from_slice::<Value>(body).unwrap()
        );
        assert_eq!(faults.total, 0);
    }

    #[test]
    fn an_attribute_that_stands_twice_is_found() {
        let body = r#"{"a": [{"b": 1, "b": 2}], "Åsa Ek": {"c": 1, "c": 1}}"#;
        let mut faults = Faults::default();
        read(body.as_bytes(), &mut faults).unwrap();
        let pointers: Vec<_> = faults.listed.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/0/b", ""]);
    }
}
