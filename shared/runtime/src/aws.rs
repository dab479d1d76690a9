//! The AWS clients, built once a process.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};

use crate::parameters::Parameters;

/// The roots of Amazon Trust Services, which every AWS service's certificate leads to
/// (<https://www.amazontrust.com/repository/>). Reading the system's 140 instead was most of what a start cost.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// The longest code of an error of AWS's, in bytes, with some to spare.
const LONGEST_CODE: usize = 80;
/// A new connection within a region, TLS included, on a seventh of a core.
const CONNECT: Duration = Duration::from_secs(1);

/// The clients that a function needs.
pub(crate) struct AwsClients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) parameters: Parameters,
}

impl AwsClients {
    /// An attempt at a call ends after `attempt`: AWS's own default is to wait for ever, and an answer that was lost on
    /// the way would cost the whole invocation.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(crate) async fn build(attempt: Duration) -> Result<Self, HttpClientError> {
        let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        let http = Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::AwsLc))
            .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
            .build_https();
        // Lambda gives both in the environment. Looking elsewhere, too, would build a client for the token service, which
        // was half of what a function's start cost.
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(attempt).build();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .region(EnvironmentVariableRegionProvider::new());
        let shared = loader.load().await;
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&shared),
            sqs: aws_sdk_sqs::Client::new(&shared),
            parameters: Parameters::new(&shared),
        })
    }
}

/// AWS's own code of an error, or the kind of transport failure. Never the message: it may quote what was sent.
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

/// Whether a text has the form of AWS's codes, such as `AWS.SimpleQueueService.NonExistentQueue`. It is read from an
/// answer, where a proxy may have put anything.
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

    #[tokio::test]
    async fn the_roots_can_be_read() {
        assert_eq!(AMAZON_ROOTS.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        assert!(AwsClients::build(Duration::from_secs(3)).await.is_ok());
    }
}
