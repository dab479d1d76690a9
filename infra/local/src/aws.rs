//! The template's tables and queues, wherever they are: in this program (in memory or in a directory), or in another
//! emulator.

use std::collections::BTreeMap;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::emulator::{CallError, Emulator};
use crate::notice::notice;
use crate::options::Options;
use crate::queues::Queues;
use crate::sqs::{Sqs, SqsError};
use crate::template::{LocalValues, Resources, Template, TemplateError};
use crate::{dynamodb, loopback};

/// Why there are no tables and queues.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// No endpoint could be opened.
    #[error("an emulated endpoint: {0}")]
    Endpoint(std::io::Error),
    /// The directory cannot be used.
    #[error("--data-dir: {0}")]
    DataDir(std::io::Error),
    /// The queues of the directory cannot be read.
    #[error("--data-dir, queues.journal: {0}")]
    Journal(std::io::Error),
    /// The template cannot be created here.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The tables could not be created.
    #[error(transparent)]
    DynamoDb(#[from] dynamodb::DynamoDbError),
    /// The queues could not be created.
    #[error("the emulated SQS: {0}")]
    Sqs(#[from] SqsError),
    /// The other emulator could not be used.
    #[error("--aws-endpoint: {0}")]
    Emulator(#[from] CallError),
}

/// Tables and queues that functions can use.
pub struct Aws {
    /// The template, with the addresses in it.
    pub resources: Resources,
    pub dynamodb_endpoint: String,
    pub sqs_endpoint: String,
    /// The queues, for those that take from them.
    pub queues: Queues,
    /// Held for as long as they are used.
    pub data_dir: Option<DataDir>,
}

impl Aws {
    /// Starts the built-in emulators as `tasks`, or creates what is missing in the other one.
    pub async fn start(
        options: &Options,
        parameters: BTreeMap<String, String>,
        clock: Clock,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, AwsError> {
        match &options.aws_endpoint {
            None => Self::built_in(options, parameters, clock, tasks),
            Some(endpoint) => Self::elsewhere(options, endpoint, parameters, clock).await,
        }
    }

    fn built_in(
        options: &Options,
        parameters: BTreeMap<String, String>,
        clock: Clock,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, AwsError> {
        let data_dir = options.data_dir.as_deref().map(DataDir::open).transpose();
        let data_dir = data_dir.map_err(AwsError::DataDir)?;
        let (dynamodb, dynamodb_endpoint) = endpoint()?;
        let (sqs, sqs_endpoint) = endpoint()?;
        let values = LocalValues { sqs_endpoint: sqs_endpoint.clone(), parameters, ..LocalValues::default() };
        let resources = Template::of(options.template.as_deref())?.resources(&values)?;

        let file = data_dir.as_ref().map(DataDir::dynamodb);
        let database = dynamodb::open(file.as_deref(), &resources.tables)?;
        let journal = data_dir.as_ref().map(DataDir::queues);
        let own = Sqs::open(&sqs_endpoint, journal.as_deref(), clock, options.pace());
        let own = own.map_err(AwsError::Journal)?;
        own.declare(&resources.queues)?;
        let queues = Queues::built_in(resources.queues.clone(), own.clone());
        tasks.spawn(async move {
            if let Err(error) = dynamodb::serve(database, dynamodb).await {
                notice(format_args!("the emulated DynamoDB ended: {error}"));
            }
        });
        tasks.spawn(async move {
            if let Err(error) = own.serve(sqs).await {
                notice(format_args!("the emulated SQS ended: {error}"));
            }
        });
        Ok(Self { resources, dynamodb_endpoint, sqs_endpoint, queues, data_dir })
    }

    async fn elsewhere(
        options: &Options,
        endpoint: &str,
        parameters: BTreeMap<String, String>,
        clock: Clock,
    ) -> Result<Self, AwsError> {
        let emulator = Emulator::new(endpoint, clock);
        let endpoint = emulator.endpoint().to_owned();
        let template = Template::of(options.template.as_deref())?;
        let mut values = LocalValues { sqs_endpoint: endpoint.clone(), parameters, ..LocalValues::default() };
        let wanted = template.resources(&values)?;
        emulator.create_tables(&wanted.tables).await?;
        // It may give its queues other addresses than the local stack would.
        values.queue_urls = emulator.create_queues(&wanted.queues, options.pace()).await?;
        let resources = template.resources(&values)?;
        let queues = Queues::elsewhere(resources.queues.clone(), emulator);
        let (dynamodb_endpoint, sqs_endpoint) = (endpoint.clone(), endpoint);
        Ok(Self { resources, dynamodb_endpoint, sqs_endpoint, queues, data_dir: None })
    }
}

fn endpoint() -> Result<(TcpListener, String), AwsError> {
    let open = || {
        let listener = loopback::listen(0)?;
        let url = loopback::url(&listener)?;
        Ok((listener, url))
    };
    open().map_err(AwsError::Endpoint)
}
