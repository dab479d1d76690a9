//! The claim protocol as a model: holders that stop between any two side effects, messages that come twice or late, a
//! watchdog, a stop. Every step is one of the history's own; the model has the messages, the holders, the time, and a
//! Skolverket that answers when it likes. Nothing may be lost, nobody may write what is not his, records are counted
//! once, and nothing is given up before so many holders have died over so long a time.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::takeover::Takeover;
use stafett_domain::time::{Millis, later};
use stafett_domain::{
    BatchId, BatchStatus, Call, ClaimId, Outcome, Reason, ReasonCode, RecordKind, SkolverketJobId,
};
use uuid::Uuid;

use super::sample::{CLAIM, cancelled, first_step, millis, outcomes, send, takeover};
use super::table::{Items, Table};
use crate::claim::{BatchClaim, ClaimAnswer};
use crate::item::Batch;
use crate::key::Carrier;
use crate::progress::{Closing, Next, StepError};
use crate::{History, JobKey};

const BATCH: BatchId = BatchId(0);
/// How long after a step could be taken the watchdog looks for it.
const OVERDUE: Duration = Duration::from_secs(60);

/// How many batches the job has: the first one's end queues the last.
const BATCHES: u32 = 5;

/// What a holder does next: one side effect.
#[derive(Debug)]
enum Holder {
    /// Its call.
    Call(Batch),
    /// It writes the batch's next step.
    Step { before: Batch, after: Box<Batch> },
    /// It writes the batch's end.
    Close { before: Batch, closing: Closing, successor: bool },
    /// It queues what follows.
    Queue { batch: Batch, successor: bool },
    /// It looks whether the job, or the send, has ended.
    Settle { batch: Batch, again: bool },
    /// It notes that what follows was queued; of a planned batch, that it will not go.
    Note(Batch),
}

