//! The result of a step: the next step of the same batch, or its end.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::{BatchId, BatchStatus, Counts, JobStatus, Reason, SkolverketJobId, WaitCause};

use crate::claim::put_batch;
use crate::error::{HistoryError, WriteError};
use crate::item::{Attempt, Batch, Closed, Due, Open, Outcomes, Polling, Waiting, Work};
use crate::key::{JobKey, SendRef};
use crate::start::due_batch;
use crate::store::History;
use crate::write::Write;
use stafett_domain::piece::Piece;
use stafett_domain::takeover::{Takeover, Unfinished};
use stafett_domain::time::{Millis, later};

/// The next step of a batch that stays open.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    /// The earliest time for the step.
    pub not_before: Millis,
    /// When it is overdue, for the watchdog.
    pub overdue_at: Millis,
    /// The holder takes the step itself, within its claim.
    pub kept: bool,
}

/// Why a step is put back.
#[derive(Debug, Clone, Copy)]
pub enum PutBack {
    /// No slot, or too little of the claim left. This counts neither as an attempt nor as a failure.
    NoTime,
    /// Skolverket refused the token, and a new one is requested.
    NewToken,
    /// Skolverket's job is not done.
    NotReady,
    /// The call failed for a cause that may be temporary.
    Waiting {
        /// The start of the wait.
        since: Timestamp,
        cause: WaitCause,
        /// Skolverket may have carried out the call.
        uncertain: bool,
    },
}

/// How a batch ends.
#[derive(Debug, Clone)]
pub struct Closing {
    /// The outcomes of its records.
    pub outcomes: Outcomes,
    /// Why nothing more may be submitted, if so.
    pub stop: Option<Reason>,
    /// When the next step is overdue, for the watchdog.
    pub overdue_at: Millis,
}

impl Next {
    /// A step that a message starts. It becomes overdue `overdue` after its earliest time and after the expiry of the
    /// writer's claim.
    pub fn by_message(not_before: Millis, claim_until: Millis, overdue: Duration) -> Self {
        Self { not_before, overdue_at: later(not_before.max(claim_until), overdue), kept: false }
    }

    /// A step that its holder takes within its claim. It becomes overdue when the holder must have died.
    pub fn by_its_holder(not_before: Millis, claim_until: Millis, takeover: &Takeover) -> Self {
        Self { not_before, overdue_at: takeover.due_at(&Unfinished::default(), claim_until), kept: true }
    }
}

impl Batch<Open> {
    /// Returns the batch at its next step, changed by `change`.
    fn stepped(&self, send: &SendRef, next: Next, change: impl FnOnce(&mut Open)) -> Self {
        let mut open = Open {
            n: self.progress.n + 1,
            claim: self.progress.claim.filter(|_| next.kept),
            unfinished: Unfinished::default(),
            token_renewed: false,
            handed_on: false,
            not_before: next.not_before,
            ..self.progress.clone()
        };
        change(&mut open);
        Self { due: Due::at(next.overdue_at, send), rev: self.rev + 1, ..self.with(open) }
    }

    /// Returns the batch after Skolverket accepted the call.
    pub fn submitted(&self, send: &SendRef, job_id: SkolverketJobId, now: Timestamp, next: Next) -> Self {
        self.stepped(send, next, |open| {
            if let Some(first) = open.pieces.first_mut() {
                first.uncertain = false;
            }
            open.work = Work::Poll(Polling { job_id, submitted_at: now, not_done: 0 });
            open.waiting = None;
            open.uncertain = false;
        })
    }

    /// Returns the batch with the same call again, later.
    pub fn put_back(&self, send: &SendRef, next: Next, why: PutBack) -> Self {
        self.stepped(send, next, |open| match why {
            // The holder was healthy, and did not do what the earlier holders died of.
            PutBack::NoTime => open.unfinished.clone_from(&self.progress.unfinished),
            PutBack::NewToken => open.token_renewed = true,
            PutBack::NotReady => {
                open.waiting = None;
                if let Work::Poll(polling) = &mut open.work {
                    polling.not_done += 1;
                }
            }
            PutBack::Waiting { since, cause, uncertain } => {
                let before = open.waiting.unwrap_or(Waiting { since, faults: 0, unreadable: 0 });
                open.waiting = Some(Waiting {
                    since,
                    faults: before.faults + 1,
                    unreadable: before.unreadable + u32::from(cause.is_unreadable()),
                });
                open.uncertain |= uncertain;
                if let Work::Poll(polling) = &mut open.work {
                    polling.not_done = 0;
                }
            }
        })
    }

