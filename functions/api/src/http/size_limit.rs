//! The size limit of responses.

use std::io;

use serde::Serialize;
use serde_json::Value;

/// The largest content of a response, in bytes. A Lambda response is at most 6 MB. It holds the content as an escaped
/// JSON string or, if compressed, as base64, which is a third longer. A page for a browser should not be larger in any
/// case.
const LARGEST: usize = 4_000_000;

/// Bytes reserved for the parts of a page that are not items.
const FRAME: usize = 100_000;

/// How much is shown of a body that does not fit, in characters.
const BEGINNING: usize = 100_000;

/// Something that cannot be written as JSON.
#[derive(Debug)]
pub(crate) struct Unwritable;

/// The bytes that are left in a response. Everything without a limit of its own uses it: pages, CSV, nested lists.
pub(crate) struct SizeLimit {
    left: usize,
    empty: bool,
}

impl SizeLimit {
    /// For an empty response.
    pub(crate) fn new() -> Self {
        Self { left: LARGEST - FRAME, empty: true }
    }

    /// For two lists that share an empty response.
    pub(crate) fn halves() -> [Self; 2] {
        [(); 2].map(|()| Self { left: (LARGEST - FRAME) / 2, empty: true })
    }

    /// Counts the item as JSON if it fits, and returns whether it does. The first item always fits, because a page
    /// without items would have no next page.
    pub(crate) fn take(&mut self, item: &impl Serialize) -> Result<bool, Unwritable> {
        // With its comma.
        Ok(self.take_bytes(json_len(item)? + 1))
    }

    /// Counts this many bytes (see [`escaped_len`]), as [`SizeLimit::take`] does.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> bool {
        let fits = self.empty || bytes <= self.left;
        if fits {
            self.left = self.left.saturating_sub(bytes);
            self.empty = false;
        }
        fits
    }

    /// Counts a body of any size. Returns the body and true if it fits. Otherwise returns its beginning as a text and
    /// false, or null and false if the beginning does not fit either.
    pub(crate) fn take_body(&mut self, body: Value) -> Result<(Value, bool), Unwritable> {
        self.empty = false;
        if self.take(&body)? {
            return Ok((body, true));
        }
        let text = match body {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let beginning = Value::String(shortened(text, BEGINNING));
        let fits = self.take(&beginning)?;
        Ok((if fits { beginning } else { Value::Null }, false))
    }
}

/// The length of a content in bytes as an escaped JSON string, as the Lambda response holds it.
pub(crate) fn escaped_len(content: &[u8]) -> usize {
    content
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

fn json_len(item: &impl Serialize) -> Result<usize, Unwritable> {
    let mut len = JsonLen(0);
    serde_json::to_writer(&mut len, item).map_err(|_| Unwritable)?;
    Ok(len.0)
}

/// Counts the escaped length of what is written to it.
struct JsonLen(usize);

impl io::Write for JsonLen {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0 += escaped_len(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cuts a text that is longer than `longest` characters, and ends it with `…`.
pub(crate) fn shortened(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_content_weighs_what_it_is_in_the_functions_answer() {
        for content in ["", "abc", "\"\\\n\r\t", "\u{1}\u{1f}\u{7f}", "åäö 中 😀"] {
            assert_eq!(
                escaped_len(content.as_bytes()),
                serde_json::to_string(content).unwrap().len() - 2,
                "{content:?}"
            );
        }
    }

    #[test]
    fn a_body_without_room_is_shown_by_its_beginning() {
        let mut limit = SizeLimit::new();
        let small = json!({"a": 1});
        assert_eq!(limit.take_body(small.clone()).unwrap(), (small, true));
        let large = json!({"text": "å".repeat(2_000_000)});
        let (shown, whole) = limit.take_body(large.clone()).unwrap();
        let shown = shown.as_str().unwrap();
        assert!(!whole && shown.starts_with("{\"text\":\"ååå") && shown.ends_with('…'), "{}", shown.len());
        assert_eq!(shown.chars().count(), BEGINNING + 1);
        limit.left = BEGINNING;
        assert_eq!(
            limit.take_body(large.clone()).unwrap(),
            (Value::Null, false),
            "no room for its beginning"
        );
        assert!(!SizeLimit::new().take_body(large).unwrap().1, "though it is the first");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("åäö".to_owned(), 3), "åäö");
        assert_eq!(shortened("åäö".to_owned(), 2), "åä…");
    }
}
