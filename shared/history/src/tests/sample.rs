//! The sends of the tests, brought to the state where a test begins. Each record has two letters of text and an id that
//! holds its stage, its batch and its place there.

use std::time::Duration;

use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::json;
use stafett_domain::message::BatchStep;
use stafett_domain::takeover::Takeover;
use stafett_domain::time::Millis;
use stafett_domain::{
    ActivitySummary, BatchId, Call, ClaimId, Counts, Options, OrganisationNumber, Outcome, Reason,
    ReasonCode, RecordId, RecordKind, Route, SendId, SkolverketJobId, WaitCause,
};
use uuid::Uuid;

use super::table::Table;
use crate::claim::{BatchClaim, ClaimAnswer};
use crate::end::Settled;
use crate::item::{Batch, Closed, Open, Outcomes};
use crate::progress::{Closing, Next, PutBack};
use crate::start::{StartAnswer, StartClaim};
use crate::{
    Acceptance, Body, History, JobKey, NewBatch, NewBody, NewJob, Received, ReceivedSend, SendContent,
    SendRef, SendTerms,
};

/// When a test begins, in seconds since 1970.
const BEGIN: i64 = 1_790_000_000;
/// How long a claim lasts.
pub(super) const CLAIM: Millis = 30_000;
/// How long after a message was sent the watchdog checks for its effect.
pub(super) const OVERDUE: Millis = 60_000;
/// How many records a batch has.
pub(super) const RECORDS: u32 = 2;
/// How many days a send is stored.
pub(super) const DAYS: u32 = 400;

/// So many seconds after the test began.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).unwrap()
}

/// The same in milliseconds.
pub(super) fn millis(seconds: i64) -> Millis {
    at(seconds).as_millisecond()
}

/// When everything of a send expires that was received when the test began.
pub(super) const EXPIRES: i64 = BEGIN + DAYS as i64 * 86_400;
/// Such a send, stored.
pub(super) const RECEIVED: ReceivedSend = ReceivedSend { expires: EXPIRES, first: RecordKind::Person };

pub(super) fn organisation(number: u32) -> OrganisationNumber {
    format!("5560{number:06}").parse().unwrap()
}

/// A send of the first organiser. Its shard in the index is the number's remainder by four.
pub(super) fn send(number: u128) -> SendRef {
    send_of(1, number)
}

pub(super) fn send_of(organiser: u32, number: u128) -> SendRef {
    SendRef::new(organisation(organiser), SendId(Uuid::from_u128(number)))
}

pub(super) fn claim_id(number: u128) -> ClaimId {
    ClaimId(Uuid::from_u128(number))
}

/// The template's rules.
pub(crate) fn takeover() -> Takeover {
    Takeover {
        pauses: [0, 5, 15, 30, 60].map(Duration::from_mins).to_vec(),
        span: Duration::from_hours(3),
        slack: Duration::from_secs(1),
    }
}

pub(super) fn record(stage: RecordKind, batch: u32, place: u32) -> RecordId {
    let stage = u128::from(stage.code());
    RecordId(Uuid::from_u128((stage + 1) << 64 | u128::from(batch) << 32 | u128::from(place)))
}

pub(super) fn activity(id: RecordId) -> ActivitySummary {
    serde_json::from_value(json!({
        "id": id, "displayName": "Prov", "testCode": null, "testActivityId": Uuid::nil(),
        "schoolUnit": {"id": Uuid::nil(), "code": null, "name": null},
        "groups": 1, "students": 2, "teachers": 3,
    }))
    .unwrap()
}

fn new_batch(stage: RecordKind, batch: u32) -> NewBatch<()> {
    let ids: Vec<_> = (0..RECORDS).map(|place| record(stage, batch, place)).collect();
    let data: Vec<_> = ids.iter().map(|id| json!({"id": id, "text": "åä"})).collect();
    let body = Body { body: json!({"data": data}).to_string(), facts: vec![(); ids.len()] };
    NewBatch { ids, body: NewBody::Whole(body) }
}

pub(super) fn terms() -> SendTerms {
    SendTerms {
        requested_by: "someone".to_owned(),
        options: Options::default(),
        route: Route::of_puts(),
        retention_days: DAYS,
        certificate_days_left: None,
        resume_of: None,
    }
}

/// A send with so many batches in each stage, and an activity for each batch of the last.
pub(super) fn content(batches: [u32; 4]) -> SendContent<()> {
    let jobs = RecordKind::ALL.into_iter().zip(batches).map(|(stage, batches)| NewJob {
        stage,
        batches: (0..batches).map(|batch| new_batch(stage, batch)).collect(),
    });
    let [.., activities] = batches;
    SendContent {
        activities: (0..activities).map(|batch| activity(record(RecordKind::Activity, batch, 0))).collect(),
        findings: Vec::new(),
        not_checked: Vec::new(),
        jobs: jobs.collect(),
    }
}

/// The steps of a send, each as the relay takes it when all goes well. They panic where the history answers otherwise.
impl History {
    pub(super) async fn received(&self, send: &SendRef, batches: [u32; 4]) {
        let (terms, content) = (terms(), content(batches));
        let answer = self.receive(send, &terms, &content, at(0), millis(86_400)).await.unwrap();
        assert_eq!(answer, Received::Stored(RECEIVED));
    }

