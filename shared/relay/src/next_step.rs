//! Schedules the next step of a batch: by the current holder of the claim or by a queue message. It does not decide
//! whether there is a next step.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::WaitCause;
use stafett_domain::time::later;
use stafett_history::{Batch, HistoryError, Next, Open};

use crate::error::StepFailure;
use crate::follow_up::{FollowUp, JobRef};
use crate::relay::Relay;

/// What follows a step of a batch.
pub(crate) enum StepResult {
    /// The current holder continues with the batch now.
    Continue(Box<Batch<Open>>),
    /// The batch is closed, or a queue message starts its next step.
    Done(FollowUp),
}

impl Relay {
    /// Schedules the next step after `wait`. The current holder takes it if the wait is short and the claim lasts long
    /// enough for another call; otherwise a message does.
    pub(crate) fn next(&self, job: &JobRef, wait: Duration) -> Next {
        let timing = &self.timing;
        let not_before = later(self.clock.now().as_millisecond(), wait);
        let needed = wait + timing.slot_wait + self.call_time();
        let by_its_holder = wait <= timing.inline_wait && self.rest(job) > needed;
        let until = job.until.as_millisecond();
        if by_its_holder {
            Next::by_its_holder(not_before, until, &timing.takeover)
        } else {
            Next::by_message(not_before, until, timing.overdue)
        }
    }

    /// Stores the next step. If the holder keeps it, sleeps until it is due and returns `Continue`; otherwise returns the
    /// message to queue.
    pub(crate) async fn step_on(
        &self,
        job: &JobRef,
        before: &Batch<Open>,
        after: Batch<Open>,
        next: Next,
    ) -> Result<StepResult, StepFailure> {
        self.history.step_on(&job.key, before, &after).await?;
        let wait = self.time_until(after.progress.not_before);
        if next.kept {
            tokio::time::sleep(wait).await;
            return Ok(StepResult::Continue(Box::new(after)));
        }
        Ok(StepResult::Done(FollowUp::step(job, after.step(), wait).batch_handed_on(job, after)))
    }

    /// Stores on the job since when and why it waits for Skolverket, or removes this when the wait is over.
    pub(crate) async fn show_waiting(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        waiting: Option<(Timestamp, WaitCause)>,
    ) -> Result<(), HistoryError> {
        if waiting.is_none() && batch.progress.waiting.is_none() {
            return Ok(());
        }
        self.history.show_waiting(&job.key, waiting).await
    }
}
