//! The end of a job, and of a send that nothing stopped. What stopping does is in [`super::stop`], whose place goes where
//! in [`super::place`].

use serde_json::{Value, json};
use stafett_domain::{Counts, Ending, Outcome, RecordKind};

use super::sample::{OVERDUE, at, cancelled, closing, due_at, millis, send};
use super::table::{Table, meanwhile};
use crate::History;
use crate::end::{EndedJob, Settled};

const TRANSACTION: &str = "TransactWriteItems";
const USERS: RecordKind = RecordKind::Person;

pub(super) async fn settle(history: &History, stage: RecordKind) -> Settled {
    history.settle(&send(1).job(stage), at(20), millis(20) + OVERDUE, false).await.unwrap()
}

/// A send with one batch of users, all of whose records have this outcome, and its job not ended yet.
async fn all_closed(outcome: Outcome) -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [1, 1, 0, 1]).await;
    history.closed(&send(1).job(USERS), 0, outcome).await;
    (table, history)
}

pub(super) fn statuses(table: &Table, number: u128) -> Vec<String> {
    let send = send(number);
    let keys = [send.header()].into_iter().chain(RecordKind::ALL.map(|stage| send.job(stage).key()));
    keys.map(|key| table.attribute(&key, "status").as_str().unwrap_or("none").to_owned()).collect()
}

fn job_ended(ending: Ending, counts: Counts) -> EndedJob {
    EndedJob { stage: USERS, ending, counts }
}

#[tokio::test]
async fn a_job_that_succeeded_hands_over_to_the_next() {
    let (table, history) = all_closed(Outcome::Success).await;
    let ended = Settled::Ended {
        start: Some(send(1).job(RecordKind::Duty)),
        jobs: vec![job_ended(Ending::Succeeded, Counts::all(2, Outcome::Success))],
        send_ending: None,
    };
    assert_eq!(settle(&history, USERS).await, ended);
    let job = table.item(&send(1).job(USERS).key()).unwrap();
    assert_eq!((&job["status"], &job["endedAt"]), (&json!("succeeded"), &json!(at(20))));
    assert_eq!((&job["handedOn"], &job["reason"]), (&json!(true), &Value::Null));
    assert_eq!(due_at(&table, &send(1).job(USERS).key()), None);
    assert_eq!(due_at(&table, &send(1).job(RecordKind::Duty).key()), Some(millis(20) + OVERDUE));
    assert_eq!(table.attribute(&send(1).header(), "status"), "running");

    // A second check finds nothing to do. A repeated step finds its successor, until that has begun.
    let items = table.items();
    assert_eq!(settle(&history, USERS).await, Settled::EndedBefore { start: None });
    let again = async || history.settle(&send(1).job(USERS), at(30), millis(99), true).await.unwrap();
    let start = Some(send(1).job(RecordKind::Duty));
    assert_eq!(again().await, Settled::EndedBefore { start });
    assert_eq!(table.items(), items);
    history.started(&send(1).job(RecordKind::Duty)).await;
    assert_eq!(again().await, Settled::EndedBefore { start: None });
    // Of a send that is gone there is nothing to end.
    table.delete(&send(1).header());
    assert_eq!(again().await, Settled::EndedBefore { start: None });
}

#[tokio::test]
async fn a_job_ends_when_nothing_of_it_is_open_or_may_still_go() {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [2, 1, 0, 1]).await;
    let items = table.items();
    assert_eq!(settle(&history, USERS).await, Settled::NotYet, "it waits");
    assert_eq!(table.items(), items);
    history.started(&send(1).job(USERS)).await;
    assert_eq!(settle(&history, USERS).await, Settled::NotYet, "nothing has gone");
    history.closed(&send(1).job(USERS), 0, Outcome::Success).await;
    assert_eq!(settle(&history, USERS).await, Settled::NotYet, "one is planned");
    let open = history.open(&send(1).job(USERS), 1).await;
    assert_eq!(settle(&history, USERS).await, Settled::NotYet, "it is open");
    history.close(&send(1).job(USERS), &open, &closing(Outcome::Success), true).await.unwrap();
    assert!(matches!(settle(&history, USERS).await, Settled::Ended { .. }));
    // A job without batches ends at once.
    history.ran(&send(1).job(RecordKind::Duty)).await;
    history.started(&send(1).job(RecordKind::Group)).await;
    assert!(matches!(settle(&history, RecordKind::Group).await, Settled::Ended { .. }));
}

