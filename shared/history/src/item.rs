//! The small items: those that change. They are apart from the large ones, which are written once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{
    AttemptCall, AttemptId, AuthorizationCause, BatchId, BatchStatus, Call, ClaimId, Counts, Environment,
    JobStatus, OnRecordErrors, Options, OrganisationNumber, Outcome, PerKind, Reason, RecordKind, Route,
    SendId, SendStatus, SkolverketJobId, WaitCause,
};

use crate::causes::Tally;
use crate::due::Due;
use crate::key::SendRef;
use crate::terms::SendTerms;
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::piece::Piece;
use stafett_domain::takeover::Unfinished;
use stafett_domain::time::Millis;

/// The organiser's place in the order: which send runs, and the number that the next accepted one gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organiser {
    /// The one running send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<SendId>,
    /// Its number in the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seq: Option<u64>,
    /// When it got the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
    /// From 1.
    pub next_seq: u64,
}

/// A send, without its jobs and its activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendHeader {
    /// Its id.
    pub id: SendId,
    /// Whose.
    pub organisation: OrganisationNumber,
    /// Where it stands.
    pub status: SendStatus,
    /// Its number in the organiser's order; none before acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// How many were before it when it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_position: Option<u64>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it got its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When its first step was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The `sub` of the token that asked for it.
    pub requested_by: String,
    /// How many activities it holds.
    pub activity_count: u32,
    /// What the sender chose.
    pub options: Options,
    /// Its stages, in the order in which they run.
    pub route: Route,
    /// The send that it takes up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_of: Option<SendId>,
    /// The days that the organiser's certificate had left when the send came, where those were few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_days_left: Option<i64>,
    /// Set once: no new submits, what is open is polled to its end, then the send ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_requested: Option<Reason>,
    /// Of a send that comes in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// How many batches each stage has. Written before any of them, so that they are found should it not be accepted.
    #[serde(default)]
    pub batches: PerKind<u32>,
    /// It was not accepted in time, and is being removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discarded: bool,
    /// Until when a send that was cancelled before it was accepted is shown; the rest of it is removed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_until: Option<Millis>,
    /// When the watchdog looks at a send that was not accepted: from its first write on, until it is.
    #[serde(flatten)]
    pub due: Due,
    /// Seconds since 1970; the same on all items of a send.
    pub expires: i64,
}

impl SendHeader {
    /// A send that is being received on these terms, and is kept from now on; should it not be accepted, it is discarded at
    /// `discard_at`.
    pub(crate) fn receiving(send: &SendRef, terms: &SendTerms, now: Timestamp, discard_at: Millis) -> Self {
        let SendTerms { requested_by, options, route, retention_days, certificate_days_left, resume_of } =
            terms;
        Self {
            id: send.send,
            organisation: send.organisation.clone(),
            status: SendStatus::Receiving,
            seq: None,
            accepted_position: None,
            created_at: now,
            accepted_at: None,
            started_at: None,
            ended_at: None,
            requested_by: requested_by.clone(),
            activity_count: 0,
            options: *options,
            route: route.clone(),
            resume_of: *resume_of,
            certificate_days_left: *certificate_days_left,
            stop_requested: None,
            upload: None,
            batches: PerKind::default(),
            discarded: false,
            shown_until: None,
            due: Due::at(discard_at, send),
            expires: now.as_second() + i64::from(*retention_days) * 86_400,
        }
    }

    /// It got a place in the organiser's order.
    pub fn was_accepted(&self) -> bool {
        self.seq.is_some()
    }

    /// It is to be seen: it was accepted, and has not expired.
    pub(crate) fn is_seen(&self, now: Timestamp) -> bool {
        self.was_accepted() && self.expires > now.as_second()
    }

    /// It can still be accepted.
    pub(crate) fn is_open(&self) -> bool {
        self.status == SendStatus::Receiving && !self.discarded
    }
}

/// The parts of a send that comes in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Grows with every part that is stored.
    pub rev: u64,
    /// How many parts it has: set when it is submitted, and no part is taken any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<u32>,
}

