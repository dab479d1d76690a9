//! One function process: this program, started again as that function, or the program of its package. It handles one invocation at a time, as a
//! Lambda sandbox does, and can die for real.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::forward::{Forward, Parties, Plans, Upstreams};
use crate::kill_switch::KillSwitch;
use crate::logs::Log;
use crate::meter::Meter;
use crate::runtime_api::{FunctionError, Invocation, RuntimeApi};
use crate::template::Function;

/// How long a process may take to fetch its first event. Lambda gives 10 s; a machine that is compiling gets more.
const INIT_LIMIT: Duration = Duration::from_secs(30);

/// Variables of the surroundings that functions get too: which certificates are trusted is the machine's affair.
const PASSED_ON: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// The stack is stopping, its processes are being killed.
    #[error("the stack is stopping")]
    Stopping,
    /// The event is larger than 6 MB; the function has not seen it.
    #[error("the event is larger than an invocation takes")]
    TooLarge,
    /// No process could be started.
    #[error("could not be started: {0}")]
    NotStarted(String),
    /// The process ended before it fetched the event.
    #[error("ended before it took the event ({exit}){}", init_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default())]
    NotTaken {
        /// How it ended.
        exit: String,
        init_error: Option<FunctionError>,
    },
    /// The process ended before it answered.
    #[error("ended without an answer ({0})")]
    Died(String),
    /// The function took longer than its time-out; its process has been killed.
    #[error("took longer than {0:?}")]
    TimedOut(Duration),
    /// The function answered with an error.
    #[error(transparent)]
    Function(#[from] FunctionError),
}

/// How a function's processes are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program: this one, which can be every function, or that of the function's package.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// The function, its time-out at the stack's pace.
    pub function: Function,
    /// All variables but those that differ from process to process.
    pub environment: BTreeMap<String, String>,
    pub upstreams: Upstreams,
    pub plans: Plans,
    /// Counts them, and the process's time and memory.
    pub meter: Meter,
    pub http: reqwest::Client,
    pub log: Log,
    pub clock: Clock,
}

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    api: RuntimeApi,
    forward: Forward,
    busy: AtomicBool,
    kill: KillSwitch,
    function: String,
    meter: Meter,
    /// When it was started; none once it has taken an event.
    starting_since: Mutex<Option<Instant>>,
    /// Dropped with the process, which then ends.
    _held: oneshot::Sender<()>,
}

impl Process {
    /// Starts a process. It is busy from the start: its first invocation is why it was started.
    pub fn start(launch: &Launch) -> std::io::Result<Self> {
        let api = RuntimeApi::start(&launch.function.arn, launch.clock)?;
        let (kill, kill_asked, exited) = KillSwitch::new();
        let forward = Forward::start(Parties {
            function: launch.function.name.clone(),
            runtime: api.address(),
            upstreams: launch.upstreams.clone(),
            plans: launch.plans.clone(),
            meter: launch.meter.clone(),
            http: launch.http.clone(),
            kill: kill.clone(),
        })?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .env_clear()
            .envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(&launch.environment)
            .envs(forward.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A Ctrl-C at the terminal goes to every process of its group; these are ended by the stack.
        #[cfg(unix)]
        command.process_group(0);
        let starting_since = Mutex::new(Some(Instant::now()));
        let mut child = command.spawn()?;
        if let Some(output) = child.stdout.take() {
            tokio::spawn(launch.log.clone().copy(output));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(launch.log.clone().copy(output));
        }
        let pid = child.id().unwrap_or_default();
        let (held, dropped) = oneshot::channel();
        tokio::spawn(watch_over(child, kill_asked, dropped, exited));
        let (function, meter) = (launch.function.name.clone(), launch.meter.clone());
        let busy = AtomicBool::new(true);
        Ok(Self { pid, api, forward, busy, kill, function, meter, starting_since, _held: held })
    }

    /// The operating system's number of it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has an invocation.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.kill.is_alive()
    }

    /// Makes it busy, if it was not.
    pub fn claim(&self) -> bool {
        self.busy.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Makes it free for another invocation.
    pub fn release(&self) {
        self.busy.store(false, Ordering::Release);
    }

    /// Hands it an event and waits for the answer, at most `timeout` from when the process has fetched it. The caller
    /// has claimed it.
    pub async fn invoke(&self, payload: Bytes, timeout: Duration) -> Result<Bytes, InvocationError> {
        self.forward.begin(&payload);
        let (taken, was_taken) = oneshot::channel();
        let (outcome, answer) = oneshot::channel();
        self.api.invoke(Invocation { payload, timeout, taken, outcome }).await;
        tokio::select! {
            biased;
            Ok(()) = was_taken => {}
            exit = self.kill.exited() => {
                return Err(InvocationError::NotTaken { exit, init_error: self.api.init_error() });
            }
            () = tokio::time::sleep(INIT_LIMIT) => return Err(self.end_for_time_out(INIT_LIMIT).await),
        }
        self.count_start();
        let taken_at = Instant::now();
        let result = tokio::select! {
            biased;
            // The answer counts, whatever became of the process.
            Ok(result) = answer => result.map_err(InvocationError::from),
            exit = self.kill.exited() => Err(InvocationError::Died(exit)),
            () = tokio::time::sleep(timeout) => Err(self.end_for_time_out(timeout).await),
        };
        self.meter.invoked(&self.function, taken_at.elapsed(), result.is_ok());
        self.measure_memory();
        result
    }

    /// Counts the most memory that it has had so far.
    pub fn measure_memory(&self) {
        self.meter.measure_memory(&self.function, self.pid);
    }

    fn count_start(&self) {
        let since = self.starting_since.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(since) = since {
            self.meter.started(&self.function, since.elapsed());
        }
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&self) {
        self.kill.kill().await;
    }

    async fn end_for_time_out(&self, limit: Duration) -> InvocationError {
        self.kill().await;
        InvocationError::TimedOut(limit)
    }
}

/// Waits for the process's end, which comes by itself or because it is asked for or because nobody holds the process
/// any more.
async fn watch_over(
    mut child: Child,
    mut kill_asked: mpsc::Receiver<()>,
    dropped: oneshot::Receiver<()>,
    exited: watch::Sender<Option<String>>,
) {
    let status = tokio::select! {
        status = child.wait() => Some(status),
        _ = kill_asked.recv() => None,
        _ = dropped => None,
    };
    let status = match status {
        Some(status) => status,
        None => {
            // Fails only for a process that has ended by itself.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    exited.send_replace(Some(status.map_or_else(|error| error.to_string(), |status| status.to_string())));
}
