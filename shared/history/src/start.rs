//! The start of a job.

use jiff::Timestamp;
use stafett_domain::{BatchId, BatchStatus, ClaimId, JobEvent, JobStatus, SendEvent, SendStatus};

use crate::claim::span;
use crate::contention::Contention;
use crate::error::{HistoryError, WriteError};
use crate::item::{Claim, Due, Job, SendHeader};
use crate::key::{self, JobKey};
use crate::store::History;
use crate::write::Write;
use stafett_domain::takeover::{Takeover, Unfinished};
use stafett_domain::time::Millis;

/// Why a message is acknowledged if the last holder of its step died recently.
pub const PAUSED: &str = "its holder died, and it is taken up again later";

/// The number of batches that a start queues. The end of batch b queues batch b + this. So a large send leaves room for
/// small ones.
pub const AT_ONCE: u32 = 4;

/// The result of claiming a job's start.
#[derive(Debug)]
pub enum StartAnswer {
    /// The job has started. Queue its first batches.
    Started(Job),
    /// The job had started, but its holder died before it queued the next messages. The caller now has the claim and
    /// must queue them.
    HandOn(Job),
    /// The send is stopping. End it if none of its batches is open.
    Stopped,
    /// There is nothing to do, for this reason. Acknowledge the message.
    Done(&'static str),
    /// Another holder has the start.
    Held {
        /// The time until the holder's claim expires.
        rest: std::time::Duration,
        /// Whether the caller must queue a copy of the message. Only one copy is queued.
        copy: bool,
    },
}

/// A claim of a job's start.
#[derive(Debug, Clone, Copy)]
pub struct StartClaim<'a> {
    pub id: ClaimId,
    pub now: Timestamp,
    pub until: Millis,
    /// The rules for steps whose holder died.
    pub takeover: &'a Takeover,
    /// When the batches that the start queues are overdue, for the watchdog.
    pub overdue_at: Millis,
}

impl History {
    /// Claims the start of a job: the job runs, and its first batches are due.
    ///
    /// The first job also starts its send, on condition that it is the organiser's running send. A later job starts
    /// only if the job before it succeeded. That job has ended, so this cannot change.
    pub async fn claim_start(
        &self,
        key: &JobKey,
        start: &StartClaim<'_>,
    ) -> Result<StartAnswer, HistoryError> {
        let StartClaim { id: claim, now, until, takeover, overdue_at } = *start;
        let send = &key.send;
        let mut contention = Contention::default();
        loop {
            let (header, job) = (self.get::<SendHeader>(&send.header()).await?, self.job(key).await?);
            let (Some(header), Some(job)) = (header, job) else { return Ok(StartAnswer::Done("erased")) };
            if job.claim.is_some_and(|known| known.id == claim) {
                let first = job.unfinished == Unfinished::default();
                return Ok(if first { StartAnswer::Started(job) } else { StartAnswer::HandOn(job) });
            }
            match job.status {
                JobStatus::Waiting => {}
                JobStatus::Running if job.handed_on => return Ok(StartAnswer::Done("started before")),
                JobStatus::Running => {
                    let now = now.as_millisecond();
                    let holder =
                        job.claim.ok_or(HistoryError::Corrupt("a running job that nobody claimed"))?;
                    if holder.is_live(now) {
                        let copy = self.take_copy(key.key(), holder.id).await?;
                        return Ok(StartAnswer::Held { rest: span(now, holder.until), copy });
                    }
                    let unfinished = job.unfinished.and_one(holder.until);
                    if now < takeover.again_at(&unfinished, holder.until) {
                        return Ok(StartAnswer::Done(PAUSED));
                    }
                    match self.take_start_over(key, start, (job, holder), unfinished).await? {
                        Some(taken) => return Ok(StartAnswer::HandOn(taken)),
                        // Another holder has it, or the messages were queued after all.
                        None => {
                            contention.met_another().await?;
                            continue;
                        }
                    }
                }
                _ => return Ok(StartAnswer::Done("ended before")),
            }
            if header.stop_requested.is_some() && !header.status.has_ended() {
                return Ok(StartAnswer::Stopped);
            }
            if !self.may_start(key, &header).await? {
                return Ok(StartAnswer::Done("not its turn"));
            }
            let started = Job {
                status: job.status.next(JobEvent::Started)?,
                started_at: Some(now),
                claim: Some(Claim { id: claim, until, copied_for: None }),
                handed_on: false,
                due: Due::at(takeover.due_at(&Unfinished::default(), until), send),
                ..job
            };
            let mut writes = vec![start_job(key, &started)?];
            if key.stage == header.route.first().kind {
                let running = header.status.next(SendEvent::Started)?;
                writes.push(
                    Write::update(send.header(), "SET #status = :running, #startedAt = :now")
                        .when("#status = :queued AND attribute_not_exists(#stopRequested)")
                        .with("running", running)?
                        .with("queued", SendStatus::Queued)?
                        .with("now", now)?,
                );
                writes.push(
                    Write::check(key::organiser(&send.organisation))
                        .when("#running = :send")
                        .with("send", send.send)?,
                );
            } else {
                writes.push(
                    Write::check(send.header())
                        .when("#status = :running AND attribute_not_exists(#stopRequested)")
                        .with("running", SendStatus::Running)?,
                );
            }
            for batch in 0..started.batches.min(AT_ONCE) {
                writes.push(due_batch(key, BatchId(batch), overdue_at)?);
            }
            match self.transact(writes).await {
                Ok(()) => return Ok(StartAnswer::Started(started)),
                // Another process changed one of the items: read again and decide again.
                Err(WriteError::Condition(_)) => contention.met_another().await?,
                Err(WriteError::History(error)) => return Err(error),
            }
        }
    }

