//! The end of a job and of a send.

use jiff::Timestamp;
use stafett_domain::{
    Counts, Ending, JobEvent, JobStatus, OnRecordErrors, Reason, ReasonCode, RecordKind, Route, SendEvent,
    SendStatus,
};

use crate::acceptance::due_job;
use crate::contention::Contention;
use crate::error::{HistoryError, WriteError};
use crate::item::{Job, SendHeader};
use crate::key::{JobKey, SendRef};
use crate::store::History;
use crate::write::Write;
use stafett_domain::time::Millis;

/// The result of checking whether a job can end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Batches are open or can still be sent.
    NotYet,
    /// This check ended these jobs, and the send if `send_ending` is set. `start` is the job to start next: the next
    /// stage of this send, or the first stage of the organiser's next send.
    Ended {
        /// The job to start now: the send's next job, or the first job of the organiser's next send.
        start: Option<JobKey>,
        /// The jobs that this check ended.
        jobs: Vec<EndedJob>,
        /// How the send ended, if it did.
        send_ending: Option<Ending>,
    },
    /// The job had ended before. `start` is set as above, if the caller asked for it and nobody has started that job
    /// yet.
    EndedBefore {
        /// The job to start next, if its message must still be queued.
        start: Option<JobKey>,
    },
}

/// A job that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedJob {
    pub stage: RecordKind,
    pub ending: Ending,
    /// The final counts: nothing is pending.
    pub counts: Counts,
}

impl EndedJob {
    fn of(job: &Job, ending: Ending) -> Self {
        Self { stage: job.stage, ending, counts: job.counts().settled() }
    }
}

impl History {
    /// Checks whether a job can end, and ends it. `again` means that the caller repeats a finished step, so that the
    /// message that follows the end of the job may be missing.
    pub async fn settle(
        &self,
        key: &JobKey,
        now: Timestamp,
        overdue_at: Millis,
        again: bool,
    ) -> Result<Settled, HistoryError> {
        let send = &key.send;
        let mut contention = Contention::default();
        loop {
            let (Some(job), Some(header)) =
                (self.job(key).await?, self.get::<SendHeader>(&send.header()).await?)
            else {
                return Ok(Settled::EndedBefore { start: None });
            };
            if header.stop_requested.is_some() && !header.status.has_ended() {
                return self.end_stopped(send, now, overdue_at).await;
            }
            if job.status.has_ended() {
                let start = if again { self.what_follows(key, &header).await? } else { None };
                return Ok(Settled::EndedBefore { start });
            }
            if job.status != JobStatus::Running || job.open > 0 || job.closed < job.batches {
                return Ok(Settled::NotYet);
            }
            let (ending, reason) = verdict(&job, header.options.on_record_errors);
            if ending == Ending::CompletedWithErrors && header.route.next(key.stage).is_some() {
                self.keep_refused(key, job.expires).await?;
            }
            let goes_on = !matches!(ending, Ending::Failed | Ending::Cancelled);
            let next = header.route.next(key.stage).filter(|_| goes_on).map(|next| send.job(next.kind));
            let result = match next {
                Some(next) => {
                    // The condition also covers the send, so that a stop request made meanwhile is not missed.
                    let going = Write::check(send.header())
                        .when("#status = :running AND attribute_not_exists(#stopRequested)")
                        .with("running", SendStatus::Running)?;
                    let end = end_job(send, &job, ending, reason.as_ref(), now)?;
                    let writes = vec![end, due_job(&next, overdue_at)?, going];
                    self.transact(writes).await.map(|()| (Some(next), None))
                }
                None => {
                    let keys: Vec<_> = header.route.kinds().map(|stage| send.job(stage).key()).collect();
                    let jobs: Vec<Job> = self.get_many(&keys).await?;
                    let send_ending = send_ending(&jobs, key.stage, ending);
                    let writes = end_jobs(send, &header.route, &jobs, ending, reason.as_ref(), now)?;
                    let ended = self.end_send(send, &header, send_ending, writes, now, overdue_at).await;
                    ended.map(|start| (start, Some(send_ending)))
                }
            };
            match result {
                Ok((start, send_ending)) => {
                    return Ok(Settled::Ended { start, jobs: vec![EndedJob::of(&job, ending)], send_ending });
                }
                Err(WriteError::Condition(_)) => contention.met_another().await?,
                Err(WriteError::History(error)) => return Err(error),
            }
        }
    }

