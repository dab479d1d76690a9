//! Settles the records of a batch: the batch closes, or is split.

use std::time::Duration;

use stafett_domain::piece::Piece;
use stafett_domain::{BatchEvent, Call, Counts, Outcome, Reason, ReasonCode};
use stafett_history::{Batch, Closed, Closing, HistoryError, Issue, Issues, Next, Open, Outcomes, Progress};
use stafett_skolverket::LogEntry;

use crate::batch_body::BatchBody;
use crate::error::StepFailure;
use crate::follow_up::{FollowUp, JobRef};
use crate::next_step::StepResult;
use crate::relay::Relay;
use crate::verdict;

/// The additional calls that one job may make because its batches are split.
const EXTRA_CALLS: u32 = 40;

/// What is known about the records of the piece that was sent.
pub(crate) struct Found {
    /// Their outcomes.
    pub(crate) counts: Counts,
    /// The records that were not simply accepted.
    pub(crate) issues: Vec<Issue>,
    /// See [`Outcomes::usual_status_code`].
    pub(crate) usual_status_code: Option<u16>,
    /// Whether this comes from the answer to this attempt, which is stored.
    pub(crate) answered: bool,
}

impl Relay {
    /// Settles a piece that has its answer: the batch closes, or its next piece is sent. Records with a transient fault
    /// become a piece of a later round.
    pub(crate) async fn settle_piece(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        found: Found,
        transient: Vec<u32>,
        stop: Option<Reason>,
    ) -> Result<StepResult, StepFailure> {
        let mut pieces = batch.progress.pieces.get(1..).unwrap_or_default().to_vec();
        if !transient.is_empty() {
            pieces.push(Piece { records: transient, round: batch.piece().round + 1, uncertain: false });
        }
        if stop.is_some() && !pieces.is_empty() {
            // The remaining pieces are not sent.
            let found = found.unheard(&pieces);
            let outcomes = self.gather(job, batch, found).await?;
            return self.close(job, batch, outcomes, stop).await.map(StepResult::Done);
        }
        let outcomes = self.gather(job, batch, found).await?;
        if pieces.is_empty() {
            return self.close(job, batch, outcomes, stop).await.map(StepResult::Done);
        }
        self.send_rest(job, batch, pieces, &outcomes, None).await
    }

    /// Skips the records that depend on records which earlier stages did not get accepted. Continues with the rest, if
    /// there is any.
    pub(crate) async fn skip(
        &self,
        job: &JobRef,
        batch: Batch<Open>,
        loaded: &BatchBody,
    ) -> Result<StepResult, StepFailure> {
        let piece = batch.piece();
        let skipped = loaded.skipped(job.key.stage, &piece.records);
        if skipped.is_empty() {
            return Ok(StepResult::Continue(Box::new(batch)));
        }
        let rest = skipped.iter().try_fold(piece, |rest, (index, _)| rest.without(*index));
        let pieces: Vec<_> = rest
            .into_iter()
            .chain(batch.progress.pieces.get(1..).unwrap_or_default().iter().cloned())
            .collect();
        let issues: Vec<_> = skipped
            .into_iter()
            .map(|(index, because)| Issue { without: vec![because], ..Issue::new(index, Outcome::Skipped) })
            .collect();
        let counts = Counts::all(u32::try_from(issues.len()).unwrap_or(u32::MAX), Outcome::Skipped);
        let outcomes = self.gather(job, &batch, Found { counts, issues, ..Found::nothing(&batch) }).await?;
        if pieces.is_empty() {
            return self.close(job, &batch, outcomes, None).await.map(StepResult::Done);
        }
        let next = Next { kept: true, ..self.next(job, Duration::ZERO) };
        let after = batch.split(&job.key.send, pieces, &outcomes, next);
        self.step_on(job, &batch, after, next).await
    }

