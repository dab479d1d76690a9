//! Handles one message: takes one step and hands on what follows from it.

use std::time::Duration;

use stafett_domain::message::{BatchStep, InvalidMessage, Message, MessageNames, Step};
use stafett_domain::takeover::Unfinished;
use stafett_domain::{BatchId, Call, ClaimId, Reason, ReasonCode, RecordKind};
use stafett_history::{
    AT_ONCE, Batch, BatchClaim, ClaimAnswer, Job, PAUSED, Progress, SendRef, StartAnswer, StartClaim,
    StepError,
};
use uuid::Uuid;

use crate::error::{HandleError, StepFailure};
use crate::follow_up::{FollowUp, JobRef, first_step};
use crate::relay::Relay;

#[cfg(test)]
mod tests;

impl Relay {
    /// Takes the step that a message asks for, and applies the follow-up. `until`: see [`Relay::deadline`].
    ///
    /// # Errors
    /// [`HandleError`]: the queue must deliver the message again.
    pub async fn handle(
        &self,
        stage: RecordKind,
        body: &str,
        until: jiff::Timestamp,
    ) -> Result<(), HandleError> {
        let message = match Message::parse(body) {
            Err(InvalidMessage::Newer(version)) => return self.put_off_newer(stage, body, version).await,
            read => read?,
        };
        if message.stage != stage {
            return Err(HandleError::OtherStage(message.stage));
        }
        let key = SendRef::new(message.organisation, message.send).job(stage);
        let job = JobRef { key, until };
        let follow_up = match message.step {
            Step::Start => self.start(&job).await?,
            Step::Submit(asked) => self.batch_step(&job, Call::Submit, asked, false).await?,
            Step::Poll(asked) => self.batch_step(&job, Call::Poll, asked, false).await?,
        };
        self.handover.apply(follow_up).await
    }

    /// Puts off a message from a later deploy until that deploy is back. Without this, the message becomes a dead
    /// letter after five receives. If a step becomes overdue in the meantime, the watchdog queues it again in a format
    /// that this deploy can read.
    async fn put_off_newer(&self, stage: RecordKind, body: &str, version: u32) -> Result<(), HandleError> {
        let MessageNames { organisation, send, .. } = MessageNames::of(body);
        tracing::warn!(
            event = "message.newer", version, stage = %stage, organisation = organisation.map(display),
            send = send.map(display), "a message of a newer version waits"
        );
        Ok(self.queues.put_off(stage, body).await?)
    }