/// Where the body of a batch is that came with a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartBody {
    /// The part's number.
    pub part: u32,
    /// Its key in the part, which the request that wrote it is in: no two requests write the same body.
    pub name: String,
}

/// A send's stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Which.
    pub stage: RecordKind,
    /// Where it stands.
    pub status: JobStatus,
    /// How many records.
    pub total: u32,
    /// How many batches.
    pub batches: u32,
    /// How many of them are claimed and not finished.
    pub open: u32,
    /// How many of them are finished.
    pub closed: u32,
    /// Records accepted.
    pub success: u32,
    /// Records accepted with a warning.
    pub warning: u32,
    /// Records refused.
    pub error: u32,
    /// Records left out because of another.
    pub skipped: u32,
    /// Records not sent.
    pub not_sent: u32,
    /// Records sent without an outcome.
    pub unknown: u32,
    /// Calls that it took beyond one a batch, because batches had to be taken apart.
    #[serde(default)]
    pub extra: u32,
    /// When its start was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Since when it waits for Skolverket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Why it does, by the last call that has to be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_cause: Option<WaitCause>,
    /// Who takes its start step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimId>,
    /// Until when.
    #[serde(default)]
    pub claim_until: Millis,
    /// The claim for which a copy of the start message was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_for: Option<ClaimId>,
    /// The messages that follow from the start were sent.
    #[serde(default)]
    pub handed_on: bool,
    /// See the batch's.
    #[serde(flatten)]
    pub unfinished: Unfinished,
    /// See the batch's.
    #[serde(flatten)]
    pub due: Due,
    /// See the send's.
    pub expires: i64,
}

/// Whether a number need not be written.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The records of one bulk call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// Which.
    pub batch: BatchId,
    /// Where it stands.
    pub status: BatchStatus,
    /// Which try, from 1.
    #[serde(rename = "try")]
    pub attempt_try: u32,
    /// Which step of the try, from 0. Written with every step, so that older messages can be told.
    pub n: u32,
    /// What step `n` is.
    pub call: Call,
    /// How many records.
    pub total: u32,
    /// The batch whose submit the end of this one queues. Fixed when it is planned, so that a repeat queues the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<BatchId>,
    /// What the sender chose for records that are not accepted.
    #[serde(default)]
    pub on_record_errors: OnRecordErrors,
    /// Where it goes.
    #[serde(default)]
    pub environment: Environment,
    /// Where its body is, if it came with a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_body: Option<PartBody>,
    /// Its rows show what stood in other parts: kept apart from its body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_facts: bool,
    /// Who takes step `n`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimId>,
    /// Until when.
    #[serde(default)]
    pub claim_until: Millis,
    /// The claim for which a copy of the message was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_for: Option<ClaimId>,
    /// While open: the message for step `n` was sent. Once closed: those that follow were.
    #[serde(default)]
    pub handed_on: bool,
    /// Step `n` is not to be taken before.
    #[serde(default)]
    pub not_before: Millis,
    /// When the watchdog looks at it.
    #[serde(flatten)]
    pub due: Due,
    /// Skolverket's job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<SkolverketJobId>,
    /// When Skolverket took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// Steps put back in a row for the same cause: what the next pause grows with.
    #[serde(default)]
    pub put_back: u32,
    /// Since when it waits for Skolverket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Answers that could not be read, since the last one that could.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
    /// Jobs that Skolverket gave for what is being sent of it, and did not know afterwards.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
    /// Claims in a row that were never finished, before the present one.
    #[serde(flatten)]
    pub unfinished: Unfinished,
    /// Skolverket refused the token of the last call, and a new one was asked for.
    #[serde(default)]
    pub token_renewed: bool,
    /// A submit of what is being sent of it went out whose answer was never seen: Skolverket may have carried it out.
    #[serde(default)]
    pub uncertain: bool,
    /// What of it is still to be sent, in this order; the first is being sent. Empty: all of it at once, as ever when
    /// nothing went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// The records of a batch with pieces that have their outcome already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Counts>,
    /// Outcomes, once closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The attempts whose answers gave outcomes, in order. Each is kept as a large item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AttemptId>,
    /// The attempt under which the issues are kept, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues: Option<AttemptId>,
    /// Why its records were not simply accepted, once closed; none where the issues have to be asked, because there are
    /// more causes than are kept here, or no issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causes: Option<Vec<Tally>>,
    /// The status code that its accepted records have, but for those that the issues name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_status_code: Option<u16>,
    /// Grows with every write, and is what a write is conditional on.
    pub rev: u64,
    /// See the send's.
    pub expires: i64,
}

