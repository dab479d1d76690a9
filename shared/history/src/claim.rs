//! Claims on steps: one conditional write with a random claim id that expires.

use std::time::Duration;

use stafett_domain::{BatchEvent, BatchId, Call, ClaimId, IllegalTransition, SendStatus};

use crate::contention::Contention;
use crate::error::{HistoryError, WriteError};
use crate::item::{Batch, Claim, Due, Job, Open, Progress, Work};
use crate::key::{JobKey, SendRef};
use crate::store::History;
use crate::write::Write;
use stafett_domain::message::BatchStep;
use stafett_domain::takeover::Takeover;
use stafett_domain::time::Millis;

/// The result of claiming a batch's step.
#[derive(Debug, PartialEq)]
pub enum ClaimAnswer {
    /// The caller now holds the step. The value is the claimed batch.
    Started(Box<Batch<Open>>),
    /// The step was done, but the messages that follow were never queued. The caller must queue them.
    HandOn(Batch),
    /// The step was done and its messages were queued, or it belongs to an older try. Acknowledge the message.
    Done,
    /// Another holder has the step.
    Held {
        /// The time until the holder's claim expires.
        rest: Duration,
        /// Whether the caller must queue a copy of the message. Only one copy is queued.
        copy: bool,
    },
    /// The message arrived before its time.
    Early {
        /// The time until the step may be taken.
        rest: Duration,
    },
    /// The last holder died, and the step may not be taken again yet. Acknowledge: the watchdog queues it later.
    Paused,
    /// The send is stopping or has ended. An open batch must be closed; a planned one stays as it is.
    Stopped(Batch),
    /// The batch does not exist: its send is deleted.
    Gone,
}

/// The meaning of a message for a batch, before anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Free,
    HandOn,
    Done,
    Held { claim: ClaimId, rest: Duration },
    Early(Duration),
    Paused,
    Ahead,
}

/// A claim to make.
#[derive(Debug, Clone, Copy)]
pub struct BatchClaim<'a> {
    pub id: ClaimId,
    pub now: Millis,
    pub until: Millis,
    /// The rules for steps whose holder died.
    pub takeover: &'a Takeover,
    /// The claim is made during the start of its job, which queues no other messages.
    pub within_start: bool,
}

pub(crate) fn span(from: Millis, to: Millis) -> Duration {
    Duration::from_millis(u64::try_from(to.saturating_sub(from)).unwrap_or_default())
}

/// Returns the meaning of a message for step `asked`, from the current state of the batch.
pub(crate) fn meaning(batch: &Batch, asked: BatchStep, now: Millis, takeover: &Takeover) -> Meaning {
    let position = batch.position();
    let order = (asked.attempt_try, asked.n).cmp(&(position.attempt_try, position.n));
    if order.is_gt() {
        return Meaning::Ahead;
    }
    let open = match &batch.progress {
        Progress::Planned if order.is_eq() => return Meaning::Free,
        Progress::Planned => return Meaning::HandOn,
        Progress::Closed(closed) if closed.handed_on => return Meaning::Done,
        Progress::Closed(_) => return Meaning::HandOn,
        Progress::Open(open) => open,
    };
    let live = open.claim.filter(|claim| claim.is_live(now));
    // An expired claim that is still present means that its holder died.
    let paused = open
        .claim
        .is_some_and(|dead| now < takeover.again_at(&open.unfinished.and_one(dead.until), dead.until));
    match (live, order.is_eq()) {
        (Some(claim), true) => Meaning::Held { claim: claim.id, rest: span(now, claim.until) },
        // A holder that is still working queues the messages itself.
        (Some(_), false) => Meaning::Done,
        (None, false) if open.handed_on => Meaning::Done,
        (None, _) if paused => Meaning::Paused,
        (None, false) => Meaning::HandOn,
        (None, true) if open.not_before > now => Meaning::Early(span(now, open.not_before)),
        (None, true) => Meaning::Free,
    }
}