    /// Handles a call that was refused as a whole (400 or 413). If the answer names a record as the cause, only that
    /// record is refused. Otherwise the records are split in two halves. A single record is its own cause.
    pub(crate) async fn refused(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        loaded: &BatchBody,
        status: u16,
        log: &[LogEntry],
    ) -> Result<StepResult, StepFailure> {
        let piece = batch.piece();
        let later = batch.progress.pieces.get(1..).unwrap_or_default();
        let is_about = |entry: &LogEntry, index: u32| {
            loaded.records.get(index as usize).is_some_and(|record| entry.is_about(*record))
        };
        let named = piece
            .records
            .iter()
            .copied()
            .find(|index| status == 400 && log.iter().any(|entry| is_about(entry, *index)));
        let (culprit, first) = match (named, piece.halves()) {
            (Some(culprit), _) => (Some(culprit), piece.without(culprit).into_iter().collect()),
            (None, Some(halves)) => (None, halves.to_vec()),
            (None, None) => (piece.records.first().copied(), Vec::new()),
        };
        let pieces: Vec<_> = first.into_iter().chain(later.iter().cloned()).collect();
        let found = match culprit {
            None => Found::nothing(batch),
            Some(index) => {
                let about = |entry: &&LogEntry| named.is_none() || is_about(entry, index);
                let messages = log.iter().filter(about).cloned().collect();
                let issue =
                    Issue { messages, status_code: Some(status), ..Issue::new(index, Outcome::Error) };
                Found { counts: Counts::all(1, Outcome::Error), issues: vec![issue], ..Found::nothing(batch) }
            }
        };
        let outcomes = self.gather(job, batch, found).await?;
        if pieces.is_empty() {
            return self.close(job, batch, outcomes, None).await.map(StepResult::Done);
        }
        self.send_rest(job, batch, pieces, &outcomes, Some(status)).await
    }

    /// Sends the rest of a batch. `refused`: the status of the refusal that caused this, which costs an extra call.
    async fn send_rest(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        pieces: Vec<Piece>,
        outcomes: &Outcomes,
        refused: Option<u16>,
    ) -> Result<StepResult, StepFailure> {
        let round = pieces.first().map(|piece| piece.round).unwrap_or_default();
        let wait = if round > 0 { verdict::round_wait(&self.timing, round) } else { Duration::ZERO };
        let next = Next { kept: false, ..self.next(job, wait) };
        let mut after = batch.split(&job.key.send, pieces, outcomes, next);
        // A batch that only waits must not delay the batches behind it.
        let release = after.successor.filter(|_| round > 0);
        if release.is_some() {
            after.successor = None;
        }
        let overdue_at = self.handover.overdue_at();
        let extra = refused.map(|_| EXTRA_CALLS);
        let release_at = release.map(|successor| (successor, overdue_at));
        let left = self.history.split_batch(&job.key, batch, &after, extra, release_at).await?;
        if !left {
            let status = refused.unwrap_or_default();
            return self
                .stop(job, batch, Reason::with_status(ReasonCode::Refused, status))
                .await
                .map(StepResult::Done);
        }
        tracing::info!(
            event = "batch.takenApart", send = %job.key.send.send, organisation = %job.key.send.organisation,
            stage = %job.key.stage, batch = batch.batch.0, pieces = after.progress.pieces.len(), round,
            "what is left of a batch is sent piece by piece"
        );
        let rest = FollowUp::step(job, after.step(), wait);
        Ok(StepResult::Done(FollowUp::first_submits(job, release).and(rest).batch_handed_on(job, after)))
    }

    /// Combines the new results with what is known about the batch's other records, and stores the issues.
    async fn gather(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        found: Found,
    ) -> Result<Outcomes, HistoryError> {
        let mut issues = match batch.progress.settled.issues {
            Some(attempt) => self.history.issues(&job.key, attempt).await?,
            None => Issues::default(),
        };
        issues.records.extend(found.issues);
        issues.records.sort_by_key(|issue| issue.index);
        let attempt = batch.attempt();
        let kept = !issues.records.is_empty();
        if kept {
            self.history.put_issues(&job.key, attempt, &issues, batch.expires).await?;
        }
        let mut answers = batch.progress.settled.answers.clone();
        if found.answered {
            answers.push(attempt);
        }
        Ok(Outcomes {
            counts: batch.progress.settled.counts.plus(found.counts),
            answers,
            issues: kept.then_some(attempt),
            causes: issues.causes(),
            usual_status_code: found.usual_status_code,
        })
    }

