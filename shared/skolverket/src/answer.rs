//! What Skolverket's answers say, typed, and tolerant of what the published documents leave open.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use stafett_domain::{RecordId, SkolverketJobId};

/// A bulk call that was taken (202).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// From the body, or else from the end of `Location`: nothing in the body is required.
    pub job_id: SkolverketJobId,
}

/// The answer of a job call: an outcome a record, in any order, possibly not for all of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobAnswer {
    /// One entry a record.
    pub responses: Vec<RecordAnswer>,
}

/// What Skolverket says of one record.
#[derive(Deserialize)]
pub struct RecordAnswer {
    /// The record.
    pub id: RecordId,
    response: RecordResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordResponse {
    #[serde(default)]
    status: RecordStatus,
    status_code: Option<u16>,
    #[serde(default)]
    errors: Option<Vec<LogEntry>>,
    #[serde(default)]
    warnings: Option<Vec<LogEntry>>,
}

impl RecordAnswer {
    /// The record's state.
    pub fn status(&self) -> RecordStatus {
        self.response.status
    }

    /// The HTTP-like status of the record, where given.
    pub fn status_code(&self) -> Option<u16> {
        self.response.status_code
    }

    /// Errors, then warnings.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        let errors = self.response.errors.iter().flatten();
        errors.chain(self.response.warnings.iter().flatten())
    }
}

/// The state of a record in a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum RecordStatus {
    /// Not done yet.
    #[default]
    Pending,
    /// Accepted.
    Success,
    /// Accepted, but should be mended.
    Warning,
    /// Not accepted.
    Error,
    /// Not done because of a passing fault at Skolverket; to be sent again later.
    TemporaryError,
}

/// Skolverket's message about a call or a record. Its texts may quote personal data, so it has no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The kind of message, such as 2011. Not unique per cause.
    #[serde(default, deserialize_with = "text_or_number")]
    pub id: String,
    /// HTTP-like status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Category, such as "Ogiltigt format".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// The text.
    #[serde(default)]
    pub message: String,
    /// The parameter of the call that was at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_name: Option<String>,
    /// The kind of object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The attribute that was at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute_name: Option<String>,
    /// Its value: a string, a number, anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute_value: Option<serde_json::Value>,
    /// `Warning` or `Error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_level: Option<String>,
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Why a call gave no answer of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// No connection. Skolverket did not see the call.
    #[error("no connection to Skolverket")]
    Connection,
    /// No answer in time, or the connection broke: Skolverket may have carried the call out.
    #[error("no answer from Skolverket")]
    NoAnswer,
    /// 429. `reset` is what its header said.
    #[error("Skolverket's rate limit was reached")]
    Throttled {
        /// How long until calls are taken again.
        reset: Option<Duration>,
    },
    /// 503.
    #[error("Skolverket is not available")]
    Unavailable,
    /// Another 5xx.
    #[error("Skolverket failed with HTTP {0}")]
    ServerError(u16),
    /// A success whose body is not what the interface promises.
    #[error("Skolverket answered HTTP {0} with a body that cannot be read")]
    NotReadable(u16),
    /// 202 with a job id neither in the body nor in `Location`.
    #[error("Skolverket took a call and gave no job id")]
    NoJobId,
    /// 403.
    #[error("Skolverket did not take the token")]
    Forbidden,
    /// 404.
    #[error("Skolverket does not know the job")]
    NotFound,
    /// 413.
    #[error("Skolverket found the call too large")]
    TooLarge,
    /// 400, 401, 3xx, other 4xx, and successes that nobody foresaw.
    #[error("Skolverket answered HTTP {0}")]
    Status(u16),
}

impl CallFailure {
    /// What a status that is not the hoped-for one means.
    pub(crate) fn of_status(status: u16, reset: Option<Duration>) -> Self {
        match status {
            403 => Self::Forbidden,
            404 => Self::NotFound,
            413 => Self::TooLarge,
            429 => Self::Throttled { reset },
            503 => Self::Unavailable,
            500..=599 => Self::ServerError(status),
            _ => Self::Status(status),
        }
    }
}

/// The messages of a call that was refused, where its body holds any.
pub fn log_entries(body: &[u8]) -> Vec<LogEntry> {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Reads a bulk call's answer.
pub(crate) fn submitted(location: Option<&str>, body: &[u8]) -> Result<Submitted, CallFailure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        job_id: Option<String>,
    }
    let from_body = serde_json::from_slice::<Body>(body).ok().and_then(|body| body.job_id);
    let from_location = || location.and_then(|url| url.rsplit('/').next()).map(str::to_owned);
    from_body
        .and_then(|id| id.parse().ok())
        .or_else(|| from_location().and_then(|id| id.parse().ok()))
        .map(|job_id| Submitted { job_id })
        .ok_or(CallFailure::NoJobId)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

    #[test]
    fn the_job_id_comes_from_the_body_or_else_from_the_location() {
        let job = JOB.parse().unwrap();
        let body = format!(r#"{{"jobId":"{JOB}","message":"x"}}"#);
        assert_eq!(submitted(None, body.as_bytes()), Ok(Submitted { job_id: job }));
        let location = format!("https://example.se/old/base/persons/bulk/jobs/{JOB}");
        assert_eq!(submitted(Some(&location), b"{}"), Ok(Submitted { job_id: job }));
        assert_eq!(submitted(Some(&location), b"<html>"), Ok(Submitted { job_id: job }));
        assert_eq!(submitted(Some("/nothing"), b"{}"), Err(CallFailure::NoJobId));
        assert_eq!(submitted(None, br#"{"jobId":"not one"}"#), Err(CallFailure::NoJobId));
    }

    #[test]
    fn a_job_answer_is_read_though_it_breaks_its_own_schema() {
        let body = format!(
            r#"{{"jobId":"{JOB}","extra":1,"responses":[
                {{"id":"{JOB}","response":{{"status":"Error","statusCode":400,"errors":[
                    {{"id":2011,"message":"m","attributeName":"Enrolment.schoolYear","attributeValue":0}}],"warnings":null}}}},
                {{"id":"{JOB}","response":{{}},"meta":{{}}}}]}}"#
        );
        let answer: JobAnswer = serde_json::from_str(&body).unwrap();
        let [refused, pending] = answer.responses.as_slice() else { panic!("two entries") };
        assert_eq!((refused.status(), refused.status_code()), (RecordStatus::Error, Some(400)));
        let entry = refused.entries().next().unwrap();
        assert_eq!(entry.id, "2011");
        assert_eq!(entry.attribute_value, Some(serde_json::json!(0)));
        assert_eq!(pending.status(), RecordStatus::Pending);
    }

    #[test]
    fn each_status_is_told_apart() {
        let failures: Vec<_> = [302, 400, 401, 403, 404, 413, 418, 429, 500, 502, 503, 204]
            .map(|status| CallFailure::of_status(status, None).to_string())
            .into();
        assert_eq!(
            failures,
            [
                "Skolverket answered HTTP 302",
                "Skolverket answered HTTP 400",
                "Skolverket answered HTTP 401",
                "Skolverket did not take the token",
                "Skolverket does not know the job",
                "Skolverket found the call too large",
                "Skolverket answered HTTP 418",
                "Skolverket's rate limit was reached",
                "Skolverket failed with HTTP 500",
                "Skolverket failed with HTTP 502",
                "Skolverket is not available",
                "Skolverket answered HTTP 204",
            ]
        );
    }
}
