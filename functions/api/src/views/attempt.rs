//! Calls to Skolverket.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use stafett_domain::{AttemptCall, AttemptId, Guidance, Label, guidance};
use stafett_history::{Attempt, AttemptBodies};

use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;

/// One call to Skolverket, or one to its authorization server (`token`).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Attempt")]
pub(crate) struct AttemptView {
    /// Batch, try and step of the call. A request for a token has its own number after that of the step.
    attempt: AttemptId,
    #[schemars(example = AttemptCall::Submit)]
    call: AttemptCall,
    #[schemars(example = AttemptCall::Submit.label())]
    call_label: Label,
    #[schemars(example = &"POST")]
    method: String,
    #[schemars(example = "/persons/bulk")]
    path: String,
    started_at: Timestamp,
    duration_ms: u64,
    /// The status of the answer; null if there was no answer.
    #[schemars(example = 202)]
    status: Option<u16>,
    request_bytes: u64,
    response_bytes: u64,
    /// What to do, if the answer was not as expected.
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
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WholeAttempt")]
pub(crate) struct WholeAttemptView {
    #[serde(flatten)]
    attempt: AttemptView,
    /// The body of the call, for `history:personal`. The body of a request for a token is shown without the
    /// certificate's fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    /// The body of the answer, for `history:personal`. For a request for a token it is the beginning, without the
    /// token.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Value>,
    /// The answer is too large: `response` is its beginning, as a text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
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
