//! The end of a send that was asked to stop.

use serde_json::{Value, json};
use stafett_domain::{Ending, Outcome, Reason, ReasonCode, RecordKind};

use super::end::statuses;
use super::sample::{OVERDUE, at, cancelled, due_at, millis, organisation, send};
use super::table::{Table, meanwhile};
use crate::end::Settled;
use crate::{History, SendRef, key};

const TRANSACTION: &str = "TransactWriteItems";
const USERS: RecordKind = RecordKind::Person;

async fn end_stopped(history: &History, send: &SendRef) -> Settled {
    history.end_stopped(send, at(20), millis(20) + OVERDUE).await.unwrap()
}

/// The reason of each job.
fn reasons(table: &Table, send: &SendRef) -> Vec<Value> {
    RecordKind::ALL.map(|stage| table.attribute(&send.job(stage).key(), "reason")["code"].take()).into()
}

/// How a send that was asked to stop has ended.
fn ended(settled: Settled) -> (Option<SendRef>, Vec<RecordKind>, Ending) {
    match settled {
        Settled::Ended { start, jobs, send_ending: Some(ending) } => {
            (start.map(|job| job.send), jobs.into_iter().map(|job| job.stage).collect(), ending)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_send_that_stops_ends_when_nothing_of_it_is_open() {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [2, 1, 0, 1]).await;
    assert_eq!(end_stopped(&history, &send(1)).await, Settled::NotYet, "nobody asked for it");
    let open = history.open(&send(1).job(USERS), 0).await;
    assert!(history.request_stop(&send(1), cancelled()).await.unwrap());
    assert_eq!(end_stopped(&history, &send(1)).await, Settled::NotYet);
    let closing = super::sample::closing(Outcome::Success);
    history.close(&send(1).job(USERS), &open, &closing, false).await.unwrap();
    assert_eq!(ended(end_stopped(&history, &send(1)).await), (None, vec![USERS], Ending::Cancelled));
    assert_eq!(statuses(&table, 1), ["cancelled", "cancelled", "notStarted", "notStarted", "notStarted"]);
    let items = table.items();
    assert_eq!(end_stopped(&history, &send(1)).await, Settled::EndedBefore { start: None });
    assert_eq!(end_stopped(&history, &send(9)).await, Settled::EndedBefore { start: None }, "it is gone");
    assert_eq!(table.items(), items);
}

#[tokio::test]
async fn the_reason_befalls_the_job_that_it_met() {
    let own = |code: ReasonCode| serde_json::to_value(code).unwrap();
    let earlier = own(ReasonCode::EarlierJob);
    for code in [ReasonCode::Cancelled, ReasonCode::StoppedByOperator, ReasonCode::Deadline] {
        let ending = if code == ReasonCode::Cancelled { Ending::Cancelled } else { Ending::Failed };
        // Before its first job, in it, and between the first and the second.
        for (met, ended_before) in [(0, false), (0, true), (1, false)] {
            let table = Table::new();
            let history = table.history();
            history.accepted(&send(1), [1, 1, 0, 1]).await;
            if met == 1 {
                history.ran(&send(1).job(USERS)).await;
            } else if ended_before {
                history.started(&send(1).job(USERS)).await;
            }
            assert!(history.request_stop(&send(1), Reason::new(code)).await.unwrap());
            let (_, ran, found) = ended(end_stopped(&history, &send(1)).await);
            assert_eq!((found, ran.len()), (ending, usize::from(ended_before)));
            let of_others = if code == ReasonCode::Deadline { earlier.clone() } else { own(code) };
            let mut expected = vec![of_others; 4];
            expected[met] = own(code);
            if met == 1 {
                expected[0] = Value::Null;
            }
            assert_eq!(reasons(&table, &send(1)), expected, "{code:?} {met} {ended_before}");
        }
    }
}

#[tokio::test]
async fn a_send_that_waits_ends_and_leaves_the_place_alone() {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [1, 0, 0, 1]).await;
    history.accepted(&send(2), [1, 0, 0, 1]).await;
    let organiser = table.item(&key::organiser(&organisation(1)));
    assert!(history.request_stop(&send(2), cancelled()).await.unwrap());
    assert_eq!(ended(end_stopped(&history, &send(2)).await), (None, vec![], Ending::Cancelled));
    assert_eq!(statuses(&table, 2), ["cancelled", "notStarted", "notStarted", "notStarted", "notStarted"]);
    assert_eq!(table.item(&key::organiser(&organisation(1))), organiser);

    // The same where nobody has the place.
    history.accepted(&send(3), [1, 0, 0, 1]).await;
    table.set(&key::organiser(&organisation(1)), "running", Value::Null);
    assert!(history.request_stop(&send(3), cancelled()).await.unwrap());
    assert_eq!(ended(end_stopped(&history, &send(3)).await), (None, vec![], Ending::Cancelled));
}

#[tokio::test]
async fn a_send_that_gets_the_place_while_it_ends_gives_it_on() {
    for another_waits in [false, true] {
        let table = Table::new();
        let history = table.history();
        history.running(&send(1), [1, 0, 0, 1]).await;
        history.accepted(&send(2), [1, 0, 0, 1]).await;
        if another_waits {
            history.accepted(&send(3), [1, 0, 0, 1]).await;
        }
        assert!(history.request_stop(&send(2), cancelled()).await.unwrap());
        let first_ends = async move { history.ended(&send(1)).await };
        let (history, _) = table.disturbed([meanwhile(TRANSACTION, first_ends)]);
        let next = another_waits.then(|| send(3));
        assert_eq!(ended(end_stopped(&history, &send(2)).await), (next.clone(), vec![], Ending::Cancelled));
        let running = table.attribute(&key::organiser(&organisation(1)), "running");
        assert_eq!(running, json!(next.map(|next| next.send)));
        assert_eq!(due_at(&table, &send(2).job(USERS).key()), None);
    }
}

#[tokio::test]
async fn what_changes_while_a_send_ends_is_seen() {
    for (name, value, found) in [
        ("status", json!("succeeded"), Settled::EndedBefore { start: None }),
        ("stopRequested", Value::Null, Settled::NotYet),
    ] {
        for runs in [true, false] {
            let table = Table::new();
            let history = table.history();
            history.accepted(&send(1), [1, 0, 0, 1]).await;
            if runs {
                history.started(&send(1).job(USERS)).await;
            }
            assert!(history.request_stop(&send(1), cancelled()).await.unwrap());
            let change = table.setting(&send(1).header(), name, &value);
            let (history, _) = table.disturbed([meanwhile(TRANSACTION, change)]);
            let mut items = table.items();
            assert_eq!(end_stopped(&history, &send(1)).await, found, "{name}");
            let header = (send(1).header().pk, send(1).header().sk);
            items.insert(header.clone(), table.items().remove(&header).unwrap());
            assert_eq!(table.items(), items, "{name}");
        }
    }
    // A batch is opened.
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [1, 0, 0, 1]).await;
    let opened = table.setting(&send(1).job(USERS).key(), "open", 1);
    assert!(history.request_stop(&send(1), cancelled()).await.unwrap());
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, opened)]);
    assert_eq!(end_stopped(&history, &send(1)).await, Settled::NotYet);
    assert_eq!(statuses(&table, 1)[..2], ["running", "running"]);
}
