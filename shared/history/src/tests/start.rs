//! The start of a job.

use serde_json::{Value, json};
use stafett_domain::{BatchId, JobStatus, RecordKind, SendStatus};

use super::sample::{
    CLAIM, OVERDUE, at, cancelled, claim_id, due_at, millis, organisation, send, start_claim, takeover,
};
use super::table::{Table, meanwhile};
use crate::item::{Claim, Job};
use crate::start::{PAUSED, StartAnswer};
use crate::{History, HistoryError, key};

const TRANSACTION: &str = "TransactWriteItems";

/// An answer in a form that can be compared.
#[derive(Debug, PartialEq)]
enum Answer {
    Started,
    HandOn(u32),
    Stopped,
    Done(&'static str),
    Held { seconds: u64, copy: bool },
    Contended,
}

async fn start(history: &History, stage: RecordKind, id: u128, seconds: i64) -> Answer {
    let takeover = takeover();
    let claim = start_claim(&takeover, id, seconds);
    match history.claim_start(&send(1).job(stage), &claim).await {
        Ok(StartAnswer::Started(job)) => {
            assert_eq!(job, history.job(&send(1).job(stage)).await.unwrap().unwrap());
            Answer::Started
        }
        Ok(StartAnswer::HandOn(job)) => Answer::HandOn(job.unfinished.claims),
        Ok(StartAnswer::Stopped) => Answer::Stopped,
        Ok(StartAnswer::Done(why)) => Answer::Done(why),
        Ok(StartAnswer::Held { rest, copy }) => Answer::Held { seconds: rest.as_secs(), copy },
        Err(HistoryError::Contended) => Answer::Contended,
        Err(error) => panic!("{error}"),
    }
}

/// A send that was accepted, or one whose first stage succeeded.
async fn before(stage: RecordKind) -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [6, 6, 0, 1]).await;
    if stage == RecordKind::Duty {
        history.ran(&send(1).job(RecordKind::Person)).await;
    }
    (table, history)
}

#[tokio::test]
async fn a_started_job_runs_and_its_first_four_batches_are_due() {
    for stage in [RecordKind::Person, RecordKind::Duty] {
        let (table, history) = before(stage).await;
        let header = table.item(&send(1).header()).unwrap();
        assert_eq!(start(&history, stage, 7, 2).await, Answer::Started);
        let job = table.item(&send(1).job(stage).key()).unwrap();
        assert_eq!((&job["status"], &job["startedAt"]), (&json!("running"), &json!(at(2))));
        assert_eq!((&job["claim"], &job["claimUntil"]), (&json!(claim_id(7)), &json!(millis(2) + CLAIM)));
        assert_eq!((&job["handedOn"], &job["open"]), (&json!(false), &json!(0)));
        assert_eq!(due_at(&table, &send(1).job(stage).key()), Some(millis(2) + CLAIM + 1_000));
        let due: Vec<_> =
            (0..6).map(|batch| due_at(&table, &send(1).job(stage).batch(BatchId(batch)))).collect();
        let first = Some(millis(2) + CLAIM + OVERDUE);
        assert_eq!(due, [first, first, first, first, None, None]);
        let started = table.item(&send(1).header()).unwrap();
        if stage == RecordKind::Person {
            assert_eq!((&started["status"], &started["startedAt"]), (&json!("running"), &json!(at(2))));
        } else {
            assert_eq!(started, header);
        }
        let items = table.items();
        assert_eq!(start(&history, stage, 7, 2).await, Answer::Started, "the same claim again");
        assert_eq!(table.items(), items);
    }
}