    /// Stops submitting: this batch was not delivered, or its outcome stays unknown.
    pub(crate) async fn stop(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        reason: Reason,
    ) -> Result<FollowUp, StepFailure> {
        tracing::error!(
            event = "send.stopped", send = %job.key.send.send, organisation = %job.key.send.organisation, stage = %job.key.stage,
            batch = batch.batch.0, attempt = %batch.attempt(), reason = ?reason.code, cause = ?reason.cause,
            "a send is stopped"
        );
        let sent = batch.piece().uncertain || batch.call() == Call::Poll;
        let outcomes = self.undelivered(job, batch, sent).await?;
        self.close(job, batch, outcomes, Some(reason)).await
    }

    /// Handles a submit for a send that is stopping: an open batch is closed, a planned one stays as it is.
    pub(crate) async fn give_up(&self, job: &JobRef, batch: Batch) -> Result<FollowUp, StepFailure> {
        if batch.progress == Progress::Planned {
            // Its `dueAt` may be the last one that makes the watchdog check this send. It is removed after the send is
            // settled.
            let settled = self.handover.settle(&job.key, true).await?;
            return Ok(settled.left_planned(job, batch));
        }
        let batch = batch.opened(BatchEvent::Finished)?;
        let outcomes = self.undelivered(job, &batch, batch.may_have_been_sent()).await?;
        let closing = Closing { outcomes, stop: None, overdue_at: self.handover.overdue_at() };
        let closed = self.history.close(&job.key, &batch, &closing, false).await?;
        self.after_close(job, closed, true).await
    }

    /// What follows from a batch that this invocation closed.
    async fn after_close(
        &self,
        job: &JobRef,
        batch: Batch<Closed>,
        stops: bool,
    ) -> Result<FollowUp, StepFailure> {
        let successor = FollowUp::first_submits(job, batch.successor.filter(|_| !stops));
        let settled = self.handover.settle(&job.key, false).await?;
        Ok(successor.and(settled).batch_handed_on(job, batch))
    }

    /// The outcomes of a batch that gets no more answers. What is already known about some of its records stays.
    async fn undelivered(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        sent: bool,
    ) -> Result<Outcomes, HistoryError> {
        let outcome = if sent { Outcome::Unknown } else { Outcome::NotSent };
        if batch.progress.pieces.is_empty() {
            return Ok(Outcomes { counts: Counts::all(batch.total, outcome), ..Outcomes::default() });
        }
        let (first, later) = batch.progress.pieces.split_at(1);
        let found = Found::nothing(batch).with(first, outcome).unheard(later);
        self.gather(job, batch, found).await
    }

    async fn close(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        outcomes: Outcomes,
        stop: Option<Reason>,
    ) -> Result<FollowUp, StepFailure> {
        self.show_waiting(job, batch, None).await?;
        let overdue_at = self.handover.overdue_at();
        let Counts { success, warning, error, unknown, not_sent, .. } = outcomes.counts;
        let closing = Closing { outcomes, stop, overdue_at };
        let stops = closing.stop.is_some();
        let closed = self.history.close(&job.key, batch, &closing, !stops).await?;
        tracing::info!(
            event = "batch.closed", send = %job.key.send.send, organisation = %job.key.send.organisation, stage = %job.key.stage,
            batch = batch.batch.0, success, warning, error, unknown, not_sent, "a batch is closed"
        );
        self.after_close(job, closed, stops).await
    }
}

impl Found {
    /// No outcomes from this attempt.
    fn nothing(batch: &Batch<Open>) -> Self {
        Self {
            counts: Counts::default(),
            issues: Vec::new(),
            usual_status_code: batch.progress.settled.usual_status_code,
            answered: false,
        }
    }

    /// Adds the outcomes of the pieces that are not sent.
    fn unheard(self, pieces: &[Piece]) -> Self {
        pieces.iter().fold(self, |found, piece| found.with(std::slice::from_ref(piece), piece.unheard()))
    }

    /// Adds this outcome for all records of these pieces.
    fn with(mut self, pieces: &[Piece], outcome: Outcome) -> Self {
        for index in pieces.iter().flat_map(|piece| &piece.records) {
            self.counts = self.counts.plus(Counts::of([outcome]));
            self.issues.push(Issue::new(*index, outcome));
        }
        self
    }
}