    /// Ends a stopping send once none of its batches is open. The send may also be waiting, or between two jobs.
    pub async fn end_stopped(
        &self,
        send: &SendRef,
        now: Timestamp,
        overdue_at: Millis,
    ) -> Result<Settled, HistoryError> {
        let mut contention = Contention::default();
        loop {
            let header = self.get::<SendHeader>(&send.header()).await?;
            let Some(header) = header.filter(|header| !header.status.has_ended()) else {
                return Ok(Settled::EndedBefore { start: None });
            };
            let Some(reason) = &header.stop_requested else { return Ok(Settled::NotYet) };
            let keys: Vec<_> = header.route.kinds().map(|stage| send.job(stage).key()).collect();
            let jobs: Vec<Job> = self.get_many(&keys).await?;
            if jobs.iter().any(|job| job.open > 0) {
                return Ok(Settled::NotYet);
            }
            let ending =
                if reason.code == ReasonCode::Cancelled { Ending::Cancelled } else { Ending::Failed };
            let writes = end_jobs(send, &header.route, &jobs, ending, Some(reason), now)?;
            match self.end_send(send, &header, ending, writes, now, overdue_at).await {
                Ok(start) => {
                    let ran = jobs.iter().filter(|job| job.status == JobStatus::Running);
                    let jobs = ran.map(|job| EndedJob::of(job, ending)).collect();
                    return Ok(Settled::Ended { start, jobs, send_ending: Some(ending) });
                }
                Err(WriteError::Condition(_)) => contention.met_another().await?,
                Err(WriteError::History(error)) => return Err(error),
            }
        }
    }

    /// Requests that a send stops: nothing new is submitted, and open batches are polled to their end. The first reason
    /// is kept. Returns whether the send had not ended.
    pub async fn request_stop(&self, send: &SendRef, reason: Reason) -> Result<bool, HistoryError> {
        let write =
            Write::update(send.header(), "SET #stopRequested = if_not_exists(#stopRequested, :reason)")
                .when("#status = :queued OR #status = :running")
                .with("queued", SendStatus::Queued)?
                .with("running", SendStatus::Running)?
                .with("reason", reason)?;
        self.write(write).await
    }

    /// Ends a send and gives its place, if it has it, to the organiser's next send. This is one transaction with
    /// `writes`, which end its jobs.
    async fn end_send(
        &self,
        send: &SendRef,
        header: &SendHeader,
        ending: Ending,
        mut writes: Vec<Write>,
        now: Timestamp,
        overdue_at: Millis,
    ) -> Result<Option<JobKey>, WriteError> {
        let ended = header.status.next(SendEvent::Ended(ending))?;
        // A stop request that this check did not see makes the write fail, so that the next check sees it.
        let condition = match header.stop_requested {
            Some(_) => "#status = :before AND attribute_exists(#stopRequested)",
            None => "#status = :before AND attribute_not_exists(#stopRequested)",
        };
        writes.push(
            Write::update(send.header(), "SET #status = :ended, #endedAt = :now")
                .when(condition)
                .with("ended", ended)?
                .with("now", now)?
                .with("before", header.status)?,
        );
        let next =
            self.pass_place_on(send, header.seq.unwrap_or_default(), now, overdue_at, &mut writes).await?;
        self.transact(writes).await?;
        Ok(next)
    }

    /// Returns the job that follows a job that ended before, if nobody has started it yet.
    async fn what_follows(&self, job: &JobKey, header: &SendHeader) -> Result<Option<JobKey>, HistoryError> {
        let start = if header.status.has_ended() {
            let organiser = self.organiser(&job.send.organisation).await?;
            let running = organiser.and_then(|organiser| organiser.running);
            match running.map(|running| SendRef::new(job.send.organisation.clone(), running)) {
                Some(running) => {
                    let header: Option<SendHeader> = self.get(&running.header()).await?;
                    header.map(|header| running.job(header.route.first().kind))
                }
                None => None,
            }
        } else {
            header.route.next(job.stage).map(|next| job.send.job(next.kind))
        };
        let Some(next) = start else { return Ok(None) };
        let waits = self.job(&next).await?.is_some_and(|job| job.status == JobStatus::Waiting);
        Ok(waits.then_some(next))
    }
}

/// Returns how a job without open batches ends, and why.
fn verdict(job: &Job, on_record_errors: OnRecordErrors) -> (Ending, Option<Reason>) {
    let counts = job.counts();
    let ending = counts.ending(on_record_errors);
    let accepted = counts.success + counts.warning == counts.total;
    let reason = (!accepted).then(|| {
        let unknown = counts.error == 0 && counts.unknown > 0;
        Reason::new(if unknown { ReasonCode::OutcomeUnknown } else { ReasonCode::RecordErrors })
    });
    (ending, reason)
}

/// Returns how a send ends after its last job, `stage`, ended.
fn send_ending(jobs: &[Job], stage: RecordKind, last: Ending) -> Ending {
    let any = |status| jobs.iter().any(|job| job.stage != stage && job.status == status);
    match last {
        Ending::Failed | Ending::Cancelled => last,
        _ if last == Ending::CompletedWithErrors || any(JobStatus::CompletedWithErrors) => {
            Ending::CompletedWithErrors
        }
        _ if last == Ending::SucceededWithWarnings || any(JobStatus::SucceededWithWarnings) => {
            Ending::SucceededWithWarnings
        }
        _ => Ending::Succeeded,
    }
}