    /// Returns the batch with a new try, because Skolverket does not know the job that it named. The repeat is safe.
    pub fn new_try(&self, send: &SendRef, next: Next) -> Self {
        self.stepped(send, next, |open| {
            (open.attempt_try, open.n) = (self.progress.attempt_try + 1, 0);
            open.work = Work::Submit;
            // A wait continues, but its faults are counted from zero.
            open.waiting =
                open.waiting.map(|Waiting { since, .. }| Waiting { since, faults: 0, unreadable: 0 });
            open.lost += 1;
            open.uncertain = true;
        })
    }

    /// Returns the batch split: the rest is sent piece by piece. Some records may already have an outcome.
    pub fn split(&self, send: &SendRef, pieces: Vec<Piece>, outcomes: &Outcomes, next: Next) -> Self {
        self.stepped(send, next, |open| {
            (open.attempt_try, open.n) = (self.progress.attempt_try + 1, 0);
            open.work = Work::Submit;
            open.waiting = None;
            open.lost = 0;
            open.uncertain = false;
            open.pieces = pieces;
            // The causes are read from its issues until all are known.
            open.settled = Outcomes { causes: None, ..outcomes.clone() };
        })
    }

    /// Returns the closed batch. All its records have their final outcome.
    pub(crate) fn closed(&self, send: &SendRef, closing: &Closing) -> Batch<Closed> {
        let Open { attempt_try, n, .. } = self.progress;
        let outcomes = closing.outcomes.clone();
        let closed = Closed { attempt_try, n, call: self.call(), handed_on: false, outcomes };
        Batch { due: Due::at(closing.overdue_at, send), rev: self.rev + 1, ..self.with(closed) }
    }
}

/// A holder's write that comes too late is not an error of the history: another holder has the step.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Another holder has written the batch since.
    #[error("the claim was lost")]
    ClaimLost,
    #[error(transparent)]
    /// The history cannot be read or written.
    History(#[from] HistoryError),
}

impl From<WriteError> for StepError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Condition(_) => Self::ClaimLost,
            WriteError::History(error) => Self::History(error),
        }
    }
}

impl History {
    /// Writes the next step of an open batch, on condition that the stored batch is still `before`.
    pub async fn step_on(
        &self,
        job: &JobKey,
        before: &Batch<Open>,
        after: &Batch<Open>,
    ) -> Result<(), StepError> {
        if self.write(put_batch(job, before.rev, after.clone())?).await? {
            return Ok(());
        }
        // A write that the SDK repeated finds its own result.
        let known = self.batch(job, before.batch).await?;
        if known == Some(after.clone().into()) { Ok(()) } else { Err(StepError::ClaimLost) }
    }