impl Batch {
    /// Returns the batch after `claim` took its step.
    ///
    /// # Errors
    /// [`IllegalTransition`]: the batch is closed.
    pub(crate) fn claimed(
        &self,
        claim: &BatchClaim<'_>,
        send: &SendRef,
    ) -> Result<Batch<Open>, IllegalTransition> {
        let batch = self.opened(BatchEvent::Claimed)?;
        let before = &batch.progress;
        let unfinished = match before.claim {
            // A holder that died may have made its call. Its stored call is kept, so this claim gets a new step number.
            Some(dead) => before.unfinished.and_one(dead.until),
            None => before.unfinished.clone(),
        };
        let taken_over = before.claim.is_some();
        let open = Open {
            n: if taken_over { before.n + 1 } else { before.n },
            uncertain: before.uncertain || (taken_over && before.work == Work::Submit),
            claim: Some(Claim { id: claim.id, until: claim.until, copied_for: None }),
            // The holder of a step has its message. For a step that was taken over, nobody has the message.
            handed_on: !taken_over,
            unfinished,
            ..before.clone()
        };
        let due = Due::at(claim.takeover.due_at(&open.unfinished, claim.until), send);
        Ok(Batch { due, rev: self.rev + 1, ..batch.with(open) })
    }
}

impl History {
    /// Reads a batch.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn batch(&self, job: &JobKey, batch: BatchId) -> Result<Option<Batch>, HistoryError> {
        self.get(&job.batch(batch)).await
    }

    /// Claims a step of a batch.
    pub async fn claim_step(
        &self,
        job: &JobKey,
        call: Call,
        asked: BatchStep,
        claim: &BatchClaim<'_>,
    ) -> Result<ClaimAnswer, HistoryError> {
        let submits = call == Call::Submit;
        let mut contention = Contention::default();
        loop {
            let Some(batch) = self.batch(job, asked.batch).await? else {
                return Ok(ClaimAnswer::Gone);
            };
            if let Progress::Open(open) = &batch.progress
                && open.claim.is_some_and(|known| known.id == claim.id)
            {
                // The earlier write succeeded but its answer was lost: this is our own claim.
                return Ok(ClaimAnswer::Started(Box::new(batch.with(Open::clone(open)))));
            }
            match meaning(&batch, asked, claim.now, claim.takeover) {
                Meaning::Done => return Ok(ClaimAnswer::Done),
                Meaning::HandOn => return Ok(ClaimAnswer::HandOn(batch)),
                Meaning::Early(rest) => return Ok(ClaimAnswer::Early { rest }),
                Meaning::Paused => return Ok(ClaimAnswer::Paused),
                Meaning::Ahead => return Err(HistoryError::Corrupt("a batch that is behind its messages")),
                Meaning::Held { claim, rest } => {
                    let copy = self.take_copy(job.batch(asked.batch), claim).await?;
                    return Ok(ClaimAnswer::Held { rest, copy });
                }
                Meaning::Free => {}
            }
            let claimed = batch.claimed(claim, &job.send)?;
            let result = if submits {
                self.write_submit_claim(job, &batch, &claimed, claim.within_start).await
            } else {
                let written = self.write(put_batch(job, batch.rev, claimed.clone())?).await?;
                if written { Ok(()) } else { Err(WriteError::Condition(Vec::new())) }
            };
            match result {
                Ok(()) => return Ok(ClaimAnswer::Started(Box::new(claimed))),
                // The send is the first write in the transaction of a submit.
                Err(WriteError::Condition(places)) if submits && places.contains(&0) => {
                    return Ok(ClaimAnswer::Stopped(batch));
                }
                Err(WriteError::Condition(_)) => contention.met_another().await?,
                Err(WriteError::History(error)) => return Err(error),
            }
        }
    }

    /// Writes the claim of a submit. The send must be running and not stopping, and the batch must be unchanged. The
    /// job counts one more open batch, unless this batch was already open.
    async fn write_submit_claim(
        &self,
        job: &JobKey,
        before: &Batch,
        claimed: &Batch<Open>,
        within_start: bool,
    ) -> Result<(), WriteError> {
        let running = Write::check(job.send.header())
            .when("#status = :running AND attribute_not_exists(#stopRequested)")
            .with("running", SendStatus::Running)?;
        let mut writes = vec![running, put_batch(job, before.rev, claimed.clone())?];
        if before.progress == Progress::Planned {
            let expression = if within_start {
                "SET #open = #open + :one, #handedOn = :yes REMOVE #dueAt, #dueShard"
            } else {
                "SET #open = #open + :one"
            };
            let mut counted = Write::update(job.key(), expression)
                .when("#status = :running")
                .with("one", 1)?
                .with("running", stafett_domain::JobStatus::Running)?;
            if within_start {
                counted = counted.with("yes", true)?;
            }
            writes.push(counted);
        }
        self.transact(writes).await
    }

    /// Whether this caller must queue the copy of a message that found `claim`.
    pub(crate) async fn take_copy(&self, key: crate::key::Key, claim: ClaimId) -> Result<bool, HistoryError> {
        let write = Write::update(key, "SET #copiedFor = :claim")
            .when("#claim = :claim AND (attribute_not_exists(#copiedFor) OR #copiedFor <> :claim)")
            .with("claim", claim)?;
        self.write(write).await
    }

    /// Reads a job.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn job(&self, job: &JobKey) -> Result<Option<Job>, HistoryError> {
        self.get(&job.key()).await
    }
}

