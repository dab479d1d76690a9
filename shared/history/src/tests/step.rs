//! What a claimed step comes to.

use serde_json::{Value, json};
use stafett_domain::piece::Piece;
use stafett_domain::{
    BatchId, Counts, JobStatus, Outcome, Reason, ReasonCode, RecordKind, SendStatus, WaitCause,
};

use super::sample::{
    OVERDUE, at, cancelled, closing, due_at, fault, first_open, millis, next, outcomes, send, submitted,
};
use super::table::{Items, Table, meanwhile};
use crate::History;
use crate::item::{Batch, Closed, Open, Outcomes, Work};
use crate::key::Key;
use crate::progress::{Closing, PutBack, StepError};

const USERS: RecordKind = RecordKind::Person;
const TRANSACTION: &str = "TransactWriteItems";

/// A running send whose first batch of six is open.
async fn open() -> (Table, History, Batch<Open>) {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [6, 0, 0, 1]).await;
    let batch = history.open(&send(1).job(USERS), 0).await;
    (table, history, batch)
}

fn batch(number: u32) -> Key {
    send(1).job(USERS).batch(BatchId(number))
}

/// The table's items without what has changed on purpose.
fn without(mut items: Items, key: &Key) -> Items {
    items.remove(&(key.pk.clone(), key.sk.clone()));
    items
}

#[tokio::test]
async fn a_step_is_written_by_its_holder_alone() {
    let (table, history, before) = open().await;
    let after = before.put_back(&send(1), next(), fault(true));
    history.step_on(&send(1).job(USERS), &before, &after).await.unwrap();
    assert_eq!(history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap(), Some(after.clone().into()));
    assert_eq!(
        (after.progress.n, after.progress.claim, due_at(&table, &batch(0))),
        (1, None, Some(millis(4) + OVERDUE))
    );

    // A write that is repeated on the wire meets itself.
    let items = table.items();
    history.step_on(&send(1).job(USERS), &before, &after).await.unwrap();
    // A holder that comes too late has lost its claim, whatever it has to say.
    let late = submitted(&before);
    let lost = history.step_on(&send(1).job(USERS), &before, &late).await;
    assert!(matches!(lost, Err(StepError::ClaimLost)));
    let lost = history.close(&send(1).job(USERS), &before, &closing(Outcome::Success), true).await;
    assert!(matches!(lost, Err(StepError::ClaimLost)));
    let lost = history.split_batch(&send(1).job(USERS), &before, &late, Some(40), None).await;
    assert!(matches!(lost, Err(StepError::ClaimLost)));
    assert_eq!(table.items(), items);
}

#[tokio::test]
async fn a_batch_in_pieces_costs_its_job_a_call_and_lets_its_successor_go() {
    let (table, history, before) = open().await;
    let pieces = vec![Piece { records: vec![1], round: 1, uncertain: false }];
    let found = outcomes(Outcome::Success);
    let after = before.split(&send(1), pieces, &found, next());
    let release = Some((BatchId(4), millis(70)));
    assert_eq!(due_at(&table, &batch(4)), None);
    assert!(history.split_batch(&send(1).job(USERS), &before, &after, Some(2), release).await.unwrap());
    assert_eq!(history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap(), Some(after.clone().into()));
    assert_eq!(
        (table.attribute(&send(1).job(USERS).key(), "extra"), due_at(&table, &batch(4))),
        (1.into(), Some(millis(70)))
    );

    let items = table.items();
    assert!(
        history.split_batch(&send(1).job(USERS), &before, &after, Some(2), release).await.unwrap(),
        "it is written"
    );
    assert_eq!(table.items(), items, "and counted once");

    // One more call is left, and then none.
    let further = Batch { rev: after.rev + 1, ..after.clone() };
    assert!(history.split_batch(&send(1).job(USERS), &after, &further, Some(2), None).await.unwrap());
    let last = Batch { rev: further.rev + 1, ..further.clone() };
    let items = table.items();
    assert!(!history.split_batch(&send(1).job(USERS), &further, &last, Some(2), None).await.unwrap());
    assert!(!history.split_batch(&send(1).job(USERS), &further, &last, Some(2), release).await.unwrap());
    assert_eq!(table.items(), items);
    // What waits for a round of its own costs nothing.
    assert!(history.split_batch(&send(1).job(USERS), &further, &last, None, release).await.unwrap());
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "extra"), 2);
}

#[tokio::test]
async fn a_job_of_before_extra_calls_were_counted_has_had_none() {
    let (table, history, before) = open().await;
    table.set(&send(1).job(USERS).key(), "extra", Value::Null);
    let after = Batch { rev: before.rev + 1, ..before.clone() };
    assert!(history.split_batch(&send(1).job(USERS), &before, &after, Some(1), None).await.unwrap());
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "extra"), 1);
}

