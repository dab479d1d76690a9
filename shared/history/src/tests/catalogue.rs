//! The list of an organiser's activities, and the catalogue that it begins with.

use serde_json::{Value, json};
use stafett_domain::{RecordKind, SendStatus};

use super::sample::{EXPIRES, at, organisation, record, send};
use super::table::{Event, Table, meanwhile, on};
use crate::{ActivityFilter, History, SendHeader, key};

/// Sends 1 to `count`, each with three activities: two of its own and one that all have.
async fn sends(count: u64) -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let header = table.item(&send(1).header()).unwrap();
    for seq in 1..=count {
        add(&table, &header, seq);
    }
    (table, history)
}

fn add(table: &Table, header: &Value, seq: u64) {
    let send = send(u128::from(seq));
    let number = u32::try_from(seq).unwrap();
    let activities = [2 * number, 0, 2 * number + 1]
        .map(|batch| super::sample::activity(record(RecordKind::Activity, batch, 0)));
    let item = json!({"activities": serde_json::to_string(&activities).unwrap(), "expires": EXPIRES});
    table.put(&send.activities(), &item);
    let mut header = header.clone();
    (header["id"], header["seq"]) = (json!(send.send), json!(seq));
    table.put(&send.header(), &header);
    table.put(&key::order(&organisation(1), seq), &json!({"send": send.send, "expires": EXPIRES}));
}

/// The whole list, read with this page size: the send and the number of each activity.
async fn list(history: &History, filter: &ActivityFilter, limit: usize) -> Vec<(u64, u128)> {
    let (mut found, mut after) = (Vec::new(), None);
    for _ in 0..200 {
        let page = history.current_activities(&organisation(1), filter, limit, after, at(9)).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(|listed| {
            let row = &listed.item;
            (row.latest.seq.unwrap(), row.activity.id.0.as_u128() >> 32 & 0xFFFF)
        }));
        let Some(next) = page.next else { return found };
        let (seq, place) = next.split_once('.').unwrap();
        after = Some((seq.parse().unwrap(), place.parse().unwrap()));
    }
    panic!("it goes round");
}

/// What the list of so many sends is.
fn expected(count: u64) -> Vec<(u64, u128)> {
    let rows = (1..=count).rev().flat_map(|seq| {
        let own = u128::from(2 * seq);
        // The one that all have is the latest send's.
        let shared = (seq == count).then_some((seq, 0));
        [Some((seq, own)), shared, Some((seq, own + 1))]
    });
    rows.flatten().collect()
}

fn pointer(table: &Table) -> Value {
    table.item(&key::catalogue(&organisation(1))).unwrap_or_default()
}

/// The versions that there are.
fn versions(table: &Table) -> usize {
    let partition = key::catalogue_of(&organisation(1), uuid::Uuid::nil()).pk;
    table.items().keys().filter(|(pk, _)| *pk == partition).count()
}

async fn keep(history: &History, seq: u64) {
    history.keep_catalogue(&organisation(1), seq, at(9)).await;
}

#[tokio::test]
async fn the_list_is_the_same_with_a_catalogue_and_without() {
    let (table, history) = sends(40).await;
    let all = ActivityFilter::default();
    for limit in [1, 2, 20, 100] {
        assert_eq!(list(&history, &all, limit).await, expected(40), "{limit}");
    }
    for seq in 1..=15 {
        keep(&history, seq).await;
    }
    assert_eq!(pointer(&table), Value::Null, "every sixteenth send");
    keep(&history, 16).await;
    // All that were accepted by then, for nobody asked before.
    assert_eq!((&pointer(&table)["upTo"], versions(&table)), (&json!(40), 1));
    for limit in [1, 7, 100] {
        assert_eq!(list(&history, &all, limit).await, expected(40), "{limit}");
    }
    let items = table.items();
    keep(&history, 32).await;
    assert_eq!(table.items(), items, "it holds them");
    let header = table.item(&send(1).header()).unwrap();
    (41..=50).for_each(|seq| add(&table, &header, seq));
    keep(&history, 48).await;
    let after = pointer(&table);
    assert_eq!(
        (&after["upTo"], versions(&table)),
        (&json!(50), 2),
        "the one before is kept for who reads it"
    );
    (51..=66).for_each(|seq| add(&table, &header, seq));
    keep(&history, 64).await;
    assert_eq!(versions(&table), 2, "and removed with the next");
    assert_eq!(pointer(&table)["previous"], after["current"]);
    assert_eq!(list(&history, &all, 100).await, expected(66));
}

