//! Why a request is refused or failed.

use stafett_domain::{AuthorizationCause, Rejection, RowError};
use stafett_history::HistoryError;
use stafett_runtime::SettingsError;

/// Why the intake refused a request or failed. No variant holds a value of the request.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The body cannot be read, or has faults that keep it from being accepted.
    #[error("the body is rejected")]
    Rejected(Rejection),
    /// The organiser has no settings that can be used, or they cannot be read now.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The organiser cannot send, by what its settings say.
    #[error("the organiser cannot send")]
    NotAuthorized(AuthorizationCause),
    /// The organiser may not send to the environment that was asked for.
    #[error("the organiser may not send to that environment")]
    EnvironmentNotAllowed,
    /// The idempotency key came with another body before.
    #[error("the idempotency key came with another body before")]
    KeyReused,
    /// The organiser has no such send.
    #[error("there is no such send")]
    NotFound,
    /// The send has ended, or was cancelled before it was accepted.
    #[error("the send has ended")]
    Ended,
    /// The send has not ended.
    #[error("the send has not ended")]
    NotEnded,
    /// The send was submitted: it takes no parts, and no other number of them.
    #[error("the send was submitted")]
    Submitted,
    /// The parts that came are not those that the request says.
    #[error("the parts are not those that the request says")]
    WrongParts {
        /// Parts that did not come.
        missing: Vec<u32>,
        /// Parts that came and that there should not be.
        beyond: Vec<u32>,
    },
    /// A part came while the send was checked.
    #[error("a part came while the send was checked")]
    PartsMoved,
    /// All records of the send were accepted.
    #[error("there is nothing to resume")]
    NothingToResume,
    /// A later send holds one of the records.
    #[error("a later send holds one of the records")]
    Superseded,
    /// A corrected record is not one of those that are sent again.
    #[error("a corrected record is not sent again")]
    CorrectionNotSent,
    /// What an earlier request with the same key left behind is being removed. A later repeat starts anew.
    #[error("what an earlier request left behind is being removed")]
    BeingRemoved,
    /// Other sends took the place in the order again and again.
    #[error("other sends took the place")]
    Overtaken,
    /// The history cannot be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The records of a call cannot be read back.
    #[error(transparent)]
    Rows(#[from] RowError),
}

impl From<Rejection> for IntakeError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
