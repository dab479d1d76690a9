//! Sends that are not accepted: cancelled, or not submitted in time.

use std::time::Duration;

use serde_json::{Value, json};
use stafett_domain::{BatchId, RecordKind};

use super::sample::{at, due_at, millis, send};
use super::table::{Event, Items, Table, meanwhile, on};
use super::upload::{opened, part};
use crate::key::Carrier;
use crate::{CancelledUpload, History, Stored};

const GRACE: Duration = Duration::from_mins(1);
/// When a send is discarded that is not accepted.
const DAY: i64 = 86_400;

/// What the watchdog does with a send that was not accepted.
async fn run_discard(history: &History, seconds: i64) {
    let found = history.take_overdue(&Carrier::Receiving(send(1)), at(seconds), GRACE).await.unwrap();
    assert_eq!(found, None, "there is no message for it");
}

async fn cancel(history: &History) -> CancelledUpload {
    history.cancel_upload(&send(1), at(10), millis(70)).await.unwrap()
}

/// A send with two parts, and another one's, of which nothing may be removed.
async fn uploaded() -> (Table, History, Items) {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(2), [2, 0, 0, 1]).await;
    let others = table.items();
    opened(&history, 1).await;
    for number in [1, 2] {
        assert_eq!(history.put_part(&send(1), part(number, [2, 0, 0, 1])).await.unwrap(), Stored::Yes);
    }
    (table, history, others)
}

#[tokio::test]
async fn a_send_that_is_not_submitted_in_time_is_closed_and_then_removed() {
    let (table, history, others) = uploaded().await;
    let items = table.items();
    run_discard(&history, DAY - 1).await;
    assert_eq!(table.items(), items, "it is not due");
    run_discard(&history, DAY).await;
    assert_eq!(table.attribute(&send(1).header(), "discarded"), true);
    assert_eq!(due_at(&table, &send(1).header()), Some(millis(DAY + 60)));
    assert_eq!(table.items().len(), items.len(), "who found it open may still be writing");
    assert_eq!(history.put_part(&send(1), part(3, [1, 0, 0, 1])).await.unwrap(), Stored::NotFound);
    run_discard(&history, DAY + 59).await;
    assert_eq!(table.items().len(), items.len());
    run_discard(&history, DAY + 60).await;
    assert_eq!(table.items(), others);
    run_discard(&history, DAY + 120).await;
    assert_eq!(table.items(), others);
}

#[tokio::test]
async fn everything_of_a_send_in_one_body_is_removed_too() {
    let table = Table::new();
    let history = table.history();
    history.received(&send(1), [3, 1, 0, 25]).await;
    assert!(table.item(&send(1).all_activities()).is_some());
    run_discard(&history, DAY).await;
    run_discard(&history, DAY + 60).await;
    assert_eq!(table.items(), Items::new());
}

#[tokio::test]
async fn a_removal_that_dies_is_done_by_a_later_run() {
    for deleted in 0..20 {
        let (table, _, others) = uploaded().await;
        run_discard(&table.history(), DAY).await;
        let (dying, _) = table.disturbed([on("DeleteItem", Event::Unreachable).after(deleted)]);
        let died = dying.take_overdue(&Carrier::Receiving(send(1)), at(DAY + 60), GRACE).await;
        assert_eq!(died.is_err(), table.item(&send(1).header()).is_some());
        if died.is_ok() {
            assert!(deleted > 8, "a send in two parts has more items");
            return;
        }
        run_discard(&table.history(), DAY + 61).await;
        assert_ne!(table.items(), others, "its time has been moved on");
        run_discard(&table.history(), DAY + 120).await;
        assert_eq!(table.items(), others);
    }
    panic!("a send of two parts has fewer items");
}

#[tokio::test]
async fn a_send_that_was_accepted_is_not_discarded() {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let items = table.items();
    run_discard(&history, DAY).await;
    assert_eq!(table.items(), items);
    // Between the run_discard and the write.
    let table = Table::new();
    let history = table.history();
    history.received(&send(1), [1, 0, 0, 1]).await;
    let accepted = async move {
        history.accept(&send(1), super::sample::RECEIVED, at(DAY), millis(DAY + 60), None).await.unwrap();
    };
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", accepted)]);
    run_discard(&slower, DAY).await;
    assert_eq!(table.attribute(&send(1).header(), "discarded"), Value::Null);
    assert_eq!(table.attribute(&send(1).header(), "status"), "queued");
    assert_eq!(due_at(&table, &send(1).header()), None);
}

