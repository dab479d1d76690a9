//! The whole stack, started and stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use stafett_simulator::{Limits, Simulator};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::forward::{self, Plans, Upstreams};
use crate::functions::{FunctionHost, Surroundings};
use crate::gateway::{Gateway, Tokens};
use crate::notice::notice;
use crate::options::Options;
use crate::pace::Pace;
use crate::sqs::Sqs;
use crate::template::{LocalValues, Resources, Template};
use crate::{dynamodb, loopback, pollers};

/// The audience of the tokens that are made and accepted here.
const AUDIENCE: &str = "stafett";

/// Why the stack could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The API's port is taken.
    #[error("port {0}: {1}; --port takes another one, 0 any")]
    Port(u16, std::io::Error),
    /// No endpoint could be opened, or a file or directory not be used.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// Calls cannot be made.
    #[error("the functions' calls cannot be forwarded: {0}")]
    Forward(#[from] reqwest::Error),
    /// The template cannot be created here.
    #[error(transparent)]
    Template(#[from] crate::template::TemplateError),
    /// The tables could not be created.
    #[error(transparent)]
    DynamoDb(#[from] dynamodb::DynamoDbError),
}

/// A running stack. Its processes are killed when it is stopped or dropped.
pub struct Stack {
    address: SocketAddr,
    tokens: Arc<Tokens>,
    clock: Clock,
    functions: Vec<FunctionHost>,
    /// Endpoints, pollers and schedules; aborted when dropped.
    tasks: JoinSet<()>,
    /// The built-in stand-in for Skolverket serves for as long as it is held.
    _simulator: Option<Simulator>,
}

impl Stack {
    /// Starts everything; the API answers when this returns. Function processes start when they are needed.
    pub async fn start(options: &Options) -> Result<Self, StackError> {
        let clock = Clock::start();
        let pace = options.pace();
        let gateway =
            loopback::listen(options.port).map_err(|error| StackError::Port(options.port, error))?;
        let address = gateway.local_addr().map_err(io("the API"))?;
        let (dynamodb, dynamodb_endpoint) = endpoint()?;
        let (sqs, sqs_endpoint) = endpoint()?;
        let (simulator, services) = services(options, pace).await?;
        let upstreams = Upstreams {
            dynamodb: dynamodb_endpoint,
            sqs: sqs_endpoint.clone(),
            skolverket: services.skolverket_url.trim_end_matches('/').to_owned(),
            token: services.token_url.clone(),
        };
        let plans = Plans::default();
        let issuer = format!("http://{address}");
        let parameters = [
            ("JwtIssuer", issuer.clone()),
            ("JwtAudience", AUDIENCE.to_owned()),
            ("SkolverketUrl", services.skolverket_url.clone()),
            ("SkolverketLocation", services.skolverket_url),
            ("TokenUrl", services.token_url),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let values = LocalValues { sqs_endpoint, parameters: parameters.into() };
        let resources = Template::embedded()?.resources(&values)?;

        let database = dynamodb::create(&resources.tables)?;
        let queues = Sqs::new(&resources.queues, clock, pace);
        let organisers = options.organisers.as_ref().map(std::fs::canonicalize).transpose();
        let organisers = organisers.map_err(io("--organisers"))?;
        let surroundings = Surroundings {
            upstreams,
            plans: plans.clone(),
            http: forward::client()?,
            organisers: organisers.as_deref(),
            log_dir: options.log_dir.as_deref(),
            pace,
            clock,
        };
        let functions = functions(&resources, &surroundings)?;
        let tokens = Arc::new(Tokens::new(&issuer, AUDIENCE, clock));

        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = dynamodb::serve(database, dynamodb).await {
                notice(format_args!("the emulated DynamoDB ended: {error}"));
            }
        });
        serve(&mut tasks, "the emulated SQS", queues.clone().serve(sqs));
        let mut routes = Vec::new();
        for (description, function) in resources.functions.into_iter().zip(&functions) {
            for source in description.queue_sources {
                tasks.spawn(pollers::poll(source, queues.clone(), function.clone()));
            }
            for schedule in description.schedules {
                let every = pace.duration(schedule.every);
                tasks.spawn(pollers::tick(schedule, every, function.clone(), clock));
            }
            routes.extend(description.routes.into_iter().map(|route| (route, function.clone())));
        }
        let api = Gateway {
            routes,
            functions: functions.clone(),
            sqs: queues,
            plans,
            tokens: Arc::clone(&tokens),
            clock,
            port: address.port(),
        };
        serve(&mut tasks, "the API", api.serve(gateway));
        Ok(Self { address, tokens, clock, functions, tasks, _simulator: simulator })
    }

    /// The API's base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes tokens that the API accepts.
    pub fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// The stack's time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Ends everything and waits until the last function process is gone.
    pub async fn stop(mut self) {
        for function in &self.functions {
            function.stop().await;
        }
        self.tasks.shutdown().await;
    }
}

/// Where Skolverket's services are.
struct Services {
    skolverket_url: String,
    token_url: String,
}

async fn services(options: &Options, pace: Pace) -> Result<(Option<Simulator>, Services), StackError> {
    if let (Some(skolverket_url), Some(token_url)) = (&options.skolverket_url, &options.token_url) {
        let services = Services { skolverket_url: skolverket_url.clone(), token_url: token_url.clone() };
        return Ok((None, services));
    }
    let limits = match pace.factor() {
        1 => Limits::default(),
        factor => Limits::default().scaled(f64::from(factor)),
    };
    let simulator = Simulator::start(limits).await.map_err(io("the stand-in for Skolverket"))?;
    let services =
        Services { skolverket_url: simulator.provisioning_url(), token_url: simulator.token_url() };
    Ok((Some(simulator), services))
}

fn functions(
    resources: &Resources,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<FunctionHost>, StackError> {
    let hosts = resources.functions.iter().map(|function| FunctionHost::new(function, surroundings));
    hosts.collect::<Result<_, _>>().map_err(io("--log-dir"))
}

fn endpoint() -> Result<(TcpListener, String), StackError> {
    let open = || {
        let listener = loopback::listen(0)?;
        let url = loopback::url(&listener)?;
        Ok((listener, url))
    };
    open().map_err(io("an emulated endpoint"))
}

fn serve(
    tasks: &mut JoinSet<()>,
    name: &'static str,
    server: impl Future<Output = std::io::Result<()>> + Send + 'static,
) {
    tasks.spawn(async move {
        if let Err(error) = server.await {
            notice(format_args!("{name} ended: {error}"));
        }
    });
}

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> StackError {
    move |error| StackError::Io(what, error)
}

/// The send that is made when no other is asked for: its name and its body.
pub fn example_send() -> (PathBuf, &'static str) {
    (PathBuf::from("prov-biologi.json"), include_str!("../../../tests/fixtures/prov-biologi.json"))
}