impl Batch {
    /// A batch that nobody has claimed.
    pub fn planned(batch: BatchId, total: u32, successor: Option<BatchId>, expires: i64) -> Self {
        Self {
            batch,
            status: BatchStatus::Planned,
            attempt_try: 1,
            n: 0,
            call: Call::Submit,
            total,
            successor,
            on_record_errors: OnRecordErrors::default(),
            environment: Environment::default(),
            part_body: None,
            own_facts: false,
            claim: None,
            claim_until: 0,
            copied_for: None,
            handed_on: false,
            not_before: 0,
            due: Due::default(),
            job_id: None,
            submitted_at: None,
            put_back: 0,
            waiting_since: None,
            unreadable: 0,
            lost: 0,
            unfinished: Unfinished::default(),
            token_renewed: false,
            uncertain: false,
            pieces: Vec::new(),
            settled: None,
            counts: None,
            answers: Vec::new(),
            issues: None,
            causes: None,
            usual_status_code: None,
            rev: 0,
            expires,
        }
    }

    /// The step that it is at.
    pub fn step(&self) -> Step {
        Step::of(self.call, BatchStep { batch: self.batch, attempt_try: self.attempt_try, n: self.n })
    }

    /// What is being sent of it.
    pub fn piece(&self) -> Piece {
        let first = self.pieces.first().cloned().unwrap_or_else(|| Piece::whole(self.total));
        Piece { uncertain: first.uncertain || self.uncertain, ..first }
    }

    /// The attempt that step `n`'s call is.
    pub fn attempt(&self) -> AttemptId {
        AttemptId { batch: self.batch, attempt_try: self.attempt_try, n: self.n, token_request: None }
    }

    /// Faults in a row, Skolverket being out of reach.
    pub fn faults(&self) -> u32 {
        if self.waiting_since.is_some() { self.put_back } else { 0 }
    }

    /// Looks in a row at a job that was not done.
    pub fn looks(&self) -> u32 {
        if self.waiting_since.is_some() { 0 } else { self.put_back }
    }

    /// A submit of it may have reached Skolverket, though nobody saw the answer: one timed out, or its holder died,
    /// which is what a claim that is still there means when another takes the step.
    pub fn may_have_been_sent(&self) -> bool {
        self.piece().uncertain || self.claim.is_some()
    }

    /// The counts of its records in a job of this status.
    pub fn counts_in(&self, status: JobStatus) -> Counts {
        let open = || {
            let settled = self.settled.unwrap_or_default();
            settled.plus(Counts::all(self.total - settled.total, Outcome::Pending))
        };
        let counts = self.counts.unwrap_or_else(open);
        if status.has_ended() { counts.settled() } else { counts }
    }
}

impl Job {
    /// The counts of its records.
    pub fn counts(&self) -> Counts {
        let known = self.success + self.warning + self.error + self.skipped + self.not_sent + self.unknown;
        let counts = Counts {
            total: self.total,
            pending: self.total.saturating_sub(known),
            success: self.success,
            warning: self.warning,
            error: self.error,
            skipped: self.skipped,
            not_sent: self.not_sent,
            unknown: self.unknown,
        };
        if self.status.has_ended() { counts.settled() } else { counts }
    }

    /// A job that nothing has happened to.
    pub fn waiting(stage: RecordKind, total: u32, batches: u32, expires: i64) -> Self {
        Self {
            stage,
            status: JobStatus::Waiting,
            total,
            batches,
            open: 0,
            closed: 0,
            success: 0,
            warning: 0,
            error: 0,
            skipped: 0,
            not_sent: 0,
            unknown: 0,
            extra: 0,
            started_at: None,
            ended_at: None,
            reason: None,
            waiting_since: None,
            waiting_cause: None,
            claim: None,
            claim_until: 0,
            copied_for: None,
            handed_on: false,
            unfinished: Unfinished::default(),
            due: Due::default(),
            expires,
        }
    }
}