#[tokio::test]
async fn a_job_starts_when_it_is_its_turn() {
    // The first: when its send has the organiser's place.
    let (table, history) = before(RecordKind::Person).await;
    for (running, answer) in
        [(json!(send(2).send), Answer::Done("not its turn")), (Value::Null, Answer::Done("not its turn"))]
    {
        table.set(&key::organiser(&organisation(1)), "running", running);
        let items = table.items();
        assert_eq!(start(&history, RecordKind::Person, 7, 2).await, answer);
        assert_eq!(table.items(), items);
    }
    // A later one: when the one before it succeeded, while the send runs.
    for before_it in JobStatus::ALL.iter().copied() {
        let (table, history) = before(RecordKind::Duty).await;
        table.set(&send(1).job(RecordKind::Person).key(), "status", before_it);
        let succeeded = matches!(
            before_it,
            JobStatus::Succeeded | JobStatus::SucceededWithWarnings | JobStatus::CompletedWithErrors
        );
        let answer = if succeeded { Answer::Started } else { Answer::Done("not its turn") };
        assert_eq!(start(&history, RecordKind::Duty, 7, 2).await, answer, "{before_it}");
    }
    for status in SendStatus::ALL.iter().copied() {
        for stage in [RecordKind::Person, RecordKind::Duty] {
            let (table, history) = before(stage).await;
            table.set(&send(1).header(), "status", status);
            let turn = if stage == RecordKind::Person { SendStatus::Queued } else { SendStatus::Running };
            let answer = if status == turn { Answer::Started } else { Answer::Done("not its turn") };
            assert_eq!(start(&history, stage, 7, 2).await, answer, "{stage} of a send that is {status}");
        }
    }
    let (table, history) = before(RecordKind::Person).await;
    table.delete(&send(1).job(RecordKind::Person).key());
    assert_eq!(start(&history, RecordKind::Person, 7, 2).await, Answer::Done("erased"));
}

/// What is changed between the look and the transaction, whether that lasts, and what the claim of the start comes to.
struct Change {
    stage: RecordKind,
    key: key::Key,
    name: &'static str,
    value: Value,
    answer: Answer,
}

#[tokio::test]
async fn what_changes_meanwhile_keeps_a_job_from_starting() {
    let (users, duties) = (RecordKind::Person, RecordKind::Duty);
    let header = send(1).header();
    let organiser = key::organiser(&organisation(1));
    let change =
        |stage, key: &key::Key, name, value, answer| Change { stage, key: key.clone(), name, value, answer };
    let changes = [
        change(users, &header, "stopRequested", json!(cancelled()), Answer::Stopped),
        change(users, &header, "status", json!("cancelled"), Answer::Done("not its turn")),
        change(users, &organiser, "running", json!(send(2).send), Answer::Done("not its turn")),
        change(users, &organiser, "running", Value::Null, Answer::Done("not its turn")),
        change(users, &send(1).job(users).key(), "status", json!("notStarted"), Answer::Done("ended before")),
        change(duties, &header, "stopRequested", json!(cancelled()), Answer::Stopped),
        change(duties, &header, "status", json!("failed"), Answer::Done("not its turn")),
        change(
            duties,
            &send(1).job(duties).key(),
            "status",
            json!("notStarted"),
            Answer::Done("ended before"),
        ),
        // A batch of a job that has not started is planned: this does not pass.
        change(users, &send(1).job(users).batch(BatchId(0)), "status", json!("open"), Answer::Contended),
        change(duties, &send(1).job(duties).batch(BatchId(3)), "status", json!("closed"), Answer::Contended),
    ];
    for Change { stage, key, name, value, answer } in changes {
        let (table, _) = before(stage).await;
        let expected = {
            let copy = before(stage).await.0;
            copy.set(&key, name, &value);
            copy.items()
        };
        let changed = table.setting(&key, name, &value);
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, changed)]);
        assert_eq!(start(&history, stage, 7, 2).await, answer, "{key:?} {name} {value}");
        assert_eq!(table.items(), expected, "{key:?} {name} {value}");
    }
}

#[tokio::test]
async fn of_two_who_start_a_job_one_has_it() {
    for stage in [RecordKind::Person, RecordKind::Duty] {
        let (table, history) = before(stage).await;
        let faster = async move { assert_eq!(start(&history, stage, 8, 3).await, Answer::Started) };
        let (slower, _) = table.disturbed([meanwhile(TRANSACTION, faster)]);
        assert_eq!(start(&slower, stage, 9, 4).await, Answer::Held { seconds: 29, copy: true });
        assert_eq!(start(&slower, stage, 9, 4).await, Answer::Held { seconds: 29, copy: false });
        assert_eq!(table.attribute(&send(1).job(stage).key(), "claim"), json!(claim_id(8)));
    }
}

