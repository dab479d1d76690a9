//! What a step comes to: the next step of the same batch, or its end.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::{
    AttemptId, BatchEvent, BatchId, BatchStatus, Call, Counts, IllegalTransition, JobStatus, Reason,
    SkolverketJobId, WaitCause,
};

use crate::causes::Tally;
use crate::claim::put_batch;
use crate::due::Due;
use crate::item::{Attempt, Batch};
use crate::key::{JobKey, SendRef};
use crate::start::due_batch;
use crate::store::{History, HistoryError, Write, WriteError};
use stafett_domain::piece::Piece;
use stafett_domain::takeover::{Takeover, Unfinished};
use stafett_domain::time::{Millis, later};

/// The next step of a batch that stays open.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    /// What it is.
    pub call: Call,
    /// When it is to be taken.
    pub not_before: Millis,
    /// When the watchdog looks at it.
    pub overdue_at: Millis,
    /// The holder goes on with it itself, within its claim.
    pub kept: bool,
}

/// Records of a batch that got their outcome.
#[derive(Debug, Clone)]
pub struct Outcomes {
    /// The outcomes of all records that have one by now.
    pub counts: Counts,
    /// See [`Batch::answers`].
    pub answers: Vec<AttemptId>,
    /// See [`Batch::issues`].
    pub issues: Option<AttemptId>,
    /// See [`Batch::causes`].
    pub causes: Option<Vec<Tally>>,
    /// See [`Batch::usual_status_code`].
    pub usual_status_code: Option<u16>,
}

/// How a batch ends.
#[derive(Debug, Clone)]
pub struct Closing {
    /// The outcomes of its records.
    pub outcomes: Outcomes,
    /// Why nothing more is to be submitted, if so.
    pub stop: Option<Reason>,
    /// When the watchdog looks at what follows.
    pub overdue_at: Millis,
}

impl Next {
    /// A step that a message brings. The watchdog looks for it so long after it may be taken, and after the claim of
    /// whoever writes it has expired.
    pub fn by_message(call: Call, not_before: Millis, claim_until: Millis, overdue: Duration) -> Self {
        Self { call, not_before, overdue_at: later(not_before.max(claim_until), overdue), kept: false }
    }

    /// A step that its holder takes within its claim. The watchdog looks for it when the holder must have died.
    pub fn by_its_holder(call: Call, not_before: Millis, claim_until: Millis, takeover: &Takeover) -> Self {
        Self {
            call,
            not_before,
            overdue_at: takeover.due_at(&Unfinished::default(), claim_until),
            kept: true,
        }
    }
}

impl Batch {
    fn stepped(&self, send: &SendRef, event: BatchEvent, next: Next) -> Result<Self, IllegalTransition> {
        Ok(Self {
            status: self.status.next(event)?,
            n: self.n + 1,
            call: next.call,
            claim: self.claim.filter(|_| next.kept),
            unfinished: Unfinished::default(),
            token_renewed: false,
            handed_on: false,
            not_before: next.not_before,
            due: Due::at(next.overdue_at, send),
            rev: self.rev + 1,
            ..self.clone()
        })
    }

    /// Skolverket took it.
    pub fn submitted(
        &self,
        send: &SendRef,
        job_id: SkolverketJobId,
        now: Timestamp,
        next: Next,
    ) -> Result<Self, IllegalTransition> {
        let mut pieces = self.pieces.clone();
        if let Some(first) = pieces.first_mut() {
            first.uncertain = false;
        }
        Ok(Self {
            pieces,
            job_id: Some(job_id),
            submitted_at: Some(now),
            put_back: 0,
            waiting_since: None,
            unreadable: 0,
            uncertain: false,
            ..self.stepped(send, BatchEvent::Submitted, next)?
        })
    }

    /// The same again later. `waiting_since` is set while the batch waits for Skolverket.
    pub fn put_back(
        &self,
        send: &SendRef,
        next: Next,
        put_back: u32,
        waiting_since: Option<Timestamp>,
        uncertain: bool,
    ) -> Result<Self, IllegalTransition> {
        Ok(Self {
            put_back,
            waiting_since,
            uncertain: self.uncertain || uncertain,
            ..self.stepped(send, BatchEvent::PutBack, next)?
        })
    }

    /// Skolverket does not know the job that it gave: the batch is submitted anew. A repeat is safe.
    pub fn new_try(&self, send: &SendRef, next: Next) -> Result<Self, IllegalTransition> {
        Ok(Self {
            attempt_try: self.attempt_try + 1,
            n: 0,
            job_id: None,
            submitted_at: None,
            put_back: 0,
            unreadable: 0,
            lost: self.lost + 1,
            uncertain: true,
            ..self.stepped(send, BatchEvent::PutBack, next)?
        })
    }

