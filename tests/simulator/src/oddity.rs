use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Above this nobody need have read an answer.
const MOST_READ_BYTES: usize = 12_000_000;

/// What is odd about the answer to a call that was carried out. Nothing in the published documents promises that it does
/// not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// This status (2xx) instead of the documented one.
    Success(u16),
    /// The body has no `jobId`, and this stands behind the `Location`. Bulk calls only.
    LocationEnd(&'static str),
    /// The JSON has this media type in its header.
    MediaType(&'static str),
    /// UTF-8 with a byte order mark.
    ByteOrderMark,
    /// UTF-16, little-endian, with a byte order mark.
    Utf16,
    /// UTF-16, big-endian, without one.
    Utf16BigEndian,
    /// Packed, though nobody asked for it.
    Gzip,
    /// As long as this, in bytes: filled up with white space. Outcomes in more than 12 MB do not count as read.
    Long(usize),
}

impl Oddity {
    /// Whether the caller can be expected to have read the answer.
    pub(crate) fn is_read(self) -> bool {
        !matches!(self, Oddity::Long(bytes) if bytes > MOST_READ_BYTES)
    }

    /// The bytes of a body.
    pub(crate) fn bytes(self, text: String) -> Vec<u8> {
        match self {
            Oddity::ByteOrderMark => format!("\u{feff}{text}").into_bytes(),
            Oddity::Utf16 => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Oddity::Utf16BigEndian => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Oddity::Gzip => gzip(text.as_bytes()),
            Oddity::Long(bytes) => {
                let mut body = text.into_bytes();
                body.resize(body.len().max(bytes), b' ');
                body
            }
            Oddity::Success(_) | Oddity::LocationEnd(_) | Oddity::MediaType(_) => text.into_bytes(),
        }
    }
}

/// Writing to memory does not fail; a body that is not packed is no reason to end a test's server.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    match packed.write_all(plain).and_then(|()| packed.finish()) {
        Ok(packed) => packed,
        Err(_) => plain.to_vec(),
    }
}

/// When a refused call may be made again, as `Retry-After` says it: counted from the refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u16),
    /// At a time so many seconds later, as a date; up to a second less, since a date has whole seconds.
    Date(u16),
}
