//! Unicode: which characters of a text are invisible, and when two spellings are the same text.
//!
//! A source system may write `å` as one character or as `a` with a ring, and a name that was copied from a page may hold
//! characters that show nowhere. People see no difference; a comparison of bytes does.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

/// U+FEFF in UTF-8, which some editors and exports put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark before it.
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Whether a character has no width and no ink: format characters (Unicode Cf: zero-width spaces and joiners, marks of
/// direction, soft hyphens) and everything else that Unicode marks as not to be shown. Controls are not among them.
pub(crate) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether there is nothing to be seen in a text: it is empty, or has only white space, controls and invisible
/// characters.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// The first character of a text that somebody sees, in its usual form (NFKC): of a full-width sign the sign.
pub fn first_seen(text: &str) -> Option<char> {
    let seen = text.chars().find(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(*c))?;
    let usual = ComposingNormalizerBorrowed::new_nfkc();
    usual.normalize(seen.encode_utf8(&mut [0; 4])).chars().next()
}

/// The length of a text in code points, as Unicode composes it (NFC): the same for both spellings of `å`.
pub(crate) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { composed(text).chars().count() }
}

/// The text as Unicode composes it (NFC).
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The text as it is compared: compatible characters as one (NFKC), and without regard to case.
pub(crate) fn caseless(text: &str) -> String {
    let compatible = ComposingNormalizerBorrowed::new_nfkc();
    // Another case may be spelt otherwise.
    compatible.normalize(&folded(&compatible.normalize(text))).into_owned()
}

/// The same without the marks of its letters: å, ä and ö are a, a and o, however they are written.
pub(crate) fn without_marks(text: &str) -> String {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned();
    folded(&decomposed).chars().filter(|c| !GeneralCategoryGroup::Mark.contains(categories.get(*c))).collect()
}

/// Without regard to case, as Unicode folds it: `ß` is `ss`, both forms of `σ` are one. A dotless `ı` stays one.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ı' => folded.push(c),
            _ => folded.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_text() {
        assert_eq!(without_byte_order_mark("\u{feff}{}".as_bytes()), b"{}");
        assert_eq!(without_byte_order_mark(b"{}"), b"{}");
        // One only: a second is a character of the text.
        assert_eq!(without_byte_order_mark("\u{feff}\u{feff}".as_bytes()), "\u{feff}".as_bytes());
    }

    #[test]
    fn what_nobody_sees_is_invisible() {
        for c in
            ['\u{200b}', '\u{200d}', '\u{200e}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}', '\u{3164}']
        {
            assert!(is_invisible(c), "{}", c.escape_unicode());
        }
        for c in ['a', 'å', '\u{30a}', ' ', '\n', '-', '\u{a0}', '中', 'ａ'] {
            assert!(!is_invisible(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn a_blank_text_shows_nothing() {
        for blank in ["", "  ", "\t\n", "\u{a0}\u{3000}", "\u{200b}", " \u{202e}\u{ad} ", "\u{1f}"] {
            assert!(is_blank(blank), "{}", blank.escape_unicode());
        }
        assert!(!is_blank(" a ") && !is_blank(".") && !is_blank("\u{200b}å"));
    }

    #[test]
    fn the_first_character_that_is_seen_has_its_usual_form() {
        for (text, first) in [
            (" \u{200b}\t＝1", Some('=')),
            ("﹢", Some('+')),
            ("⩵", Some('=')),
            ("åa", Some('å')),
            ("\u{ad} ", None),
        ] {
            assert_eq!(first_seen(text), first, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn a_letter_and_its_ring_are_one_character() {
        assert_eq!((length("Å"), length("A\u{30a}"), length("abc")), (1, 1, 3));
    }

    #[test]
    fn spellings_of_one_text_are_the_same() {
        for (one, other) in [
            ("åkq7@edu.example.se", "A\u{30a}KQ7@EDU.example.se"),
            ("ＡＢ１", "ab1"),
            ("straße", "STRASSE"),
            ("σς", "ΣΣ"),
            ("ﬁ", "FI"),
        ] {
            assert_eq!(caseless(one), caseless(other), "{one} {other}");
        }
        assert_ne!(caseless("åk"), caseless("ak"));
        assert_ne!(caseless("ı"), caseless("i"));
    }

    #[test]
    fn marks_come_off_whatever_form_they_came_in() {
        for (text, plain) in
            [("Åkerman", "akerman"), ("A\u{30a}KERMAN", "akerman"), ("Öé Ñ", "oe n"), ("Ｂｏ", "bo")]
        {
            assert_eq!(without_marks(text), plain);
        }
    }

    proptest! {
        #[test]
        fn a_text_compares_as_itself_in_every_form(text in "\\PC{0,12}") {
            let nfd = DecomposingNormalizerBorrowed::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(caseless(&nfd), caseless(&text));
            prop_assert_eq!(length(&nfd), length(&composed(&text)));
            prop_assert_eq!(without_marks(&nfd), without_marks(&text));
        }
    }
}
