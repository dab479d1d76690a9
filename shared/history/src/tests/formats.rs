//! The formats of what is stored, which are promises: items of today's are read by later releases, and by earlier ones
//! when a deploy goes back. The fixtures (`fixtures/items`) are a whole table, written down. Today's release writes exactly
//! that, and reads from it what it wrote; a change of a format fails here until the fixtures have changed with it.
//! `STAFETT_WRITE_FIXTURES=1` writes them anew.

mod content;
mod course;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stafett_domain::register::Register;
use stafett_domain::takeover::Unfinished;
use stafett_domain::{
    BatchId, Call, Counts, Environment, Facts, FindingCode, JobStatus, OnRecordErrors, PerKind, Reason,
    ReasonCode, RecordKind, Route, SendStatus, SkolverketJobId, WaitCause,
};

use self::course::{CANCELLED, DISCARDED, IN_PARTS, LOST, RESUMED, STOPPED, WITH_ERRORS};
use super::fixtures;
use super::sample::{CLAIM, EXPIRES, OVERDUE, at, claim_id, millis, organisation, record, send, send_of};
use super::table::{Items, Table};
use crate::item::Due;
use crate::key::{self, Key, SendRef};
use crate::{
    ActivityFilter, Attempt, Authorization, Batch, Body, Claim, Closed, History, HistoryError, Job, Open,
    Organiser, PackedKind, PartBody, Place, Polling, Progress, SendFilter, SendHeader, StoredPart, Taken,
    Upload, VersionError, Waiting, Work,
};

const USERS: RecordKind = RecordKind::Person;

/// Each kind of packed items, by the name of its fixtures.
const PACKED: [(&str, PackedKind); 9] = [
    ("large.activities.all", PackedKind::Activities),
    ("large.answer", PackedKind::Answer),
    ("large.body", PackedKind::Body),
    ("large.facts", PackedKind::Facts),
    ("large.ids.part", PackedKind::RecordIds),
    ("large.issues", PackedKind::Issues),
    ("large.part", PackedKind::PartBody),
    ("large.refused.stage", PackedKind::Refused),
    ("org.activities", PackedKind::Catalogue),
];

/// The table of the fixtures.
fn stored() -> (Table, History) {
    let table = Table::of(&fixtures::items());
    let history = table.history();
    (table, history)
}

fn key_of(item: &Value) -> Key {
    let of = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    Key { pk: of("pk"), sk: of("sk") }
}

#[tokio::test]
async fn the_fixtures_are_what_is_written() {
    let table = Table::new();
    Box::pin(course::run(&table.history())).await;
    let written = fixtures::by_kind(&table.items());
    if fixtures::are_written() {
        fixtures::write(&written);
        return;
    }
    let (written, stored) = (fixtures::normal(&written), fixtures::normal(fixtures::stored()));
    for (kind, items) in &written {
        assert_eq!(Some(items), stored.get(kind), "{kind}.json");
    }
    let unwritten: Vec<_> = stored.keys().filter(|kind| !written.contains_key(*kind)).collect();
    assert!(unwritten.is_empty(), "nothing writes {unwritten:?}");
}

#[tokio::test]
async fn what_a_later_release_has_added_to_an_item_stays() {
    Box::pin(course::run(&Table::new().with_later_attributes())).await;
}

#[tokio::test]
async fn an_organiser_and_what_stands_beside_its_sends_are_read() {
    let (_, history) = stored();
    let busy = Organiser {
        running: Some(send(IN_PARTS).send),
        running_seq: Some(2),
        running_since: Some(at(1)),
        next_seq: 4,
    };
    let idle = Organiser { running: None, running_seq: None, running_since: None, next_seq: 2 };
    assert_eq!(history.organiser(&organisation(1)).await.unwrap(), Some(busy));
    assert_eq!(history.organiser(&organisation(2)).await.unwrap(), Some(idle));

    let authorization = Authorization {
        succeeded_at: Some(at(3)),
        failed_at: Some(at(4)),
        failure: Some(course::refused_token()),
    };
    let read = history.authorization(&organisation(1), Environment::Verification).await.unwrap();
    assert_eq!(read, authorization);

    let (key, body) = (course::KEY_HASH, course::BODY_HASH);
    let tied = history.tied_to(&organisation(1), key, body, at(5)).await.unwrap();
    assert_eq!(tied, Some(send(WITH_ERRORS).send));

    let page = history.sends(&organisation(1), &SendFilter::default(), 9, None, at(99)).await.unwrap();
    let listed: Vec<_> = page.items.iter().map(|listed| listed.item.send.header.id).collect();
    assert_eq!(listed, [RESUMED, IN_PARTS, WITH_ERRORS].map(|number| send(number).send));

    // It pauses for ten seconds from the first on; a slot is waited for five at most.
    let taken = course::limiter(&history).take(at(0)).await.unwrap();
    assert_eq!(taken, Taken::Busy(std::time::Duration::from_secs(6)));
}

