//! A call that was made for a batch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptCall, AttemptId, AuthorizationCause, WaitCause};

/// One HTTP call for a batch: its own, or for the token that its own needed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its id within the job.
    pub attempt: AttemptId,
    /// What it was.
    pub call: AttemptCall,
    /// `POST` or `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    /// The HTTP status; none where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why a request for a token gave none; none where another one followed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AuthorizationCause>,
    pub request_bytes: u64,
    /// The body of a request for a token, as far as it may be seen. That of a bulk call is its batch's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    pub response_bytes: u64,
    /// Why it was made again, where the status does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_cause: Option<WaitCause>,
    /// The answer's body, where it is small: bounded for failed calls, absent for a poll of a job that is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether the answer's body is stored as a large item.
    #[serde(default)]
    pub answer_kept: bool,
    /// Which records of its batch it was about, where it was not all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u32>,
    /// See the send's.
    pub expires: i64,
}
