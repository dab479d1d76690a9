//! The result of a call: an answer, or the reason why there is no answer.

use std::time::Duration;

use stafett_domain::SkolverketJobId;

use crate::tolerant::Members;

/// An accepted bulk call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// From the body, or else from `Location`: no field of the body is required.
    pub job_id: SkolverketJobId,
}

/// Why a call did not return the expected answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The connection failed. Skolverket did not receive the call.
    #[error("no connection to Skolverket")]
    Connection,
    /// No answer arrived in time, or the connection broke. Skolverket may have carried out the call.
    #[error("no answer from Skolverket")]
    NoAnswer,
    /// HTTP 429. `reset` is the wait time from its headers.
    #[error("Skolverket's rate limit was reached")]
    Throttled {
        /// The time until calls are accepted again.
        reset: Option<Duration>,
    },
    /// HTTP 503. `retry_after` is the wait time from its headers.
    #[error("Skolverket is not available")]
    Unavailable {
        /// The time until Skolverket may be available again.
        retry_after: Option<Duration>,
    },
    /// HTTP 408 or 425: the same call may succeed later.
    #[error("Skolverket did not take the call in time (HTTP {0})")]
    Transient(u16),
    /// Another HTTP 5xx.
    #[error("Skolverket failed with HTTP {0}")]
    ServerError(u16),
    /// The body of a success does not match the API, or a gateway's page replaced a refusal.
    #[error("Skolverket answered HTTP {0} with a body that cannot be read")]
    NotReadable(u16),
    /// The answer is longer than the read limit.
    #[error("Skolverket answered HTTP {0} with more than can be read")]
    AnswerTooLong(u16),
    /// HTTP 202 with no job id in the body or in `Location`.
    #[error("Skolverket took a call and gave no job id")]
    NoJobId,
    /// HTTP 403.
    #[error("Skolverket did not take the token")]
    Forbidden,
    /// HTTP 404.
    #[error("Skolverket does not know the job")]
    NotFound,
    /// HTTP 413.
    #[error("Skolverket found the call too large")]
    TooLarge,
    /// HTTP 400, 401, 3xx and other 4xx.
    #[error("Skolverket answered HTTP {0}")]
    Status(u16),
}

impl CallFailure {
    /// Returns the meaning of an unexpected status. `wait` is the wait time from the headers. `page` says that the body
    /// is a gateway's page.
    pub(crate) fn of_status(status: u16, wait: Option<Duration>, page: bool) -> Self {
        match status {
            403 => Self::Forbidden,
            408 | 425 => Self::Transient(status),
            413 => Self::TooLarge,
            429 => Self::Throttled { reset: wait },
            503 => Self::Unavailable { retry_after: wait },
            500..=599 => Self::ServerError(status),
            // Skolverket's own refusals are JSON. A page means that the call did not reach Skolverket.
            400 | 402..=499 if page => Self::NotReadable(status),
            404 => Self::NotFound,
            _ => Self::Status(status),
        }
    }
}

/// Returns the job id from a successful answer to a bulk call.
pub(crate) fn job_id(location: Option<&str>, body: &str) -> Option<SkolverketJobId> {
    let named = Members::of(body).and_then(|members| members.text("jobId"));
    named.and_then(|id| id.trim().parse().ok()).or_else(|| job_in(location?))
}

/// Returns the last id in an address. A query or a slash may follow it.
fn job_in(location: &str) -> Option<SkolverketJobId> {
    let path = location.split(['?', '#']).next()?;
    path.rsplit('/').find_map(|part| part.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

    #[test]
    fn the_job_id_comes_from_the_body_or_else_from_the_location() {
        let job = Some(JOB.parse().unwrap());
        for body in [
            format!(r#"{{"jobId":"{JOB}","message":"x"}}"#),
            format!(r#"{{"JobID":" {} "}}"#, JOB.to_uppercase()),
        ] {
            assert_eq!(job_id(None, &body), job, "{body}");
        }
        for end in ["", "/", "?api-version=1", "/?a=b/c#d", "/isCompleted", "#top"] {
            let location = format!("https://example.se/old/base/persons/bulk/jobs/{JOB}{end}");
            for body in ["{}", "<html>", "", r#"{"jobId":null}"#, r#"{"jobId":"not one"}"#] {
                assert_eq!(job_id(Some(&location), body), job, "{location} {body}");
            }
        }
        assert_eq!(job_id(Some("/nothing"), "{}"), None);
        assert_eq!(job_id(None, r#"{"jobId":"not one"}"#), None);
    }

    #[test]
    fn each_status_has_its_failure() {
        let failures: Vec<_> = [302, 400, 401, 403, 404, 408, 413, 418, 425, 429, 500, 502, 503]
            .map(|status| CallFailure::of_status(status, None, false).to_string())
            .into();
        assert_eq!(
            failures,
            [
                "Skolverket answered HTTP 302",
                "Skolverket answered HTTP 400",
                "Skolverket answered HTTP 401",
                "Skolverket did not take the token",
                "Skolverket does not know the job",
                "Skolverket did not take the call in time (HTTP 408)",
                "Skolverket found the call too large",
                "Skolverket answered HTTP 418",
                "Skolverket did not take the call in time (HTTP 425)",
                "Skolverket's rate limit was reached",
                "Skolverket failed with HTTP 500",
                "Skolverket failed with HTTP 502",
                "Skolverket is not available",
            ]
        );
    }

    #[test]
    fn a_gateways_page_is_no_refusal_but_for_those_that_only_a_gateway_makes() {
        for status in [400, 404, 405, 418] {
            assert_eq!(CallFailure::of_status(status, None, true), CallFailure::NotReadable(status));
        }
        for status in [302, 401, 403, 408, 413, 429, 500, 503] {
            let of = |page| CallFailure::of_status(status, None, page);
            assert_eq!(of(true), of(false), "{status}");
        }
    }
}
