//! Sends in parts when several requests meet: the order in which they meet is forced, by holding one of them at a call.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Simulator};

use crate::cancel::cancel;
use crate::people::{Size, send};
use crate::stack::{ORGANISER, TestStack, limits, statuses};
use crate::storage::{items, keys};
use crate::uploads::{open, put, submit};

/// A send in two parts, of which the first comes with several contents: the same persons under other family names.
struct Contents {
    whole: Value,
}

impl Contents {
    fn new(series: u16) -> Self {
        Self { whole: send(Size { students: 6, teachers: 1, groups: 1, series }) }
    }

    fn first(&self, family_name: &str) -> Value {
        let mut persons = self.whole["persons"].clone();
        for person in persons.as_array_mut().unwrap() {
            person["familyName"] = family_name.into();
        }
        json!({"part": 1, "persons": persons})
    }

    fn second(&self) -> Value {
        let Value::Object(mut rest) = self.whole.clone() else { panic!("no send") };
        rest.remove("persons");
        rest.insert("part".to_owned(), json!(2));
        rest.into()
    }
}

/// The family names that the rows of persons show.
async fn family_names(stack: &TestStack, id: &str) -> BTreeSet<String> {
    let rows = stack.get(&format!("/v1/sends/{id}/jobs/users/records")).await;
    let rows = rows["items"].as_array().unwrap();
    assert_eq!(rows.len(), 7);
    rows.iter().map(|row| row["name"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned()).collect()
}

/// How many bodies of the first part are stored.
async fn bodies(stack: &TestStack, id: &str) -> usize {
    let keys = keys(stack).await;
    keys.iter().filter(|(pk, _)| pk.contains(id) && pk.ends_with("#part#00001")).count()
}

/// What says which bodies the first part is.
async fn pointer(stack: &TestStack, id: &str) -> Option<Value> {
    let mut items = items(stack).await.into_iter();
    items.find(|item| item["sk"]["S"] == "upload#00001" && item["pk"]["S"].as_str().unwrap().ends_with(id))
}

/// From now on the first so many calls of this name are held.
async fn hold(stack: &TestStack, call: &str, fault: &str, times: usize) {
    let rule = json!({"function": "api", "call": call, "times": times, "fault": fault});
    stack.put_faults(ORGANISER, &json!([rule])).await;
}

async fn until_held(stack: &TestStack, times: usize) {
    stack
        .until("the calls are held", async || {
            let calls = stack.calls(ORGANISER).await;
            (calls.iter().filter(|call| !call["fault"].is_null()).count() == times).then_some(())
        })
        .await;
}

async fn release(stack: &TestStack) {
    stack.put_faults(ORGANISER, &json!([])).await;
}

/// An open upload that has both its parts, the first one with the family name Ettström.
async fn in_two_parts(stack: &TestStack, series: u16) -> (Contents, String) {
    let contents = Contents::new(series);
    let id = open(stack, json!({})).await;
    for part in [contents.first("Ettström"), contents.second()] {
        assert_eq!(put(stack, &id, &part).await.status, 200);
    }
    (contents, id)
}

fn bulk_calls(stack: &TestStack) -> usize {
    stack.skolverket.calls().iter().filter(|call| call.call == CallKind::Bulk).count()
}

#[tokio::test]
async fn a_request_that_is_held_after_it_stored_a_part_removes_nothing_of_those_that_overtook_it() {
    let stack = TestStack::start().await;
    let (contents, id) = in_two_parts(&stack, 110).await;
    let before = pointer(&stack, &id).await;
    hold(&stack, "dynamodb.TransactWriteItems", "holdAfter", 1).await;
    let (part, last) = (contents.first("Tvåström"), contents.first("Treström"));
    let (held, ()) = tokio::join!(put(&stack, &id, &part), async {
        stack
            .until("the part is replaced", async || (pointer(&stack, &id).await != before).then_some(()))
            .await;
        assert_eq!(put(&stack, &id, &last).await.status, 200);
        let accepted = submit(&stack, &id, 2).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        release(&stack).await;
    });
    assert_eq!(held.status, 200, "{}", held.text);
    let ended = stack.ended(&id).await;
    assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    assert_eq!(family_names(&stack, &id).await, BTreeSet::from(["Treström".to_owned()]));
    assert_eq!(bodies(&stack, &id).await, 1, "what was replaced is gone");
    stack.finish(0).await;
}

#[tokio::test]
async fn of_several_contents_of_a_part_at_once_one_holds() {
    let stack = TestStack::start().await;
    for (at_once, series) in [(2_usize, 111), (4, 112)] {
        let contents = Contents::new(series);
        let id = open(&stack, json!({})).await;
        assert_eq!(put(&stack, &id, &contents.second()).await.status, 200);
        if at_once > 2 {
            assert_eq!(put(&stack, &id, &contents.first("Förström")).await.status, 200);
        }
        let names: Vec<_> = ["Ettström", "Tvåström", "Treström", "Fyrström"][..at_once].to_vec();
        hold(&stack, "dynamodb.TransactWriteItems", "holdBefore", at_once).await;
        let parts: Vec<_> = names.iter().map(|name| contents.first(name)).collect();
        // All have written their bodies, and none what points at them.
        let (answers, ()) = tokio::join!(join_all(parts.iter().map(|part| put(&stack, &id, part))), async {
            until_held(&stack, at_once).await;
            release(&stack).await;
        });
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert_eq!(bodies(&stack, &id).await, 1, "of {at_once} contents");
        let accepted = submit(&stack, &id, 2).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        assert_eq!(stack.ended(&id).await["status"], "succeeded");
        let shown = family_names(&stack, &id).await;
        assert!(shown.len() == 1 && names.contains(&shown.first().unwrap().as_str()), "{shown:?}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_part_that_comes_too_late_for_the_submit_leaves_nothing() {
    let stack = TestStack::start().await;
    let (contents, id) = in_two_parts(&stack, 113).await;
    hold(&stack, "dynamodb.TransactWriteItems", "holdBefore", 1).await;
    let part = contents.first("Tvåström");
    let (late, ()) = tokio::join!(put(&stack, &id, &part), async {
        until_held(&stack, 1).await;
        assert_eq!(submit(&stack, &id, 2).await.status, 202);
        release(&stack).await;
    });
    assert_eq!((late.status.as_u16(), &late.json()["type"]), (409, &json!("urn:stafett:problem:submitted")));
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    assert_eq!(family_names(&stack, &id).await, BTreeSet::from(["Ettström".to_owned()]));
    assert_eq!(bodies(&stack, &id).await, 1, "its own bodies are gone");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_submit_under_which_a_part_is_replaced_says_so() {
    let stack = TestStack::start().await;
    let (contents, id) = in_two_parts(&stack, 114).await;
    // It has read which parts there are, and opened none.
    hold(&stack, "dynamodb.Query", "holdAfter", 1).await;
    let (early, ()) = tokio::join!(submit(&stack, &id, 2), async {
        until_held(&stack, 1).await;
        assert_eq!(put(&stack, &id, &contents.first("Tvåström")).await.status, 200);
        release(&stack).await;
    });
    assert_eq!(
        (early.status.as_u16(), &early.json()["type"]),
        (409, &json!("urn:stafett:problem:parts-moved"))
    );
    assert_eq!(submit(&stack, &id, 2).await.status, 202);
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    assert_eq!(family_names(&stack, &id).await, BTreeSet::from(["Tvåström".to_owned()]));
    stack.finish(0).await;
}

/// Waits until nothing of the send is stored but its header.
async fn until_only_the_header_is_left(stack: &TestStack, id: &str) {
    stack
        .until("the parts are gone", async || {
            let keys = keys(stack).await;
            let left: Vec<_> = keys.iter().filter(|(pk, _)| pk.contains(id)).map(|(_, sk)| sk).collect();
            (left == ["send"]).then_some(())
        })
        .await;
}

async fn until_nothing_is_left(stack: &TestStack, id: &str) {
    stack
        .until("nothing of it is stored", async || {
            keys(stack).await.iter().all(|(pk, _)| !pk.contains(id)).then_some(())
        })
        .await;
}

#[tokio::test]
async fn an_open_upload_is_cancelled_and_its_parts_are_removed() {
    // Parts go a scaled minute after the cancellation, and the rest when the upload would have been discarded.
    let skolverket = Simulator::start(limits()).await.unwrap();
    let stack = TestStack::start_with(skolverket, &["--set", "UPLOAD_OPEN_MS=30000"]).await;
    let contents = Contents::new(115);
    let id = open(&stack, json!({})).await;
    assert_eq!(put(&stack, &id, &contents.first("Ettström")).await.status, 200);
    for _ in 0..2 {
        let cancelled = cancel(&stack, &id).await;
        assert_eq!(cancelled.status, 202, "{}", cancelled.text);
        let cancelled = cancelled.json();
        assert_eq!((&cancelled["status"], &cancelled["acceptedAt"]), (&json!("cancelled"), &Value::Null));
        assert!(cancelled["endedAt"].is_string() && cancelled["parts"].is_null(), "{cancelled}");
        assert_eq!(statuses(&cancelled), ["notStarted"; 4]);
    }
    let problem = json!("urn:stafett:problem:ended");
    let late = put(&stack, &id, &contents.second()).await;
    assert_eq!((late.status.as_u16(), &late.json()["type"]), (409, &problem));
    let late = submit(&stack, &id, 1).await;
    assert_eq!((late.status.as_u16(), &late.json()["type"]), (409, &problem));
    until_only_the_header_is_left(&stack, &id).await;
    assert_eq!(stack.get(&format!("/v1/sends/{id}")).await["status"], "cancelled");
    assert_eq!(cancel(&stack, &id).await.status, 202);
    assert_eq!(stack.get("/v1/sends").await["items"], json!([]));
    until_nothing_is_left(&stack, &id).await;
    assert_eq!(cancel(&stack, &id).await.status, 404);
    assert_eq!(bulk_calls(&stack), 0);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_submit_that_is_overtaken_by_a_cancellation_is_not_accepted() {
    let stack = TestStack::start().await;
    let (_, id) = in_two_parts(&stack, 116).await;
    hold(&stack, "dynamodb.TransactWriteItems", "holdBefore", 1).await;
    let (submitted, ()) = tokio::join!(submit(&stack, &id, 2), async {
        until_held(&stack, 1).await;
        assert_eq!(cancel(&stack, &id).await.json()["status"], "cancelled");
        release(&stack).await;
    });
    assert_eq!(
        (submitted.status.as_u16(), &submitted.json()["type"]),
        (409, &json!("urn:stafett:problem:ended"))
    );
    until_only_the_header_is_left(&stack, &id).await;
    assert_eq!(bulk_calls(&stack), 0);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_cancellation_that_is_overtaken_by_the_submit_stops_the_send() {
    let stack = TestStack::start().await;
    stack.skolverket.hold_jobs(true);
    let (_, id) = in_two_parts(&stack, 117).await;
    hold(&stack, "dynamodb.UpdateItem", "holdBefore", 1).await;
    let (cancelled, ()) = tokio::join!(cancel(&stack, &id), async {
        until_held(&stack, 1).await;
        assert_eq!(submit(&stack, &id, 2).await.status, 202);
        stack.until("it runs", async || (bulk_calls(&stack) == 1).then_some(())).await;
        release(&stack).await;
    });
    assert_eq!(cancelled.status, 202, "{}", cancelled.text);
    assert_eq!(cancelled.json()["stopping"]["code"], "cancelled");
    stack.skolverket.hold_jobs(false);
    let ended = stack.ended(&id).await;
    assert_eq!(statuses(&ended), ["cancelled", "notStarted", "notStarted", "notStarted"], "{ended}");
    stack.finish(0).await;
}

/// A stack in which an upload is discarded soon.
async fn forgetful() -> TestStack {
    let skolverket = Simulator::start(limits()).await.unwrap();
    TestStack::start_with(skolverket, &["--set", "UPLOAD_OPEN_MS=4000"]).await
}

fn discarded(stack: &TestStack, id: &str) -> bool {
    stack.events("upload.discarded").iter().any(|line| line["send"] == id)
}

#[tokio::test]
async fn a_submit_that_is_overtaken_by_the_discard_is_not_accepted() {
    let stack = forgetful().await;
    let (_, id) = in_two_parts(&stack, 118).await;
    hold(&stack, "dynamodb.TransactWriteItems", "holdBefore", 1).await;
    let (submitted, ()) = tokio::join!(submit(&stack, &id, 2), async {
        until_held(&stack, 1).await;
        stack.until("the upload is discarded", async || discarded(&stack, &id).then_some(())).await;
        release(&stack).await;
    });
    assert_eq!(submitted.status, 404, "{}", submitted.text);
    until_nothing_is_left(&stack, &id).await;
    assert_eq!(bulk_calls(&stack), 0);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_discard_that_is_overtaken_by_the_submit_removes_nothing() {
    let stack = forgetful().await;
    // Whatever the watchdog is about to close waits.
    let rule = json!({"call": "dynamodb.UpdateItem", "times": u32::MAX, "fault": "holdBefore"});
    stack.put_faults("watchdog", &json!([rule])).await;
    let (_, id) = in_two_parts(&stack, 119).await;
    stack
        .until("the watchdog is about to discard it", async || {
            let calls = stack.calls("watchdog").await;
            calls.iter().any(|call| call["fault"] == "holdBefore").then_some(())
        })
        .await;
    let accepted = submit(&stack, &id, 2).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    stack.put_faults("watchdog", &json!([])).await;
    let ended = stack.ended(&id).await;
    assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    assert_eq!(family_names(&stack, &id).await, BTreeSet::from(["Ettström".to_owned()]));
    assert!(!discarded(&stack, &id));
    stack.finish(0).await;
}
