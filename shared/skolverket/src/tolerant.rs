//! Parses JSON one level at a time, so that an error in one place does not affect the rest.
//!
//! Member names may have any letter case. No value is refused for its type: a number, a list or an object can also be
//! read as text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The maximum length of a text that is stored, in characters: longer than any message from Skolverket.
const LONGEST_TEXT: usize = 4000;

/// The members of an object, not parsed yet.
pub(crate) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// Returns the members of an object, or `None` if the text is not an object.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// Returns the member with this name, including null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let alike = || self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        self.0.get(name).or_else(|| alike().map(|(_, value)| value)).copied()
    }

    /// Returns the member with this name as text, or `None` for null.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// Returns the member with this name as an HTTP status. 201, 201.0 and "201" are the same, and 0 means no status.
    pub(crate) fn status_code(&self, name: &str) -> Option<u16> {
        let number: f64 = self.text(name)?.trim().parse().ok()?;
        (100..=599).find(|code| f64::from(*code) == number)
    }
}

/// Returns the entries of a list, not parsed yet, or `None` if the value is not a list.
pub(crate) fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// Whether the value is null.
pub(crate) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// Returns a value as text: the content of a string, `None` for null, and the original JSON for anything else.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    if is_null(value) {
        return None;
    }
    // A string that was cut inside a character is not valid.
    let text = serde_json::from_str::<String>(value.get())
        .unwrap_or_else(|_| value.get().trim_matches('"').to_owned());
    Some(match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_any_letter_case_and_its_own_first() {
        let members = Members::of(r#"{"JOBID": 1, "status": "a", "Status": "b"}"#).unwrap();
        assert_eq!(members.text("jobId").as_deref(), Some("1"));
        assert_eq!(members.text("Status").as_deref(), Some("b"));
        assert_eq!(members.text("other"), None);
        assert!(Members::of("[]").is_none() && Members::of("<html>").is_none());
    }

    #[test]
    fn a_text_is_whatever_came() {
        let members = Members::of(
            r#"{"string": "å\n", "number": 2011, "list": ["a", 1], "object": {"a": null}, "null": null,
                "cut": "a\ud83d", "huge": 1e999}"#,
        )
        .unwrap();
        let texts =
            ["string", "number", "list", "object", "null", "cut", "huge"].map(|name| members.text(name));
        let expected = ["å\n", "2011", r#"["a", 1]"#, r#"{"a": null}"#, "", r"a\ud83d", "1e999"];
        for (text, expected) in texts.iter().zip(expected) {
            assert_eq!(text.as_deref().unwrap_or_default(), expected);
        }
        let long = format!(r#"{{"text": "{}"}}"#, "å".repeat(LONGEST_TEXT + 1));
        assert_eq!(Members::of(&long).unwrap().text("text").unwrap().chars().count(), LONGEST_TEXT);
    }

    #[test]
    fn a_status_code_is_what_http_calls_one() {
        for (value, code) in [
            ("201", Some(201)),
            ("201.0", Some(201)),
            (r#"" 201""#, Some(201)),
            ("0", None),
            ("-400", None),
            ("100000", None),
            ("201.5", None),
            (r#""OK""#, None),
            ("null", None),
            ("[201]", None),
        ] {
            let json = format!(r#"{{"statusCode": {value}}}"#);
            assert_eq!(Members::of(&json).unwrap().status_code("statusCode"), code, "{value}");
        }
    }
}