#[tokio::test]
async fn the_end_of_a_batch_counts_its_records_and_makes_its_successor_due() {
    let (table, history, before) = open().await;
    let closing = Closing {
        outcomes: Outcomes {
            counts: Counts::of(Outcome::ALL.iter().copied().filter(|outcome| *outcome != Outcome::Pending)),
            ..outcomes(Outcome::Success)
        },
        ..closing(Outcome::Success)
    };
    let closed = history.close(&send(1).job(USERS), &before, &closing, true).await.unwrap();
    assert_eq!(history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap(), Some(closed.clone().into()));
    let Closed { attempt_try, n, handed_on, .. } = closed.progress;
    assert_eq!((attempt_try, n, handed_on), (1, 0, false));
    let job = history.job(&send(1).job(USERS)).await.unwrap().unwrap();
    assert_eq!((job.open, job.closed), (0, 1));
    let Counts { total, pending, success, warning, error, skipped, not_sent, unknown } = job.counts;
    assert_eq!([success, warning, error, skipped, not_sent, unknown], [1; 6]);
    assert_eq!(pending, total - 6);
    assert_eq!(due_at(&table, &batch(4)), Some(millis(5) + OVERDUE));
    assert_eq!(due_at(&table, &batch(0)), Some(millis(5) + OVERDUE), "until what follows is handed on");

    let items = table.items();
    let again = history.close(&send(1).job(USERS), &before, &closing, true).await.unwrap();
    assert_eq!((again, table.items()), (closed, items), "a repeat counts nothing twice");

    // Where the successor is not to go, it is not due.
    let (table, history, before) = open().await;
    history.close(&send(1).job(USERS), &before, &closing, false).await.unwrap();
    assert_eq!(due_at(&table, &batch(4)), None);
}

#[tokio::test]
async fn the_first_reason_to_stop_is_the_one_that_stays() {
    let (table, history, before) = open().await;
    let second = history.open(&send(1).job(USERS), 1).await;
    let stop = |code| Closing { stop: Some(Reason::new(code)), ..closing(Outcome::Unknown) };
    history.close(&send(1).job(USERS), &before, &stop(ReasonCode::Refused), true).await.unwrap();
    assert_eq!(table.attribute(&send(1).header(), "stopRequested"), json!({"code": "refused"}));
    assert_eq!(due_at(&table, &batch(4)), None, "no submit follows");
    history.close(&send(1).job(USERS), &second, &stop(ReasonCode::JobStuck), true).await.unwrap();
    assert_eq!(table.attribute(&send(1).header(), "stopRequested"), json!({"code": "refused"}));
    assert!(history.request_stop(&send(1), cancelled()).await.unwrap());
    assert_eq!(table.attribute(&send(1).header(), "stopRequested"), json!({"code": "refused"}));
    assert!(history.is_stopping(&send(1)).await.unwrap());
}

/// What the conditions of closing and splitting a batch prevent.
#[tokio::test]
async fn the_end_of_a_batch_is_written_whole_or_not_at_all() {
    let job = send(1).job(USERS).key();
    let stop = Closing { stop: Some(Reason::new(ReasonCode::Refused)), ..closing(Outcome::Unknown) };
    let go_on = closing(Outcome::Success);
    let changes = [
        (job, Some(("open", json!(0))), &go_on),
        (batch(0), Some(("rev", json!(99))), &go_on),
        (batch(4), Some(("status", json!("open"))), &go_on),
        (send(1).header(), None, &stop),
    ];
    for (key, change, closing) in changes {
        let (table, _, before) = open().await;
        let items = table.items();
        let changing = key.clone();
        let changed = table.later(move |table| match change {
            Some((name, value)) => table.set(&changing, name, value),
            None => table.delete(&changing),
        });
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, changed)]);
        let lost = history.close(&send(1).job(USERS), &before, closing, true).await;
        assert!(matches!(lost, Err(StepError::ClaimLost)), "{key:?}");
        assert_eq!(without(table.items(), &key), without(items, &key), "{key:?}");
    }
    for (key, name, value) in [(batch(0), "rev", json!(99)), (batch(4), "status", json!("closed"))] {
        let (table, _, before) = open().await;
        let items = table.items();
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, table.setting(&key, name, value))]);
        let after = Batch { rev: before.rev + 1, ..before.clone() };
        let release = Some((BatchId(4), millis(70)));
        let lost = history.split_batch(&send(1).job(USERS), &before, &after, Some(40), release).await;
        assert!(matches!(lost, Err(StepError::ClaimLost)), "{key:?}");
        assert_eq!(without(table.items(), &key), without(items, &key), "{key:?}");
    }
}

