//! A send that comes in parts.

use std::time::Duration;

use serde_json::{Value, json};
use stafett_domain::{PerKind, RecordKind};

use super::sample::{EXPIRES, at, content, due_at, millis, send, terms};
use super::table::{Event, Table, meanwhile, on};
use crate::key::SendRef;
use crate::{Body, History, NewPart, PartBody, Sealed, Stored, StoredPart};

const TRANSACTION: &str = "TransactWriteItems";

pub(super) async fn opened(history: &History, number: u128) {
    history.open_upload(&send(number), &terms(), at(0), millis(86_400)).await.unwrap();
}

/// A part with so many bodies of persons, duties, groups and activities.
pub(super) fn part(number: u32, bodies: [usize; 4]) -> NewPart<()> {
    let batches = per_kind(bodies).map(|bodies| {
        let body = |body| Body {
            body: format!(r#"{{"data":[{{"id":{number}}},{{"id":{body}}}]}}"#),
            facts: vec![(); 2],
        };
        (0..bodies).map(body).collect()
    });
    NewPart { part: number, batches, findings: Vec::new() }
}

/// A value for persons, duties, groups and activities.
fn per_kind<T>(values: [T; 4]) -> PerKind<T> {
    let mut values = values.into_iter();
    PerKind::from_fn(|_| values.next().unwrap())
}

async fn put(history: &History, number: u32) -> Stored {
    history.put_part(&send(1), part(number, [2, 0, 0, 1])).await.unwrap()
}

async fn stored(history: &History, number: u32) -> Option<StoredPart> {
    history.get(&send(1).upload(number)).await.unwrap()
}

/// How many items the bodies of a part take.
fn bodies(table: &Table, number: u32) -> usize {
    let partition = send(1).part(number);
    table.items().keys().filter(|(pk, _)| *pk == partition).count()
}

fn rev(table: &Table) -> Value {
    table.attribute(&send(1).header(), "upload")
}

async fn open_upload() -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    opened(&history, 1).await;
    (table, history)
}

#[tokio::test]
async fn a_send_is_opened_for_parts_once() {
    let (table, history) = open_upload().await;
    assert_eq!((rev(&table), due_at(&table, &send(1).header())), (json!({"rev": 0}), Some(millis(86_400))));
    assert_eq!(put(&history, 1).await, Stored::Yes);
    let items = table.items();
    opened(&history, 1).await;
    assert_eq!(table.items(), items);
    // What came in one body is not opened, nor is it a send in parts.
    history.received(&send(2), [1, 0, 0, 1]).await;
    let items = table.items();
    opened(&history, 2).await;
    assert_eq!(table.items(), items);
    assert!(history.upload(&send(2)).await.unwrap().is_none());
    assert_eq!(history.put_part(&send(2), part(1, [1, 0, 0, 0])).await.unwrap(), Stored::NotFound);
    assert_eq!(table.items(), items);
}

