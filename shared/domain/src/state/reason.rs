//! Why a job or a send did not succeed, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::authorization_cause::AuthorizationCause;

/// The cause, as data. The words are in `words/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "Why a job did not succeed, or a send is stopping.")]
pub enum ReasonCode {
    /// Skolverket did not accept some records of the job.
    RecordErrors,
    /// Skolverket sent an answer without some of the records, or with a status that is not known.
    OutcomeUnknown,
    /// A job before this one did not succeed.
    EarlierJob,
    /// The authorization server gave no token, or the API did not take it.
    Authorization,
    /// Skolverket refused a whole call.
    Refused,
    /// Skolverket gave an answer that its interface does not foresee.
    UnforeseenAnswer,
    /// Skolverket does not know the job that it had given an id.
    JobLost,
    /// Skolverket's job was still not done after the longest time that is waited for it.
    JobStuck,
    /// A step was begun several times and never finished.
    Unfinished,
    /// A person asked for it.
    Cancelled,
    /// Skolverket, or with a cause its authorization server, could not be reached for the longest time that is waited
    /// for it.
    Deadline,
    /// Skolverket answered, and its answers could not be read for as long as is waited for one that can.
    UnreadableAnswer,
    /// Whoever operates the system asked for it.
    StoppedByOperator,
}

/// Why something ended without success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The cause.
    pub code: ReasonCode,
    /// The HTTP status that Skolverket gave, where one decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What is behind missing authorization, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AuthorizationCause>,
    /// The authorization server's error text, cut to a few lines. No data about persons is sent to that server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_text: Option<String>,
}

impl Reason {
    /// A cause without an HTTP status.
    pub fn new(code: ReasonCode) -> Self {
        Self { code, http_status: None, cause: None, server_text: None }
    }

    /// A cause that an HTTP status decided.
    pub fn with_status(code: ReasonCode, status: u16) -> Self {
        Self { http_status: Some(status), ..Self::new(code) }
    }

    /// Missing authorization, and what is behind it.
    pub fn authorization(cause: AuthorizationCause) -> Self {
        Self { cause: Some(cause), ..Self::new(ReasonCode::Authorization) }
    }
}