/// Writes a batch on condition that it is unchanged since it was read.
pub(crate) fn put_batch(
    job: &JobKey,
    rev_before: u64,
    batch: impl Into<Batch>,
) -> Result<Write, HistoryError> {
    let batch: Batch = batch.into();
    Write::rewrite(job.batch(batch.batch), &batch)?.when("#rev = :before").with("before", rev_before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Closed, Outcomes};
    use crate::tests::sample::takeover;
    use stafett_domain::takeover::Unfinished;

    const NOW: Millis = 1_000_000;
    const MINUTE: Millis = 60_000;

    fn meaning(batch: &Batch, asked: BatchStep, now: Millis) -> Meaning {
        super::meaning(batch, asked, now, &takeover())
    }

    fn send() -> SendRef {
        SendRef::new("5567044268".parse().unwrap(), stafett_domain::SendId(uuid::Uuid::nil()))
    }

    fn asked(attempt_try: u32, n: u32) -> BatchStep {
        BatchStep { batch: BatchId(0), attempt_try, n }
    }

    const HOLDER: ClaimId = ClaimId(uuid::Uuid::from_u128(1));

    /// An open batch at the third step of its first try.
    fn open(change: impl FnOnce(&mut Open)) -> Batch {
        let mut open = Open { n: 2, handed_on: true, ..Open::first() };
        change(&mut open);
        Batch::planned(BatchId(0), 3, None, 0).with(open).into()
    }

    fn claimed_until(until: Millis) -> Batch {
        open(|open| open.claim = Some(Claim { id: HOLDER, until, copied_for: None }))
    }

    fn not_handed_on(until: Millis) -> Batch {
        open(|open| {
            open.claim = Some(Claim { id: HOLDER, until, copied_for: None });
            open.handed_on = false;
        })
    }

    #[test]
    fn a_planned_batch_is_free() {
        assert_eq!(meaning(&Batch::planned(BatchId(0), 3, None, 0), asked(1, 0), NOW), Meaning::Free);
    }

    #[test]
    fn a_step_belongs_to_its_holder_until_the_claim_expires() {
        let batch = claimed_until(NOW + 1);
        assert_eq!(
            meaning(&batch, asked(1, 2), NOW),
            Meaning::Held { claim: HOLDER, rest: Duration::from_millis(1) }
        );
        assert_eq!(meaning(&batch, asked(1, 2), NOW + 1), Meaning::Free);
    }

    #[test]
    fn an_older_message_hands_on_only_what_nobody_else_will() {
        assert_eq!(meaning(&claimed_until(NOW), asked(1, 1), NOW), Meaning::Done);
        let batch = not_handed_on(NOW);
        assert_eq!(meaning(&batch, asked(1, 1), NOW), Meaning::HandOn);
        assert_eq!(meaning(&batch, asked(1, 1), NOW - 1), Meaning::Done, "its holder is at work");
        let second_try = open(|open| (open.attempt_try, open.handed_on) = (2, false));
        assert_eq!(meaning(&second_try, asked(1, 9), NOW), Meaning::HandOn);
    }

    #[test]
    fn a_step_that_is_taken_over_is_another_step() {
        let id = ClaimId(uuid::Uuid::from_u128(2));
        let takeover = &takeover();
        let claim = BatchClaim { id, now: NOW, until: NOW + 9, takeover, within_start: false };
        let fresh = Batch::planned(BatchId(0), 3, None, 0).claimed(&claim, &send()).unwrap();
        let Open { n, uncertain, handed_on, .. } = fresh.progress;
        assert_eq!((n, uncertain, handed_on), (0, false, true));
        // The holder died. It may have made the call, and its stored call must not be overwritten.
        let taken = claimed_until(NOW).claimed(&claim, &send()).unwrap();
        let Open { n, uncertain, handed_on, .. } = taken.progress;
        assert_eq!((n, uncertain, handed_on), (3, true, false));
        assert_eq!(fresh.progress.unfinished, Unfinished::default());
        assert_eq!(taken.progress.unfinished, Unfinished { claims: 1, since: Some(NOW) });
        let again_at = NOW + 9 + 5 * MINUTE;
        assert_eq!(
            meaning(&taken.into(), asked(1, 2), again_at),
            Meaning::HandOn,
            "should this holder die, too"
        );
    }

    #[test]
    fn the_pause_after_dead_holders_holds_whoever_brings_the_message() {
        let takeover = &takeover();
        let claim_at = |batch: &Batch, now: Millis| {
            let id = ClaimId(uuid::Uuid::from_u128(u128::from(now.unsigned_abs())));
            let claim = BatchClaim { id, now, until: now + MINUTE / 2, takeover, within_start: false };
            batch.claimed(&claim, &send()).unwrap()
        };
        let mut batch = claim_at(&Batch::planned(BatchId(0), 3, None, 0), NOW);
        for pause in [0, 5, 15, 30, 60] {
            let dead = batch.progress.claim.unwrap().until;
            let stored = Batch::from(batch.clone());
            let again_at = dead + pause * MINUTE;
            // The message from the watchdog, a repeated delivery by SQS, and an older message.
            for n in 0..=batch.progress.n {
                if pause > 0 {
                    assert_eq!(meaning(&stored, asked(1, n), dead), Meaning::Paused);
                    assert_eq!(meaning(&stored, asked(1, n), again_at - 1), Meaning::Paused);
                }
                let free = if n < batch.progress.n { Meaning::HandOn } else { Meaning::Free };
                assert_eq!(meaning(&stored, asked(1, n), again_at), free);
            }
            assert_eq!(batch.due.due_at, Some(again_at + 1_000), "when the watchdog sends it");
            batch = claim_at(&stored, again_at);
        }
        assert_eq!(batch.progress.unfinished.claims, 5);
    }

    #[test]
    fn a_closed_batch_is_never_free_nor_opened_again() {
        for (handed_on, expected) in [(true, Meaning::Done), (false, Meaning::HandOn)] {
            let outcomes = Outcomes::default();
            let closed = Closed { attempt_try: 1, n: 2, call: Call::Poll, handed_on, outcomes };
            let closed = Batch::from(Batch::planned(BatchId(0), 3, None, 0).with(closed));
            assert_eq!(meaning(&closed, asked(1, 2), NOW), expected);
            assert_eq!(meaning(&closed, asked(1, 1), NOW), expected);
            let takeover = &takeover();
            let claim = BatchClaim { id: HOLDER, now: NOW, until: NOW + 9, takeover, within_start: false };
            assert!(closed.claimed(&claim, &send()).is_err());
        }
    }

    #[test]
    fn a_message_from_the_future_is_a_fault() {
        assert_eq!(meaning(&claimed_until(0), asked(1, 3), NOW), Meaning::Ahead);
        assert_eq!(meaning(&claimed_until(0), asked(2, 0), NOW), Meaning::Ahead);
    }

    #[test]
    fn a_step_waits_for_its_time() {
        let batch = open(|open| open.not_before = NOW + 250);
        assert_eq!(meaning(&batch, asked(1, 2), NOW), Meaning::Early(Duration::from_millis(250)));
        assert_eq!(meaning(&batch, asked(1, 2), NOW + 250), Meaning::Free);
    }
}
