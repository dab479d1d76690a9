//! The two calls that a batch makes.

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
