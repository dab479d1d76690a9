//! The parts that a function needs, built once per process.

use std::sync::Arc;

use aws_smithy_http_client::HttpClientError;
use stafett_skolverket::Roots;

use crate::aws::AwsClients;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, RootsError};
use crate::metrics::Metrics;
use crate::organisers::Organisers;
use crate::queues::Queues;

/// Configuration and clients. `History`, `Intake` and `Relay` are built from it by the functions that need them.
pub struct Process {
    pub config: Config,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub queues: Queues,
    pub organisers: Arc<Organisers>,
    pub metrics: Metrics,
    /// Root certificates that are trusted at Skolverket in addition to the built-in ones.
    pub roots: Roots,
    pub clock: Clock,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment variables are not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file with root certificates cannot be read, or holds no certificate.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// TLS to AWS cannot be set up.
    #[error("the clients for AWS cannot be built: {0}")]
    Aws(#[from] HttpClientError),
}

impl Process {
    /// Reads the environment and builds the clients.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn from_env() -> Result<Self, StartError> {
        let config = Config::from_env()?;
        let roots = config.extra_roots()?;
        let aws = AwsClients::build(config.timing.aws_attempt)?;
        Ok(Self {
            dynamodb: aws.dynamodb,
            queues: Queues::new(aws.sqs, &config),
            organisers: Arc::new(Organisers::new(&config, aws.parameters)),
            metrics: Metrics::new(&config.metrics_namespace),
            roots,
            clock: Clock,
            config,
        })
    }
}
