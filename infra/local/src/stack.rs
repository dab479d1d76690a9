//! The whole stack, started and stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stafett_simulator::{Limits, Simulator};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::aws::{Aws, AwsError};
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::forward::{self, Plans, Upstreams};
use crate::functions::{FunctionHost, Surroundings};
use crate::gateway::{Gateway, Tokens};
use crate::meter::Meter;
use crate::metrics::Metrics;
use crate::notice::notice;
use crate::options::Options;
use crate::pace::Pace;
use crate::packages::{PackageError, Packages};
use crate::ssm::Ssm;
use crate::template::Resources;
use crate::{loopback, pollers, simulator};

/// The audience of the tokens that are made and accepted here.
const AUDIENCE: &str = "stafett";
/// Between two measurements of the memory of the function processes.
const MEASURE_MEMORY_EVERY: Duration = Duration::from_millis(250);

/// Why the stack could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The API's port is taken.
    #[error("port {0}: {1}; --port takes another one, 0 any")]
    Port(u16, std::io::Error),
    /// An endpoint could not be opened, or a file or directory not be used.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// Calls cannot be made.
    #[error("the functions' calls cannot be forwarded: {0}")]
    Forward(#[from] reqwest::Error),
    /// The packages cannot be used.
    #[error("--packages: {0}")]
    Packages(#[from] PackageError),
    /// There are no tables and queues.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// A running stack. Its processes are killed when it is stopped or dropped.
pub struct Stack {
    address: SocketAddr,
    tokens: Arc<Tokens>,
    clock: Clock,
    functions: Vec<FunctionHost>,
    meter: Meter,
    /// Endpoints, pollers and schedules; aborted when dropped.
    tasks: JoinSet<()>,
    /// The built-in simulators of Skolverket, one an environment, serve for as long as they are held.
    _simulators: Vec<Simulator>,
    _data_dir: Option<DataDir>,
    /// So do packages.
    _packages: Option<Packages>,
}

impl Stack {
    /// Starts everything; the API answers when this returns. Function processes start when they are needed.
    pub async fn start(options: &Options) -> Result<Self, StackError> {
        let clock = Clock::start();
        let pace = options.pace();
        let gateway =
            loopback::listen(options.port).map_err(|error| StackError::Port(options.port, error))?;
        let address = gateway.local_addr().map_err(io("the API"))?;
        let (simulators, services) = services(options, pace).await?;
        let issuer = format!("http://{address}");
        let parameters = [
            ("JwtIssuer", issuer.clone()),
            ("JwtAudience", AUDIENCE.to_owned()),
            // A frontend under development may be on any port.
            ("CorsOrigins", "*".to_owned()),
            ("SkolverketUrl", services.skolverket_url.clone()),
            ("SkolverketLocation", services.skolverket_url.clone()),
            ("TokenUrl", services.token_url.clone()),
            ("VerificationUrl", services.verification_url.clone().unwrap_or_default()),
            ("VerificationLocation", services.verification_url.clone().unwrap_or_default()),
            ("OpenDataUrl", services.open_data_url.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let mut tasks = JoinSet::new();
        let Aws { resources, dynamodb_endpoint, sqs_endpoint, queues, data_dir } =
            Aws::start(options, parameters.into(), clock, &mut tasks).await?;
        if let (Some(simulator), Some(data_dir)) = (simulators.first(), &data_dir) {
            simulator::keep(simulator, &data_dir.accepted())
                .map_err(io("--data-dir, skolverket.accepted"))?;
        }
        let organisers = options.organisers.as_ref().map(std::fs::canonicalize).transpose();
        let organisers = organisers.map_err(io("--organisers"))?;
        let ssm = loopback::listen(0).map_err(io("the emulated SSM"))?;
        let ssm_endpoint = loopback::url(&ssm).map_err(io("the emulated SSM"))?;
        serve(&mut tasks, "the emulated SSM", Ssm::new(organisers).serve(ssm));
        let upstreams = Upstreams {
            dynamodb: dynamodb_endpoint,
            sqs: sqs_endpoint,
            ssm: ssm_endpoint,
            verification: services.verification_url.map(|url| url.trim_end_matches('/').to_owned()),
            skolverket: services.skolverket_url.trim_end_matches('/').to_owned(),
            token: services.token_url,
            open_data: services.open_data_url.trim_end_matches('/').to_owned(),
        };
        let names = resources.functions.iter().map(|function| function.name.as_str());
        let packages =
            options.packages.as_deref().map(|folder| Packages::unpack(folder, names)).transpose()?;
        let (plans, meter, metrics) = (Plans::default(), Meter::default(), Metrics::default());
        let surroundings = Surroundings {
            upstreams: upstreams.clone(),
            plans: plans.clone(),
            meter: meter.clone(),
            metrics: metrics.clone(),
            http: forward::client()?,
            queues_at_pace: options.aws_endpoint.is_none(),
            set: &options.set,
            log_dir: options.log_dir.as_deref(),
            packages: packages.as_ref(),
            pace,
            clock,
        };
        let functions = functions(&resources, &surroundings)?;
        let tokens = Arc::new(Tokens::new(&issuer, AUDIENCE, clock));

        let (mut routes, cors) = (Vec::new(), resources.cors);
        for (description, function) in resources.functions.into_iter().zip(&functions) {
            for source in description.queue_sources.into_iter().filter(|source| source.enabled) {
                tasks.spawn(pollers::poll(source, queues.clone(), function.clone()));
            }
            for schedule in description.schedules.into_iter().filter(|schedule| schedule.enabled) {
                let every = pace.duration(schedule.every);
                tasks.spawn(pollers::tick(schedule, every, function.clone(), clock));
            }
            routes.extend(description.routes.into_iter().map(|route| (route, function.clone())));
        }
        let api = Gateway {
            routes,
            cors,
            functions: functions.clone(),
            queues,
            upstreams,
            plans,
            meter: meter.clone(),
            metrics,
            tokens: Arc::clone(&tokens),
            clock,
            port: address.port(),
        };
        serve(&mut tasks, "the API", api.serve(gateway));
        tasks.spawn(watch_memory(functions.clone()));
        let (_simulators, _data_dir, _packages) = (simulators, data_dir, packages);
        Ok(Self { address, tokens, clock, functions, meter, tasks, _simulators, _data_dir, _packages })
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

    /// The functions' use so far.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Ends everything and waits until the last function process is gone.
    pub async fn stop(mut self) {
        for function in &self.functions {
            function.stop().await;
        }
        self.tasks.shutdown().await;
    }
}

/// Measures the memory of all function processes for as long as it is awaited.
async fn watch_memory(functions: Vec<FunctionHost>) {
    let mut interval = tokio::time::interval(MEASURE_MEMORY_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        functions.iter().for_each(FunctionHost::measure_memory);
    }
}

/// Where Skolverket's services are.
struct Services {
    skolverket_url: String,
    verification_url: Option<String>,
    token_url: String,
    open_data_url: String,
}

async fn services(options: &Options, pace: Pace) -> Result<(Vec<Simulator>, Services), StackError> {
    let given = (&options.skolverket_url, &options.token_url, &options.open_data_url);
    if let (Some(skolverket_url), Some(token_url), Some(open_data_url)) = given {
        let services = Services {
            skolverket_url: skolverket_url.clone(),
            verification_url: options.verification_url.clone(),
            token_url: token_url.clone(),
            open_data_url: open_data_url.clone(),
        };
        return Ok((Vec::new(), services));
    }
    let limits = match pace.factor() {
        1 => Limits::default(),
        factor => Limits::default().scaled(f64::from(factor)),
    };
    let simulator = Simulator::start(limits).await.map_err(io("the simulator of Skolverket"))?;
    // What is not given is the built-in one's; another's authorization server knows nothing of our verification.
    let or = |given: &Option<String>, own: String| given.clone().unwrap_or(own);
    let mut simulators = vec![simulator.clone()];
    let verification_url = match (&options.token_url, &options.verification_url) {
        (None, None) => {
            let verification = simulator.start_verification(limits).await;
            let verification = verification.map_err(io("the simulator of Skolverket"))?;
            let url = verification.provisioning_url();
            simulators.push(verification);
            Some(url)
        }
        (_, given) => given.clone(),
    };
    let services = Services {
        skolverket_url: or(&options.skolverket_url, simulator.provisioning_url()),
        verification_url,
        token_url: or(&options.token_url, simulator.token_url()),
        open_data_url: or(&options.open_data_url, simulator.open_data_url()),
    };
    Ok((simulators, services))
}

fn functions(
    resources: &Resources,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<FunctionHost>, StackError> {
    let hosts = resources.functions.iter().map(|function| FunctionHost::new(function, surroundings));
    hosts.collect::<Result<_, _>>().map_err(io("--log-dir"))
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
