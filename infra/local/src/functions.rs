//! The functions and their processes: started on demand, reused, replaced when they die.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::forward::{Plans, Upstreams};
use crate::logs::Log;
use crate::meter::Meter;
use crate::metrics::Metrics;
use crate::notice::notice;
use crate::pace::Pace;
use crate::packages::Packages;
use crate::process::{InvocationError, Launch, Process};
use crate::runtime_api::MAX_REQUEST_BYTES;
use crate::template::{Function, REGION};

/// Processes of a function that answers HTTP requests. AWS would start a thousand; a frontend on this machine opens
/// about six connections.
const MAX_HTTP_PROCESSES: usize = 8;

/// The variable with the length of the queues' second.
const QUEUE_SECOND: &str = "QUEUE_DELAY_UNIT_MS";

/// For how long somebody who waits for an answer waits for the registers or for AWS. They stay as they are: this
/// machine's work does not get faster with the clock.
const WAITED_FOR: [&str; 3] = ["AWS_ATTEMPT_MS", "OPEN_DATA_TIMEOUT_MS", "OPEN_DATA_WAIT_MS"];

/// How long a step is left alone whose holders died. On AWS these outlast disturbances that last minutes; here nothing
/// does, so they are shortened twice over.
const OUTLASTING: [&str; 2] = ["RETAKE_PAUSES_MS", "UNFINISHED_SPAN_MS"];

/// What all functions of a stack are started with.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    pub upstreams: Upstreams,
    pub plans: Plans,
    /// Counts them, and all else that functions use.
    pub meter: Meter,
    pub metrics: Metrics,
    pub http: reqwest::Client,
    /// Whether the queues keep the stack's pace; those of another emulator keep real seconds.
    pub queues_at_pace: bool,
    /// Variables with other values than the template's.
    pub set: &'a [(String, String)],
    pub log_dir: Option<&'a Path>,
    /// The functions' packages, to run instead of this program.
    pub packages: Option<&'a Packages>,
    pub pace: Pace,
    pub clock: Clock,
}

/// A process as `/local/processes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessState {
    pub function: String,
    pub pid: u32,
    /// Whether it has an invocation.
    pub busy: bool,
}

/// A function that can be invoked.
#[derive(Debug, Clone)]
pub struct FunctionHost(Arc<Host>);

#[derive(Debug)]
struct Host {
    launch: Launch,
    processes: Mutex<Vec<Arc<Process>>>,
    /// One for each process that may run.
    places: Semaphore,
}

impl FunctionHost {
    /// Prepares a function; no process is started yet.
    pub fn new(function: &Function, surroundings: &Surroundings<'_>) -> std::io::Result<Self> {
        let name = &function.name;
        let (program, arguments) = match surroundings.packages {
            Some(packages) => (packages.program(name), Vec::new()),
            None => (std::env::current_exe()?, vec!["--function".to_owned(), name.clone()]),
        };
        let launch = Launch {
            program,
            arguments,
            function: Function { timeout: scaled_timeout(function, surroundings.pace), ..function.clone() },
            environment: environment(function, surroundings),
            upstreams: surroundings.upstreams.clone(),
            plans: surroundings.plans.clone(),
            meter: surroundings.meter.clone(),
            http: surroundings.http.clone(),
            log: Log::open(surroundings.log_dir, &function.name, surroundings.metrics.clone())?,
            clock: surroundings.clock,
        };
        let places = Semaphore::new(max_processes(function));
        Ok(Self(Arc::new(Host { launch, processes: Mutex::default(), places })))
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.0.launch.function.name
    }

    /// Whether somebody who says `name` means this function.
    pub fn is_called(&self, name: &str) -> bool {
        let Function { name: own, function_name, arn, .. } = &self.0.launch.function;
        [own, function_name, arn].into_iter().any(|known| known == name)
    }

    /// Counts what the function uses.
    pub fn meter(&self) -> &Meter {
        &self.0.launch.meter
    }

    /// Invokes the function and waits for its answer. Goes on when the caller has gone, as on AWS.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Result<Bytes, InvocationError> {
        let event = event.into();
        if event.len() > MAX_REQUEST_BYTES {
            return Err(InvocationError::TooLarge);
        }
        let host = Arc::clone(&self.0);
        let invocation = tokio::spawn(async move { host.invoke(event).await });
        let result =
            invocation.await.unwrap_or_else(|error| Err(InvocationError::NotStarted(error.to_string())));
        // A process that was killed because the stack ends has not failed.
        if result.is_err() && self.0.places.is_closed() { Err(InvocationError::Stopping) } else { result }
    }

    /// Says on standard error that an invocation failed.
    pub fn report(&self, error: &InvocationError) {
        if *error != InvocationError::Stopping {
            notice(format_args!("the function {} failed: {error}", self.name()));
        }
    }

    /// The function's processes that run now.
    pub fn processes(&self) -> Vec<ProcessState> {
        let processes = self.0.processes();
        let alive = processes.iter().filter(|process| process.is_alive());
        alive
            .map(|process| ProcessState {
                function: self.name().to_owned(),
                pid: process.pid(),
                busy: process.is_busy(),
            })
            .collect()
    }

    /// Counts the most memory that each of its processes has had so far: those that end in the middle of something
    /// are not asked at its end.
    pub fn measure_memory(&self) {
        let processes = self.0.processes().clone();
        processes.iter().filter(|process| process.is_alive()).for_each(|process| process.measure_memory());
    }

    /// Kills the function's processes; invocations after this fail.
    pub async fn stop(&self) {
        self.0.places.close();
        let processes = std::mem::take(&mut *self.0.processes());
        for process in processes {
            process.kill().await;
        }
    }
}

