//! How a batch goes on from one step to its next.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::WaitCause;
use stafett_domain::time::later;
use stafett_history::{Batch, HistoryError, Next, Open};

use crate::error::StepFailure;
use crate::follow_up::{FollowUp, JobRef};
use crate::relay::Relay;

/// Where a step leads.
pub(crate) enum Course {
    /// The same holder goes on with the batch, after a wait that is over.
    On(Box<Batch<Open>>),
    /// The batch is closed, or its next step is a message's to ask for.
    Done(FollowUp),
}

impl Relay {
    /// The batch's next step, `wait` from now, by the same holder if the wait is short and enough of the claim is
    /// left for it.
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

    /// Writes the next step; then goes on with it, or hands it to a message.
    pub(crate) async fn step_on(
        &self,
        job: &JobRef,
        before: &Batch<Open>,
        after: Batch<Open>,
        next: Next,
    ) -> Result<Course, StepFailure> {
        self.history.step_on(&job.key, before, &after).await?;
        let wait = self.time_until(after.progress.not_before);
        if next.kept {
            tokio::time::sleep(wait).await;
            return Ok(Course::On(Box::new(after)));
        }
        Ok(Course::Done(FollowUp::step(job, after.step(), wait).batch_handed_on(job, after)))
    }

    /// While the job waits for Skolverket it shows since when and why.
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
