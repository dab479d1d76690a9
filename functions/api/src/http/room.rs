//! How large an answer may be.

use std::io;

use serde::Serialize;
use serde_json::Value;

/// What the content of an answer may weigh, in bytes. A function's answer is at most 6 MB with everything around the
/// content, and the content stands in it as a JSON text; packed it stands there as base64, a third longer. A page that
/// a browser is to show should not be larger in any case.
const LARGEST: usize = 4_000_000;

/// What is left for the frame of a page, and for what stands beside its items.
const FRAME: usize = 100_000;

/// How much of a body is shown for which there is no room, in characters.
const BEGINNING: usize = 100_000;

/// Something that cannot be written as JSON.
#[derive(Debug)]
pub(crate) struct Unwritable;

/// How much more an answer may hold. Whatever may grow asks it: pages of lists, sheets, and lists within one thing.
pub(crate) struct Room {
    left: usize,
    empty: bool,
}

impl Room {
    /// That of an empty answer.
    pub(crate) fn new() -> Self {
        Self { left: LARGEST - FRAME, empty: true }
    }

    /// That of an empty answer, for two lists of which neither is to have it all.
    pub(crate) fn halves() -> [Self; 2] {
        [(); 2].map(|()| Self { left: (LARGEST - FRAME) / 2, empty: true })
    }

    /// Takes the room for this, as JSON; says whether there was enough. The first is always taken: a page without any
    /// would never let anybody come to the next.
    pub(crate) fn take(&mut self, item: &impl Serialize) -> Result<bool, Unwritable> {
        // And a comma.
        Ok(self.take_weight(weight_of(item)? + 1))
    }

    /// Takes the room for content of this weight (see [`weight`]), as [`Room::take`] does.
    pub(crate) fn take_weight(&mut self, weight: usize) -> bool {
        let fits = self.empty || weight <= self.left;
        if fits {
            self.left = self.left.saturating_sub(weight);
            self.empty = false;
        }
        fits
    }

    /// Takes the room for a body that came from outside, whatever its size; of one that does not fit the beginning, as a
    /// text. Says whether it is whole.
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
        // Either there is room for it, or it is left out as well.
        let fits = self.take(&beginning)?;
        Ok((if fits { beginning } else { Value::Null }, false))
    }
}

/// What a content weighs: its bytes, as they stand in the JSON text that it becomes in the function's answer.
pub(crate) fn weight(content: &[u8]) -> usize {
    content
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

fn weight_of(item: &impl Serialize) -> Result<usize, Unwritable> {
    let mut weight = Weight(0);
    serde_json::to_writer(&mut weight, item).map_err(|_| Unwritable)?;
    Ok(weight.0)
}

/// Weighs what is written to it.
struct Weight(usize);

impl io::Write for Weight {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0 += weight(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text from outside: cut, with `…` at its end, where it is longer than this many characters.
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
                weight(content.as_bytes()),
                serde_json::to_string(content).unwrap().len() - 2,
                "{content:?}"
            );
        }
    }

    #[test]
    fn a_body_without_room_is_shown_by_its_beginning() {
        let mut room = Room::new();
        let small = json!({"a": 1});
        assert_eq!(room.take_body(small.clone()).unwrap(), (small, true));
        let large = json!({"text": "å".repeat(2_000_000)});
        let (shown, whole) = room.take_body(large.clone()).unwrap();
        let shown = shown.as_str().unwrap();
        assert!(!whole && shown.starts_with("{\"text\":\"ååå") && shown.ends_with('…'), "{}", shown.len());
        assert_eq!(shown.chars().count(), BEGINNING + 1);
        room.left = BEGINNING;
        assert_eq!(room.take_body(large.clone()).unwrap(), (Value::Null, false), "no room for its beginning");
        assert!(!Room::new().take_body(large).unwrap().1, "though it is the first");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("åäö".to_owned(), 3), "åäö");
        assert_eq!(shortened("åäö".to_owned(), 2), "åä…");
    }
}