/// Ends the running job, if there is one, and skips the waiting jobs.
fn end_jobs(
    send: &SendRef,
    route: &Route,
    jobs: &[Job],
    ending: Ending,
    reason: Option<&Reason>,
    now: Timestamp,
) -> Result<Vec<Write>, HistoryError> {
    let earlier_job = Reason::new(ReasonCode::EarlierJob);
    // A stop that somebody requested applies to all jobs. Any other stop applies to the running job or, if none runs,
    // to the first waiting job. The jobs after it are skipped because of it.
    let of_all =
        reason.filter(|reason| matches!(reason.code, ReasonCode::Cancelled | ReasonCode::StoppedByOperator));
    let any = |status, stage: Option<RecordKind>| {
        jobs.iter().any(|job| job.status == status && stage.is_none_or(|stage| job.stage == stage))
    };
    let runs = any(JobStatus::Running, None);
    let first = route.kinds().find(|stage| any(JobStatus::Waiting, Some(*stage)));
    let befallen = first.filter(|_| !runs);
    let mut writes = Vec::new();
    for job in jobs {
        match job.status {
            JobStatus::Running => writes.push(end_job(send, job, ending, reason, now)?),
            JobStatus::Waiting => {
                let passed_over = job.status.next(JobEvent::PassedOver)?;
                let own = reason.filter(|_| befallen == Some(job.stage));
                let why = of_all.or(own).unwrap_or(&earlier_job);
                let expression = "SET #status = :notStarted, #reason = :reason REMOVE #dueAt, #dueShard";
                writes.push(
                    Write::update(send.job(job.stage).key(), expression)
                        .when("#status = :waiting")
                        .with("notStarted", passed_over)?
                        .with("waiting", JobStatus::Waiting)?
                        .with("reason", why)?,
                );
            }
            _ => {}
        }
    }
    Ok(writes)
}

fn end_job(
    send: &SendRef,
    job: &Job,
    ending: Ending,
    reason: Option<&Reason>,
    now: Timestamp,
) -> Result<Write, HistoryError> {
    let ended = job.status.next(JobEvent::Ended(ending))?;
    // The job has ended, so no message of its start must be queued, whether or not that was noted.
    let expression = match reason {
        Some(_) => {
            "SET #status = :ended, #endedAt = :now, #handedOn = :yes, #reason = :reason REMOVE #dueAt, #dueShard"
        }
        None => "SET #status = :ended, #endedAt = :now, #handedOn = :yes REMOVE #dueAt, #dueShard",
    };
    let write = Write::update(send.job(job.stage).key(), expression)
        .when("#status = :running AND #open = :none AND #closed = :closed")
        .with("ended", ended)?
        .with("now", now)?
        .with("yes", true)?
        .with("running", JobStatus::Running)?
        .with("none", 0)?
        .with("closed", job.closed)?;
    match reason {
        Some(reason) => write.with("reason", reason),
        None => Ok(write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(success: u32, warning: u32, error: u32, unknown: u32) -> Job {
        let total = success + warning + error + unknown;
        let counts = Counts { total, success, warning, error, unknown, ..Counts::default() };
        Job { counts, ..Job::waiting(RecordKind::Person, 0, 1, 0) }
    }

    #[test]
    fn a_job_ends_by_its_counts() {
        let stop = |job: Job| verdict(&job, OnRecordErrors::Stop);
        assert_eq!(stop(job(3, 0, 0, 0)), (Ending::Succeeded, None));
        assert_eq!(stop(job(3, 1, 0, 0)), (Ending::SucceededWithWarnings, None));
        let errors = Some(Reason::new(ReasonCode::RecordErrors));
        assert_eq!(stop(job(3, 1, 1, 1)), (Ending::Failed, errors.clone()));
        let unknown = Some(Reason::new(ReasonCode::OutcomeUnknown));
        assert_eq!(stop(job(3, 0, 0, 1)), (Ending::Failed, unknown));
        let goes_on = verdict(&job(3, 0, 1, 0), OnRecordErrors::Continue);
        assert_eq!(goes_on, (Ending::CompletedWithErrors, errors));
    }

    #[test]
    fn a_send_ends_as_the_worst_of_its_jobs() {
        let ended = |stage, status| Job { status, ..Job::waiting(stage, 1, 1, 0) };
        let jobs = [
            ended(RecordKind::Person, JobStatus::SucceededWithWarnings),
            ended(RecordKind::Duty, JobStatus::Succeeded),
            ended(RecordKind::Activity, JobStatus::Running),
        ];
        assert_eq!(
            send_ending(&jobs, RecordKind::Activity, Ending::Succeeded),
            Ending::SucceededWithWarnings
        );
        assert_eq!(send_ending(&jobs, RecordKind::Activity, Ending::Failed), Ending::Failed);
        assert_eq!(send_ending(&jobs[1..], RecordKind::Activity, Ending::Succeeded), Ending::Succeeded);
    }
}
