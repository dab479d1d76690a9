//! A batch: records that are sent in one bulk call, or in several if the call has to be repeated or the batch split. Its
//! data depends on its progress: planned, open or closed.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::piece::Piece;
use stafett_domain::takeover::Unfinished;
use stafett_domain::time::Millis;
use stafett_domain::{
    AttemptId, BatchEvent, BatchId, BatchStatus, Call, Counts, Environment, IllegalTransition, JobStatus,
    OnRecordErrors, Outcome, SkolverketJobId,
};

use super::claim::{self, Claim};
use super::due::Due;
use super::number::is_zero;
use super::outcomes::{Outcomes, Tally};
use crate::key::PartBody;
use crate::write::Rewritten;

/// Records that are sent in one call. `P` is the progress, if it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch<P = Progress> {
    pub batch: BatchId,
    pub total: u32,
    /// The batch to submit when this one closes. Set at planning, so that a repeated close queues the same batch. `None`
    /// once it was queued early because this batch waits for a retry round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<BatchId>,
    /// The caller's option for records that are not accepted.
    #[serde(default)]
    pub on_record_errors: OnRecordErrors,
    /// The environment that it is sent to.
    #[serde(default)]
    pub environment: Environment,
    /// Where its body is stored, if it arrived with a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_body: Option<PartBody>,
    /// The rows need facts from other upload parts. These are stored in an item of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_facts: bool,
    /// When it is overdue, for the watchdog.
    #[serde(flatten)]
    pub due: Due,
    /// Revision. Increases with every state change; a state change is conditional on it. Updates of `handedOn` and `dueAt`
    /// do not increase it.
    pub rev: u64,
    /// When the item expires, in seconds since 1970.
    pub expires: i64,
    /// The progress of the batch.
    #[serde(flatten)]
    pub progress: P,
}

/// How far a batch has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum Progress {
    /// Nobody has claimed it.
    Planned,
    /// It was claimed and is not finished.
    Open(Box<Open>),
    /// Every record has its final outcome, which may be `unknown` or `notSent`.
    Closed(Box<Closed>),
}

/// The data of an open batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// Which try, from 1.
    #[serde(rename = "try")]
    pub attempt_try: u32,
    /// Which step of the try, from 0. Stored with every step, so that older messages are recognised as stale.
    pub n: u32,
    /// What step `n` does.
    #[serde(flatten)]
    pub work: Work,
    /// The holder of step `n`.
    #[serde(flatten, deserialize_with = "claim::whole_or_absent")]
    pub claim: Option<Claim>,
    /// The message for step `n` is queued.
    pub handed_on: bool,
    /// The earliest time for step `n`.
    #[serde(default)]
    pub not_before: Millis,
    /// The number of claims in a row, before the current one, that were never finished.
    #[serde(flatten)]
    pub unfinished: Unfinished,
    /// It waits for Skolverket.
    #[serde(flatten, deserialize_with = "whole_or_absent")]
    pub waiting: Option<Waiting>,
    /// How many of Skolverket's jobs for the current piece answered 404 when polled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
    /// Skolverket refused the token of the last call, and a new token was requested.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub token_renewed: bool,
    /// A submit of the current piece got no usable response: Skolverket may have accepted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
    /// The pieces still to send, in order; the first is being sent. Empty if the batch was never split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// Outcomes of the records that are finished, if the batch was split.
    #[serde(default, skip_serializing_if = "Outcomes::is_empty")]
    pub settled: Outcomes,
}

/// What a step of an open batch does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase")]
pub enum Work {
    /// It submits the current piece.
    Submit,
    /// It polls Skolverket's job.
    Poll(Polling),
}

/// The state of polling Skolverket's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Polling {
    pub job_id: SkolverketJobId,
    /// When Skolverket accepted it.
    pub submitted_at: Timestamp,
    /// The number of polls in a row that found it not done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_done: u32,
}

/// A wait for Skolverket, which cannot be reached or gives no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The start of the wait.
    #[serde(rename = "waitingSince")]
    pub since: Timestamp,
    /// The number of faults in a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub faults: u32,
    /// The number of answers that could not be parsed since the last one that could.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

