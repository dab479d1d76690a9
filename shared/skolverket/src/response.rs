//! Reads HTTP responses up to a size limit, and classifies read errors.

use reqwest::header::HeaderMap;

use crate::answer::CallFailure;
use crate::retry_after;

/// The maximum size of an answer in bytes, packed and unpacked. A job's answer can be larger than its request of 200 kB
/// (329 kB seen). It has some MB if each of 3,400 group members has a message. A function with 256 MB can hold this
/// size several times.
pub(crate) const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// An answer as received.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The body was longer than the limit.
    pub(crate) too_long: bool,
}

/// Classifies the HTTP library's errors, because their texts contain addresses.
pub(crate) fn sorted(error: &reqwest::Error) -> CallFailure {
    if error.is_connect() { CallFailure::Connection } else { CallFailure::NoAnswer }
}

/// Why an answer was not read completely.
pub(crate) enum Unread {
    /// The connection broke or timed out.
    Http(reqwest::Error),
    /// The answer is longer than the limit. The value is its HTTP status.
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

/// Reads an answer, and fails if it is longer than the limit.
pub(crate) async fn receive(response: reqwest::Response) -> Result<Received, Unread> {
    let received = receive_bounded(response).await.map_err(Unread::Http)?;
    if received.too_long { Err(Unread::TooLong(received.status)) } else { Ok(received) }
}

/// Reads an answer up to the limit.
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

/// Returns the meaning of an unexpected answer from the Open-data API.
pub(crate) fn failure(received: &Received) -> CallFailure {
    CallFailure::of_status(received.status, retry_after::wait(&received.headers, None), false)
}
