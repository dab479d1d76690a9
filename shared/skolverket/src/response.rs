//! Reads HTTP responses, up to a bound, and says in our own words why one could not be read.

use reqwest::header::HeaderMap;

use crate::answer::CallFailure;
use crate::retry_after;

/// Longest answer that is read, in bytes, packed and unpacked. A job's answer can be larger than its request of 200 kB
/// (329 kB seen), and is some MB where each of 3,400 members of groups has a message of its own. A function of 256 MB has
/// room for this much several times over.
pub(crate) const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// An answer as it came.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// There was more of the body than is read.
    pub(crate) too_long: bool,
}

/// The errors of the HTTP library are sorted here, because they name addresses.
pub(crate) fn sorted(error: &reqwest::Error) -> CallFailure {
    if error.is_connect() { CallFailure::Connection } else { CallFailure::NoAnswer }
}

/// Why an answer was not read to its end.
pub(crate) enum Unread {
    /// The connection broke, or took too long.
    Http(reqwest::Error),
    /// It is longer than any that is expected; its status.
    TooLong(u16),
}

impl Unread {
    pub(crate) fn into_failure(self) -> CallFailure {
        match self {
            Self::Http(error) => sorted(&error),
            Self::TooLong(status) => CallFailure::AnswerTooLong(status),
        }
    }
}

/// Reads an answer to its end.
pub(crate) async fn receive(response: reqwest::Response) -> Result<Received, Unread> {
    let received = receive_bounded(response).await.map_err(Unread::Http)?;
    if received.too_long { Err(Unread::TooLong(received.status)) } else { Ok(received) }
}

/// Reads an answer as far as any is read.
pub(crate) async fn receive_bounded(mut response: reqwest::Response) -> Result<Received, reqwest::Error> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let (mut body, mut too_long) = (Vec::new(), false);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            too_long = true;
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body, too_long })
}

/// What an answer of the Open-data API that is not the hoped-for one means.
pub(crate) fn failure(received: &Received) -> CallFailure {
    CallFailure::of_status(received.status, retry_after::wait(&received.headers, None), false)
}
