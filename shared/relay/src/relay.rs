//! One message in, one step taken: claim, send, finish.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_smithy_http_client::HttpClientError;
use jiff::Timestamp;
use stafett_domain::{BatchId, BatchStatus, Call, ClaimId, Reason, ReasonCode, RecordKind};
use stafett_skolverket::{Addresses, Api, Client};
use uuid::Uuid;

use crate::lateness::Lateness;
use crate::verdict;
use stafett_domain::message::{BatchStep, InvalidMessage, Message, MessageNames, Step};
use stafett_domain::takeover::Unfinished;
use stafett_domain::time::later;
use stafett_history::Limiter;
use stafett_history::{
    AT_ONCE, Batch, BatchClaim, ClaimAnswer, EndedJob, History, HistoryError, Job, PAUSED, SendRef, Settled,
    StartAnswer, StartClaim, StepError,
};
use stafett_runtime::AwsClients;
use stafett_runtime::Clock;
use stafett_runtime::Metrics;
use stafett_runtime::{Config, ConfigError, RootsError};
use stafett_runtime::{Organisers, SettingsError};
use stafett_runtime::{QueueError, Queues};

/// Everything that a step needs. Built once a process.
pub struct Relay {
    /// See [`Config`].
    pub config: Config,
    /// See [`History`].
    pub history: History,
    /// See [`Queues`].
    pub queues: Queues,
    /// See [`Organisers`].
    pub organisers: Arc<Organisers>,
    /// See [`Metrics`].
    pub metrics: Metrics,
    /// See [`Clock`].
    pub clock: Clock,
    pub(crate) skolverket: Client,
    pub(crate) limiter: Limiter,
    /// Of submits and of polls.
    pub(crate) lateness: Mutex<[Lateness; 2]>,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its environment is not what it needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file with root certificates cannot be read, or holds none.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// TLS to AWS cannot be set up.
    #[error("the clients for AWS cannot be built: {0}")]
    Aws(#[from] HttpClientError),
}

/// Why a message comes again.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// It cannot be read.
    #[error(transparent)]
    Message(#[from] InvalidMessage),
    /// It is another stage's.
    #[error("the message is for the stage {0}")]
    OtherStage(RecordKind),
    /// The history cannot be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The organiser's settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What follows cannot be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A state met an event that has no place in it.
    #[error("{0}")]
    Illegal(#[from] stafett_domain::IllegalTransition),
}

/// A job of a send, while a message is handled.
#[derive(Clone)]
pub(crate) struct JobRef {
    pub(crate) send: SendRef,
    pub(crate) stage: RecordKind,
    /// Until when what is claimed now is ours.
    pub(crate) until: Timestamp,
}

impl Relay {
    /// Reads the environment and builds the clients.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn from_env() -> Result<Self, StartError> {
        let config = Config::from_env()?;
        let addresses = addresses(&config)?;
        let aws = AwsClients::build(config.timing.aws_attempt).await?;
        let metrics = Metrics::new(&config.metrics_namespace);
        let history = History::new(aws.dynamodb, config.table.clone(), metrics.clone());
        let timing = &config.timing;
        let worst = verdict::worst_case(timing);
        tracing::info!(
            event = "schedule.worstCase",
            calls = worst.calls,
            seconds = worst.span.as_secs(),
            "the most calls for a batch that Skolverket does not answer, and the time until it is given up"
        );
        Ok(Self {
            limiter: Limiter::new(history.clone(), "bulk", timing.budget(), timing.slot_wait),
            lateness: Mutex::default(),
            skolverket: Client::new(addresses, timing.http_timeout),
            organisers: Arc::new(Organisers::new(&config, aws.parameters)),
            queues: Queues::new(aws.sqs),
            metrics,
            clock: Clock,
            history,
            config,
        })
    }

    /// Until when an invocation may hold a claim: as long as claims last, and not beyond its own end.
    pub fn deadline(&self, invocation_ends: SystemTime) -> Timestamp {
        let claim_ends = self.clock.now() + self.config.timing.claim;
        Timestamp::try_from(invocation_ends).map_or(claim_ends, |ends| claim_ends.min(ends))
    }

    /// Takes the step that a message asks for, and hands on what follows. `until` as [`Relay::deadline`] says.
    ///
    /// # Errors
    /// [`HandleError`]: the message is to come again.
    pub async fn handle(&self, stage: RecordKind, body: &str, until: Timestamp) -> Result<(), HandleError> {
        let message = match Message::parse(body) {
            Err(InvalidMessage::Newer(version)) => return self.put_off_newer(stage, body, version).await,
            read => read?,
        };
        if message.stage != stage {
            return Err(HandleError::OtherStage(message.stage));
        }
        let job = JobRef { send: SendRef::new(message.organisation, message.send), stage, until };
        match message.step {
            Step::Start => self.start(&job).await,
            Step::Submit(asked) => self.batch_step(&job, Call::Submit, asked, false).await,
            Step::Poll(asked) => self.batch_step(&job, Call::Poll, asked, false).await,
        }
    }

    /// A message that a later deploy queued waits for that deploy to come back: five receives, and it would be a dead
    /// letter. What is overdue meanwhile the watchdog sends again in words that this deploy knows.
    async fn put_off_newer(&self, stage: RecordKind, body: &str, version: u32) -> Result<(), HandleError> {
        let MessageNames { organisation, send, .. } = MessageNames::of(body);
        tracing::warn!(
            event = "message.newer", version, stage = %stage, organisation = organisation.map(display),
            send = send.map(display), "a message of a newer version waits"
        );
        Ok(self.queues.put_off(&self.config, stage, body).await?)
    }

    async fn start(&self, job: &JobRef) -> Result<(), HandleError> {
        let JobRef { send, stage, until } = job;
        let until = until.as_millisecond();
        let claim = StartClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.clock.now(),
            until,
            takeover: &self.config.timing.takeover,
            overdue_at: self.overdue_at(until),
        };
        let answer = self.history.claim_start(send, *stage, &claim).await?;
        match answer {
            StartAnswer::Started(started) => {
                tracing::info!(
                    event = "job.started", send = %send.send, organisation = %send.organisation, stage = %stage,
                    records = started.total, batches = started.batches, "a job started"
                );
                self.begin(job, &started).await
            }
            StartAnswer::HandOn(started) => {
                self.note_taken_over(job, None, &started.unfinished);
                if self.config.timing.takeover.gives_up(&started.unfinished, claim.now.as_millisecond()) {
                    self.give_up_start(job).await
                } else {
                    self.begin_again(job, &started).await
                }
            }
            StartAnswer::Held { rest, copy } => self.come_back(job, Step::Start, rest, copy).await,
            StartAnswer::Stopped => self.end_stopped(&job.send).await,
            StartAnswer::Done(why) => {
                self.note_stale(job, why);
                Ok(())
            }
        }
    }