fn header(send: &SendRef) -> SendHeader {
    SendHeader {
        id: send.send,
        organisation: send.organisation.clone(),
        status: SendStatus::CompletedWithErrors,
        seq: Some(1),
        accepted_position: Some(0),
        created_at: at(0),
        accepted_at: Some(at(1)),
        started_at: Some(at(2)),
        ended_at: Some(at(9)),
        requested_by: "someone".to_owned(),
        activity_count: 21,
        options: course::options(),
        route: Route::of_puts(),
        resume_of: None,
        certificate_days_left: Some(12),
        stop_requested: None,
        upload: None,
        batches: PerKind::from_fn(|kind| if kind == USERS { 2 } else { 1 }),
        discarded: false,
        shown_until: None,
        due: Due::default(),
        expires: EXPIRES,
    }
}

fn job() -> Job {
    Job {
        stage: USERS,
        status: JobStatus::CompletedWithErrors,
        batches: 2,
        open: 0,
        closed: 2,
        counts: Counts {
            total: 4,
            pending: 0,
            success: 2,
            warning: 1,
            error: 1,
            skipped: 0,
            not_sent: 0,
            unknown: 0,
        },
        extra: 0,
        started_at: Some(at(2)),
        ended_at: Some(at(9)),
        reason: Some(Reason::new(ReasonCode::RecordErrors)),
        waiting_since: None,
        waiting_cause: None,
        claim: Some(Claim { id: claim_id(1), until: millis(2) + CLAIM, copied_for: None }),
        handed_on: true,
        unfinished: Unfinished::default(),
        due: Due::default(),
        expires: EXPIRES,
    }
}

#[tokio::test]
async fn sends_and_jobs_are_read() {
    let (_, history) = stored();
    let first = history.send(&send(WITH_ERRORS), at(99)).await.unwrap().unwrap();
    assert_eq!((&first.header, &first.jobs[0]), (&header(&send(WITH_ERRORS)), &job()));
    assert_eq!((first.activities.len(), first.findings), (20, content::findings()));
    assert_eq!(first.not_checked, [Register::TestActivities]);
    let activities = history.activities(&send(WITH_ERRORS), at(99)).await.unwrap().unwrap();
    assert_eq!(activities, (0..21).map(content::activity).collect::<Vec<_>>());

    let header = async |send: SendRef| history.get::<SendHeader>(&send.header()).await.unwrap().unwrap();
    let in_parts = header(send(IN_PARTS)).await;
    assert_eq!(in_parts.upload, Some(Upload { rev: 1, submitted: Some(1) }));
    assert_eq!(header(send(RESUMED)).await.resume_of, Some(send(WITH_ERRORS).send));
    let cancelled = header(send(CANCELLED)).await;
    assert_eq!((cancelled.status, cancelled.shown_until), (SendStatus::Cancelled, Some(millis(86_400))));
    assert_eq!((cancelled.due.due_at, cancelled.upload), (Some(millis(70)), Some(Upload::default())));
    assert!(header(send(DISCARDED)).await.discarded);
    let stopped = header(send_of(2, STOPPED)).await;
    assert_eq!(stopped.stop_requested, Some(Reason::with_status(ReasonCode::Refused, 403)));

    let job = async |send: SendRef, stage| history.job(&send.job(stage)).await.unwrap().unwrap();
    let waits = job(send(IN_PARTS), USERS).await;
    assert_eq!((waits.waiting_since, waits.waiting_cause), (Some(at(23)), Some(WaitCause::TooManyCalls)));
    assert_eq!((waits.open, waits.extra), (3, 1));
    let taken_over = job(send_of(2, STOPPED), USERS).await;
    assert_eq!(taken_over.claim.map(|claim| claim.id), Some(claim_id(2)));
    assert_eq!(taken_over.unfinished, Unfinished { claims: 1, since: Some(millis(2) + CLAIM) });
    let passed_over = job(send_of(2, STOPPED), RecordKind::Duty).await;
    assert_eq!(passed_over.status, JobStatus::NotStarted);
    assert_eq!(job(send_of(3, LOST), USERS).await.due.resent, 1);
}

