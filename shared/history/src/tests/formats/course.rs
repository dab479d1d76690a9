//! A table in which every kind of item is, and every form that it has: sends that go well, that have errors, that come in
//! parts, that wait, are taken up again, stopped, cancelled and never accepted.

use std::time::Duration;

use serde_json::json;
use stafett_domain::message::BatchStep;
use stafett_domain::piece::Piece;
use stafett_domain::{
    AttemptCall, AttemptId, AuthorizationCause, BatchId, Call, Counts, Environment, OnRecordErrors, Options,
    Outcome, PerKind, Reason, ReasonCode, RecordKind, SkolverketJobId, WaitCause,
};
use stafett_runtime::Budget;
use stafett_skolverket::LogEntry;
use uuid::Uuid;

use super::content::{body, content, findings, whole};
use crate::claim::ClaimAnswer;
use crate::item::{Batch, Open, Outcomes};
use crate::key::Carrier;
use crate::progress::{Closing, PutBack};
use crate::start::StartAnswer;
use crate::tests::sample::{
    EXPIRES, at, batch_claim, cancelled, closing, first_step, millis, next, organisation, record, send,
    send_of, start_claim, takeover, terms,
};
use crate::{
    Acceptance, Attempt, Body, CancelledUpload, History, Issue, Issues, JobKey, Limiter, NewBody, NewPart,
    PartBody, Received, ReceivedSend, SendRef, SendTerms, Stored, Taken,
};

/// The hashes of a key that came with a request, and of the request.
pub(super) const KEY_HASH: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
pub(super) const BODY_HASH: &str = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";

/// Has errors, and goes on all the same to its end.
pub(super) const WITH_ERRORS: u128 = 1;
/// Came in parts; runs.
pub(super) const IN_PARTS: u128 = 2;
/// Takes up the first again; waits.
pub(super) const RESUMED: u128 = 3;
/// Was cancelled before its parts were submitted.
pub(super) const CANCELLED: u128 = 4;
/// Was not accepted in time.
pub(super) const DISCARDED: u128 = 5;
/// Of the second organiser: stopped.
pub(super) const STOPPED: u128 = 6;
/// Of the third organiser: the messages of its first stage are lost.
pub(super) const LOST: u128 = 7;

/// The first attempt of a batch: what its submit is.
pub(super) fn attempt(batch: u32, n: u32) -> AttemptId {
    AttemptId { batch: BatchId(batch), attempt_try: 1, n, token_request: None }
}

pub(super) fn options() -> Options {
    Options {
        on_record_errors: OnRecordErrors::Continue,
        environment: Some(Environment::Verification),
        ..Options::default()
    }
}

/// Stores a send with so many activities and batches.
async fn received(
    history: &History,
    send: &SendRef,
    terms: &SendTerms,
    activities: u32,
    batches: [u32; 4],
) -> ReceivedSend {
    let content = content(activities, batches, whole);
    let stored = history.receive(send, terms, &content, at(0), millis(86_400)).await;
    match stored.unwrap() {
        Received::Stored(received) => received,
        other => panic!("{other:?}"),
    }
}

async fn accepted(history: &History, send: &SendRef, received: ReceivedSend) {
    let answer = Box::pin(history.accept(send, received, at(1), millis(61), None)).await.unwrap();
    assert!(matches!(answer, Acceptance::Accepted { .. }), "{answer:?}");
}

async fn claimed(history: &History, job: &JobKey, call: Call, asked: BatchStep, seconds: i64) -> Batch<Open> {
    let takeover = takeover();
    let claim = batch_claim(&takeover, 20, seconds);
    match Box::pin(history.claim_step(job, call, asked, &claim)).await.unwrap() {
        ClaimAnswer::Started(batch) => *batch,
        other => panic!("{other:?}"),
    }
}

/// All items: see the numbers above.
pub(super) async fn run(history: &History) {
    Box::pin(with_errors(history)).await;
    Box::pin(in_parts(history)).await;
    Box::pin(not_accepted(history)).await;
    Box::pin(resumed(history)).await;
    Box::pin(of_other_organisers(history)).await;
    beside_sends(history).await;
}