#[tokio::test]
async fn a_job_with_refused_records_ends_its_send_and_passes_over_the_others() {
    let (table, history) = all_closed(Outcome::Error).await;
    let ended = Settled::Ended {
        start: None,
        jobs: vec![job_ended(Ending::Failed, Counts::all(2, Outcome::Error))],
        send_ending: Some(Ending::Failed),
    };
    assert_eq!(settle(&history, USERS).await, ended);
    assert_eq!(statuses(&table, 1), ["failed", "failed", "notStarted", "notStarted", "notStarted"]);
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "reason"), json!({"code": "recordErrors"}));
    for stage in &RecordKind::ALL[1..] {
        assert_eq!(table.attribute(&send(1).job(*stage).key(), "reason"), json!({"code": "earlierJob"}));
        assert_eq!(due_at(&table, &send(1).job(*stage).key()), None);
    }
    assert_eq!(table.attribute(&send(1).header(), "endedAt"), json!(at(20)));
    let again = history.settle(&send(1).job(USERS), at(30), millis(99), true).await.unwrap();
    assert_eq!(again, Settled::EndedBefore { start: None });
}

#[tokio::test]
async fn a_job_whose_sender_goes_on_keeps_what_was_refused() {
    let (table, history) = all_closed(Outcome::Error).await;
    table.set(&send(1).header(), "options", json!({"onRecordErrors": "continue"}));
    let settled = settle(&history, USERS).await;
    assert!(matches!(settled, Settled::Ended { start: Some(_), send_ending: None, .. }), "{settled:?}");
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "status"), "completedWithErrors");
    let refused = history.refused_before(&send(1).job(RecordKind::Duty)).await.unwrap();
    assert_eq!(refused.len(), 2);
    assert!(history.refused_before(&send(1).job(USERS)).await.unwrap().is_empty());
    // The last stage ends the send by the worst of its jobs.
    for stage in &RecordKind::ALL[1..] {
        history.ran(&send(1).job(*stage)).await;
    }
    assert_eq!(table.attribute(&send(1).header(), "status"), "completedWithErrors");
}

#[tokio::test]
async fn nothing_of_an_end_is_written_that_does_not_find_what_it_read() {
    let (header, duties) = (send(1).header(), send(1).job(RecordKind::Duty).key());
    for (outcome, key, name, value) in [
        (Outcome::Success, &header, "status", json!("failed")),
        (Outcome::Success, &duties, "status", json!("notStarted")),
        (Outcome::Error, &header, "status", json!("queued")),
        (Outcome::Error, &duties, "status", json!("running")),
    ] {
        let (table, _) = all_closed(outcome).await;
        let (history, _) = table.disturbed(table.for_a_moment(TRANSACTION, key, name, value));
        let settled = settle(&history, USERS).await;
        assert!(matches!(settled, Settled::Ended { .. }), "{name}: {settled:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_opened_meanwhile_keeps_its_job_from_ending() {
    let (table, _) = all_closed(Outcome::Success).await;
    let job = send(1).job(USERS).key();
    let opened = table.setting(&job, "open", 1);
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, opened)]);
    let mut items = table.items();
    assert_eq!(settle(&history, USERS).await, Settled::NotYet);
    let key = (job.pk, job.sk);
    items.insert(key.clone(), table.items().remove(&key).unwrap());
    assert_eq!(table.items(), items);
}

#[tokio::test]
async fn a_job_ends_by_the_counts_that_it_has_when_it_ends() {
    let (table, _) = all_closed(Outcome::Success).await;
    let closed = table.later(|table| {
        for (name, value) in [("closed", 2), ("batches", 2), ("total", 3), ("error", 1)] {
            table.set(&send(1).job(USERS).key(), name, value);
        }
    });
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, closed)]);
    let settled = settle(&history, USERS).await;
    assert!(matches!(settled, Settled::Ended { send_ending: Some(Ending::Failed), .. }), "{settled:?}");
    assert_eq!(statuses(&table, 1)[..3], ["failed", "failed", "notStarted"]);
}

#[tokio::test]
async fn of_two_who_end_a_job_one_does_it() {
    for outcome in [Outcome::Success, Outcome::Error] {
        let (table, history) = all_closed(outcome).await;
        let (seen, read) = (table.clone(), history.clone());
        let faster = async move { assert!(matches!(settle(&read, USERS).await, Settled::Ended { .. })) };
        let (slower, _) = table.disturbed([meanwhile(TRANSACTION, faster)]);
        assert_eq!(settle(&slower, USERS).await, Settled::EndedBefore { start: None });
        let status = if outcome == Outcome::Success { "succeeded" } else { "failed" };
        assert_eq!(statuses(&seen, 1)[1], status);
        assert_eq!(
            history.settle(&send(1).job(USERS), at(30), millis(99), false).await.unwrap(),
            Settled::EndedBefore { start: None }
        );
    }
}

#[tokio::test]
async fn a_stop_that_comes_with_the_end_of_a_job_is_seen() {
    for outcome in [Outcome::Success, Outcome::Error] {
        let (table, history) = all_closed(outcome).await;
        let stopped = async move { assert!(history.request_stop(&send(1), cancelled()).await.unwrap()) };
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, stopped)]);
        let settled = settle(&history, USERS).await;
        assert!(
            matches!(settled, Settled::Ended { send_ending: Some(Ending::Cancelled), .. }),
            "{settled:?}"
        );
        assert_eq!(statuses(&table, 1), ["cancelled", "cancelled", "notStarted", "notStarted", "notStarted"]);
    }
}