    pub(super) async fn accepted(&self, send: &SendRef, batches: [u32; 4]) -> u64 {
        self.received(send, batches).await;
        match Box::pin(self.accept(send, RECEIVED, at(1), millis(61), None)).await.unwrap() {
            Acceptance::Accepted { seq, .. } => seq,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn started(&self, job: &JobKey) {
        let takeover = takeover();
        let start = start_claim(&takeover, 1, 2);
        let answer = Box::pin(self.claim_start(job, &start)).await.unwrap();
        assert!(matches!(answer, StartAnswer::Started(_)), "{answer:?}");
        self.start_handed_on(job).await.unwrap();
    }

    /// A send whose first stage has started.
    pub(super) async fn running(&self, send: &SendRef, batches: [u32; 4]) {
        self.accepted(send, batches).await;
        self.started(&send.job(RecordKind::Person)).await;
    }

    pub(super) async fn open(&self, job: &JobKey, batch: u32) -> Batch<Open> {
        let takeover = takeover();
        let claim = batch_claim(&takeover, 10 + u128::from(batch), 3);
        match Box::pin(self.claim_step(job, Call::Submit, first_step(batch), &claim)).await.unwrap() {
            ClaimAnswer::Started(batch) => *batch,
            other => panic!("{other:?}"),
        }
    }

    /// A job's batches, from `first` on.
    pub(super) async fn batches(&self, job: &JobKey, first: BatchId) -> Vec<Batch> {
        self.batches_from(job, first).try_collect().await.unwrap()
    }

    /// Opens a batch and closes it with these outcomes.
    pub(super) async fn closed(&self, job: &JobKey, batch: u32, outcome: Outcome) -> Batch<Closed> {
        let open = self.open(job, batch).await;
        let closed = Box::pin(self.close(job, &open, &closing(outcome), true)).await.unwrap();
        self.handed_on(job, &closed.clone().into()).await.unwrap();
        closed
    }

    /// Runs a stage of a running send from its start, or from its first batch where it has started, to its end.
    pub(super) async fn ran(&self, job: &JobKey) {
        let stored = self.job(job).await.unwrap().unwrap();
        if stored.started_at.is_none() {
            self.started(job).await;
        }
        for batch in 0..stored.batches {
            self.closed(job, batch, Outcome::Success).await;
        }
        let settled = Box::pin(self.settle(job, at(9), millis(69), false)).await.unwrap();
        assert!(matches!(settled, Settled::Ended { .. }), "{settled:?}");
    }

    /// Runs an accepted send that has its organiser's place to its end.
    pub(super) async fn ended(&self, send: &SendRef) {
        for stage in RecordKind::ALL {
            self.ran(&send.job(stage)).await;
        }
    }

    pub(super) async fn stopped(&self, send: &SendRef) {
        assert!(self.request_stop(send, cancelled()).await.unwrap());
        Box::pin(self.end_stopped(send, at(8), millis(68))).await.unwrap();
    }
}

pub(super) fn cancelled() -> Reason {
    Reason::new(ReasonCode::Cancelled)
}

pub(super) fn first_step(batch: u32) -> BatchStep {
    BatchStep { batch: BatchId(batch), attempt_try: 1, n: 0 }
}

pub(super) fn start_claim(takeover: &Takeover, id: u128, seconds: i64) -> StartClaim<'_> {
    StartClaim {
        id: claim_id(id),
        now: at(seconds),
        until: millis(seconds) + CLAIM,
        takeover,
        overdue_at: millis(seconds) + CLAIM + OVERDUE,
    }
}

pub(super) fn batch_claim(takeover: &Takeover, id: u128, seconds: i64) -> BatchClaim<'_> {
    BatchClaim {
        id: claim_id(id),
        now: millis(seconds),
        until: millis(seconds) + CLAIM,
        takeover,
        within_start: false,
    }
}

/// The next step of a batch, at once.
pub(super) fn next() -> Next {
    Next { not_before: millis(4), overdue_at: millis(4) + OVERDUE, kept: false }
}

/// Skolverket has taken the first batch.
pub(super) fn submitted(open: &Batch<Open>) -> Batch<Open> {
    open.submitted(&send(1), SkolverketJobId(Uuid::from_u128(5)), at(4), next())
}

/// A fault, for which a batch waits.
pub(super) fn fault(uncertain: bool) -> PutBack {
    PutBack::Waiting { since: at(4), cause: WaitCause::Unavailable, uncertain }
}

pub(super) fn outcomes(outcome: Outcome) -> Outcomes {
    Outcomes { counts: Counts::all(RECORDS, outcome), ..Outcomes::default() }
}

pub(super) fn closing(outcome: Outcome) -> Closing {
    Closing { outcomes: outcomes(outcome), stop: None, overdue_at: millis(5) + OVERDUE }
}

/// Whether an item is in the index of what is due, and when.
pub(super) fn due_at(table: &Table, key: &crate::key::Key) -> Option<Millis> {
    let item = table.item(key)?;
    let due = item["dueAt"].as_i64();
    assert_eq!(due.is_some(), item["dueShard"].is_string(), "both or neither: {item}");
    due
}

/// The first of six batches as [`History::open`] leaves it.
pub(super) fn first_open() -> Batch<Open> {
    let takeover = takeover();
    let planned = Batch::planned(BatchId(0), RECORDS, Some(BatchId(4)), EXPIRES);
    planned.claimed(&batch_claim(&takeover, 10, 3), &send(1)).unwrap()
}
