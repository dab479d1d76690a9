//! The claim protocol as a model: the same pure functions over one batch, holders that stop at any point, messages that
//! come twice or late, a watchdog, a stop. Nothing may be lost, nobody may write what is not his, and nothing is given up
//! before so many holders have died over so long a time.

use proptest::prelude::*;
use stafett_domain::{BatchId, BatchStatus, Call, ClaimId, Counts, Outcome, SendId};

use std::time::Duration;

use crate::claim::{BatchClaim, Meaning, meaning};
use crate::due::Due;
use crate::item::Batch;
use crate::key::SendRef;
use crate::progress::{Closing, Next, Outcomes};
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::takeover::Takeover;
use stafett_domain::time::Millis;

const CLAIM: Millis = 30;
const OVERDUE: Millis = 60;
/// Between two looks of the watchdog at a step, at first.
const PAUSE: Duration = Duration::from_millis(60);
/// The template's minutes as milliseconds.
const PAUSES: [u64; 5] = [0, 300, 900, 1800, 3600];
const SPAN: u64 = 10_800;

fn rules() -> Takeover {
    let milliseconds = Duration::from_millis;
    Takeover {
        pauses: PAUSES.map(milliseconds).to_vec(),
        span: milliseconds(SPAN),
        slack: Duration::from_millis(1),
    }
}

/// What a holder is about to do with its claimed batch.
#[derive(Clone)]
enum Holder {
    Call(Batch),
    Write { before: Batch, after: Box<Batch> },
    HandOn(Batch),
}

struct World {
    send: SendRef,
    now: Millis,
    batch: Batch,
    stopping: bool,
    holders: Vec<Holder>,
    queue: Vec<BatchStep>,
    sent: usize,
    claims: u128,
    /// When each claim was made.
    claimed_at: Vec<Millis>,
    /// When it was given up because of its holders.
    given_up_at: Option<Millis>,
    takeover: Takeover,
    /// Calls that Skolverket saw.
    submits: u32,
    /// What is to happen to Skolverket's job at each look: not done so often.
    looks: u32,
    successor_queued: bool,
}

impl World {
    fn new(looks: u32) -> Self {
        let send = SendRef::new("5567044268".parse().unwrap(), SendId(uuid::Uuid::nil()));
        let mut batch = Batch::planned(BatchId(0), 3, Some(BatchId(4)), 0);
        batch.due = Due::at(OVERDUE, &send);
        let queue = vec![BatchStep { batch: BatchId(0), attempt_try: 1, n: 0 }];
        Self {
            send,
            now: 0,
            batch,
            stopping: false,
            holders: Vec::new(),
            queue,
            sent: 1,
            claims: 0,
            claimed_at: Vec::new(),
            given_up_at: None,
            takeover: rules(),
            submits: 0,
            looks,
            successor_queued: false,
        }
    }

    fn queue(&mut self, step: Step) {
        let (Step::Submit(step) | Step::Poll(step)) = step else { return };
        self.queue.push(step);
        self.sent += 1;
    }

    fn deliver(&mut self, asked: BatchStep) {
        match meaning(&self.batch, asked, self.now, &self.takeover) {
            Meaning::Done | Meaning::Paused => {}
            Meaning::Ahead => panic!("a message from the future"),
            Meaning::HandOn => self.holders.push(Holder::HandOn(self.batch.clone())),
            Meaning::Early(_) => self.queue.push(asked),
            Meaning::Held(_) => {
                if self.batch.copied_for != self.batch.claim {
                    self.batch.copied_for = self.batch.claim;
                    self.queue.push(asked);
                    self.sent += 1;
                }
            }
            Meaning::Free => self.claim(),
        }
    }

