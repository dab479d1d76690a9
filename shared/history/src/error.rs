//! The reasons why a read or write failed, and the meaning of DynamoDB's errors.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use stafett_domain::{IllegalTransition, RowError};
use stafett_runtime::error_code;

use crate::version::VersionError;

/// The history could not be read or written. The error contains codes and kinds, but no values.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// DynamoDB refused or failed. The code is DynamoDB's own.
    #[error("the history cannot be reached: {code}")]
    Unavailable {
        /// DynamoDB's error code, or the kind of transport failure.
        code: String,
    },
    /// An item does not match its key.
    #[error("the history holds an item that cannot be read: {0}")]
    Corrupt(&'static str),
    /// A packed item has an unknown version.
    #[error("the history holds {0}")]
    Version(#[from] VersionError),
    /// An event is not allowed in the current state.
    #[error("{0}")]
    Illegal(#[from] IllegalTransition),
    /// A transaction conflicted with others too many times.
    #[error("the history is too busy")]
    Contended,
}

impl HistoryError {
    /// What cannot be parsed, if that is the error.
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

/// Why a conditional write was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The condition failed, or in a transaction, the conditions of the writes at these indexes.
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

/// The result of a single write.
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
    /// The conditions of the writes at these indexes failed.
    Conditions(Vec<usize>),
    /// It conflicted with another transaction.
    Conflict,
    /// It was not cancelled: another error occurred.
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
