//! The part of an AWS error that may be shown. It never quotes a request.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// The longest code of an AWS error, in bytes, with a margin.
const LONGEST_CODE: usize = 80;

/// The code of an AWS error, or the kind of transport failure. Never the message, which may quote what was sent.
pub fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let kind = match error {
        SdkError::ConstructionFailure(_) => "the request could not be made",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "an answer that cannot be read",
        SdkError::ServiceError(service) => {
            service.err().code().filter(|code| is_a_code(code)).unwrap_or("an unnamed error")
        }
        _ => "an unknown failure",
    };
    kind.to_owned()
}

/// Whether a text has the form of an AWS code, such as `AWS.SimpleQueueService.NonExistentQueue`. It comes from an
/// answer, and a proxy may have written anything there.
fn is_a_code(text: &str) -> bool {
    (1..=LONGEST_CODE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_and_dots() {
        assert!(is_a_code("ProvisionedThroughputExceededException"));
        assert!(is_a_code("AWS.SimpleQueueService.NonExistentQueue"));
        for other in ["", "x201502099809", "anna@example.se", "Anna Andersson", &"x".repeat(81)] {
            assert!(!is_a_code(other), "{other}");
        }
    }
}