    /// Splits a batch. `extra` counts against the job's limit of additional calls. Returns whether the limit allowed
    /// it. `release`: the batch waits, and its successor may start.
    pub async fn split_batch(
        &self,
        job: &JobKey,
        before: &Batch<Open>,
        after: &Batch<Open>,
        extra: Option<u32>,
        release: Option<(BatchId, Millis)>,
    ) -> Result<bool, StepError> {
        let mut writes = vec![put_batch(job, before.rev, after.clone())?];
        if let Some(limit) = extra {
            writes.push(
                Write::update(job.key(), "ADD #extra :one")
                    .when("attribute_not_exists(#extra) OR #extra < :limit")
                    .with("one", 1)?
                    .with("limit", limit)?,
            );
        }
        if let Some((successor, overdue_at)) = release {
            writes.push(due_batch(job, successor, overdue_at)?);
        }
        match self.transact(writes).await {
            Ok(()) => Ok(true),
            Err(WriteError::Condition(places)) if extra.is_some() && places == [1] => Ok(false),
            Err(WriteError::Condition(_)) => {
                let known = self.batch(job, before.batch).await?;
                if known == Some(after.clone().into()) { Ok(true) } else { Err(StepError::ClaimLost) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Closes a batch in one transaction: its outcome, its job's counters, and the due time of its successor.
    pub async fn close(
        &self,
        job: &JobKey,
        before: &Batch<Open>,
        closing: &Closing,
        successor_is_due: bool,
    ) -> Result<Batch<Closed>, StepError> {
        let after = before.closed(&job.send, closing);
        let Counts { total, pending, success, warning, error, skipped, not_sent, unknown } =
            closing.outcomes.counts;
        let counted = Write::update(
            job.key(),
            "ADD #open :less, #closed :one, #pending :known, #success :success, #warning :warning, #error :error, \
             #skipped :skipped, #notSent :notSent, #unknown :unknown",
        )
        .when("#open > :none")
        .with("none", 0)?
        .with("less", -1)?
        .with("one", 1)?
        .with("known", i64::from(pending) - i64::from(total))?
        .with("success", success)?
        .with("warning", warning)?
        .with("error", error)?
        .with("skipped", skipped)?
        .with("notSent", not_sent)?
        .with("unknown", unknown)?;
        let mut writes = vec![put_batch(job, before.rev, after.clone())?, counted];
        match (&closing.stop, after.successor.filter(|_| successor_is_due)) {
            (Some(reason), _) => writes.push(
                // Only the first reason is shown.
                Write::update(
                    job.send.header(),
                    "SET #stopRequested = if_not_exists(#stopRequested, :reason)",
                )
                .when("attribute_exists(#pk)")
                .with("reason", reason)?,
            ),
            (None, Some(successor)) => writes.push(due_batch(job, successor, closing.overdue_at)?),
            (None, None) => {}
        }
        match self.transact(writes).await {
            Err(WriteError::Condition(_)) => {
                let known = self.batch(job, before.batch).await?;
                if known == Some(after.clone().into()) { Ok(after) } else { Err(StepError::ClaimLost) }
            }
            Ok(()) => Ok(after),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows on the job since when it waits for Skolverket, and why. With `None`, shows that it does not wait.
    pub async fn show_waiting(
        &self,
        job: &JobKey,
        waiting: Option<(Timestamp, WaitCause)>,
    ) -> Result<(), HistoryError> {
        let write = match waiting {
            Some((since, cause)) => Write::update(
                job.key(),
                "SET #waitingSince = if_not_exists(#waitingSince, :since), #waitingCause = :cause",
            )
            .when("#status = :running")
            .with("since", since)?
            .with("cause", cause)?
            .with("running", JobStatus::Running)?,
            None => Write::update(job.key(), "REMOVE #waitingSince, #waitingCause")
                .when("attribute_exists(#waitingSince)"),
        };
        self.write(write).await.map(drop)
    }

    /// Notes that the message for step `n` was queued, or for a closed batch the messages that follow. Only a closed
    /// batch loses its `dueAt`. An open batch keeps it, to watch step `n` until it is claimed. If another step was
    /// written meanwhile, the note is not needed.
    pub async fn handed_on(&self, job: &JobKey, batch: &Batch) -> Result<(), HistoryError> {
        let expression = match batch.status() {
            BatchStatus::Closed => "SET #handedOn = :yes REMOVE #dueAt, #dueShard",
            BatchStatus::Planned | BatchStatus::Open => "SET #handedOn = :yes",
        };
        let write = Write::update(job.batch(batch.batch), expression)
            .when("#rev = :rev")
            .with("yes", true)?
            .with("rev", batch.rev)?;
        self.write(write).await?;
        Ok(())
    }

    /// A planned batch that will never be claimed is no longer due.
    pub async fn leave_planned(&self, job: &JobKey, batch: &Batch) -> Result<(), HistoryError> {
        let write = Write::update(job.batch(batch.batch), "REMOVE #dueAt, #dueShard")
            .when("#status = :planned")
            .with("planned", BatchStatus::Planned)?;
        self.write(write).await?;
        Ok(())
    }

    /// Stores a call. It is written before the results of the call.
    pub async fn put_attempt(&self, job: &JobKey, attempt: &Attempt) -> Result<(), HistoryError> {
        self.put(&job.attempt(attempt.attempt), attempt).await
    }
}
