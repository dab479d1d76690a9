//! The AWS clients, built once per process.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::parameters::Parameters;

/// The roots of Amazon Trust Services. The certificates of all AWS services lead to them
/// (<https://www.amazontrust.com/repository/>). Reading the system's 140 roots instead took most of the start time.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// The time for a new connection within a region, TLS included, on a seventh of a CPU core.
const CONNECT: Duration = Duration::from_secs(1);

/// The clients that a function needs.
pub(crate) struct AwsClients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) parameters: Parameters,
}

impl AwsClients {
    /// Builds the clients. An attempt at a call ends after `attempt`. By default AWS's clients wait without limit, and
    /// one lost answer would use up the whole invocation.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn build(attempt: Duration) -> Result<Self, HttpClientError> {
        let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        let http = Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::AwsLc))
            .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
            .build_https();
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(attempt).build();
        let mut shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard())
            .region(region())
            .service_config(Environment);
        shared.set_credentials_provider(credentials());
        let shared = shared.build();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&shared),
            sqs: aws_sdk_sqs::Client::new(&shared),
            parameters: Parameters::new(&shared),
        })
    }
}

/// The credentials of the function's role. Lambda sets them, like the region, in the environment of each process, and
/// they do not change while the process runs. AWS's own loader (`aws-config`) also tries other sources. It needs a
/// client for the token service, and takes longer to compile and to start.
fn credentials() -> Option<SharedCredentialsProvider> {
    let key = variable("AWS_ACCESS_KEY_ID")?;
    let secret = variable("AWS_SECRET_ACCESS_KEY")?;
    let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
    Some(SharedCredentialsProvider::new(credentials))
}

fn region() -> Option<Region> {
    variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).map(Region::new)
}

/// Reads the addresses of AWS's services from variables such as `AWS_ENDPOINT_URL_DYNAMODB`, or else `AWS_ENDPOINT_URL`.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        variable(&format!("{}_{service}", key.env())).or_else(|| variable(key.env()))
    }
}

/// The value of an environment variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_can_be_read() {
        assert_eq!(AMAZON_ROOTS.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        assert!(AwsClients::build(Duration::from_secs(3)).is_ok());
    }
}
