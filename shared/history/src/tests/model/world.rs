//! One batch of a running job, and all that moves it.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::takeover::Takeover;
use stafett_domain::time::{Millis, later};
use stafett_domain::{
    BatchEvent, BatchId, Call, ClaimId, Outcome, Reason, ReasonCode, RecordKind, SkolverketJobId,
};
use uuid::Uuid;

use crate::claim::{BatchClaim, ClaimAnswer};
use crate::item::{Batch, Claim, Open, Progress, Work};
use crate::key::Carrier;
use crate::progress::{Closing, Next, PutBack, StepError};
use crate::tests::sample::{CLAIM, first_step, millis, outcomes, send, takeover};
use crate::tests::table::{Items, Table};
use crate::{History, JobKey};

const BATCH: BatchId = BatchId(0);
/// How long after a step is due the watchdog queues it again.
const OVERDUE: Duration = Duration::from_secs(60);

/// How many batches the job has: the first one's end queues the last.
const BATCHES: u32 = 5;

/// What a holder does next: one side effect.
#[derive(Debug)]
pub(super) enum Holder {
    /// Its call.
    Call(Box<Batch<Open>>),
    /// It writes the batch's next step.
    Step { before: Box<Batch<Open>>, after: Box<Batch<Open>> },
    /// It writes the batch's end.
    Close { before: Box<Batch<Open>>, closing: Closing, successor: bool },
    /// It queues what follows.
    Queue { batch: Batch, successor: bool },
    /// It checks whether the job, or the send, has ended.
    Settle { batch: Batch, again: bool },
    /// It notes that what follows was queued; of a planned batch, that it will not go.
    Note(Batch),
}

/// The first batch of a running job, and all that moves it.
pub(super) struct World {
    pub(super) history: History,
    pub(super) job: JobKey,
    pub(super) now: Millis,
    pub(super) holders: Vec<Holder>,
    pub(super) queue: Vec<BatchStep>,
    pub(super) sent: usize,
    pub(super) takeover: Takeover,
    /// When each claim was made.
    pub(super) claimed_at: Vec<Millis>,
    /// When it was given up because of its holders.
    pub(super) given_up_at: Option<Millis>,
    pub(super) stopping: bool,
    /// Calls that Skolverket took.
    pub(super) submits: u32,
    /// How often Skolverket says that its job is not done.
    pub(super) not_done: u32,
    pub(super) successor_queued: bool,
}

/// The table when the job has just started: the same for every case.
async fn just_started() -> Table {
    static STARTED: OnceLock<Items> = OnceLock::new();
    if let Some(items) = STARTED.get() {
        return Table::of(items);
    }
    let table = Table::new();
    table.history().running(&send(1), [BATCHES, 0, 0, 1]).await;
    STARTED.get_or_init(|| table.items());
    table
}

impl World {
    pub(super) async fn new(not_done: u32) -> Self {
        Self {
            history: just_started().await.with_later_attributes(),
            job: send(1).job(RecordKind::Person),
            now: millis(3),
            holders: Vec::new(),
            queue: vec![first_step(BATCH.0)],
            sent: 1,
            takeover: takeover(),
            claimed_at: Vec::new(),
            given_up_at: None,
            stopping: false,
            submits: 0,
            not_done,
            successor_queued: false,
        }
    }

    pub(super) async fn stored(&self) -> Batch {
        self.history.batch(&self.job, BATCH).await.unwrap().unwrap()
    }

    fn queue(&mut self, step: Step) {
        let (Step::Submit(step) | Step::Poll(step)) = step else { panic!("a batch has no start") };
        self.queue.push(step);
        self.sent += 1;
    }