async fn with_errors(history: &History) {
    let send = send(WITH_ERRORS);
    history.idempotent(&send.organisation, KEY_HASH, BODY_HASH, send.send, at(0)).await.unwrap();
    let terms = SendTerms { options: options(), certificate_days_left: Some(12), ..terms() };
    let stored = received(history, &send, &terms, 21, [2, 1, 1, 1]).await;
    accepted(history, &send, stored).await;
    let job = send.job(RecordKind::Person);
    history.started(&job).await;
    let open = history.open(&job, 0).await;
    for attempt in [token_attempt(), submit_attempt()] {
        history.put_attempt(&job, &attempt).await.unwrap();
    }
    let id = SkolverketJobId(Uuid::from_u128(31));
    let submitted = open.submitted(&send, id, at(4), next());
    history.step_on(&job, &open, &submitted).await.unwrap();
    history.handed_on(&job, &submitted.into()).await.unwrap();
    let polled = claimed(history, &job, Call::Poll, BatchStep { n: 1, ..first_step(0) }, 5).await;
    history.put_attempt(&job, &poll_attempt()).await.unwrap();
    let Body { body, .. } = body(RecordKind::Person, 0);
    history.put_answer(&job, attempt(0, 1), answer().as_bytes(), &body, EXPIRES).await.unwrap();
    history.put_issues(&job, attempt(0, 1), &issues(), EXPIRES).await.unwrap();
    let closed = Closing { outcomes: outcomes(), stop: None, overdue_at: millis(65) };
    let closed = Box::pin(history.close(&job, &polled, &closed, true)).await.unwrap();
    history.handed_on(&job, &closed.into()).await.unwrap();
    history.closed(&job, 1, Outcome::Success).await;
    Box::pin(history.settle(&job, at(9), millis(69), false)).await.unwrap();
    for stage in [RecordKind::Duty, RecordKind::Group, RecordKind::Activity] {
        history.ran(&send.job(stage)).await;
    }
    history.keep_catalogue(&send.organisation, 16, at(10)).await;
}

pub(super) fn outcomes() -> Outcomes {
    Outcomes {
        counts: Counts::of([Outcome::Warning, Outcome::Error]),
        answers: vec![attempt(0, 1)],
        issues: Some(attempt(0, 1)),
        causes: issues().causes(),
        usual_status_code: Some(201),
    }
}

fn message(place: u32, id: &str, attribute: &str, severity: &str) -> LogEntry {
    let value = json!({
        "id": id, "statusCode": 400, "messageType": "Ogiltigt format", "message": "Värdet godtas inte.",
        "parameterName": "body", "resourceType": "Person", "resourceId": record(RecordKind::Person, 0, place),
        "attributeName": attribute, "attributeValue": "x", "severityLevel": severity,
    });
    serde_json::from_value(value).unwrap()
}

pub(super) fn issues() -> Issues {
    let warned = Issue {
        status_code: Some(201),
        messages: vec![message(0, "3047", "emails", "Warning")],
        without: vec![record(RecordKind::Person, 9, 9)],
        ..Issue::new(0, Outcome::Warning)
    };
    let refused = Issue {
        status_code: Some(400),
        messages: vec![message(1, "2011", "civicNo", "Error")],
        unknown_status: Some("Rejected".to_owned()),
        ..Issue::new(1, Outcome::Error)
    };
    Issues { records: vec![warned, refused] }
}

pub(super) fn answer() -> String {
    let response = |place, status: &str| json!({"id": record(RecordKind::Person, 0, place), "response": {"status": status}});
    json!({"responses": [response(0, "Success"), response(1, "Error")]}).to_string()
}