#[tokio::test]
async fn batches_are_read_in_each_state() {
    let (_, history) = stored();
    let closed = history.batch(&send(WITH_ERRORS).job(USERS), BatchId(0)).await.unwrap().unwrap();
    let outcomes = course::outcomes();
    let progress = Closed { attempt_try: 1, n: 1, call: Call::Poll, handed_on: true, outcomes };
    assert_eq!(closed.progress, Progress::Closed(Box::new(progress)));
    assert_eq!(closed.on_record_errors, OnRecordErrors::Continue);
    assert_eq!((closed.environment, closed.due), (Environment::Verification, Due::default()));

    let send = send(IN_PARTS);
    let batch = async |number| history.batch(&send.job(USERS), BatchId(number)).await.unwrap().unwrap();
    let opened = async |number| match batch(number).await.progress {
        Progress::Open(open) => *open,
        other => panic!("{other:?}"),
    };
    let in_pieces = Open {
        attempt_try: 2,
        n: 1,
        not_before: millis(4),
        waiting: Some(Waiting { since: at(7), faults: 1, unreadable: 1 }),
        uncertain: true,
        pieces: course::pieces(),
        settled: course::found_so_far(),
        ..Open::first()
    };
    assert_eq!(opened(1).await, in_pieces);
    let holder = claim_id(20);
    let held = Open {
        n: 1,
        claim: Some(Claim { id: holder, until: millis(40) + CLAIM, copied_for: Some(holder) }),
        unfinished: Unfinished { claims: 1, since: Some(millis(3) + CLAIM) },
        uncertain: true,
        ..Open::first()
    };
    assert_eq!(opened(2).await, held);
    let job_id = SkolverketJobId(uuid::Uuid::from_u128(33));
    let work = Work::Poll(Polling { job_id, submitted_at: at(4), not_done: 1 });
    assert_eq!(opened(3).await, Open { n: 2, work, not_before: millis(4), ..Open::first() });
    let due = batch(3).await.due;
    assert_eq!((due.resent, due.resent_since), (1, Some(millis(70))));

    let planned = batch(4).await;
    let part_body = planned.part_body.clone();
    assert_eq!(part_body.as_ref().map(|body| body.part), Some(1));
    let expires = EXPIRES + 20;
    let expected = Batch {
        part_body,
        due: Due::at(millis(5) + OVERDUE, &send),
        ..Batch::planned(BatchId(4), 2, None, expires)
    };
    assert_eq!(planned, expected);
    assert_eq!(batch(0).await.successor, Some(BatchId(4)));
}

#[tokio::test]
async fn parts_and_bodies_are_read() {
    let (_, history) = stored();
    let upload = history.upload(&send(IN_PARTS)).await.unwrap().unwrap();
    let [part] = upload.parts.as_slice() else { panic!("{:?}", upload.parts) };
    assert_eq!(
        (part.part, part.expires, &part.findings),
        (1, at(20).as_second() + EXPIRES - at(0).as_second(), &content::findings())
    );
    let bodies = part.batches.as_ref().map(|batches| batches.len());
    assert_eq!(bodies, PerKind::from_fn(|kind| if kind == USERS { 5 } else { 1 }));
    for (kind, batches) in part.batches.clone() {
        for (batch, number) in batches.into_iter().zip(0..) {
            assert_eq!((batch.records, batch.items), (2, 1));
            let at = PartBody { part: 1, name: batch.name };
            let read: Body<Facts> = history.part_body(&send(IN_PARTS), &at).await.unwrap();
            let body = content::body(kind, number);
            assert_eq!((read.body, read.facts), (body.body, body.facts));
        }
    }
    // What a batch's rows show from other parts, and a body that came with its send.
    for send in [send(IN_PARTS), send(WITH_ERRORS)] {
        let job = send.job(RecordKind::Duty);
        let batch = history.batch(&job, BatchId(0)).await.unwrap().unwrap();
        assert_eq!(batch.own_facts, send.send == super::sample::send(IN_PARTS).send);
        let read: Body<Facts> = history.body_and_facts(&job, &batch).await.unwrap();
        let body = content::body(RecordKind::Duty, 0);
        assert_eq!((read.body, read.facts), (body.body, body.facts));
    }
    assert_eq!(content::body(RecordKind::Group, 0).facts[0].findings, [FindingCode::EmailType]);
}

#[tokio::test]
async fn calls_and_what_they_came_to_are_read() {
    let (_, history) = stored();
    let job = send(WITH_ERRORS).job(USERS);
    let attempts = history.attempts(&job, 9, None).await.unwrap();
    let read: Vec<_> = attempts.items.iter().map(|listed| json!(listed.item)).collect();
    let made = [course::poll_attempt(), course::submit_attempt(), course::token_attempt()];
    assert_eq!(read, made.map(|attempt: Attempt| json!(attempt)), "the last one first");

    let batch = history.batch(&job, BatchId(0)).await.unwrap().unwrap();
    let attempt = course::attempt(0, 1);
    let answer = history.answer(&job, &batch, attempt).await.unwrap();
    assert_eq!(answer, Some(course::answer().into_bytes()));
    assert_eq!(json!(history.issues(&job, attempt).await.unwrap()), json!(course::issues()));
    let refused = history.refused_before(&send(WITH_ERRORS).job(RecordKind::Duty)).await.unwrap();
    assert_eq!(refused, [record(USERS, 0, 1)].into());

    let ids = history.record_ids(&send(WITH_ERRORS)).await.unwrap();
    for (stage, batch, place) in [(USERS, 0, 1), (USERS, 1, 0), (RecordKind::Activity, 0, 1)] {
        let places: Vec<_> = ids.places(record(stage, batch, place)).collect();
        assert_eq!(places, [Place { stage, batch: BatchId(batch) }]);
    }
    assert_eq!(ids.places(record(USERS, 2, 0)).count(), 0);
}