/// Reads the attributes of a wait: `None` without its time, and an error if one cannot be parsed. Serde would read a
/// wrong attribute as `None`, and the deadline would start again.
fn whole_or_absent<'de, D: Deserializer<'de>>(attributes: D) -> Result<Option<Waiting>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attributes {
        waiting_since: Option<Timestamp>,
        #[serde(default)]
        faults: u32,
        #[serde(default)]
        unreadable: u32,
    }
    let Attributes { waiting_since, faults, unreadable } = Attributes::deserialize(attributes)?;
    Ok(waiting_since.map(|since| Waiting { since, faults, unreadable }))
}

/// The data of a closed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// The try in which it was closed.
    #[serde(rename = "try")]
    pub attempt_try: u32,
    /// The step in which it was closed.
    pub n: u32,
    /// What that step did.
    pub call: Call,
    /// The messages that follow from its end are queued.
    pub handed_on: bool,
    /// The outcomes of its records.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

impl Rewritten for Batch {
    const ATTRIBUTES: &[&str] = &[
        "answers",
        "batch",
        "call",
        "causes",
        "claim",
        "claimUntil",
        "copiedFor",
        "counts",
        "dueAt",
        "dueShard",
        "environment",
        "expires",
        "faults",
        "handedOn",
        "issues",
        "jobId",
        "lost",
        "n",
        "notBefore",
        "notDone",
        "onRecordErrors",
        "ownFacts",
        "partBody",
        "pieces",
        "resent",
        "resentSince",
        "rev",
        "settled",
        "status",
        "submittedAt",
        "successor",
        "tokenRenewed",
        "total",
        "try",
        "uncertain",
        "unfinished",
        "unfinishedSince",
        "unreadable",
        "usualStatusCode",
        "waitingSince",
    ];
}

impl Open {
    /// The first step of a batch that nobody has claimed.
    pub(crate) fn first() -> Self {
        Self {
            attempt_try: 1,
            n: 0,
            work: Work::Submit,
            claim: None,
            handed_on: false,
            not_before: 0,
            unfinished: Unfinished::default(),
            waiting: None,
            lost: 0,
            token_renewed: false,
            uncertain: false,
            pieces: Vec::new(),
            settled: Outcomes::default(),
        }
    }
}

impl<P> Batch<P> {
    /// Returns the same batch with other progress.
    pub(crate) fn with<Q>(&self, progress: Q) -> Batch<Q> {
        Batch {
            batch: self.batch,
            total: self.total,
            successor: self.successor,
            on_record_errors: self.on_record_errors,
            environment: self.environment,
            part_body: self.part_body.clone(),
            own_facts: self.own_facts,
            due: self.due.clone(),
            rev: self.rev,
            expires: self.expires,
            progress,
        }
    }

    fn at(&self, attempt_try: u32, n: u32) -> BatchStep {
        BatchStep { batch: self.batch, attempt_try, n }
    }
}

impl From<Batch<Open>> for Batch {
    fn from(batch: Batch<Open>) -> Self {
        batch.with(Progress::Open(Box::new(batch.progress.clone())))
    }
}

impl From<Batch<Closed>> for Batch {
    fn from(batch: Batch<Closed>) -> Self {
        batch.with(Progress::Closed(Box::new(batch.progress.clone())))
    }
}

impl Batch {
    /// A batch that nobody has claimed.
    pub fn planned(batch: BatchId, total: u32, successor: Option<BatchId>, expires: i64) -> Self {
        Self {
            batch,
            total,
            successor,
            on_record_errors: OnRecordErrors::default(),
            environment: Environment::default(),
            part_body: None,
            own_facts: false,
            due: Due::default(),
            rev: 0,
            expires,
            progress: Progress::Planned,
        }
    }

    /// The state of the batch.
    pub fn status(&self) -> BatchStatus {
        match self.progress {
            Progress::Planned => BatchStatus::Planned,
            Progress::Open(_) => BatchStatus::Open,
            Progress::Closed(_) => BatchStatus::Closed,
        }
    }

    /// Returns the batch as open, so that `event` can be applied. A planned batch is opened by
    /// [`BatchEvent::Claimed`].
    ///
    /// # Errors
    /// [`IllegalTransition`]: the event is not allowed in this state.
    pub fn opened(&self, event: BatchEvent) -> Result<Batch<Open>, IllegalTransition> {
        match &self.progress {
            Progress::Open(open) => Ok(self.with(Open::clone(open))),
            Progress::Planned | Progress::Closed(_) => {
                self.status().next(event)?;
                Ok(self.with(Open::first()))
            }
        }
    }

