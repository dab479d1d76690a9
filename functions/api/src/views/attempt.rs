//! Calls to Skolverket.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use stafett_domain::{AttemptCall, AttemptId, Guidance, Label, guidance};
use stafett_history::{Attempt, AttemptBodies};

use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;

/// One call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    attempt: AttemptId,
    call: AttemptCall,
    call_label: Label,
    method: String,
    path: String,
    started_at: Timestamp,
    duration_ms: u64,
    status: Option<u16>,
    request_bytes: u64,
    response_bytes: u64,
    /// What to do about it, where it was not answered as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    guidance: Option<Guidance>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            call: attempt.call,
            call_label: attempt.call.label(),
            method: attempt.method.clone(),
            path: attempt.path.clone(),
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            request_bytes: attempt.request_bytes,
            response_bytes: attempt.response_bytes,
            guidance: match attempt.call {
                AttemptCall::Token => guidance::of_token_request(attempt.status, attempt.cause),
                AttemptCall::Submit => guidance::of_call(attempt.status, false, attempt.wait_cause).copied(),
                AttemptCall::Poll => guidance::of_call(attempt.status, true, attempt.wait_cause).copied(),
            },
        }
    }
}

/// One call with its bodies, for those who may see personal data.
#[derive(Serialize)]
pub(crate) struct WholeAttemptView {
    #[serde(flatten)]
    attempt: AttemptView,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
    /// The response is cut, because it is too large.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl WholeAttemptView {
    /// `bodies`: for callers who may see them.
    pub(crate) fn new(attempt: &Attempt, bodies: Option<AttemptBodies>) -> Result<Self, Problem> {
        let attempt = attempt.into();
        let Some(AttemptBodies { request, response, .. }) = bodies else {
            return Ok(Self { attempt, request: None, response: None, truncated: false });
        };
        let mut size_limit = SizeLimit::new();
        // Always fits: it is no larger than a call may be.
        size_limit.take(&request)?;
        let (response, whole) = size_limit.take_body(response)?;
        Ok(Self { attempt, request: Some(request), response: Some(response), truncated: !whole })
    }
}