    pub(super) async fn deliver(&mut self, asked: BatchStep) {
        let before = self.stored().await;
        let live = holder(&before).is_some_and(|holder| holder.is_live(self.now));
        let claim = BatchClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.now,
            until: self.now + CLAIM,
            takeover: &self.takeover,
            within_start: false,
        };
        // A message says which call it asks for. For an older step this is not used.
        let call = if matches!(before.step(), Step::Poll(step) if step == asked) {
            Call::Poll
        } else {
            Call::Submit
        };
        let answer = self.history.claim_step(&self.job, call, asked, &claim).await.unwrap();
        match answer {
            ClaimAnswer::Started(batch) => {
                assert!(!live, "a step with a live holder was claimed");
                self.claimed_at.push(self.now);
                if self.takeover.gives_up(&batch.progress.unfinished, self.now) {
                    self.given_up_at = Some(self.now);
                    self.stopping = true;
                    let stop = Some(Reason::new(ReasonCode::Unfinished));
                    let closing = Closing { stop, ..self.closing(Outcome::Unknown) };
                    self.holders.push(Holder::Close { before: batch, closing, successor: false });
                } else {
                    self.holders.push(Holder::Call(batch));
                }
            }
            ClaimAnswer::Stopped(batch) if batch.progress == Progress::Planned => {
                self.holders.push(Holder::Settle { batch, again: true });
            }
            ClaimAnswer::Stopped(batch) => {
                let (before, closing) =
                    (Box::new(batch.opened(BatchEvent::Finished).unwrap()), self.closing(Outcome::Unknown));
                self.holders.push(Holder::Close { before, closing, successor: false });
            }
            ClaimAnswer::HandOn(batch) => self.holders.push(Holder::Queue { batch, successor: true }),
            ClaimAnswer::Early { .. } => self.queue.push(asked),
            ClaimAnswer::Held { copy: true, .. } => {
                self.queue.push(asked);
                self.sent += 1;
            }
            ClaimAnswer::Held { copy: false, .. } | ClaimAnswer::Paused | ClaimAnswer::Done => {}
            ClaimAnswer::Gone => panic!("the batch is gone"),
        }
    }

    fn closing(&self, outcome: Outcome) -> Closing {
        Closing { outcomes: outcomes(outcome), stop: None, overdue_at: later(self.now, OVERDUE) }
    }

    /// One side effect of a holder; gives what it does next.
    pub(super) async fn act(&mut self, holder: Holder) -> Option<Holder> {
        let (history, job) = (self.history.clone(), self.job.clone());
        match holder {
            // No call starts that the claim may be too short for.
            Holder::Call(batch) if !batch.progress.claim.unwrap().is_live(self.now) => None,
            Holder::Call(batch) => Some(self.call(batch)),
            Holder::Step { before, after } => {
                let stored = self.stored().await;
                let written = history.step_on(&job, &before, &after).await;
                written_by_its_holder(&stored, &before, written.map(|()| (*after).into()))
                    .map(|batch| Holder::Queue { batch, successor: false })
            }
            Holder::Close { before, closing, successor } => {
                let stored = self.stored().await;
                let closed = history.close(&job, &before, &closing, successor).await;
                written_by_its_holder(&stored, &before, closed.map(Batch::from))
                    .map(|batch| Holder::Queue { batch, successor })
            }
            Holder::Queue { batch, successor } if is_closed(&batch) => {
                self.successor_queued |= successor;
                self.sent += usize::from(successor);
                Some(Holder::Settle { batch, again: false })
            }
            Holder::Queue { batch, .. } => {
                self.queue(batch.step());
                Some(Holder::Note(batch))
            }
            Holder::Settle { batch, again } => {
                let now = Timestamp::from_millisecond(self.now).unwrap();
                Box::pin(history.settle(&job, now, later(self.now, OVERDUE), again)).await.unwrap();
                Some(Holder::Note(batch))
            }
            Holder::Note(batch) if batch.progress == Progress::Planned => {
                history.leave_planned(&job, &batch).await.unwrap();
                None
            }
            Holder::Note(batch) => {
                history.handed_on(&job, &batch).await.unwrap();
                None
            }
        }
    }

    fn call(&mut self, batch: Box<Batch<Open>>) -> Holder {
        let next = Next::by_message(self.now, batch.progress.claim.unwrap().until, OVERDUE);
        let after = match batch.progress.work {
            Work::Submit => {
                self.submits += 1;
                batch.submitted(&self.job.send, SkolverketJobId(Uuid::nil()), Timestamp::UNIX_EPOCH, next)
            }
            Work::Poll(_) if self.not_done > 0 => {
                self.not_done -= 1;
                batch.put_back(&self.job.send, next, PutBack::NotReady)
            }
            Work::Poll(_) => {
                let closing = self.closing(Outcome::Success);
                return Holder::Close { before: batch, closing, successor: true };
            }
        };
        Holder::Step { after: Box::new(after), before: batch }
    }

    pub(super) async fn watchdog(&mut self) {
        let (carrier, now) =
            (Carrier::Batch(self.job.clone(), BATCH), Timestamp::from_millisecond(self.now).unwrap());
        if let Some(overdue) = self.history.take_overdue(&carrier, now, OVERDUE).await.unwrap() {
            self.queue(overdue.step);
        }
    }

    /// Until something is due the world goes by.
    pub(super) async fn wait_for_the_watchdog(&mut self) {
        if let Some(due) = self.stored().await.due.due_at {
            self.now = self.now.max(due);
        }
        self.watchdog().await;
    }

    pub(super) async fn finish(&mut self, mut holder: Holder) {
        while let Some(next) = self.act(holder).await {
            holder = next;
        }
    }

    /// Every holder goes on to its end.
    pub(super) async fn finish_holders(&mut self) {
        for holder in std::mem::take(&mut self.holders) {
            self.finish(holder).await;
        }
    }

    /// Whether nothing is left to do.
    pub(super) async fn is_done(&self) -> bool {
        let batch = self.stored().await;
        match &batch.progress {
            Progress::Closed(closed) => closed.handed_on && (self.successor_queued || self.stopping),
            Progress::Planned => self.stopping && batch.due.due_at.is_none(),
            Progress::Open(_) => false,
        }
    }

    /// That the job has counted the batch once, as what it is.
    pub(super) async fn assert_counted(&self) {
        let batch = self.stored().await;
        let job = self.history.job(&self.job).await.unwrap().unwrap();
        let closed = u32::from(is_closed(&batch));
        assert_eq!((job.open, job.closed), (0, closed));
        assert_eq!(job.counts.success + job.counts.unknown, closed * batch.total);
        let success = batch.outcomes().map(|outcomes| outcomes.counts.success).unwrap_or_default();
        assert_eq!(success, job.counts.success);
    }
}

/// Who has the batch's step, or had it last.
fn holder(batch: &Batch) -> Option<Claim> {
    match &batch.progress {
        Progress::Open(open) => open.claim,
        Progress::Planned | Progress::Closed(_) => None,
    }
}

fn is_closed(batch: &Batch) -> bool {
    matches!(batch.progress, Progress::Closed(_))
}

/// The batch that a holder has written, if it has; nobody else may have had the step.
fn written_by_its_holder(
    stored: &Batch,
    before: &Batch<Open>,
    written: Result<Batch, StepError>,
) -> Option<Batch> {
    match written {
        // Two who do the same, such as closing a batch of a send that stops: the second finds it done.
        Ok(batch) if *stored == batch => Some(batch),
        Ok(batch) => {
            let claims = [holder(stored), before.progress.claim].map(|claim| claim.map(|claim| claim.id));
            assert_eq!(claims[0], claims[1], "a write by one whose claim it is not");
            assert!(!is_closed(stored), "a closed batch was written");
            Some(batch)
        }
        Err(StepError::ClaimLost) => None,
        Err(error) => panic!("{error}"),
    }
}