    /// The try and step that it is at.
    pub(crate) fn position(&self) -> BatchStep {
        match &self.progress {
            Progress::Planned => self.at(1, 0),
            Progress::Open(open) => self.at(open.attempt_try, open.n),
            Progress::Closed(closed) => self.at(closed.attempt_try, closed.n),
        }
    }

    /// Its current step.
    pub fn step(&self) -> Step {
        let call = match &self.progress {
            Progress::Planned => Call::Submit,
            Progress::Open(open) => open.work.call(),
            Progress::Closed(closed) => closed.call,
        };
        Step::of(call, self.position())
    }

    /// The outcomes of its records so far. `None` before it was claimed.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        match &self.progress {
            Progress::Planned => None,
            Progress::Open(open) => Some(&open.settled),
            Progress::Closed(closed) => Some(&closed.outcomes),
        }
    }

    /// The attempt under which its issues are stored, if there are any.
    pub fn issues(&self) -> Option<AttemptId> {
        self.outcomes().and_then(|outcomes| outcomes.issues)
    }

    /// Why its records were not simply accepted, if that is stored with the batch.
    pub(crate) fn causes(&self) -> Option<&[Tally]> {
        self.outcomes().and_then(|outcomes| outcomes.causes.as_deref())
    }

    /// The pieces still to send, if it was split.
    pub(crate) fn pieces(&self) -> &[Piece] {
        match &self.progress {
            Progress::Open(open) => &open.pieces,
            Progress::Planned | Progress::Closed(_) => &[],
        }
    }

    /// The counts of its records in a job with this status.
    pub fn counts_in(&self, status: JobStatus) -> Counts {
        let known = self.outcomes().map(|outcomes| outcomes.counts).unwrap_or_default();
        let counts = known.plus(Counts::all(self.total.saturating_sub(known.total), Outcome::Pending));
        if status.has_ended() { counts.settled() } else { counts }
    }
}

impl Batch<Open> {
    /// Its current step.
    pub fn step(&self) -> Step {
        Step::of(self.call(), self.at(self.progress.attempt_try, self.progress.n))
    }

    /// The call of that step.
    pub fn call(&self) -> Call {
        self.progress.work.call()
    }

    /// The id of the attempt for its call.
    pub fn attempt(&self) -> AttemptId {
        let Open { attempt_try, n, .. } = self.progress;
        AttemptId { batch: self.batch, attempt_try, n, token_request: None }
    }

    /// The current piece.
    pub fn piece(&self) -> Piece {
        let first = self.progress.pieces.first().cloned().unwrap_or_else(|| Piece::whole(self.total));
        Piece { uncertain: first.uncertain || self.progress.uncertain, ..first }
    }

    /// Skolverket may have received a submit whose response nobody saw: the call timed out, or the holder died. A claim
    /// that is still present when another process takes the step means that its holder died.
    pub fn may_have_been_sent(&self) -> bool {
        self.piece().uncertain || self.progress.claim.is_some()
    }

    /// The number of faults in a row while it waits for Skolverket.
    pub fn faults(&self) -> u32 {
        self.progress.waiting.map_or(0, |waiting| waiting.faults)
    }
}

impl Work {
    /// The call that the step makes.
    pub fn call(&self) -> Call {
        match self {
            Self::Submit => Call::Submit,
            Self::Poll(_) => Call::Poll,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_open_batch_whose_claim_or_wait_cannot_be_read_is_not_read() {
        let item = json!({
            "batch": 0, "total": 1, "rev": 1, "expires": 9, "status": "open", "try": 1, "n": 0, "call": "submit",
            "handedOn": true, "claim": "00000000-0000-4000-8000-000000000007", "claimUntil": 7,
            "waitingSince": "2026-11-28T09:00:00Z",
        });
        let read = |item: Value| serde_json::from_value::<Batch>(item).map(|batch| batch.progress);
        let Progress::Open(open) = read(item.clone()).unwrap() else { panic!("not open") };
        assert!(open.claim.is_some() && open.waiting.is_some());
        for attribute in ["claim", "claimUntil", "waitingSince"] {
            let mut broken = item.clone();
            broken[attribute] = json!("soon");
            assert!(read(broken).is_err(), "{attribute}");
        }
    }
}
