use std::fmt;
use std::time::Instant;

use serde_json::Value;

use crate::{CallKind, Fault, Kind};

/// A call that came to its end. Its `Debug` leaves out both bodies: they hold personal data, and a token.
#[derive(Clone)]
pub struct Call {
    pub at: Instant,
    /// When its answer was handed over, or the connection ended.
    pub answered_at: Instant,
    /// Whose token it carried, or who asked for one: 10 digits. None without a valid token.
    pub organisation: Option<String>,
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The kind of record, for bulk and job calls.
    pub kind: Option<Kind>,
    pub call: CallKind,
    /// The body as it came, if it was JSON.
    pub request: Option<Value>,
    /// Size of the body. For a body above 4 MB, which is not read to its end: its declared size, or 4 MB.
    pub request_bytes: usize,
    /// Status of the answer; 0 without one: the connection was cut, or the caller hung up.
    pub status: u16,
    /// Body of the answer, if it was JSON and whole.
    pub response: Option<Value>,
    /// What went wrong with it by a test's wish; None also while all is down.
    pub fault: Option<Fault>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("organisation", &self.organisation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("call", &self.call)
            .field("request_bytes", &self.request_bytes)
            .field("status", &self.status)
            .field("fault", &self.fault)
            .field("time", &self.answered_at.duration_since(self.at))
            .finish_non_exhaustive()
    }
}
