//! The AWS clients, built once a process.

use aws_config::BehaviorVersion;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// The clients that a function needs.
pub(crate) struct AwsClients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

impl AwsClients {
    pub(crate) async fn build() -> Self {
        let shared = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self { dynamodb: aws_sdk_dynamodb::Client::new(&shared), sqs: aws_sdk_sqs::Client::new(&shared) }
    }
}

/// AWS's own code of an error, or the kind of transport failure. Never the message: it may quote what was sent.
pub(crate) fn error_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let kind = match error {
        SdkError::ConstructionFailure(_) => "the request could not be made",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "an answer that cannot be read",
        SdkError::ServiceError(service) => service.err().code().unwrap_or("an unnamed error"),
        _ => "an unknown failure",
    };
    kind.to_owned()
}
