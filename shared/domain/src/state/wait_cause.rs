//! Why a batch waits for Skolverket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the last call came to that is to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WaitCode")]
#[serde(rename_all = "camelCase")]
pub enum WaitCause {
    /// No connection, or no answer in time.
    NotReached,
    /// Skolverket answered that it cannot take the call just now, or failed.
    Unavailable,
    /// Skolverket takes no more calls for a while (429).
    TooManyCalls,
    /// Skolverket answered, and the answer cannot be read.
    UnreadableAnswer,
    /// Skolverket answered with more than is read.
    AnswerTooLarge,
    /// The authorization server could not be reached, or answered that it cannot: there is no token for the moment.
    AuthorizationServer,
    /// The authorization server answered, and no token can be found in the answer.
    AuthorizationServerUnreadable,
}

impl WaitCause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotReached,
        Self::Unavailable,
        Self::TooManyCalls,
        Self::UnreadableAnswer,
        Self::AnswerTooLarge,
        Self::AuthorizationServer,
        Self::AuthorizationServerUnreadable,
    ];

    /// An answer came, and did not say what was asked for.
    pub fn is_unreadable(self) -> bool {
        matches!(self, Self::UnreadableAnswer | Self::AnswerTooLarge | Self::AuthorizationServerUnreadable)
    }
}
