//! The reasons why a request is refused or fails.

use stafett_domain::{AuthorizationCause, Rejection, RowError};
use stafett_history::HistoryError;
use stafett_runtime::SettingsError;

/// Why the intake refused a request or failed. No variant contains a value from the request.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The body cannot be parsed, or has errors that prevent acceptance.
    #[error("the body is rejected")]
    Rejected(Rejection),
    /// The organiser has no usable settings, or they cannot be read now.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The organiser's settings do not allow it to send.
    #[error("the organiser cannot send")]
    NotAuthorized(AuthorizationCause),
    /// The organiser may not send to the requested environment.
    #[error("the organiser may not send to that environment")]
    EnvironmentNotAllowed,
    /// The idempotency key was used with another body before.
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
    /// The send was already submitted. It takes no more parts, and the number of parts cannot change.
    #[error("the send was submitted")]
    Submitted,
    /// The stored parts differ from the parts that the request states.
    #[error("the parts are not those that the request says")]
    WrongParts {
        /// Parts that did not arrive.
        missing: Vec<u32>,
        /// Parts that arrived but exceed the stated number.
        beyond: Vec<u32>,
    },
    /// A part arrived during the check of the send.
    #[error("a part came while the send was checked")]
    PartsMoved,
    /// All records of the send were accepted.
    #[error("there is nothing to resume")]
    NothingToResume,
    /// A later send contains one of the records.
    #[error("a later send holds one of the records")]
    Superseded,
    /// A corrected record is not among the records that are sent again.
    #[error("a corrected record is not sent again")]
    CorrectionNotSent,
    /// The data of an earlier request with the same key is being removed. A later repeat starts again.
    #[error("what an earlier request left behind is being removed")]
    BeingRemoved,
    /// Other sends took the place in the order, several times in a row.
    #[error("other sends took the place")]
    Overtaken,
    /// The history cannot be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The stored records of a call cannot be parsed.
    #[error(transparent)]
    Rows(#[from] RowError),
}

impl From<Rejection> for IntakeError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