/// The first batch of a running job, and all that moves it.
struct World {
    history: History,
    job: JobKey,
    now: Millis,
    holders: Vec<Holder>,
    queue: Vec<BatchStep>,
    sent: usize,
    takeover: Takeover,
    /// When each claim was made.
    claimed_at: Vec<Millis>,
    /// When it was given up because of its holders.
    given_up_at: Option<Millis>,
    stopping: bool,
    /// Calls that Skolverket took.
    submits: u32,
    /// How often Skolverket says that its job is not done.
    not_done: u32,
    successor_queued: bool,
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
    async fn new(not_done: u32) -> Self {
        Self {
            history: just_started().await.history(),
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

    async fn stored(&self) -> Batch {
        self.history.batch(&self.job, BATCH).await.unwrap().unwrap()
    }

    fn queue(&mut self, step: Step) {
        let (Step::Submit(step) | Step::Poll(step)) = step else { panic!("a batch has no start") };
        self.queue.push(step);
        self.sent += 1;
    }

    async fn deliver(&mut self, asked: BatchStep) {
        let before = self.stored().await;
        let live = before.claim.is_some() && self.now < before.claim_until;
        let claim = BatchClaim {
            id: ClaimId(Uuid::new_v4()),
            now: self.now,
            until: self.now + CLAIM,
            takeover: &self.takeover,
            within_start: false,
        };
        // A message says which call it asks for; of an older step nobody looks at it.
        let call = if asked.n == before.n { before.call } else { Call::Submit };
        let answer = self.history.claim_step(&self.job, call, asked, &claim).await.unwrap();
        match answer {
            ClaimAnswer::Started(batch) => {
                assert!(!live, "a step with a live holder was claimed");
                self.claimed_at.push(self.now);
                if self.takeover.gives_up(&batch.unfinished, self.now) {
                    self.given_up_at = Some(self.now);
                    self.stopping = true;
                    let stop = Some(Reason::new(ReasonCode::Unfinished));
                    let closing = Closing { stop, ..self.closing(Outcome::Unknown) };
                    self.holders.push(Holder::Close { before: batch, closing, successor: false });
                } else {
                    self.holders.push(Holder::Call(batch));
                }
            }
            ClaimAnswer::Stopped(batch) if batch.status == BatchStatus::Planned => {
                self.holders.push(Holder::Settle { batch, again: true });
            }
            ClaimAnswer::Stopped(batch) => {
                let closing = self.closing(Outcome::Unknown);
                self.holders.push(Holder::Close { before: batch, closing, successor: false });
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
    async fn act(&mut self, holder: Holder) -> Option<Holder> {
        let (history, job) = (self.history.clone(), self.job.clone());
        match holder {
            // No call starts that the claim may be too short for.
            Holder::Call(batch) if batch.claim_until <= self.now => None,
            Holder::Call(batch) => Some(self.call(batch)),
            Holder::Step { before, after } => {
                let stored = self.stored().await;
                let written = history.step_on(&job, &before, &after).await;
                written_by_its_holder(&stored, &before, written.map(|()| *after))
                    .map(|batch| Holder::Queue { batch, successor: false })
            }
            Holder::Close { before, closing, successor } => {
                let stored = self.stored().await;
                let closed = history.close(&job, &before, &closing, successor).await;
                written_by_its_holder(&stored, &before, closed)
                    .map(|batch| Holder::Queue { batch, successor })
            }
            Holder::Queue { batch, successor } if batch.status == BatchStatus::Closed => {
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
            Holder::Note(batch) if batch.status == BatchStatus::Planned => {
                history.leave_planned(&job, &batch).await.unwrap();
                None
            }
            Holder::Note(batch) => {
                history.handed_on(&job, &batch).await.unwrap();
                None
            }
        }
    }

    fn call(&mut self, batch: Batch) -> Holder {
        let next = Next::by_message(Call::Poll, self.now, batch.claim_until, OVERDUE);
        let after = match batch.call {
            Call::Submit => {
                self.submits += 1;
                batch.submitted(&self.job.send, SkolverketJobId(Uuid::nil()), Timestamp::UNIX_EPOCH, next)
            }
            Call::Poll if self.not_done > 0 => {
                self.not_done -= 1;
                batch.put_back(&self.job.send, next, 1, None, false)
            }
            Call::Poll => {
                let closing = self.closing(Outcome::Success);
                return Holder::Close { before: batch, closing, successor: true };
            }
        };
        Holder::Step { after: Box::new(after.unwrap()), before: batch }
    }

    async fn watchdog(&mut self) {
        let (carrier, now) =
            (Carrier::Batch(self.job.clone(), BATCH), Timestamp::from_millisecond(self.now).unwrap());
        if let Some(overdue) = self.history.take_overdue(&carrier, now, OVERDUE).await.unwrap() {
            self.queue(overdue.step);
        }
    }

    /// Until something is due the world goes by.
    async fn wait_for_the_watchdog(&mut self) {
        if let Some(due) = self.stored().await.due.due_at {
            self.now = self.now.max(due);
        }
        self.watchdog().await;
    }

    async fn finish(&mut self, mut holder: Holder) {
        while let Some(next) = self.act(holder).await {
            holder = next;
        }
    }

    /// Every holder goes on to its end.
    async fn finish_holders(&mut self) {
        for holder in std::mem::take(&mut self.holders) {
            self.finish(holder).await;
        }
    }

    /// Whether nothing is left to do.
    async fn is_done(&self) -> bool {
        let batch = self.stored().await;
        match batch.status {
            BatchStatus::Closed => batch.handed_on && (self.successor_queued || self.stopping),
            BatchStatus::Planned => self.stopping && batch.due.due_at.is_none(),
            BatchStatus::Open => false,
        }
    }

    /// That the job has counted the batch once, as what it is.
    async fn assert_counted(&self) {
        let batch = self.stored().await;
        let job = self.history.job(&self.job).await.unwrap().unwrap();
        let closed = u32::from(batch.status == BatchStatus::Closed);
        assert_eq!((job.open, job.closed), (0, closed));
        assert_eq!(job.success + job.unknown, closed * batch.total);
        assert_eq!(batch.counts.map(|counts| counts.success).unwrap_or_default(), job.success);
    }
}

/// The batch that a holder has written, if it has; nobody else may have had the step.
fn written_by_its_holder(stored: &Batch, before: &Batch, written: Result<Batch, StepError>) -> Option<Batch> {
    match written {
        // Two who do the same, such as closing a batch of a send that stops: the second finds it done.
        Ok(batch) if *stored == batch => Some(batch),
        Ok(batch) => {
            assert_eq!(stored.claim, before.claim, "a write by one whose claim it is not");
            assert_ne!(stored.status, BatchStatus::Closed, "a closed batch was written");
            Some(batch)
        }
        Err(StepError::ClaimLost) => None,
        Err(error) => panic!("{error}"),
    }
}

fn run(case: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(case)
}

/// What happens, to which of those that it may happen to, and whether it happens in full.
type Happening = (u8, prop::sample::Index, bool);

async fn nothing_is_lost(not_done: u32, happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let mut world = World::new(not_done).await;
    for (what, which, fully) in happenings {
        match what {
            0..=3 if !world.queue.is_empty() => {
                let at = which.index(world.queue.len());
                let asked = world.queue[at];
                if fully {
                    world.queue.swap_remove(at);
                }
                world.deliver(asked).await;
            }
            4..=8 if !world.holders.is_empty() => {
                let holder = world.holders.swap_remove(which.index(world.holders.len()));
                let next = world.act(holder).await;
                world.holders.extend(next);
            }
            // A holder dies.
            9 if !world.holders.is_empty() => {
                drop(world.holders.swap_remove(which.index(world.holders.len())));
            }
            10 => world.now += if fully { CLAIM } else { 7_000 },
            11 if fully => world.watchdog().await,
            // Whoever asks for the stop dies, too: the send ends by what it has that is due.
            11 if which.index(5) == 0 => {
                world.stopping |= world.history.request_stop(&world.job.send, cancelled()).await.unwrap();
            }
            _ => {}
        }
    }
    // From here on nothing fails; whatever was lost before is found.
    let mut rounds = 0;
    while !world.is_done().await {
        rounds += 1;
        prop_assert!(rounds < 200, "stuck: {:?}", world.stored().await);
        world.finish_holders().await;
        for asked in std::mem::take(&mut world.queue) {
            world.deliver(asked).await;
            world.finish_holders().await;
        }
        world.wait_for_the_watchdog().await;
    }
    world.assert_counted().await;
    let planned = world.stored().await.status == BatchStatus::Planned;
    prop_assert!(world.given_up_at.is_none() || world.claimed_at.len() > world.takeover.pauses.len());
    prop_assert!(planned || world.submits > 0 || world.stopping);
    if planned {
        let header = world.history.get::<crate::SendHeader>(&world.job.send.header()).await.unwrap().unwrap();
        prop_assert!(header.status.has_ended(), "{}", header.status);
    }
    Ok(())
}

/// Holders die one after another, each at any side effect of its step, while messages come as often as they like.
async fn is_given_up(deaths: Vec<(usize, usize, i64)>) -> Result<(), TestCaseError> {
    let mut world = World::new(0).await;
    let mut dying = deaths.into_iter();
    let (mut dead, mut rounds) = (0, 0);
    while !world.is_done().await {
        rounds += 1;
        prop_assert!(rounds < 200, "stuck: {:?}", world.stored().await);
        for asked in std::mem::take(&mut world.queue) {
            world.deliver(asked).await;
        }
        while let Some(mut holder) = world.holders.pop() {
            let fate = if matches!(holder, Holder::Call(_)) { dying.next() } else { None };
            let Some((effects, copies, late)) = fate else {
                world.finish(holder).await;
                continue;
            };
            dead += 1;
            // Before its call, or after: nothing of its step is written.
            for _ in 0..effects {
                holder = world.act(holder).await.unwrap();
            }
            // SQS delivers its message again, early and late.
            let Batch { attempt_try, n, .. } = world.stored().await;
            for _ in 0..copies {
                // Whoever has claimed it is at work.
                if world.holders.is_empty() {
                    world.now += late * 1_000;
                    world.deliver(BatchStep { batch: BATCH, attempt_try, n }).await;
                }
            }
        }
        world.wait_for_the_watchdog().await;
    }
    world.assert_counted().await;
    let millis = |length: Duration| later(0, length);
    let pauses = &world.takeover.pauses;
    prop_assert_eq!(world.given_up_at.is_some(), dead > pauses.len(), "{} died", dead);
    for (nth, pair) in world.claimed_at.windows(2).enumerate().take(dead) {
        let wanted = pauses.get(nth).map_or(0, |pause| millis(*pause));
        prop_assert!(pair[1] - pair[0] >= CLAIM + wanted, "{:?}", world.claimed_at);
    }
    if let Some(at) = world.given_up_at {
        prop_assert_eq!(dead, pauses.len() + 1);
        prop_assert!(at - (world.claimed_at[0] + CLAIM) >= millis(world.takeover.span));
    }
    Ok(())
}

/// How many messages are sent where each comes so often.
async fn messages(not_done: u32, copies: usize) -> usize {
    let mut world = World::new(not_done).await;
    while let Some(asked) = world.queue.pop() {
        // The second copy comes while the first one's holder is at work.
        for _ in 0..copies {
            world.deliver(asked).await;
        }
        world.finish_holders().await;
    }
    assert!(world.is_done().await);
    world.assert_counted().await;
    world.sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn nothing_is_lost_whoever_stops_where(
        not_done in 0_u32..4,
        happenings in proptest::collection::vec((0_u8..12, any::<prop::sample::Index>(), any::<bool>()), 0..60),
    ) {
        run(nothing_is_lost(not_done, happenings))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_step_is_given_up_after_six_dead_holders_over_three_hours_and_not_before(
        deaths in proptest::collection::vec((0_usize..2, 0_usize..4, 0_i64..40), 0..9),
    ) {
        run(is_given_up(deaths))?;
    }
}

#[tokio::test]
async fn duplicates_do_not_multiply() {
    for not_done in 0..6 {
        let (once, twice) = (messages(not_done, 1).await, messages(not_done, 2).await);
        assert!(twice < 3 * once, "{twice} messages instead of {once}");
    }
}
