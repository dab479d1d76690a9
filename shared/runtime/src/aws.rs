//! The AWS clients, built once a process.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};

use crate::parameters::Parameters;

/// The roots of Amazon Trust Services, which every AWS service's certificate leads to
/// (<https://www.amazontrust.com/repository/>). Reading the system's 140 instead was most of what a start cost.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_roots_can_be_read() {
        assert_eq!(AMAZON_ROOTS.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        assert!(AwsClients::build(Duration::from_secs(3)).await.is_ok());
    }
}