#[tokio::test]
async fn the_catalogue_is_read() {
    let (table, history) = stored();
    // Without the sends nothing but the catalogue says what they hold.
    [WITH_ERRORS, IN_PARTS, RESUMED].iter().for_each(|number| table.delete(&send(*number).activities()));
    let all = ActivityFilter::default();
    let page = history.current_activities(&organisation(1), &all, 99, None, at(99)).await.unwrap();
    let read: Vec<_> = page.items.iter().map(|row| (row.item.latest.id, row.item.activity.clone())).collect();
    let expected = (0..21).map(|place| {
        let latest = if place == 0 { RESUMED } else { WITH_ERRORS };
        (send(latest).send, content::activity(place))
    });
    assert_eq!(read, expected.collect::<Vec<_>>());
}

/// That today's release has a place for everything that the fixtures of a kind hold.
async fn all_is_read<T: DeserializeOwned + Serialize>(kind: &str) {
    let (table, history) = stored();
    for item in &fixtures::stored()[kind] {
        let key = key_of(item);
        let read: T = history.get(&key).await.unwrap().unwrap();
        let mut read = json!(read);
        (read["pk"], read["sk"]) = (json!(key.pk), json!(key.sk));
        assert_eq!(Some(read), table.item(&key));
    }
}

#[tokio::test]
async fn nothing_of_an_item_that_changes_is_left_unread() {
    all_is_read::<SendHeader>("send.send").await;
    all_is_read::<Job>("send.send.job").await;
    all_is_read::<Batch>("send.stage.batch").await;
    all_is_read::<Attempt>("send.stage.attempt").await;
    all_is_read::<StoredPart>("send.upload").await;
}

/// The fixtures, those of one kind with another version.
fn of_version(version: u8, kind: &str) -> Items {
    let mut items = fixtures::items();
    for ((pk, sk), item) in &mut items {
        let bytes = ["content", "ids"].into_iter().find(|name| item.get(name).is_some());
        if let Some(name) = bytes.filter(|_| fixtures::kind(pk, sk) == kind) {
            let mut bytes = aws_smithy_types::base64::decode(item[name]["B"].as_str().unwrap()).unwrap();
            bytes[0] = version;
            item[name]["B"] = aws_smithy_types::base64::encode(bytes).into();
        }
    }
    items
}

#[tokio::test]
async fn a_version_that_is_not_known_is_an_error_that_names_it() {
    for (name, kind) in PACKED {
        let key = key_of(&fixtures::stored()[name][0]);
        let read = async |items: &Items| {
            let history = Table::of(items).history();
            match kind {
                PackedKind::RecordIds => history.record_ids(&send(WITH_ERRORS)).await.map(drop),
                PackedKind::Answer => {
                    let job = send(WITH_ERRORS).job(USERS);
                    let batch = history.batch(&job, BatchId(0)).await.unwrap().unwrap();
                    history.answer(&job, &batch, course::attempt(0, 1)).await.map(drop)
                }
                _ => history.get_packed(kind, &key).await.map(drop),
            }
        };
        read(&fixtures::items()).await.unwrap();
        for version in [0, 2] {
            let error = read(&of_version(version, name)).await.unwrap_err();
            let known = matches!(error, HistoryError::Version(VersionError::Unknown { kind: of, version: is }) if of == kind && is == version);
            assert!(known, "{name}: {error:?}");
            let told =
                format!("the history holds {kind} of version {version}, which this release does not know");
            assert_eq!(error.to_string(), told);
        }
    }
    let packed = fixtures::stored().iter().filter(|(_, items)| {
        items.iter().any(|item| ["content", "ids"].iter().any(|name| item.get(name).is_some()))
    });
    assert!(packed.map(|(name, _)| name.as_str()).eq(PACKED.map(|(name, _)| name)));
}

#[tokio::test]
async fn a_catalogue_of_a_later_release_is_made_anew_of_the_sends() {
    let history = Table::of(&of_version(2, "org.activities")).history();
    let all = ActivityFilter::default();
    let page = history.current_activities(&organisation(1), &all, 99, None, at(99)).await.unwrap();
    assert_eq!(page.items.len(), 21);
    let pointer = key::catalogue(&organisation(1));
    assert!(history.get::<Value>(&pointer).await.unwrap().is_some());
}
