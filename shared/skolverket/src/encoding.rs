//! Decodes the bytes of an answer to text. Gateways on the way may change the encoding.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// The first bytes of gzip data. No JSON or HTML begins with them.
const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The unpacked answer is larger than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Returns the text of a body: unpacked if it is gzip, without a byte order mark, from UTF-8 or UTF-16. An invalid byte
/// replaces only its own character. Gzip data that cannot be unpacked is treated as text.
///
/// # Errors
/// [`TooLong`], if the unpacked body has more than `most` bytes.
pub(crate) fn decoded(body: Vec<u8>, most: usize) -> Result<String, TooLong> {
    let mut body = body;
    if body.starts_with(GZIP) {
        let mut plain = Vec::new();
        // One byte more than the limit shows that the body is too long, without unpacking all of it.
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        if MultiGzDecoder::new(body.as_slice()).take(limit).read_to_end(&mut plain).is_ok() {
            if plain.len() > most {
                return Err(TooLong);
            }
            body = plain;
        }
    }
    Ok(text(body))
}

fn text(body: Vec<u8>) -> String {
    match body.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // No byte order mark: JSON begins with two ASCII characters.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => utf16(&body, u16::from_le_bytes),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => utf16(&body, u16::from_be_bytes),
        bytes if bytes.starts_with(UTF8_MARK) => {
            String::from_utf8_lossy(bytes.get(UTF8_MARK.len()..).unwrap_or_default()).into_owned()
        }
        _ => String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const JSON: &str = r#"{"responses":[],"message":"Åsa"}"#;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap()
    }

    fn utf16_of(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_text_is_the_same_however_it_was_encoded() {
        let marked = format!("\u{feff}{JSON}");
        for body in [
            JSON.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            utf16_of(&marked, u16::to_le_bytes),
            utf16_of(&marked, u16::to_be_bytes),
            utf16_of(JSON, u16::to_le_bytes),
            utf16_of(JSON, u16::to_be_bytes),
            gzip(JSON.as_bytes()),
            gzip(&utf16_of(&marked, u16::to_le_bytes)),
        ] {
            assert_eq!(decoded(body.clone(), 1000).as_deref(), Ok(JSON), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_text_costs_no_more_than_itself() {
        assert_eq!(decoded(b"{\"a\":\"\xe5\"}".to_vec(), 1000).as_deref(), Ok("{\"a\":\"\u{fffd}\"}"));
        let mut cut = gzip(JSON.as_bytes());
        cut.truncate(12);
        assert_eq!(decoded(cut.clone(), 1000), Ok(String::from_utf8_lossy(&cut).into_owned()));
        assert_eq!(decoded(Vec::new(), 1000).as_deref(), Ok(""));
    }

    #[test]
    fn no_more_is_unpacked_than_is_read() {
        let packed = gzip(&[b' '; 1001]);
        assert_eq!(decoded(packed.clone(), 1000), Err(TooLong));
        assert_eq!(decoded(packed, 1001).map(|text| text.len()), Ok(1001));
    }
}