/// One HTTP call for a batch: its own, or for the token that its own needed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its id within the job.
    pub attempt: AttemptId,
    /// What it was.
    pub call: AttemptCall,
    /// `POST` or `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The HTTP status; none where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why a request for a token gave none; none where another one followed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<AuthorizationCause>,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// The body of a request for a token, as far as it may be seen. That of a bulk call is its batch's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// Why it was made again, where the status does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_cause: Option<WaitCause>,
    /// The answer's body, where it is small: bounded for failed calls, absent for a look at a job that is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether the answer's body is kept as a large item.
    #[serde(default)]
    pub answer_kept: bool,
    /// Which records of its batch it was about, where it was not all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u32>,
    /// See the send's.
    pub expires: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(item: &T) {
        let map: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue> =
            serde_dynamo::to_item(item).unwrap();
        assert_eq!(&serde_dynamo::from_item::<_, T>(map).unwrap(), item);
    }

    #[test]
    fn items_read_back_as_they_were_written() {
        let now: Timestamp = "2026-11-01T10:00:00.123456Z".parse().unwrap();
        let send = SendRef::new("5567044268".parse().unwrap(), SendId(uuid::Uuid::from_u128(7)));
        let claim = Some(ClaimId(uuid::Uuid::from_u128(9)));
        let running_since = Some("2026-11-01T08:00:00Z".parse().unwrap());
        round_trip(&Organiser { running: Some(send.send), running_seq: Some(3), running_since, next_seq: 5 });
        round_trip(&Organiser { next_seq: 1, ..Organiser::default() });
        let reason = Some(Reason::with_status(stafett_domain::ReasonCode::Refused, 400));
        round_trip(&SendHeader {
            id: send.send,
            organisation: send.organisation.clone(),
            status: SendStatus::Running,
            seq: Some(4),
            accepted_position: Some(2),
            created_at: now,
            accepted_at: Some(now),
            started_at: None,
            ended_at: None,
            requested_by: "someone".to_owned(),
            activity_count: 1,
            options: Options::default(),
            route: Route::of_puts(),
            certificate_days_left: Some(-1),
            resume_of: Some(send.send),
            stop_requested: reason.clone(),
            upload: Some(Upload { rev: 3, submitted: Some(2) }),
            batches: PerKind::from_fn(|kind| u32::from(kind.code())),
            discarded: true,
            shown_until: Some(88),
            due: Due::at(77, &send),
            expires: 1,
        });
        let mut job = Job::waiting(RecordKind::Duty, 10, 1, 5);
        round_trip(&job);
        job.due = Due::at(77, &send);
        (job.claim, job.reason, job.started_at) = (claim, reason, Some(now));
        job.unfinished = Unfinished { claims: 2, since: Some(3) };
        round_trip(&job);
        let mut batch = Batch::planned(BatchId(3), 10, Some(BatchId(7)), 5);
        round_trip(&batch);
        batch.due = Due { resent: 2, resent_since: Some(5), ..Due::at(77, &send) };
        (batch.claim, batch.counts, batch.issues) =
            (claim, Some(Counts::all(10, Outcome::Error)), Some(batch.attempt()));
        batch.pieces = vec![Piece::whole(3)];
        batch.part_body = Some(PartBody { part: 2, name: "0#001#ab".to_owned() });
        batch.own_facts = true;
        batch.unfinished = job.unfinished.clone();
        batch.answers = vec![batch.attempt()];
        round_trip(&batch);
    }

    #[test]
    fn a_job_that_ended_has_nothing_pending() {
        let mut job = Job::waiting(RecordKind::Person, 10, 2, 0);
        job.success = 4;
        assert_eq!(job.counts().pending, 6);
        job.status = JobStatus::Failed;
        assert_eq!((job.counts().pending, job.counts().not_sent), (0, 6));
    }
}
