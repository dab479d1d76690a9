//! Why something was not read or written, and what DynamoDB's errors mean.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use stafett_domain::{IllegalTransition, RowError};
use stafett_runtime::error_code;

use crate::version::VersionError;

/// The history could not be read or written. Holds codes and kinds, no values.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// DynamoDB did not do it; the code is its own.
    #[error("the history cannot be reached: {code}")]
    Unavailable {
        /// DynamoDB's error code, or the kind of transport failure.
        code: String,
    },
    /// An item that does not fit its key.
    #[error("the history holds an item that cannot be read: {0}")]
    Corrupt(&'static str),
    /// A packed item of a version that is not known.
    #[error("the history holds {0}")]
    Version(#[from] VersionError),
    /// A state met an event that has no place in it.
    #[error("{0}")]
    Illegal(#[from] IllegalTransition),
    /// A transaction met others again and again.
    #[error("the history is too busy")]
    Contended,
}

impl HistoryError {
    /// What of the history cannot be read, where that is the error.
    pub(crate) fn unreadable(&self) -> Option<&'static str> {
        match self {
            Self::Corrupt(what) => Some(what),
            Self::Version(error) => Some(error.kind().name()),
            Self::Unavailable { .. } | Self::Illegal(_) | Self::Contended => None,
        }
    }
}

impl From<RowError> for HistoryError {
    fn from(error: RowError) -> Self {
        Self::Corrupt(match error {
            RowError::NotABatch => "a body that is not a batch of records",
            RowError::FactsDiffer { .. } => "a body with the facts of another",
        })
    }
}

/// Why a conditional write was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Its condition, or that of these places of the transaction, did not hold.
    #[error("a condition did not hold")]
    Condition(Vec<usize>),
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl From<IllegalTransition> for WriteError {
    fn from(error: IllegalTransition) -> Self {
        Self::History(error.into())
    }
}

/// What a single write came to.
pub(crate) enum Done<T> {
    Yes(T),
    ConditionFailed,
    MetTransaction,
}

pub(crate) fn done<T, E, R>(answer: Result<T, SdkError<E, R>>) -> Result<Done<T>, HistoryError>
where
    E: ProvideErrorMetadata,
{
    let error = match answer {
        Ok(answer) => return Ok(Done::Yes(answer)),
        Err(error) => error,
    };
    match error.as_service_error().and_then(|error| error.code()) {
        Some("ConditionalCheckFailedException") => Ok(Done::ConditionFailed),
        Some("TransactionConflictException") => Ok(Done::MetTransaction),
        _ => Err(unavailable(&error)),
    }
}

/// Why a transaction was cancelled.
pub(crate) enum Cancelled {
    /// The conditions of these places did not hold.
    Conditions(Vec<usize>),
    /// It met another transaction.
    Conflict,
    /// It was not: something else went wrong.
    No,
}

pub(crate) fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Cancelled {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return Cancelled::No;
    };
    let codes: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
    let conditions: Vec<_> = codes
        .iter()
        .enumerate()
        .filter(|(_, code)| **code == "ConditionalCheckFailed")
        .map(|(at, _)| at)
        .collect();
    if !conditions.is_empty() {
        Cancelled::Conditions(conditions)
    } else if codes.contains(&"TransactionConflict") {
        Cancelled::Conflict
    } else {
        Cancelled::No
    }
}

pub(crate) fn unavailable<E, R>(error: &SdkError<E, R>) -> HistoryError
where
    E: ProvideErrorMetadata,
{
    HistoryError::Unavailable { code: error_code(error) }
}