    fn claim(&mut self) {
        let submits = self.batch.call == Call::Submit;
        if submits && self.stopping {
            if self.batch.status == BatchStatus::Open {
                let after = self.closing(&self.batch.clone());
                self.write(self.batch.clone(), after);
            } else {
                self.batch.due = Due::default();
            }
            return;
        }
        self.claims += 1;
        let claim = BatchClaim {
            id: ClaimId(uuid::Uuid::from_u128(self.claims)),
            now: self.now,
            until: self.now + CLAIM,
            takeover: &self.takeover,
            within_start: false,
        };
        let live = self.batch.claim.is_some() && self.now < self.batch.claim_until;
        assert!(!live, "a step with a live holder was claimed");
        self.batch = self.batch.claimed(&claim, &self.send).unwrap();
        self.claimed_at.push(self.now);
        if self.takeover.gives_up(&self.batch.unfinished, self.now) {
            self.given_up_at = Some(self.now);
            let after = Box::new(self.closing(&self.batch));
            self.holders.push(Holder::Write { before: self.batch.clone(), after });
        } else {
            self.holders.push(Holder::Call(self.batch.clone()));
        }
    }

    fn next(&self, call: Call) -> Next {
        Next { call, not_before: self.now, overdue_at: self.now + OVERDUE, kept: false }
    }

    fn closing(&self, batch: &Batch) -> Batch {
        let outcomes = Outcomes {
            counts: Counts::all(batch.total, Outcome::Success),
            answers: Vec::new(),
            issues: None,
            causes: None,
            usual_status_code: None,
        };
        let closing = Closing { outcomes, stop: None, overdue_at: self.now + OVERDUE };
        batch.closed(&self.send, &closing).unwrap()
    }

    /// One side effect of a holder; gives what it does next.
    fn act(&mut self, holder: Holder) -> Option<Holder> {
        match holder {
            // No call starts that the claim may be too short for.
            Holder::Call(batch) if batch.claim_until <= self.now => None,
            Holder::Call(batch) => {
                let job = stafett_domain::SkolverketJobId(uuid::Uuid::nil());
                let after = match batch.call {
                    Call::Submit => {
                        self.submits += 1;
                        batch
                            .submitted(&self.send, job, jiff::Timestamp::UNIX_EPOCH, self.next(Call::Poll))
                            .unwrap()
                    }
                    Call::Poll if self.looks > 0 => {
                        self.looks -= 1;
                        batch.put_back(&self.send, self.next(Call::Poll), 1, None, false).unwrap()
                    }
                    Call::Poll => self.closing(&batch),
                };
                Some(Holder::Write { before: batch, after: Box::new(after) })
            }
            Holder::Write { before, after } => {
                let written = self.write(before, (*after).clone());
                written.then_some(Holder::HandOn(*after))
            }
            Holder::HandOn(batch) => {
                if batch.status == BatchStatus::Closed {
                    self.successor_queued = true;
                } else {
                    self.queue(batch.step());
                }
                if self.batch.rev == batch.rev {
                    self.batch.handed_on = true;
                    if self.batch.status == BatchStatus::Closed {
                        self.batch.due = Due::default();
                    }
                }
                None
            }
        }
    }

    fn write(&mut self, before: Batch, after: Batch) -> bool {
        if self.batch.rev != before.rev {
            return false;
        }
        assert_eq!(self.batch.claim, before.claim, "a write by one whose claim it is not");
        assert_ne!(self.batch.status, BatchStatus::Closed, "a closed batch was written");
        self.batch = after;
        true
    }

    fn watchdog(&mut self) {
        if let Some(due) = self.batch.due.sent_again(self.now, PAUSE) {
            self.batch.due = due;
            self.queue(self.batch.step());
        }
    }

    /// Until something is due the world goes by.
    fn wait_for_the_watchdog(&mut self) {
        if let Some(due) = self.batch.due.due_at {
            self.now = self.now.max(due);
        }
        self.watchdog();
    }

    /// Every holder goes on to its end.
    fn finish_holders(&mut self) {
        for holder in std::mem::take(&mut self.holders) {
            let mut next = Some(holder);
            while let Some(holder) = next {
                next = self.act(holder);
            }
        }
    }