    /// What is left of it is sent piece by piece; some of its records may have their outcome.
    pub fn taken_apart(
        &self,
        send: &SendRef,
        pieces: Vec<Piece>,
        outcomes: &Outcomes,
        next: Next,
    ) -> Result<Self, IllegalTransition> {
        Ok(Self {
            attempt_try: self.attempt_try + 1,
            n: 0,
            job_id: None,
            submitted_at: None,
            put_back: 0,
            waiting_since: None,
            unreadable: 0,
            lost: 0,
            uncertain: false,
            pieces,
            settled: Some(outcomes.counts).filter(|counts| counts.total > 0),
            answers: outcomes.answers.clone(),
            issues: outcomes.issues,
            usual_status_code: outcomes.usual_status_code,
            ..self.stepped(send, BatchEvent::PutBack, next)?
        })
    }

    pub(crate) fn closed(&self, send: &SendRef, closing: &Closing) -> Result<Self, IllegalTransition> {
        Ok(Self {
            status: self.status.next(BatchEvent::Finished)?,
            claim: None,
            handed_on: false,
            due: Due::at(closing.overdue_at, send),
            waiting_since: None,
            pieces: Vec::new(),
            settled: None,
            counts: Some(closing.outcomes.counts),
            answers: closing.outcomes.answers.clone(),
            issues: closing.outcomes.issues,
            causes: closing.outcomes.causes.clone(),
            usual_status_code: closing.outcomes.usual_status_code,
            rev: self.rev + 1,
            ..self.clone()
        })
    }
}

/// A holder's write that came too late is no error of the history: somebody else has the step.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Another holder has written the batch since.
    #[error("the claim was lost")]
    ClaimLost,
    #[error("{0}")]
    /// A state met an event that has no place in it.
    Illegal(#[from] IllegalTransition),
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
    /// Writes the next step of an open batch, on condition that `before` is still what is written.
    pub async fn step_on(&self, job: &JobKey, before: &Batch, after: &Batch) -> Result<(), StepError> {
        if self.write(put_batch(job, before.rev, after)?).await? {
            return Ok(());
        }
        // A write that was repeated on the wire meets itself.
        let known = self.batch(job, before.batch).await?;
        if known.as_ref() == Some(after) { Ok(()) } else { Err(StepError::ClaimLost) }
    }

    /// Writes that a batch is taken apart. With `extra` it costs a call beyond one a batch, of which a job has so many:
    /// says whether there was one left. A batch that waits lets its successor go: `release` says so.
    pub async fn take_apart(
        &self,
        job: &JobKey,
        before: &Batch,
        after: &Batch,
        extra: Option<u32>,
        release: Option<(BatchId, Millis)>,
    ) -> Result<bool, StepError> {
        let mut writes = vec![put_batch(job, before.rev, after)?];
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
                if known.as_ref() == Some(after) { Ok(true) } else { Err(StepError::ClaimLost) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Closes a batch: its outcome, its job's counters, and that its successor is due, in one transaction.
    pub async fn close(
        &self,
        job: &JobKey,
        before: &Batch,
        closing: &Closing,
        successor_is_due: bool,
    ) -> Result<Batch, StepError> {
        let after = before.closed(&job.send, closing)?;
        let Counts { success, warning, error, skipped, not_sent, unknown, .. } = closing.outcomes.counts;
        let counted = Write::update(
            job.key(),
            "ADD #open :less, #closed :one, #success :success, #warning :warning, #error :error, \
             #skipped :skipped, #notSent :notSent, #unknown :unknown",
        )
        .when("#open > :none")
        .with("none", 0)?
        .with("less", -1)?
        .with("one", 1)?
        .with("success", success)?
        .with("warning", warning)?
        .with("error", error)?
        .with("skipped", skipped)?
        .with("notSent", not_sent)?
        .with("unknown", unknown)?;
        let mut writes = vec![put_batch(job, before.rev, &after)?, counted];
        match (&closing.stop, after.successor.filter(|_| successor_is_due)) {
            (Some(reason), _) => writes.push(
                // The first reason is the one that is told.
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
                if known.as_ref() == Some(&after) { Ok(after) } else { Err(StepError::ClaimLost) }
            }
            Ok(()) => Ok(after),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows on the job since when it waits for Skolverket, and why; or, with nothing, that it does not.
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

    /// Notes that the message for step `n` was sent, or, of a closed batch, those that follow: only then its `dueAt`
    /// goes. That of an open one stays: it watches over step `n` itself, until that is claimed. Another step written meanwhile makes this one's note pointless.
    pub async fn handed_on(&self, job: &JobKey, batch: &Batch) -> Result<(), HistoryError> {
        let expression = match batch.status {
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

    /// A planned batch that will never be claimed is due no more.
    pub async fn leave_planned(&self, job: &JobKey, batch: &Batch) -> Result<(), HistoryError> {
        let write = Write::update(job.batch(batch.batch), "REMOVE #dueAt, #dueShard")
            .when("#status = :planned")
            .with("planned", BatchStatus::Planned)?;
        self.write(write).await?;
        Ok(())
    }

    /// Keeps a call. Written before what follows from it.
    pub async fn put_attempt(&self, job: &JobKey, attempt: &Attempt) -> Result<(), HistoryError> {
        self.put(&job.attempt(attempt.attempt), attempt).await
    }
}
