//! Keys that come with a request.

use jiff::Timestamp;
use serde_json::json;
use stafett_domain::SendId;

use super::sample::{at, organisation, send};
use super::table::{Event, Table, meanwhile, on};
use crate::{History, Idempotency, key};

const DAY: i64 = 86_400;

async fn tie(history: &History, body: &str, fresh: u128, now: Timestamp) -> Idempotency {
    history.idempotent(&organisation(1), "key", body, id(fresh), now).await.unwrap()
}

fn id(number: u128) -> SendId {
    send(number).send
}

#[tokio::test]
async fn a_key_stands_for_its_first_request_for_a_day() {
    let table = Table::new();
    let history = table.history();
    assert_eq!(tie(&history, "body", 1, at(0)).await, Idempotency::Send(id(1)));
    let item = table.item(&key::idempotency(&organisation(1), "key")).unwrap();
    assert_eq!((&item["bodyHash"], item["expires"].as_i64()), (&json!("body"), Some(at(DAY).as_second())));
    assert_eq!(tie(&history, "body", 2, at(DAY - 1)).await, Idempotency::Send(id(1)));
    assert_eq!(tie(&history, "other", 3, at(DAY - 1)).await, Idempotency::OtherBody);
    let tied =
        async |body, seconds| history.tied_to(&organisation(1), "key", body, at(seconds)).await.unwrap();
    assert_eq!((tied("body", DAY - 1).await, tied("other", 1).await), (Some(id(1)), None));
    assert_eq!((tied("body", DAY).await, table.items().len()), (None, 1));
    // Its item may still be there a while after that day.
    assert_eq!(tie(&history, "other", 3, at(DAY)).await, Idempotency::Send(id(3)));
    assert_eq!(tie(&history, "body", 4, at(DAY)).await, Idempotency::OtherBody);
    // Another organiser's key, and another key.
    let other = history.idempotent(&organisation(2), "key", "body", id(5), at(1)).await.unwrap();
    assert_eq!(other, Idempotency::Send(id(5)));
    let other = history.idempotent(&organisation(1), "key2", "body", id(6), at(1)).await.unwrap();
    assert_eq!(other, Idempotency::Send(id(6)));
}

#[tokio::test]
async fn of_two_requests_at_the_same_time_both_are_the_first_ones_send() {
    for (body, answer) in [("body", Idempotency::Send(id(1))), ("other", Idempotency::OtherBody)] {
        // A new key, and one whose day is over.
        for (before, seconds) in [(None, 0), (Some(9), DAY)] {
            let table = Table::new();
            let history = table.history();
            let skipped = usize::from(before.is_some());
            if let Some(before) = before {
                tie(&history, "old", before, at(0)).await;
            }
            let faster = async move {
                assert_eq!(tie(&history, "body", 1, at(seconds)).await, Idempotency::Send(id(1)));
            };
            let (slower, _) = table.disturbed([meanwhile("PutItem", faster).after(skipped)]);
            assert_eq!(tie(&slower, body, 2, at(seconds)).await, answer, "{before:?}");
            let item = table.item(&key::idempotency(&organisation(1), "key")).unwrap();
            assert_eq!((&item["send"], &item["bodyHash"]), (&json!(id(1)), &json!("body")));
        }
    }
}

#[tokio::test]
async fn a_key_whose_item_is_deleted_meanwhile_is_new() {
    let table = Table::new();
    tie(&table.history(), "old", 9, at(0)).await;
    let key = key::idempotency(&organisation(1), "key");
    let deleted = {
        let key = key.clone();
        table.later(move |table| table.delete(&key))
    };
    let (history, _) = table.disturbed([meanwhile("GetItem", deleted)]);
    assert_eq!(tie(&history, "body", 1, at(DAY)).await, Idempotency::Send(id(1)));
    // The same, and another writes it anew.
    table.delete(&key);
    tie(&table.history(), "old", 9, at(0)).await;
    let deleted = {
        let key = key.clone();
        table.later(move |table| table.delete(&key))
    };
    let other = table.history();
    let again = async move { assert_eq!(tie(&other, "body", 1, at(DAY)).await, Idempotency::Send(id(1))) };
    let (history, _) = table.disturbed([meanwhile("GetItem", deleted), meanwhile("PutItem", again).after(1)]);
    assert_eq!(tie(&history, "body", 2, at(DAY)).await, Idempotency::Send(id(1)));
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_the_same_send() {
    let table = Table::new();
    for (seconds, lost) in [(0, 0), (DAY, 1)] {
        let (history, _) = table.disturbed([on("PutItem", Event::AnswerLost).after(lost)]);
        assert_eq!(tie(&history, "body", 1, at(seconds)).await, Idempotency::Send(id(1)));
    }
}