pub(super) fn submit_attempt() -> Attempt {
    Attempt {
        attempt: attempt(0, 0),
        call: AttemptCall::Submit,
        method: "POST".to_owned(),
        path: "/persons/bulk".to_owned(),
        started_at: at(3),
        duration_ms: 87,
        status: Some(202),
        cause: None,
        request_bytes: 412,
        request: None,
        response_bytes: 64,
        wait_cause: None,
        response: Some(r#"{"jobId":"31"}"#.to_owned()),
        answer_kept: false,
        records: vec![0, 1],
        expires: EXPIRES,
    }
}

pub(super) fn token_attempt() -> Attempt {
    Attempt {
        attempt: AttemptId { token_request: std::num::NonZeroU8::new(1), ..attempt(0, 0) },
        call: AttemptCall::Token,
        path: "/transaction".to_owned(),
        status: Some(503),
        cause: Some(AuthorizationCause::CertificateExpired),
        request: Some(r#"{"client":"…"}"#.to_owned()),
        wait_cause: Some(WaitCause::AuthorizationServer),
        response: None,
        records: Vec::new(),
        ..submit_attempt()
    }
}

pub(super) fn poll_attempt() -> Attempt {
    Attempt {
        attempt: attempt(0, 1),
        call: AttemptCall::Poll,
        method: "GET".to_owned(),
        path: "/jobs/31".to_owned(),
        response: None,
        answer_kept: true,
        records: Vec::new(),
        ..submit_attempt()
    }
}

async fn in_parts(history: &History) {
    let send = send(IN_PARTS);
    history.open_upload(&send, &terms(), at(20), millis(86_420)).await.unwrap();
    let bodies = |kind| if kind == RecordKind::Person { 5 } else { 1 };
    let batches = PerKind::from_fn(|kind| (0..bodies(kind)).map(|batch| body(kind, batch)).collect());
    let part = NewPart { part: 1, batches, findings: findings() };
    assert_eq!(history.put_part(&send, part).await.unwrap(), Stored::Yes);
    let upload = history.upload(&send).await.unwrap().unwrap();
    let [part] = upload.parts.as_slice() else { panic!("{:?}", upload.parts) };
    let content = content(1, [5, 1, 1, 1], |kind, batch| {
        let name = part.batches[kind][batch as usize].name.clone();
        let facts = (kind == RecordKind::Duty).then(|| body(kind, batch).facts);
        NewBody::Part { at: PartBody { part: 1, name }, facts }
    });
    history.seal_upload(&send, upload.upload.rev, 1, &content).await.unwrap();
    let Received::Stored(stored) = history.receive_upload(&send, &content).await.unwrap() else {
        panic!("it is not stored");
    };
    accepted(history, &send, stored).await;
    let job = send.job(RecordKind::Person);
    history.started(&job).await;
    // The first has gone, and makes the fifth due.
    history.closed(&job, 0, Outcome::Success).await;
    in_pieces(history, &job).await;
    held(history, &job).await;
    looked_at_in_vain(history, &job).await;
    history.show_waiting(&job, Some((at(23), WaitCause::TooManyCalls))).await.unwrap();
    let organiser = Carrier::Organiser(send.organisation.clone());
    assert_eq!(history.take_overdue(&organiser, at(62), Duration::from_mins(1)).await.unwrap(), None);
}

/// What is still to be sent of a batch that was split.
pub(super) fn pieces() -> Vec<Piece> {
    vec![Piece { records: vec![1], round: 2, uncertain: true }]
}

/// What became of the rest of it.
pub(super) fn found_so_far() -> Outcomes {
    Outcomes { counts: Counts::of([Outcome::Success]), causes: None, ..outcomes() }
}

/// One record of the batch has its outcome, and the other waits for Skolverket.
async fn in_pieces(history: &History, job: &JobKey) {
    let open = history.open(job, 1).await;
    let split = open.split(&job.send, pieces(), &found_so_far(), next());
    assert!(history.split_batch(job, &open, &split, Some(40), None).await.unwrap());
    let asked = BatchStep { batch: BatchId(1), attempt_try: 2, n: 0 };
    let claimed = claimed(history, job, Call::Submit, asked, 6).await;
    let why = PutBack::Waiting { since: at(7), cause: WaitCause::UnreadableAnswer, uncertain: true };
    let waits = claimed.put_back(&job.send, next(), why);
    history.step_on(job, &claimed, &waits).await.unwrap();
}

/// Its first holder has died, and the second has it while a message comes again.
async fn held(history: &History, job: &JobKey) {
    history.open(job, 2).await;
    let taken_over = claimed(history, job, Call::Submit, first_step(2), 40).await;
    let takeover = takeover();
    let claim = batch_claim(&takeover, 21, 41);
    let asked = BatchStep { batch: BatchId(2), attempt_try: 1, n: 1 };
    let answer = Box::pin(history.claim_step(job, Call::Submit, asked, &claim)).await.unwrap();
    assert!(matches!(answer, ClaimAnswer::Held { copy: true, .. }), "{answer:?}, {taken_over:?}");
}

/// Skolverket has it and is not done, and the message for the next look is lost.
async fn looked_at_in_vain(history: &History, job: &JobKey) {
    let open = history.open(job, 3).await;
    let id = SkolverketJobId(Uuid::from_u128(33));
    let submitted = open.submitted(&job.send, id, at(4), next());
    history.step_on(job, &open, &submitted).await.unwrap();
    let again = submitted.put_back(&job.send, next(), PutBack::NotReady);
    history.step_on(job, &submitted, &again).await.unwrap();
    let carrier = Carrier::Batch(job.clone(), BatchId(3));
    let overdue = history.take_overdue(&carrier, at(70), Duration::from_mins(1)).await.unwrap();
    assert!(overdue.is_some());
}

async fn not_accepted(history: &History) {
    let cancelled = send(CANCELLED);
    history.open_upload(&cancelled, &terms(), at(0), millis(86_400)).await.unwrap();
    let answer = history.cancel_upload(&cancelled, at(10), millis(70)).await.unwrap();
    assert_eq!(answer, CancelledUpload::Yes);
    let discarded = send(DISCARDED);
    received(history, &discarded, &terms(), 1, [1, 0, 0, 0]).await;
    let carrier = Carrier::Receiving(discarded);
    let minute = Duration::from_mins(1);
    assert_eq!(history.take_overdue(&carrier, at(86_400), minute).await.unwrap(), None);
}

async fn resumed(history: &History) {
    let resumed = send(RESUMED);
    let terms = SendTerms { resume_of: Some(send(WITH_ERRORS).send), ..terms() };
    let stored = received(history, &resumed, &terms, 1, [1, 0, 0, 0]).await;
    accepted(history, &resumed, stored).await;
    history.keep_catalogue(&resumed.organisation, 32, at(50)).await;
}

async fn of_other_organisers(history: &History) {
    let (stopped, lost) = (send_of(2, STOPPED), send_of(3, LOST));
    let takeover = takeover();
    for send in [&stopped, &lost] {
        let stored = received(history, send, &terms(), 1, [2, 0, 0, 0]).await;
        accepted(history, send, stored).await;
        let start = start_claim(&takeover, 1, 2);
        Box::pin(history.claim_start(&send.job(RecordKind::Person), &start)).await.unwrap();
    }
    // Who took its start has died, and another has taken it up.
    let job = stopped.job(RecordKind::Person);
    let again = Box::pin(history.claim_start(&job, &start_claim(&takeover, 2, 60))).await.unwrap();
    assert!(matches!(again, StartAnswer::HandOn(_)), "{again:?}");
    history.start_handed_on(&job).await.unwrap();
    let open = history.open(&job, 0).await;
    let reason = Reason::with_status(ReasonCode::Refused, 403);
    let closing = Closing { stop: Some(reason), ..closing(Outcome::Error) };
    Box::pin(history.close(&job, &open, &closing, false)).await.unwrap();
    let planned = history.batch(&job, BatchId(1)).await.unwrap().unwrap();
    history.leave_planned(&job, &planned).await.unwrap();
    assert!(history.request_stop(&stopped, cancelled()).await.unwrap(), "the first reason stays");
    Box::pin(history.end_stopped(&stopped, at(66), millis(126))).await.unwrap();

    let carrier = Carrier::Job(lost.job(RecordKind::Person));
    let overdue = history.take_overdue(&carrier, at(90), Duration::from_mins(1)).await.unwrap();
    assert!(overdue.is_some());
}

pub(super) fn refused_token() -> Reason {
    Reason {
        code: ReasonCode::Authorization,
        http_status: Some(401),
        cause: Some(AuthorizationCause::CertificateExpired),
        server_text: Some("certificate has expired".to_owned()),
    }
}

async fn beside_sends(history: &History) {
    let (organisation, environment) = (organisation(1), Environment::Verification);
    history.note_authorization(&organisation, environment, None, at(3)).await.unwrap();
    history.note_authorization(&organisation, environment, Some(&refused_token()), at(4)).await.unwrap();
    let limiter = limiter(history);
    let Taken::Slot(slot) = limiter.take(at(0)).await.unwrap() else { panic!("there is no slot") };
    limiter.settle(slot, Duration::ZERO).await.unwrap();
    limiter.pause(at(1), Duration::from_secs(10)).await.unwrap();
}

pub(super) fn limiter(history: &History) -> Limiter {
    let (window, spread) = (Duration::from_secs(1), Duration::from_millis(73));
    let budget = Budget { calls_per_second: 4.8, window, spread };
    Limiter::new(history.clone(), "bulk", budget, Duration::from_secs(5))
}
