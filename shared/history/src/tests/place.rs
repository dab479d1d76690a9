//! The organiser's one place, from a send that ends to the next one.

use serde_json::{Value, json};
use stafett_domain::{Ending, Outcome, RecordKind};

use super::end::{settle, statuses};
use super::sample::{OVERDUE, at, due_at, millis, organisation, send};
use super::table::{Table, meanwhile};
use crate::end::Settled;
use crate::{History, SendRef, key};

const TRANSACTION: &str = "TransactWriteItems";
const LAST: RecordKind = RecordKind::Activity;

/// Send 1 before the end of its last job, and so many others that wait.
async fn last_job(others: u128) -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [1, 0, 0, 1]).await;
    for number in 0..others {
        history.accepted(&send(2 + number), [1, 0, 0, 1]).await;
    }
    for stage in [RecordKind::Person, RecordKind::Duty, RecordKind::Group] {
        history.ran(&send(1).job(stage)).await;
    }
    history.started(&send(1).job(LAST)).await;
    history.closed(&send(1).job(LAST), 0, Outcome::Success).await;
    (table, history)
}

fn organiser(table: &Table) -> Value {
    table.item(&key::organiser(&organisation(1))).unwrap()
}

/// That the send has ended, and which one is to start.
#[track_caller]
fn started(settled: Settled) -> Option<SendRef> {
    match settled {
        Settled::Ended { start, send_ending: Some(Ending::Succeeded), .. } => start.map(|job| {
            assert_eq!(job.stage, RecordKind::Person);
            job.send
        }),
        other => panic!("{other:?}"),
    }
}

/// That this send got the place in second 20; or that none has it, and nobody watches over it.
#[track_caller]
fn assert_has_place(table: &Table, number: Option<u64>) {
    let organiser = organiser(table);
    let Some(number) = number else {
        for name in ["running", "runningSeq", "runningSince", "dueAt", "dueShard"] {
            assert_eq!(organiser[name], Value::Null, "{name}");
        }
        return;
    };
    let send = send(number.into());
    assert_eq!((&organiser["running"], &organiser["runningSeq"]), (&json!(send.send), &json!(number)));
    assert_eq!(organiser["runningSince"], json!(at(20)));
    let due = Some(millis(20) + OVERDUE);
    assert_eq!(due_at(table, &key::organiser(&organisation(1))), due);
    assert_eq!(due_at(table, &send.job(RecordKind::Person).key()), due);
}

#[tokio::test]
async fn the_place_goes_to_the_next_send_that_waits() {
    let (table, history) = last_job(0).await;
    assert_eq!(started(settle(&history, LAST).await), None);
    assert_has_place(&table, None);
    assert_eq!(organiser(&table)["nextSeq"], 2);

    // Those that were cancelled are passed over, more of them than are looked at in one page.
    let (table, history) = last_job(13).await;
    for number in 2..14 {
        history.stopped(&send(number)).await;
    }
    assert_eq!(started(settle(&history, LAST).await), Some(send(14)));
    assert_has_place(&table, Some(14));
    let again = async || history.settle(&send(1).job(LAST), at(30), millis(99), true).await.unwrap();
    assert_eq!(again().await, Settled::EndedBefore { start: Some(send(14).job(RecordKind::Person)) });
    history.started(&send(14).job(RecordKind::Person)).await;
    assert_eq!(again().await, Settled::EndedBefore { start: None });

    let (table, history) = last_job(12).await;
    for number in 2..14 {
        history.stopped(&send(number)).await;
    }
    assert_eq!(started(settle(&history, LAST).await), None);
    assert_has_place(&table, None);
}

#[tokio::test]
async fn a_send_that_is_accepted_while_the_one_before_ends_starts() {
    let (table, history) = last_job(0).await;
    let other = async move { assert_eq!(history.accepted(&send(2), [1, 0, 0, 1]).await, 2) };
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, other)]);
    assert_eq!(started(settle(&history, LAST).await), Some(send(2)));
    assert_has_place(&table, Some(2));
}

#[tokio::test]
async fn a_send_that_ends_before_it_gets_the_place_does_not_get_it() {
    for others in [1, 2] {
        let (table, history) = last_job(others).await;
        let ends = async move { history.stopped(&send(2)).await };
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, ends)]);
        let next = (others == 2).then(|| send(3));
        assert_eq!(started(settle(&history, LAST).await), next);
        assert_has_place(&table, (others == 2).then_some(3));
        assert_eq!(statuses(&table, 2)[0], "cancelled");
    }
    // Whatever its jobs say.
    let (table, _) = last_job(1).await;
    let ends = table.setting(&send(2).header(), "status", "cancelled");
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, ends)]);
    assert_eq!(started(settle(&history, LAST).await), None);
    assert_has_place(&table, None);
}

#[tokio::test]
async fn a_place_that_is_another_ones_is_left_alone() {
    for others in [0, 1] {
        let (table, _) = last_job(others).await;
        let moved = table.setting(&key::organiser(&organisation(1)), "running", send(9).send);
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, moved)]);
        assert_eq!(started(settle(&history, LAST).await), None);
        assert_eq!(organiser(&table)["running"], json!(send(9).send));
        assert_eq!(statuses(&table, 1)[0], "succeeded");
    }
}

#[tokio::test]
async fn a_next_send_whose_first_job_does_not_wait_does_not_start() {
    let (table, _) = last_job(1).await;
    let job = send(2).job(RecordKind::Person).key();
    let (history, _) = table.disturbed(table.for_a_moment(TRANSACTION, &job, "status", "running"));
    assert_eq!(started(settle(&history, LAST).await), Some(send(2)));
    assert_has_place(&table, Some(2));
}

#[tokio::test]
async fn the_place_of_a_send_that_is_gone_is_given_on_once() {
    let free = async |history: &History| {
        history.free_place(&send(1), 1, at(20), millis(20) + OVERDUE).await.unwrap()
    };
    for others in [0, 1] {
        let (table, history) = last_job(others).await;
        table.delete(&send(1).header());
        let next = (others == 1).then(|| send(2).job(RecordKind::Person));
        assert_eq!(free(&history).await, next);
        assert_has_place(&table, (others == 1).then_some(2));
        let items = table.items();
        assert_eq!(free(&history).await, None, "it is another's now");
        assert_eq!(table.items(), items);

        // Somebody else does it in the meantime.
        let (table, history) = last_job(others).await;
        table.delete(&send(1).header());
        let faster = async move { drop(free(&history).await) };
        let (slower, _) = table.disturbed([meanwhile(TRANSACTION, faster)]);
        assert_eq!(free(&slower).await, None);
        assert_has_place(&table, (others == 1).then_some(2));
    }
    // Another is accepted in the meantime: it has its place behind, and the next look gives it the place.
    let (table, history) = last_job(0).await;
    table.delete(&send(1).header());
    let accepted = async move {
        history.accepted(&send(2), [1, 0, 0, 1]).await;
    };
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, accepted)]);
    assert_eq!(free(&history).await, None);
    assert_eq!(organiser(&table)["running"], json!(send(1).send));
    assert_eq!(free(&history).await, Some(send(2).job(RecordKind::Person)));
    assert_has_place(&table, Some(2));
}