    /// Claims a start whose holder died, if it is unchanged since it was read.
    async fn take_start_over(
        &self,
        key: &JobKey,
        start: &StartClaim<'_>,
        (job, dead): (Job, Claim),
        unfinished: Unfinished,
    ) -> Result<Option<Job>, HistoryError> {
        let StartClaim { id, until, takeover, .. } = *start;
        let due = Due::at(takeover.due_at(&unfinished, until), &key.send);
        let write = Write::update(
            key.key(),
            "SET #claim = :claim, #claimUntil = :until, #unfinished = :unfinished, #unfinishedSince = :since, \
             #dueAt = :due, #dueShard = :shard REMOVE #resent, #resentSince, #copiedFor",
        )
        .when("#status = :running AND #handedOn = :no AND #claim = :before")
        .with("claim", id)?
        .with("until", until)?
        .with("unfinished", unfinished.claims)?
        .with("since", unfinished.since)?
        .with("due", due.due_at)?
        .with("shard", &due.due_shard)?
        .with("running", JobStatus::Running)?
        .with("no", false)?
        .with("before", dead.id)?;
        let claim = Some(Claim { id, until, copied_for: None });
        let taken = Job { claim, unfinished, due, ..job };
        Ok(self.write(write).await?.then_some(taken))
    }

    /// Whether it is this job's turn, according to the current history.
    async fn may_start(&self, job: &JobKey, header: &SendHeader) -> Result<bool, HistoryError> {
        match header.route.before(job.stage) {
            None => {
                let organiser: Option<crate::item::Organiser> =
                    self.get(&key::organiser(&job.send.organisation)).await?;
                let runs = organiser.is_some_and(|organiser| organiser.running == Some(job.send.send));
                Ok(runs && header.status == SendStatus::Queued)
            }
            Some(before) => {
                let before = self.job(&job.send.job(before.kind)).await?;
                let succeeded = before.is_some_and(|job| {
                    matches!(
                        job.status,
                        JobStatus::Succeeded
                            | JobStatus::SucceededWithWarnings
                            | JobStatus::CompletedWithErrors
                    )
                });
                Ok(succeeded && header.status == SendStatus::Running)
            }
        }
    }

    /// Notes that the messages after a start were queued, and removes its `dueAt`. (The claim of a submit during the
    /// start notes the same, and so does the end of the job.)
    pub async fn start_handed_on(&self, job: &JobKey) -> Result<(), HistoryError> {
        let write = Write::update(job.key(), "SET #handedOn = :yes REMOVE #dueAt, #dueShard")
            .when("#status <> :waiting")
            .with("yes", true)?
            .with("waiting", JobStatus::Waiting)?;
        self.write(write).await?;
        Ok(())
    }
}

/// Writes that a waiting job has started.
fn start_job(key: &JobKey, started: &Job) -> Result<Write, HistoryError> {
    let expression = "SET #status = :started, #startedAt = :now, #claim = :claim, #claimUntil = :until, \
                      #handedOn = :no, #dueAt = :due, #dueShard = :shard REMOVE #resent, #resentSince";
    Write::update(key.key(), expression)
        .when("#status = :waiting")
        .with("waiting", JobStatus::Waiting)?
        .with("started", started.status)?
        .with("now", started.started_at)?
        .with("claim", started.claim.map(|claim| claim.id))?
        .with("until", started.claim.map(|claim| claim.until))?
        .with("no", started.handed_on)?
        .with("due", started.due.due_at)?
        .with("shard", &started.due.due_shard)
}

/// Sets the `dueAt` of a batch that nobody has claimed.
pub(crate) fn due_batch(job: &JobKey, batch: BatchId, at: Millis) -> Result<Write, HistoryError> {
    let due = Due::at(at, &job.send);
    Write::update(job.batch(batch), "SET #dueAt = :due, #dueShard = :shard")
        .when("#status = :planned")
        .with("due", due.due_at)?
        .with("shard", due.due_shard)?
        .with("planned", BatchStatus::Planned)
}