#[tokio::test]
async fn a_part_is_stored_and_takes_the_place_of_an_earlier_one() {
    let (table, history) = open_upload().await;
    assert_eq!(put(&history, 1).await, Stored::Yes);
    let first = stored(&history, 1).await.unwrap();
    assert_eq!((first.records(), first.expires, bodies(&table, 1)), (per_kind([4, 0, 0, 2]), EXPIRES, 3));
    assert_eq!(rev(&table), json!({"rev": 1}));
    let body = |part: &StoredPart, stage: RecordKind| PartBody {
        part: 1,
        name: part.batches[stage][0].name.clone(),
    };
    let read: Body<()> = history.part_body(&send(1), &body(&first, RecordKind::Activity)).await.unwrap();
    assert_eq!(read.body, r#"{"data":[{"id":1},{"id":0}]}"#);

    let (history, calls) = table.disturbed([]);
    assert_eq!(history.put_part(&send(1), part(1, [1, 1, 0, 0])).await.unwrap(), Stored::Yes);
    assert_eq!(calls.of(TRANSACTION), 1, "it has looked for an earlier one");
    let second = stored(&history, 1).await.unwrap();
    assert_eq!(
        (second.records(), bodies(&table, 1)),
        (per_kind([2, 2, 0, 0]), 2),
        "the bodies of the first are gone"
    );
    assert_ne!(first.request, second.request);
    assert!(history.part_body::<()>(&send(1), &body(&first, RecordKind::Person)).await.is_err());
    assert_eq!(rev(&table), json!({"rev": 2}));
}

#[tokio::test]
async fn parts_are_listed_by_number_however_many_there_are() {
    let (table, history) = open_upload().await;
    assert_eq!(put(&history, 1).await, Stored::Yes);
    let item = table.item(&send(1).upload(1)).unwrap();
    for number in 2..=230 {
        let mut item = item.clone();
        item["part"] = number.into();
        table.put(&send(1).upload(number), &item);
    }
    let upload = history.upload(&send(1)).await.unwrap().unwrap();
    assert!(upload.parts.iter().map(|part| part.part).eq(1..=230));
    let sums = upload.into_send();
    assert_eq!(
        (sums.header.activity_count, sums.jobs[0].counts.total, sums.jobs[0].batches),
        (460, 920, 460)
    );
}

#[tokio::test]
async fn a_send_that_is_closed_takes_no_parts() {
    let closed = |name: &'static str, value: Value, answer| (name, value, answer);
    for (name, value, answer) in [
        closed("upload", json!({"rev": 1, "submitted": 1}), Stored::Submitted),
        closed("seq", json!(1), Stored::Submitted),
        closed("status", json!("cancelled"), Stored::Cancelled),
        closed("discarded", json!(true), Stored::NotFound),
    ] {
        let (table, history) = open_upload().await;
        assert_eq!(put(&history, 1).await, Stored::Yes);
        table.set(&send(1).header(), name, &value);
        let items = table.items();
        assert_eq!((put(&history, 1).await, put(&history, 2).await), (answer, answer), "{name}");
        assert_eq!(table.items(), items, "{name}");
    }
}

/// Its bodies are written before it is known that the send is closed: they are removed again, and what was there stays.
#[tokio::test]
async fn a_part_that_comes_as_its_send_is_closed_leaves_nothing() {
    for (name, value, answer) in [
        ("upload", json!({"rev": 1, "submitted": 1}), Stored::Submitted),
        ("status", json!("cancelled"), Stored::Cancelled),
        ("discarded", json!(true), Stored::NotFound),
    ] {
        for number in [1, 2] {
            let (table, history) = open_upload().await;
            assert_eq!(put(&history, 1).await, Stored::Yes);
            let closes = table.setting(&send(1).header(), name, &value);
            let (slower, _) = table.disturbed([meanwhile(TRANSACTION, closes)]);
            let mut items = table.items();
            assert_eq!(put(&slower, number).await, answer, "{name}");
            for key in [send(1).header(), send(1).part_begun(number)] {
                items.insert(
                    (key.pk.clone(), key.sk.clone()),
                    table.items().remove(&(key.pk, key.sk)).unwrap(),
                );
            }
            assert_eq!(table.items(), items, "{name}");
        }
    }
}

#[tokio::test]
async fn of_two_requests_for_the_same_part_the_last_one_stays_with_its_bodies() {
    for there_before in [false, true] {
        let (table, history) = open_upload().await;
        if there_before {
            assert_eq!(put(&history, 1).await, Stored::Yes);
        }
        let other = history.clone();
        let faster = async move {
            assert_eq!(other.put_part(&send(1), part(1, [0, 0, 1, 0])).await.unwrap(), Stored::Yes);
        };
        let (slower, calls) = table.disturbed([meanwhile(TRANSACTION, faster)]);
        assert_eq!(put(&slower, 1).await, Stored::Yes);
        assert_eq!(calls.of(TRANSACTION), 2);
        let part = stored(&history, 1).await.unwrap();
        assert_eq!((part.records(), bodies(&table, 1)), (per_kind([4, 0, 0, 2]), 3));
    }
}

#[tokio::test]
async fn a_part_whose_answer_was_lost_is_stored_once() {
    let (table, _) = open_upload().await;
    let (history, calls) = table.disturbed([on(TRANSACTION, Event::AnswerLost)]);
    assert_eq!(put(&history, 1).await, Stored::Yes);
    assert_eq!((calls.of(TRANSACTION), rev(&table), bodies(&table, 1)), (2, json!({"rev": 1}), 3));
    // The item of its begin as well.
    let (history, _) = table.disturbed([on("PutItem", Event::AnswerLost)]);
    assert_eq!(put(&history, 2).await, Stored::Yes);
    assert_eq!(bodies(&table, 2), 3);
}

/// Its bodies are there, and nothing points at them: a repeat stores the part, and the discard finds both.
#[tokio::test]
async fn a_request_that_dies_leaves_what_the_discard_finds() {
    let (table, history) = open_upload().await;
    let (dying, _) = table.disturbed([on(TRANSACTION, Event::Unreachable)]);
    assert!(dying.put_part(&send(1), part(1, [2, 0, 0, 1])).await.is_err());
    assert_eq!((stored(&history, 1).await, bodies(&table, 1)), (None, 3));
    assert!(table.item(&send(1).part_begun(1)).is_some());
    assert_eq!(put(&history, 1).await, Stored::Yes);
    assert_eq!(bodies(&table, 1), 6);
    for seconds in [86_400, 86_460] {
        let carrier = crate::Carrier::Receiving(send(1));
        history.take_overdue(&carrier, at(seconds), Duration::from_mins(1)).await.unwrap();
    }
    assert!(table.items().is_empty());
}

async fn seal(history: &History, rev: u64) -> Sealed {
    history.seal_upload(&send(1), rev, 2, &content([3, 2, 0, 1])).await.unwrap()
}

#[tokio::test]
async fn a_send_is_submitted_with_the_parts_that_were_checked() {
    let (table, history) = open_upload().await;
    assert_eq!(put(&history, 1).await, Stored::Yes);
    assert_eq!(put(&history, 2).await, Stored::Yes);
    let items = table.items();
    assert_eq!(seal(&history, 1).await, Sealed::Moved, "a part came since");
    assert_eq!(table.items(), items);
    assert_eq!(seal(&history, 2).await, Sealed::Yes);
    let header = table.item(&send(1).header()).unwrap();
    assert_eq!(header["upload"], json!({"rev": 2, "submitted": 2}));
    assert_eq!((&header["activityCount"], &header["batches"]), (&json!(1), &json!(per_kind([3, 2, 0, 1]))));
    assert_eq!(put(&history, 3).await, Stored::Submitted);
    for (name, value) in
        [("status", json!("cancelled")), ("discarded", json!(true)), ("status", json!("queued"))]
    {
        let (table, history) = open_upload().await;
        table.set(&send(1).header(), name, &value);
        let items = table.items();
        assert_eq!(
            (seal(&history, 0).await, table.items() == items),
            (Sealed::Moved, true),
            "{name} {value}"
        );
    }
    let (table, history) = open_upload().await;
    let nobody: SendRef = send(9);
    let answer = history.seal_upload(&nobody, 0, 1, &content([1, 0, 0, 1])).await.unwrap();
    assert_eq!((answer, table.item(&nobody.header())), (Sealed::Moved, None));
}