    /// Whether nothing is left to do.
    fn is_done(&self) -> bool {
        match self.batch.status {
            BatchStatus::Closed => self.batch.handed_on && self.successor_queued,
            BatchStatus::Planned => self.stopping,
            BatchStatus::Open => false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn nothing_is_lost_whoever_stops_where(
        looks in 0_u32..4,
        steps in proptest::collection::vec((0_u8..12, any::<prop::sample::Index>(), any::<bool>()), 0..60),
    ) {
        let mut world = World::new(looks);
        for (what, which, twice) in steps {
            match what {
                0..=3 if !world.queue.is_empty() => {
                    let at = which.index(world.queue.len());
                    let asked = world.queue[at];
                    if !twice {
                        world.queue.swap_remove(at);
                    }
                    world.deliver(asked);
                }
                4..=8 if !world.holders.is_empty() => {
                    let at = which.index(world.holders.len());
                    let holder = world.holders.swap_remove(at);
                    let next = world.act(holder);
                    world.holders.extend(next);
                }
                // A holder dies: between any two side effects.
                9 if !world.holders.is_empty() => {
                    let at = which.index(world.holders.len());
                    world.holders.swap_remove(at);
                }
                10 => world.now += if twice { CLAIM } else { 7 },
                11 if twice => world.watchdog(),
                11 => world.stopping |= which.index(5) == 0,
                _ => {}
            }
        }
        // From here on nothing fails; whatever was lost before is found.
        let mut rounds = 0;
        while !world.is_done() {
            rounds += 1;
            prop_assert!(rounds < 200, "stuck: {:?}", world.batch);
            world.finish_holders();
            for asked in std::mem::take(&mut world.queue) {
                world.deliver(asked);
                world.finish_holders();
            }
            world.wait_for_the_watchdog();
        }
        prop_assert!(world.given_up_at.is_none() || world.claims > PAUSES.len() as u128);
        prop_assert!(world.batch.status == BatchStatus::Planned || world.submits > 0 || world.stopping);
    }

    /// Holders die one after another, each at any side effect of its step, while messages come as often as they like.
    #[test]
    fn a_step_is_given_up_after_six_dead_holders_over_three_hours_and_not_before(
        deaths in proptest::collection::vec((0_u8..2, 0_usize..4, 0_i64..40), 0..9),
    ) {
        let mut world = World::new(0);
        let mut dying = deaths.iter();
        let (mut dead, mut rounds) = (0, 0);
        while !world.is_done() {
            rounds += 1;
            prop_assert!(rounds < 200, "stuck: {:?}", world.batch);
            for asked in std::mem::take(&mut world.queue) {
                world.deliver(asked);
            }
            while let Some(mut holder) = world.holders.pop() {
                let fate = if matches!(holder, Holder::Call(_)) { dying.next() } else { None };
                let Some((effects, copies, late)) = fate else {
                    while let Some(next) = world.act(holder) {
                        holder = next;
                    }
                    continue;
                };
                dead += 1;
                // Before its call, or after: nothing of its step is written.
                for _ in 0..*effects {
                    holder = world.act(holder).unwrap();
                }
                // SQS delivers its message again, early and late.
                let step = BatchStep { batch: BatchId(0), attempt_try: world.batch.attempt_try, n: world.batch.n };
                for _ in 0..*copies {
                    // Whoever has claimed it is at work.
                    if world.holders.is_empty() {
                        world.now += late;
                        world.deliver(step);
                    }
                }
            }
            world.wait_for_the_watchdog();
        }
        let allowed = PAUSES.len() + 1;
        prop_assert_eq!(world.given_up_at.is_some(), dead >= allowed, "{} died", dead);
        for (nth, pair) in world.claimed_at.windows(2).enumerate().take(dead) {
            let wanted = PAUSES.get(nth).map_or(0, |pause| i64::try_from(*pause).unwrap());
            prop_assert!(pair[1] - pair[0] >= CLAIM + wanted, "{:?}", world.claimed_at);
        }
        if let Some(at) = world.given_up_at {
            prop_assert_eq!(dead, allowed);
            prop_assert!(at - (world.claimed_at[0] + CLAIM) >= i64::try_from(SPAN).unwrap());
        }
    }

    #[test]
    fn duplicates_do_not_multiply(looks in 0_u32..6) {
        let run = |copies: usize| {
            let mut world = World::new(looks);
            while let Some(asked) = world.queue.pop() {
                for _ in 0..copies {
                    world.deliver(asked);
                    // The second copy comes while the first one's holder is at work.
                }
                world.finish_holders();
            }
            assert!(world.is_done());
            world.sent
        };
        let (once, twice) = (run(1), run(2));
        prop_assert!(twice < 3 * once, "{twice} messages instead of {once}");
    }
}
