//! The AWS clients, built once a process.

use aws_config::BehaviorVersion;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// The clients that a function needs.
pub(crate) struct AwsClients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

impl AwsClients {
    pub(crate) async fn build() -> Self {
        // Lambda gives both in the environment. Looking elsewhere, too, would build a client for the token service, which
        // was half of what a function's start cost.
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .region(EnvironmentVariableRegionProvider::new());
        let shared = loader.load().await;
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