impl Host {
    async fn invoke(&self, event: Bytes) -> Result<Bytes, InvocationError> {
        let _place = self.places.acquire().await.map_err(|_| InvocationError::Stopping)?;
        let timeout = self.launch.function.timeout;
        if let Some(idle) = self.idle() {
            let result = idle.invoke(event.clone(), timeout).await;
            self.put_back(&idle);
            // It died while it was idle: it has seen nothing of the event.
            if !matches!(result, Err(InvocationError::NotTaken { .. })) {
                return result;
            }
        }
        let started = Process::start(&self.launch);
        let started = Arc::new(started.map_err(|error| InvocationError::NotStarted(error.to_string()))?);
        self.processes().push(Arc::clone(&started));
        let result = started.invoke(event, timeout).await;
        self.put_back(&started);
        result
    }

    fn idle(&self) -> Option<Arc<Process>> {
        let mut processes = self.processes();
        processes.retain(|process| process.is_alive());
        processes.iter().find(|process| process.claim()).cloned()
    }

    fn put_back(&self, process: &Arc<Process>) {
        self.processes().retain(|process| process.is_alive());
        process.release();
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Arc<Process>>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many as its event sources may invoke at a time; one for a clock.
fn max_processes(function: &Function) -> usize {
    let http = if function.routes.is_empty() { 0 } else { MAX_HTTP_PROCESSES };
    let queues: usize = function
        .queue_sources
        .iter()
        .map(|source| source.max_concurrency.unwrap_or(MAX_HTTP_PROCESSES))
        .sum();
    (http + queues + function.schedules.len()).max(1)
}

/// The variables that Lambda itself gives to the processes of a function. `memory_size` is in MB.
pub fn of_lambda(function_name: &str, memory_size: u64) -> [(&'static str, String); 6] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function_name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_size.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        // The emulated endpoints ask for a signature and accept any.
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
    ]
}

fn environment(function: &Function, surroundings: &Surroundings<'_>) -> BTreeMap<String, String> {
    let of_template = function.environment.iter().map(|(name, value)| {
        let pace = match name.as_str() {
            QUEUE_SECOND if !surroundings.queues_at_pace => Pace::REAL,
            name if WAITED_FOR.contains(&name) => Pace::REAL,
            name if OUTLASTING.contains(&name) => surroundings.pace.twice(),
            _ => surroundings.pace,
        };
        (name.clone(), pace.variable(name, value))
    });
    let of_lambda = of_lambda(&function.function_name, function.memory_size);
    let mut environment: BTreeMap<String, String> =
        of_lambda.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(of_template).collect();
    environment.extend(surroundings.set.iter().cloned());
    environment
}

/// A function's time-out at this pace. That of one which answers people stays: no claim depends on it, and this machine's
/// work does not get faster with the clock.
fn scaled_timeout(function: &Function, pace: Pace) -> Duration {
    if function.routes.is_empty() { pace.duration(function.timeout) } else { function.timeout }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    #[test]
    fn the_queues_second_goes_with_the_queues() {
        let functions = Template::described().functions;
        let second = |pace, queues_at_pace| {
            let surroundings = Surroundings {
                upstreams: Upstreams {
                    dynamodb: String::new(),
                    sqs: String::new(),
                    ssm: String::new(),
                    verification: None,
                    skolverket: String::new(),
                    token: String::new(),
                    open_data: String::new(),
                },
                plans: Plans::default(),
                meter: Meter::default(),
                metrics: Metrics::default(),
                http: crate::forward::client().unwrap(),
                queues_at_pace,
                set: &[],
                log_dir: None,
                packages: None,
                pace,
                clock: Clock::start(),
            };
            let environment = environment(&functions[0], &surroundings);
            (environment[QUEUE_SECOND].clone(), environment["CLAIM_MS"].clone())
        };
        assert_eq!(second(Pace::FAST, true), ("100".to_owned(), "3000".to_owned()));
        assert_eq!(second(Pace::FAST, false), ("1000".to_owned(), "3000".to_owned()));
        assert_eq!(second(Pace::REAL, true), second(Pace::REAL, false));
    }
}
