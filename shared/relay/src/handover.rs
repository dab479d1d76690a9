//! Applies follow-ups: queues the messages first, then writes the note in the history. Also ends jobs and sends,
//! because what starts after them is the most important follow-up.

use std::time::Duration;

use stafett_domain::Reason;
use stafett_domain::time::later;
use stafett_history::{EndedJob, History, JobKey, SendRef, Settled};
use stafett_runtime::{Clock, Metrics, Process, Queues};

use crate::error::HandleError;
use crate::follow_up::{FollowUp, Note};

/// Hands a send on: from step to step, from job to job, and to the organiser's next send.
pub struct Handover {
    history: History,
    queues: Queues,
    metrics: Metrics,
    clock: Clock,
    /// How long after its due time the watchdog queues a step again.
    overdue: Duration,
}

impl Handover {
    /// Builds it, once per process.
    pub fn new(process: &Process, history: History) -> Self {
        Self {
            history,
            queues: process.queues.clone(),
            metrics: process.metrics.clone(),
            clock: process.clock,
            overdue: process.config.timing.overdue,
        }
    }

    /// Queues the messages, then notes that they are queued. Safe to repeat.
    pub(crate) async fn apply(&self, follow_up: FollowUp) -> Result<(), HandleError> {
        let FollowUp { messages, then } = follow_up;
        match messages.as_slice() {
            [(message, wait)] => self.queues.send(message, *wait).await?,
            several if several.iter().all(|(_, wait)| wait.is_zero()) => {
                let messages: Vec<_> = several.iter().map(|(message, _)| message.clone()).collect();
                self.queues.send_all(&messages).await?;
            }
            several => {
                for (message, wait) in several {
                    self.queues.send(message, *wait).await?;
                }
            }
        }
        match then {
            None => {}
            Some(Note::StartHandedOn(job)) => self.history.start_handed_on(&job).await?,
            Some(Note::BatchHandedOn(job, batch)) => {
                self.history.handed_on(&job, &batch).await?;
            }
            Some(Note::LeftPlanned(job, batch)) => {
                self.history.leave_planned(&job, &batch).await?;
            }
        }
        Ok(())
    }

    /// Ends the job if it can end. `again`: the step was done before, but its follow-up may not have been handed on.
    pub(crate) async fn settle(&self, job: &JobKey, again: bool) -> Result<FollowUp, HandleError> {
        let settled = self.history.settle(job, self.clock.now(), self.overdue_at(), again).await?;
        Ok(self.after_end(&job.send, settled))
    }

    /// Ends a send that is stopping, if nothing of it is open.
    pub(crate) async fn end_stopped(&self, send: &SendRef) -> Result<FollowUp, HandleError> {
        let settled = self.history.end_stopped(send, self.clock.now(), self.overdue_at()).await?;
        Ok(self.after_end(send, settled))
    }

    /// Asks for a send to stop, for a reason, and ends it at once if nothing of it is open. Returns `false` if the send
    /// had already ended.
    ///
    /// # Errors
    /// [`HandleError`]; the request can be repeated.
    pub async fn request_stop(&self, send: &SendRef, reason: Reason) -> Result<bool, HandleError> {
        match self.stop(send, reason).await? {
            Some(follow_up) => self.apply(follow_up).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Same as [`Handover::request_stop`], but the caller applies the follow-up. Returns `None` if the send had already
    /// ended.
    pub(crate) async fn stop(&self, send: &SendRef, reason: Reason) -> Result<Option<FollowUp>, HandleError> {
        let code = reason.code;
        if !self.history.request_stop(send, reason).await? {
            return Ok(None);
        }
        tracing::info!(
            event = "send.stopping", send = %send.send, organisation = %send.organisation, reason = ?code,
            "a send is asked to stop"
        );
        self.end_stopped(send).await.map(Some)
    }

    /// The time at which a step that is taken now becomes overdue.
    pub(crate) fn overdue_at(&self) -> i64 {
        later(self.clock.now().as_millisecond(), self.overdue)
    }

    fn after_end(&self, send: &SendRef, settled: Settled) -> FollowUp {
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
        start.map_or_else(FollowUp::nothing, |job| FollowUp::start(&job))
    }
}