    /// Queues the first batches. A job of one batch submits it at once: a message would only cost time.
    async fn begin(&self, job: &JobRef, started: &Job) -> Result<(), HandleError> {
        match started.batches {
            0 => {
                self.settle(job, false).await?;
            }
            1 => return Box::pin(self.batch_step(job, Call::Submit, first_step(BatchId(0)), true)).await,
            batches => {
                let firsts =
                    (0..batches.min(AT_ONCE)).map(|batch| self.message(job, first_submit(BatchId(batch))));
                self.queues.send_all(&self.config, &firsts.collect::<Vec<_>>()).await?;
            }
        }
        Ok(self.history.start_handed_on(&job.send, job.stage).await?)
    }

    /// What follows from a start that was never handed on: whatever of it is still to be done.
    async fn begin_again(&self, job: &JobRef, started: &Job) -> Result<(), HandleError> {
        for batch in (0..started.batches.min(AT_ONCE)).map(BatchId) {
            self.queue_if_planned(job, batch).await?;
        }
        self.settle(job, true).await?;
        Ok(self.history.start_handed_on(&job.send, job.stage).await?)
    }

    /// Whoever took this start has died, time and again: its send is stopped.
    async fn give_up_start(&self, job: &JobRef) -> Result<(), HandleError> {
        tracing::error!(
            event = "send.stopped", send = %job.send.send, organisation = %job.send.organisation, stage = %job.stage,
            reason = ?ReasonCode::Unfinished, "a send is stopped"
        );
        self.request_stop(&job.send, Reason::new(ReasonCode::Unfinished)).await?;
        // What is open goes to its end by itself, and ends the send.
        Ok(self.history.start_handed_on(&job.send, job.stage).await?)
    }

