//! A call that was made for a batch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptCall, AttemptId, AuthorizationCause, WaitCause};

/// One HTTP call for a batch: its own call, or the token request that it needed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its id within the job.
    pub attempt: AttemptId,
    /// The type of call.
    pub call: AttemptCall,
    /// `POST` or `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    /// The HTTP status. `None` if no answer arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why a token request returned no token. `None` if another request followed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AuthorizationCause>,
    pub request_bytes: u64,
    /// The body of a token request, without secrets. The body of a bulk call is stored with its batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    pub response_bytes: u64,
    /// Why the call was repeated, if the status does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_cause: Option<WaitCause>,
    /// The answer's body, if it is small: cut for failed calls, missing for a poll of a job that is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether the answer's body is stored as a large item.
    #[serde(default)]
    pub answer_kept: bool,
    /// The records of its batch that the call contained, if not all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u32>,
    /// When the item expires, in seconds since 1970. The same as on the send.
    pub expires: i64,
}