    async fn start(&self, job: &JobRef) -> Result<FollowUp, HandleError> {
        let JobRef { key, until } = job;
        let until = until.as_millisecond();
        let claim = StartClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.clock.now(),
            until,
            takeover: &self.timing.takeover,
            overdue_at: self.overdue_at(until),
        };
        match self.history.claim_start(key, &claim).await? {
            StartAnswer::Started(started) => {
                tracing::info!(
                    event = "job.started", send = %key.send.send, organisation = %key.send.organisation,
                    stage = %key.stage, records = started.counts.total, batches = started.batches, "a job started"
                );
                self.after_start(job, &started).await
            }
            StartAnswer::HandOn(started) => {
                self.log_takeover(job, None, &started.unfinished);
                if self.timing.takeover.gives_up(&started.unfinished, claim.now.as_millisecond()) {
                    self.give_up_start(job).await
                } else {
                    self.after_start_again(job, &started).await
                }
            }
            StartAnswer::Held { rest, copy } => Ok(self.copy_of(job, Step::Start, rest, copy)),
            StartAnswer::Stopped => self.handover.end_stopped(&job.key.send).await,
            StartAnswer::Done(why) => {
                self.log_stale(job, why);
                Ok(FollowUp::nothing())
            }
        }
    }

    /// Submits the first batches. A job with one batch submits it at once: a message would only cost time.
    async fn after_start(&self, job: &JobRef, started: &Job) -> Result<FollowUp, HandleError> {
        match started.batches {
            0 => {
                let settled = self.handover.settle(&job.key, false).await?;
                Ok(settled.start_handed_on(job))
            }
            1 => Box::pin(self.batch_step(job, Call::Submit, first_step(BatchId(0)), true)).await,
            batches => {
                let firsts = (0..batches.min(AT_ONCE)).map(BatchId);
                Ok(FollowUp::first_submits(job, firsts).start_handed_on(job))
            }
        }
    }

    /// What follows from a start that was not handed on: everything that is still to do.
    async fn after_start_again(&self, job: &JobRef, started: &Job) -> Result<FollowUp, HandleError> {
        let mut follow_up = FollowUp::nothing();
        for batch in (0..started.batches.min(AT_ONCE)).map(BatchId) {
            follow_up = follow_up.and(self.submit_if_planned(job, batch).await?);
        }
        let settled = self.handover.settle(&job.key, true).await?;
        Ok(follow_up.and(settled).start_handed_on(job))
    }

    /// Stops the send, because every holder of this start has died.
    async fn give_up_start(&self, job: &JobRef) -> Result<FollowUp, HandleError> {
        tracing::error!(
            event = "send.stopped", send = %job.key.send.send, organisation = %job.key.send.organisation, stage = %job.key.stage,
            reason = ?ReasonCode::Unfinished, "a send is stopped"
        );
        let stopped = self.handover.stop(&job.key.send, Reason::new(ReasonCode::Unfinished)).await?;
        // The open batches continue to their end, and then end the send.
        Ok(stopped.unwrap_or_default().start_handed_on(job))
    }

    async fn submit_if_planned(&self, job: &JobRef, batch: BatchId) -> Result<FollowUp, HandleError> {
        let batch = self.history.batch(&job.key, batch).await?;
        let planned = batch.filter(|batch| batch.progress == Progress::Planned);
        Ok(planned.map_or_else(FollowUp::nothing, |batch| FollowUp::step(job, batch.step(), Duration::ZERO)))
    }

    /// Takes a step of a batch. `within_start`: as part of its job's start.
    async fn batch_step(
        &self,
        job: &JobRef,
        call: Call,
        asked: BatchStep,
        within_start: bool,
    ) -> Result<FollowUp, HandleError> {
        let claim = BatchClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.clock.now().as_millisecond(),
            until: job.until.as_millisecond(),
            takeover: &self.timing.takeover,
            within_start,
        };
        let stale = |why| {
            self.log_stale(job, why);
            Ok(FollowUp::nothing())
        };
        let taken = match self.history.claim_step(&job.key, call, asked, &claim).await? {
            ClaimAnswer::Started(batch) => {
                self.log_takeover(job, Some(batch.batch), &batch.progress.unfinished);
                Box::pin(self.work(job, *batch)).await
            }
            ClaimAnswer::Stopped(batch) => self.give_up(job, batch).await,
            ClaimAnswer::HandOn(batch) => return self.hand_on_again(job, batch).await,
            ClaimAnswer::Held { rest, copy } => {
                return Ok(self.copy_of(job, Step::of(call, asked), rest, copy));
            }
            ClaimAnswer::Early { rest } => return Ok(FollowUp::step(job, Step::of(call, asked), rest)),
            ClaimAnswer::Paused => return stale(PAUSED),
            ClaimAnswer::Done => return stale("done and handed on"),
            ClaimAnswer::Gone => return stale("erased"),
        };
        match taken {
            // Another holder has the step. What this one did can safely be repeated.
            Err(StepFailure::Step(StepError::ClaimLost)) => stale("the claim was lost"),
            other => other.map_err(Into::into),
        }
    }

    /// Copies a message that met another holder, once per claim. If that holder dies, the copy takes over.
    fn copy_of(&self, job: &JobRef, step: Step, rest: Duration, copy: bool) -> FollowUp {
        if copy {
            FollowUp::step(job, step, rest + self.timing.queue_delay_unit)
        } else {
            FollowUp::nothing()
        }
    }

    /// What follows from a step that is done but was not handed on.
    async fn hand_on_again(&self, job: &JobRef, batch: Batch) -> Result<FollowUp, HandleError> {
        let follow_up = match &batch.progress {
            Progress::Closed(_) => {
                let successor = match batch.successor {
                    Some(successor) => self.submit_if_planned(job, successor).await?,
                    None => FollowUp::nothing(),
                };
                successor.and(self.handover.settle(&job.key, true).await?)
            }
            Progress::Open(open) => FollowUp::step(job, batch.step(), self.time_until(open.not_before)),
            Progress::Planned => FollowUp::step(job, batch.step(), Duration::ZERO),
        };
        Ok(follow_up.batch_handed_on(job, batch))
    }

    fn log_takeover(&self, job: &JobRef, batch: Option<BatchId>, unfinished: &Unfinished) {
        if unfinished.claims > 0 {
            tracing::warn!(
                event = "step.takenOver", send = %job.key.send.send, organisation = %job.key.send.organisation,
                stage = %job.key.stage, batch = batch.map(|batch| batch.0), unfinished = unfinished.claims,
                "a step is taken up again whose holder died"
            );
        }
    }

    fn log_stale(&self, job: &JobRef, why: &'static str) {
        tracing::info!(
            event = "message.stale", send = %job.key.send.send, organisation = %job.key.send.organisation, stage = %job.key.stage,
            why, "a message asked for nothing that is to be done"
        );
    }
}