#[tokio::test]
async fn a_merge_takes_a_bounded_number_of_sends() {
    let (table, history) = sends(150).await;
    for up_to in [64, 128, 150] {
        keep(&history, 144 + 16).await;
        assert_eq!(pointer(&table)["upTo"], up_to);
        assert_eq!(list(&history, &ActivityFilter::default(), 200).await, expected(150));
    }
}

#[tokio::test]
async fn of_two_merges_one_holds_and_the_other_leaves_nothing() {
    for there_before in [false, true] {
        let (table, history) = sends(20).await;
        if there_before {
            keep(&history, 16).await;
            let header = table.item(&send(1).header()).unwrap();
            (21..=33).for_each(|seq| add(&table, &header, seq));
        }
        let faster = {
            let history = history.clone();
            async move { keep(&history, 32).await }
        };
        // Behind its content comes the pointer.
        let (slower, _) = table.disturbed([meanwhile("UpdateItem", faster)]);
        keep(&slower, 32).await;
        assert_eq!(versions(&table), 1 + usize::from(there_before));
        let current = pointer(&table)["current"]["id"].as_str().unwrap().parse().unwrap();
        assert!(table.item(&key::catalogue_of(&organisation(1), current)).is_some());
        let count = if there_before { 33 } else { 20 };
        assert_eq!(list(&history, &ActivityFilter::default(), 100).await, expected(count));
    }
}

#[tokio::test]
async fn a_merge_whose_answer_was_lost_holds() {
    let (table, _) = sends(20).await;
    let (history, _) = table.disturbed([on("UpdateItem", Event::AnswerLost)]);
    keep(&history, 16).await;
    assert_eq!((&pointer(&table)["upTo"], versions(&table)), (&json!(20), 1));
    assert_eq!(list(&history, &ActivityFilter::default(), 100).await, expected(20));
    // One that dies before its pointer is written leaves the list as it was.
    let (table, _) = sends(20).await;
    let (dying, _) = table.disturbed([on("UpdateItem", Event::Unreachable)]);
    keep(&dying, 16).await;
    assert_eq!(pointer(&table), Value::Null);
    assert_eq!(list(&table.history(), &ActivityFilter::default(), 100).await, expected(20));
}

#[tokio::test]
async fn a_catalogue_that_is_lost_is_made_anew_of_the_sends() {
    let (table, history) = sends(20).await;
    keep(&history, 16).await;
    let current = pointer(&table)["current"]["id"].as_str().unwrap().parse().unwrap();
    let catalogue = key::catalogue_of(&organisation(1), current);
    table.delete(&catalogue);
    assert_eq!(list(&history, &ActivityFilter::default(), 100).await, expected(20));
    keep(&history, 32).await;
    assert_eq!((&pointer(&table)["upTo"], versions(&table)), (&json!(20), 1));
    let new = pointer(&table)["current"]["id"].as_str().unwrap().parse().unwrap();
    assert!(table.item(&key::catalogue_of(&organisation(1), new)).is_some());
    // One that is replaced, and removed, while it is read.
    let old = json!({"upTo": 20, "current": {"id": current, "items": 1}, "expires": EXPIRES});
    let now = pointer(&table);
    table.put(&key::catalogue(&organisation(1)), &old);
    let replaced = table.later(move |table| table.put(&key::catalogue(&organisation(1)), &now));
    let (reader, _) = table.disturbed([meanwhile("GetItem", replaced).after(1)]);
    assert_eq!(list(&reader, &ActivityFilter::default(), 100).await, expected(20));
}

#[tokio::test]
async fn activities_are_found_by_the_status_of_their_latest_send() {
    let (table, history) = sends(230).await;
    for seq in [3, 120] {
        table.set(&send(seq).header(), "status", SendStatus::Failed);
    }
    let is_failed = |send: &SendHeader| send.status == SendStatus::Failed;
    let failed = ActivityFilter { latest: Some(Box::new(is_failed)), ..ActivityFilter::default() };
    assert_eq!(list(&history, &failed, 20).await, [(120, 240), (120, 241), (3, 6), (3, 7)]);
    // A page reads at most a hundred sends.
    let page = history.current_activities(&organisation(1), &failed, 20, None, at(9)).await.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (0, Some("131.2")));
    // A header that cannot be read, is gone, or has expired.
    table.set(&send(230).header(), "activityCount", "many");
    table.delete(&send(229).header());
    table.set(&send(228).header(), "expires", 1);
    let page = history
        .current_activities(&organisation(1), &ActivityFilter::default(), 8, None, at(9))
        .await
        .unwrap();
    assert_eq!(page.items.iter().map(|listed| listed.item.latest.seq.unwrap()).collect::<Vec<_>>(), [227]);
}