    async fn queue_if_planned(&self, job: &JobRef, batch: BatchId) -> Result<(), HandleError> {
        let batch = self.history.batch(&job.send, job.stage, batch).await?;
        if let Some(batch) = batch.filter(|batch| batch.status == BatchStatus::Planned) {
            self.queue(job, batch.step(), Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Takes a step of a batch. `within_start`: as part of its job's start.
    async fn batch_step(
        &self,
        job: &JobRef,
        call: Call,
        asked: BatchStep,
        within_start: bool,
    ) -> Result<(), HandleError> {
        let claim = BatchClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.clock.now().as_millisecond(),
            until: job.until.as_millisecond(),
            takeover: &self.config.timing.takeover,
            within_start,
        };
        let worked = match self.history.claim_step(&job.send, job.stage, call, asked, &claim).await? {
            ClaimAnswer::Started(batch) => {
                self.note_taken_over(job, Some(batch.batch), &batch.unfinished);
                Box::pin(self.work(job, batch)).await
            }
            ClaimAnswer::Stopped(batch) => self.give_up(job, &batch).await,
            ClaimAnswer::HandOn(batch) => return self.hand_on_again(job, &batch).await,
            ClaimAnswer::Held { rest, copy } => {
                return self.come_back(job, Step::of(call, asked), rest, copy).await;
            }
            ClaimAnswer::Early { rest } => return self.queue(job, Step::of(call, asked), rest).await,
            ClaimAnswer::Paused => {
                self.note_stale(job, PAUSED);
                return Ok(());
            }
            ClaimAnswer::Done => {
                self.note_stale(job, "done and handed on");
                return Ok(());
            }
            ClaimAnswer::Gone => {
                self.note_stale(job, "erased");
                return Ok(());
            }
        };
        match worked {
            // Another has the step: what this one did is what a repeat may do.
            Err(StepFailure::Step(StepError::ClaimLost)) => {
                self.note_stale(job, "the claim was lost");
                Ok(())
            }
            other => other.map_err(Into::into),
        }
    }

    /// A message that met another holder is copied once a claim: should that holder die, the copy takes over.
    async fn come_back(
        &self,
        job: &JobRef,
        step: Step,
        rest: Duration,
        copy: bool,
    ) -> Result<(), HandleError> {
        if copy {
            self.queue(job, step, rest + self.config.timing.queue_delay_unit).await?;
        }
        Ok(())
    }

    /// What follows from a step that was done and never handed on.
    async fn hand_on_again(&self, job: &JobRef, batch: &Batch) -> Result<(), HandleError> {
        if batch.status == BatchStatus::Closed {
            if let Some(successor) = batch.successor {
                self.queue_if_planned(job, successor).await?;
            }
            self.settle(job, true).await?;
        } else {
            let now = self.clock.now().as_millisecond();
            let wait = u64::try_from(batch.not_before.saturating_sub(now)).unwrap_or_default();
            self.queue(job, batch.step(), Duration::from_millis(wait)).await?;
        }
        Ok(self.history.handed_on(&job.send, job.stage, batch).await?)
    }

    /// What follows from a batch that this invocation closed.
    pub(crate) async fn hand_on(&self, job: &JobRef, batch: &Batch, stops: bool) -> Result<(), HandleError> {
        if let Some(successor) = batch.successor.filter(|_| !stops) {
            self.queue_first(job, successor).await?;
        }
        self.settle(job, false).await?;
        Ok(self.history.handed_on(&job.send, job.stage, batch).await?)
    }

    /// Ends the job if it can end, and queues what starts then.
    pub(crate) async fn settle(&self, job: &JobRef, again: bool) -> Result<(), HandleError> {
        let now = self.clock.now();
        let overdue_at = self.overdue_at(now.as_millisecond());
        let settled = self.history.settle(&job.send, job.stage, now, overdue_at, again).await?;
        self.follow_end(&job.send, settled).await
    }

    /// Ends a send that is stopping, if nothing of it is open, and queues what starts then.
    async fn end_stopped(&self, send: &SendRef) -> Result<(), HandleError> {
        let now = self.clock.now();
        let overdue_at = self.overdue_at(now.as_millisecond());
        let settled = self.history.end_stopped(send, now, overdue_at).await?;
        self.follow_end(send, settled).await
    }

    async fn follow_end(&self, send: &SendRef, settled: Settled) -> Result<(), HandleError> {
        let start = match settled {
            Settled::NotYet => None,
            Settled::EndedBefore { start } => start,
            Settled::Ended { start, jobs, send_ending } => {
                for EndedJob { stage, ending, counts } in jobs {
                    self.metrics.job_ended(stage, ending, counts);
                    tracing::info!(
                        event = "job.ended", send = %send.send, organisation = %send.organisation, stage = %stage,
                        outcome = ending.as_str(), "a job ended"
                    );
                }
                if let Some(ending) = send_ending {
                    self.metrics.send_ended(ending);
                    tracing::info!(
                        event = "send.ended", send = %send.send, organisation = %send.organisation,
                        outcome = ending.as_str(), "a send ended"
                    );
                }
                start
            }
        };
        if let Some((send, stage)) = start {
            let message = Message::new(send.organisation, send.send, stage, Step::Start);
            self.queues.send(&self.config, &message, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Asks for a send to stop, for a reason, and ends it at once if nothing of it is open. Says whether it had not
    /// ended before.
    ///
    /// # Errors
    /// [`HandleError`]; the request can be repeated.
    pub async fn request_stop(&self, send: &SendRef, reason: Reason) -> Result<bool, HandleError> {
        let code = reason.code;
        if !self.history.request_stop(send, reason).await? {
            return Ok(false);
        }
        tracing::info!(
            event = "send.stopping", send = %send.send, organisation = %send.organisation, reason = ?code,
            "a send is asked to stop"
        );
        self.end_stopped(send).await?;
        Ok(true)
    }

    /// Queues the first submit of a batch.
    pub(crate) async fn queue_first(&self, job: &JobRef, batch: BatchId) -> Result<(), HandleError> {
        self.queue(job, first_submit(batch), Duration::ZERO).await
    }

    pub(crate) async fn queue(&self, job: &JobRef, step: Step, wait: Duration) -> Result<(), HandleError> {
        Ok(self.queues.send(&self.config, &self.message(job, step), wait).await?)
    }

    fn message(&self, job: &JobRef, step: Step) -> Message {
        Message::new(job.send.organisation.clone(), job.send.send, job.stage, step)
    }

    /// When the watchdog looks at a step that is to be taken at `at`.
    pub(crate) fn overdue_at(&self, at: i64) -> i64 {
        later(at, self.config.timing.overdue)
    }

    fn note_taken_over(&self, job: &JobRef, batch: Option<BatchId>, unfinished: &Unfinished) {
        if unfinished.claims > 0 {
            tracing::warn!(
                event = "step.takenOver", send = %job.send.send, organisation = %job.send.organisation,
                stage = %job.stage, batch = batch.map(|batch| batch.0), unfinished = unfinished.claims,
                "a step is taken up again whose holder died"
            );
        }
    }

    fn note_stale(&self, job: &JobRef, why: &'static str) {
        tracing::info!(
            event = "message.stale", send = %job.send.send, organisation = %job.send.organisation, stage = %job.stage,
            why, "a message asked for nothing that is to be done"
        );
    }
}

fn addresses(config: &Config) -> Result<Addresses, StartError> {
    let roots = config.extra_roots()?;
    let production =
        Api { base: config.skolverket_url.clone(), location: config.skolverket_location.clone() };
    Ok(Addresses {
        production,
        verification: config.verification.clone(),
        authorization: config.token_url.clone(),
        roots,
    })
}

fn first_step(batch: BatchId) -> BatchStep {
    BatchStep { batch, attempt_try: 1, n: 0 }
}

fn first_submit(batch: BatchId) -> Step {
    Step::of(Call::Submit, first_step(batch))
}

/// Why the work on a claimed step ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepFailure {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Handle(#[from] HandleError),
}

impl From<HistoryError> for StepFailure {
    fn from(error: HistoryError) -> Self {
        Self::Handle(error.into())
    }
}

impl From<stafett_domain::IllegalTransition> for StepFailure {
    fn from(error: stafett_domain::IllegalTransition) -> Self {
        Self::Handle(error.into())
    }
}

impl From<StepFailure> for HandleError {
    fn from(failure: StepFailure) -> Self {
        match failure {
            StepFailure::Handle(error) => error,
            StepFailure::Step(StepError::History(error)) => error.into(),
            StepFailure::Step(StepError::Illegal(error)) => error.into(),
            StepFailure::Step(StepError::ClaimLost) => HistoryError::Contended.into(),
        }
    }
}