/// A job that was started in second 2 by a holder that died, and is to be taken over at second 32.
async fn abandoned() -> (Table, History) {
    let (table, history) = before(RecordKind::Person).await;
    assert_eq!(start(&history, RecordKind::Person, 7, 2).await, Answer::Started);
    let job = send(1).job(RecordKind::Person).key();
    table.set(&job, "resent", 2);
    table.set(&job, "resentSince", millis(31));
    (table, history)
}

#[tokio::test]
async fn a_start_whose_holder_died_is_taken_over_at_growing_intervals() {
    let (table, history) = abandoned().await;
    let job = send(1).job(RecordKind::Person).key();
    assert_eq!(start(&history, RecordKind::Person, 8, 31).await, Answer::Held { seconds: 1, copy: true });
    assert_eq!(start(&history, RecordKind::Person, 8, 32).await, Answer::HandOn(1));
    let taken: Job = history.job(&send(1).job(RecordKind::Person)).await.unwrap().unwrap();
    let claim = Claim { id: claim_id(8), until: millis(62), copied_for: None };
    assert_eq!(taken.claim, Some(claim));
    assert_eq!((taken.unfinished.claims, taken.unfinished.since), (1, Some(millis(32))));
    assert_eq!((taken.due.resent, taken.due.resent_since), (0, None), "somebody has claimed it");
    assert_eq!(due_at(&table, &job), Some(millis(62 + 300) + 1_000));
    assert_eq!(start(&history, RecordKind::Person, 8, 32).await, Answer::HandOn(1), "the same claim again");
    assert_eq!(history.job(&send(1).job(RecordKind::Person)).await.unwrap().unwrap(), taken);

    let items = table.items();
    assert_eq!(start(&history, RecordKind::Person, 9, 62).await, Answer::Done(PAUSED));
    assert_eq!(start(&history, RecordKind::Person, 9, 361).await, Answer::Done(PAUSED));
    assert_eq!(table.items(), items);
    assert_eq!(start(&history, RecordKind::Person, 9, 362).await, Answer::HandOn(2));
    assert_eq!(table.attribute(&job, "unfinishedSince"), millis(32));
}

#[tokio::test]
async fn a_start_is_not_taken_over_from_somebody_who_is_faster() {
    for (name, value, answer) in [
        ("claim", json!(claim_id(99)), Answer::HandOn(1)),
        ("handedOn", json!(true), Answer::Done("started before")),
        ("status", json!("succeeded"), Answer::Done("ended before")),
    ] {
        let (table, _) = abandoned().await;
        let job = send(1).job(RecordKind::Person).key();
        let changed = table.setting(&job, name, value);
        // After the change the start is read again. The claim of somebody whose claim has expired as well is taken over.
        let (history, calls) = table.disturbed([meanwhile("UpdateItem", changed)]);
        assert_eq!(start(&history, RecordKind::Person, 8, 32).await, answer, "{name}");
        let takes_over = matches!(answer, Answer::HandOn(_));
        assert_eq!(calls.of("UpdateItem"), if takes_over { 2 } else { 1 }, "{name}");
        assert_eq!(table.attribute(&job, "claim") == json!(claim_id(8)), takes_over, "{name}");
    }
}

#[tokio::test]
async fn a_start_is_handed_on_once_it_was_made() {
    let (table, history) = before(RecordKind::Person).await;
    let job = send(1).job(RecordKind::Person).key();
    let items = table.items();
    history.start_handed_on(&send(1).job(RecordKind::Person)).await.unwrap();
    assert_eq!(table.items(), items, "what waits is still due");
    assert_eq!(start(&history, RecordKind::Person, 7, 2).await, Answer::Started);
    history.start_handed_on(&send(1).job(RecordKind::Person)).await.unwrap();
    assert_eq!((table.attribute(&job, "handedOn"), due_at(&table, &job)), (true.into(), None));
    assert_eq!(start(&history, RecordKind::Person, 8, 99).await, Answer::Done("started before"));
}