#[tokio::test]
async fn of_two_runs_at_the_same_send_one_closes_it_and_one_removes_it() {
    let (table, ..) = uploaded().await;
    let closed = table.setting(&send(1).header(), "status", "cancelled");
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", closed)]);
    run_discard(&slower, DAY).await;
    assert_eq!(table.attribute(&send(1).header(), "discarded"), Value::Null, "it was closed by another");

    let (table, history, _) = uploaded().await;
    let faster = async move { run_discard(&history, DAY).await };
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", faster)]);
    run_discard(&slower, DAY + 30).await;
    assert_eq!(
        due_at(&table, &send(1).header()),
        Some(millis(DAY + 60)),
        "from the first one's run_discard on"
    );

    // A second run_discard begins while the first is removing: it finds nothing to do.
    let moved = table.setting(&send(1).header(), "dueAt", millis(DAY + 200));
    let (slower, calls) = table.disturbed([meanwhile("UpdateItem", moved)]);
    let items = table.items().len();
    run_discard(&slower, DAY + 90).await;
    assert_eq!((calls.of("DeleteItem"), table.items().len()), (0, items));
}

#[tokio::test]
async fn a_cancelled_send_is_shown_without_its_parts_until_it_would_have_been_discarded() {
    let (table, history, others) = uploaded().await;
    assert_eq!(cancel(&history).await, CancelledUpload::Yes);
    let header = table.item(&send(1).header()).unwrap();
    assert_eq!((&header["status"], &header["endedAt"]), (&json!("cancelled"), &json!(at(10))));
    assert_eq!((&header["shownUntil"], header["dueAt"].as_i64()), (&json!(millis(DAY)), Some(millis(70))));
    let items = table.items();
    assert_eq!(cancel(&history).await, CancelledUpload::Yes, "again");
    assert_eq!(table.items(), items);

    run_discard(&history, 69).await;
    assert_eq!(table.items(), items);
    run_discard(&history, 70).await;
    let mut left = table.items();
    assert_eq!(due_at(&table, &send(1).header()), Some(millis(DAY)));
    left.remove(&(send(1).header().pk, send(1).header().sk)).unwrap();
    assert_eq!(left, others);
    let shown = history.upload(&send(1)).await.unwrap().unwrap().into_send();
    assert!(shown.jobs.iter().all(|job| job.status.as_str() == "notStarted" && job.counts.total == 0));
    run_discard(&history, DAY).await;
    assert_eq!(table.items(), others);
    assert_eq!(cancel(&history).await, CancelledUpload::NotFound);
}

#[tokio::test]
async fn only_a_send_in_parts_that_was_not_accepted_is_cancelled_as_one() {
    let (table, history, _) = uploaded().await;
    let state = async |name: &str, value: Value| {
        table.set(&send(1).header(), name, value);
        let items = table.items();
        let answer = cancel(&history).await;
        assert_eq!(table.items(), items, "{name}");
        table.set(&send(1).header(), name, Value::Null);
        answer
    };
    assert_eq!(state("seq", json!(3)).await, CancelledUpload::Accepted);
    assert_eq!(state("discarded", json!(true)).await, CancelledUpload::NotFound);
    assert_eq!(state("upload", Value::Null).await, CancelledUpload::NotFound, "it came in one body");
    // Meanwhile it is closed, accepted, or cancelled by another.
    for (name, value, answer) in [
        ("discarded", json!(true), CancelledUpload::NotFound),
        ("status", json!("cancelled"), CancelledUpload::Yes),
    ] {
        let (table, ..) = uploaded().await;
        let change = table.setting(&send(1).header(), name, value);
        let (history, _) = table.disturbed([meanwhile("UpdateItem", change)]);
        assert_eq!(cancel(&history).await, answer, "{name}");
        assert_eq!(table.attribute(&send(1).header(), "shownUntil"), Value::Null);
        assert_eq!(due_at(&table, &send(1).header()), Some(millis(DAY)));
    }
    let (table, history, _) = uploaded().await;
    history.receive_upload(&send(1), &super::sample::content([1, 0, 0, 1])).await.unwrap();
    let accepted = async move {
        history.accept(&send(1), super::sample::RECEIVED, at(9), millis(69), None).await.unwrap();
    };
    let (history, _) = table.disturbed([meanwhile("UpdateItem", accepted)]);
    assert_eq!(cancel(&history).await, CancelledUpload::Accepted);
    assert_eq!(table.attribute(&send(1).header(), "status"), "queued");
    assert!(history.batch(&send(1).job(RecordKind::Person), BatchId(0)).await.unwrap().is_some());
}