#[tokio::test]
async fn a_running_job_shows_since_when_it_waits() {
    let (table, history, _) = open().await;
    let job = send(1).job(USERS).key();
    let show = async |since, cause| {
        history.show_waiting(&send(1).job(USERS), Some((at(since), cause))).await.unwrap();
    };
    show(5, WaitCause::Unavailable).await;
    show(9, WaitCause::NotReached).await;
    let shown = [table.attribute(&job, "waitingSince"), table.attribute(&job, "waitingCause")];
    assert_eq!(shown, [json!(at(5)), json!("notReached")], "the first time, the last cause");
    history.show_waiting(&send(1).job(USERS), None).await.unwrap();
    assert_eq!(table.attribute(&job, "waitingSince"), Value::Null);
    for status in [JobStatus::Waiting, JobStatus::Failed, JobStatus::NotStarted] {
        table.set(&job, "status", status);
        let items = table.items();
        show(5, WaitCause::Unavailable).await;
        assert_eq!(table.items(), items, "{status}");
    }
    let items = table.items();
    history.show_waiting(&send(9).job(USERS), None).await.unwrap();
    assert_eq!(table.items(), items, "of a send that is gone nothing is written");
}

#[tokio::test]
async fn a_step_that_was_handed_on_is_noted_unless_another_was_written() {
    let (table, history, before) = open().await;
    let after = before.put_back(&send(1), next(), PutBack::NoTime);
    history.step_on(&send(1).job(USERS), &before, &after).await.unwrap();
    let items = table.items();
    history.handed_on(&send(1).job(USERS), &before.into()).await.unwrap();
    assert_eq!(table.items(), items);
    history.handed_on(&send(1).job(USERS), &after.into()).await.unwrap();
    assert_eq!(table.attribute(&batch(0), "handedOn"), true);
    assert_eq!(due_at(&table, &batch(0)), Some(millis(4) + OVERDUE), "until its step is claimed");

    let (table, history, before) = open().await;
    let closed =
        history.close(&send(1).job(USERS), &before, &closing(Outcome::Success), false).await.unwrap();
    let items = table.items();
    history
        .handed_on(&send(1).job(USERS), &Batch { rev: closed.rev + 1, ..closed.clone() }.into())
        .await
        .unwrap();
    assert_eq!(table.items(), items);
    history.handed_on(&send(1).job(USERS), &closed.into()).await.unwrap();
    assert_eq!((table.attribute(&batch(0), "handedOn"), due_at(&table, &batch(0))), (true.into(), None));
}

#[test]
fn polls_and_faults_are_counted_in_a_row() {
    let put_back = |batch: &Batch<Open>, why| batch.put_back(&send(1), next(), why);
    let counted = |batch: &Batch<Open>| match &batch.progress.work {
        Work::Submit => (None, batch.faults()),
        Work::Poll(polling) => (Some(polling.not_done), batch.faults()),
    };
    let polled = put_back(&put_back(&submitted(&first_open()), PutBack::NotReady), PutBack::NotReady);
    assert_eq!(counted(&polled), (Some(2), 0));
    let waits = put_back(&put_back(&polled, fault(false)), fault(false));
    assert_eq!(counted(&waits), (Some(0), 2));
    // Neither an attempt nor a failure.
    for why in [PutBack::NoTime, PutBack::NewToken] {
        assert_eq!(counted(&put_back(&waits, why)), (Some(0), 2));
    }
    assert_eq!(counted(&put_back(&waits, PutBack::NotReady)), (Some(1), 0));
    // A new try waits since the same time.
    let tried = waits.new_try(&send(1), next());
    assert_eq!((counted(&tried), tried.progress.waiting.map(|wait| wait.since)), ((None, 0), Some(at(4))));
}

#[tokio::test]
async fn a_planned_batch_that_will_not_go_is_due_no_more() {
    let (table, history, open) = open().await;
    let planned = history.batch(&send(1).job(USERS), BatchId(1)).await.unwrap().unwrap();
    assert!(due_at(&table, &batch(1)).is_some());
    history.leave_planned(&send(1).job(USERS), &planned).await.unwrap();
    assert_eq!(due_at(&table, &batch(1)), None);
    history.leave_planned(&send(1).job(USERS), &open.into()).await.unwrap();
    assert!(due_at(&table, &batch(0)).is_some(), "one that was claimed meanwhile is watched over");
}

#[tokio::test]
async fn only_a_send_that_waits_or_runs_is_asked_to_stop() {
    for status in SendStatus::ALL.iter().copied() {
        let (table, history, _) = open().await;
        table.set(&send(1).header(), "status", status);
        let items = table.items();
        let asked = history.request_stop(&send(1), cancelled()).await.unwrap();
        assert_eq!(asked, matches!(status, SendStatus::Queued | SendStatus::Running), "{status}");
        if !asked {
            assert_eq!(table.items(), items, "{status}");
        }
        assert_eq!(history.is_stopping(&send(1)).await.unwrap(), asked);
    }
    let history = Table::new().history();
    assert!(!history.request_stop(&send(1), cancelled()).await.unwrap());
    assert!(history.is_stopping(&send(1)).await.unwrap(), "what is gone is not submitted");
}
