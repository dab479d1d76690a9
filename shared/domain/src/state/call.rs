//! The calls that a batch makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a batch does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Call {
    /// Its bulk call.
    Submit,
    /// A look at its job.
    Poll,
}

impl Call {
    /// The word used in the API and in log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Poll => "poll",
        }
    }
}

/// What an attempt was: a batch's own call, or the request for the token that the call needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AttemptCall {
    /// A request to the authorization server.
    Token,
    /// The bulk call of a batch.
    Submit,
    /// A look at Skolverket's job for it.
    Poll,
}

impl From<Call> for AttemptCall {
    fn from(call: Call) -> Self {
        match call {
            Call::Submit => Self::Submit,
            Call::Poll => Self::Poll,
        }
    }
}
