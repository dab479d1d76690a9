//! The errors of the SQS endpoint, named as AWS names them.

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::limits::MAX_BYTES;

/// What every answer is, the error ones too.
pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// A refused call or batch entry. All but [`SqsError::NotKept`] is the caller's fault (HTTP 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    /// No such queue.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// Not a receipt of this queue.
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    /// The message is visible again.
    #[error("The message is not currently in flight.")]
    MessageNotInflight,
    /// A character that XML 1.0 does not have.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    /// A batch call without entries.
    #[error("There should be at least one entry in the batch request.")]
    EmptyBatchRequest,
    /// A batch call with more than ten entries.
    #[error("Maximum number of entries per request are 10.")]
    TooManyEntriesInBatchRequest,
    /// Two entries with the same id.
    #[error("Two or more batch entries in the request have the same Id.")]
    BatchEntryIdsNotDistinct,
    /// An entry id that is not 1–80 letters, digits, hyphens and underscores.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores, 80 at most."
    )]
    InvalidBatchEntryId,
    /// A batch call's bodies are larger than one message may be.
    #[error("Batch requests cannot be longer than {} bytes.", MAX_BYTES)]
    BatchRequestTooLong,
    /// A queue of this name with other attributes exists.
    #[error("A queue already exists with the same name and a different value for an attribute.")]
    QueueNameExists,
    /// An attribute that a queue cannot be set to.
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(String),
    /// The data directory did not take the change: it may be lost when the program ends (HTTP 500; clients repeat).
    #[error("The change could not be kept: {0}")]
    NotKept(String),
    /// A parameter out of its range.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A parameter that is not there.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    /// A call or parameter that SQS has and this endpoint has not.
    #[error("{0} is not supported here.")]
    UnsupportedOperation(String),
}

impl SqsError {
    /// The code that clients of the query protocol know it by; the SDKs still decide on it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::EmptyBatchRequest => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchRequestTooLong => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::QueueNameExists => "QueueAlreadyExists",
            Self::InvalidAttributeValue(_) => "InvalidAttributeValue",
            Self::NotKept(_) => "InternalFailure",
            Self::InvalidParameterValue(_) => "InvalidParameterValue",
            Self::MissingParameter(_) => "MissingParameter",
            Self::UnsupportedOperation(_) => "AWS.SimpleQueueService.UnsupportedOperation",
        }
    }

    /// The type that it has in the JSON protocol.
    fn shape(&self) -> String {
        match self {
            Self::InvalidParameterValue(_) => {
                "com.amazon.coral.service#InvalidParameterValueException".to_owned()
            }
            Self::MissingParameter(_) => {
                "com.amazon.coral.service#MissingRequiredParameterException".to_owned()
            }
            Self::QueueDoesNotExist => "com.amazonaws.sqs#QueueDoesNotExist".to_owned(),
            Self::QueueNameExists => "com.amazonaws.sqs#QueueNameExists".to_owned(),
            other => {
                let code = other.code();
                format!("com.amazonaws.sqs#{}", code.rsplit('.').next().unwrap_or(code))
            }
        }
    }
}

impl IntoResponse for SqsError {
    fn into_response(self) -> Response {
        let body = json!({"__type": self.shape(), "message": self.to_string()}).to_string();
        let (status, fault) = match self {
            Self::NotKept(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Receiver"),
            _ => (StatusCode::BAD_REQUEST, "Sender"),
        };
        let mut response = (status, [("content-type", CONTENT_TYPE)], body).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("{};{fault}", self.code())) {
            response.headers_mut().insert("x-amzn-query-error", value);
        }
        response
    }
}
