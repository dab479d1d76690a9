//! A send that is never accepted is removed with everything that was stored of it.

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stafett_simulator::{ScriptedOutcome, Simulator};
use uuid::Uuid;

use crate::people::{Size, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, roomy};
use crate::storage::keys;
use crate::uploads::{put_as, submit_as};

/// Runs at the same time.
const AT_ONCE: usize = 6;

/// A stack in which what is not accepted is discarded soon.
async fn forgetful() -> TestStack {
    let skolverket = Simulator::start(roomy()).await.unwrap();
    TestStack::start_with(skolverket, &["--set", "UPLOAD_OPEN_MS=6000"]).await
}

/// The items that are stored for these organisers, without idempotency keys, which expire after a day.
async fn stored(stack: &TestStack, organisations: &[String]) -> Vec<(String, String)> {
    let mut keys = keys(stack).await;
    keys.retain(|(pk, _)| {
        organisations.iter().any(|organisation| pk.contains(organisation)) && !pk.contains("#idem#")
    });
    keys
}

async fn until_nothing_is_stored(stack: &TestStack, organisations: &[String]) {
    stack
        .until("nothing is stored", async || stored(stack, organisations).await.is_empty().then_some(()))
        .await;
}

/// The ways to a send.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Plain,
    /// In two parts, of which the first is sent twice.
    InParts,
}

impl Way {
    /// Which of the API's transactions is the acceptance, from 1: each part is one.
    fn acceptance(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::InParts => 4,
        }
    }

    /// Makes one request after the other until one is not answered as it should be. Says whether the send was accepted.
    async fn go(self, stack: &TestStack, organisation: &str, series: u16) -> bool {
        let body = send(Size { students: 4, teachers: 1, groups: 1, series });
        let key = Uuid::new_v4().to_string();
        if self == Self::Plain {
            return stack.post(organisation, &key, body.to_string()).await.status == StatusCode::ACCEPTED;
        }
        let opened = stack.post(organisation, &key, json!({"upload": true}).to_string()).await;
        if opened.status != StatusCode::ACCEPTED {
            return false;
        }
        let id = opened.json()["id"].as_str().unwrap().to_owned();
        let mut renamed = body["persons"].clone();
        renamed[0]["familyName"] = json!("Ettström");
        for part in [
            json!({"part": 1, "persons": body["persons"]}),
            json!({"part": 1, "persons": renamed}),
            json!({"part": 2, "duties": body["duties"], "groups": body["groups"], "activities": body["activities"]}),
        ] {
            if put_as(stack, organisation, &id, &part).await.status != StatusCode::OK {
                return false;
            }
        }
        submit_as(stack, organisation, &id, 2).await.status == StatusCode::ACCEPTED
    }
}

/// How many calls the API makes before the one that accepts.
async fn calls_before_acceptance(stack: &TestStack, organisation: &str, way: Way) -> usize {
    let calls = stack.calls(organisation).await;
    let calls = calls.iter().filter(|call| call["function"] == "api");
    let transactions = calls.enumerate().filter(|(_, call)| call["call"] == "dynamodb.TransactWriteItems");
    transactions.map(|(at, _)| at).nth(way.acceptance() - 1).expect("it was accepted")
}

#[tokio::test]
async fn wherever_the_api_is_killed_before_it_accepts_nothing_stays() {
    let stack = forgetful().await;
    let mut points = Vec::new();
    for (way, organisation, series) in [(Way::Plain, "5580000001", 6000), (Way::InParts, "5580000002", 6001)]
    {
        stack.put_faults(organisation, &json!([])).await;
        assert!(way.go(&stack, organisation, series).await, "{way:?}");
        let calls = calls_before_acceptance(&stack, organisation, way).await;
        assert!(calls > 10, "{calls}");
        points.extend((1..=calls).map(|nth| (way, nth)));
    }
    let runs = (6010_u16..).zip(&points).map(|(series, (way, nth))| (series, *way, *nth));
    let killed: Vec<Option<String>> = futures::stream::iter(runs)
        .map(async |(series, way, nth)| {
            let organisation = format!("558{series:07}");
            let rule = json!({"function": "api", "nth": nth, "fault": "killAfter"});
            stack.put_faults(&organisation, &json!([rule])).await;
            way.go(&stack, &organisation, series).await;
            stack.put_faults(&organisation, &json!([])).await;
            // One that makes fewer calls than were seen is accepted, answered or not: its send is in the list.
            let sends = stack.get_as(&organisation, ALL_SCOPES, "/v1/sends").await.json();
            sends["items"].as_array().unwrap().is_empty().then_some(organisation)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let killed: Vec<_> = killed.into_iter().flatten().collect();
    println!("{} calls, killed at {}", points.len(), killed.len());
    assert!(killed.len() * 4 >= points.len() * 3, "{} of {} calls were met", killed.len(), points.len());
    until_nothing_is_stored(&stack, &killed).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn a_request_that_is_held_until_it_is_discarded_begins_anew() {
    let stack = forgetful().await;
    let body = send(Size { students: 4, teachers: 1, groups: 1, series: 6200 }).to_string();
    let organisations = [ORGANISER.to_owned()];
    let rule = json!({"function": "api", "call": "dynamodb.TransactWriteItems", "fault": "holdBefore"});
    stack.put_faults(ORGANISER, &json!([rule])).await;
    let (held, ()) = tokio::join!(stack.post(ORGANISER, "one press", body.clone()), async {
        stack
            .until("it is being discarded", async || {
                (!stack.events("upload.discarded").is_empty()).then_some(())
            })
            .await;
        let meanwhile = stack.post(ORGANISER, "one press", body.clone()).await;
        assert_eq!(meanwhile.status, 503, "{}", meanwhile.text);
        stack.put_faults(ORGANISER, &json!([])).await;
    });
    assert_eq!(held.status, 503, "{}", held.text);
    until_nothing_is_stored(&stack, &organisations).await;
    let anew = stack.post(ORGANISER, "one press", body).await;
    assert_eq!(anew.status, StatusCode::ACCEPTED, "{}", anew.text);
    assert_eq!(stack.ended(anew.json()["id"].as_str().unwrap()).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_repeat_that_is_accepted_before_the_watchdog_closes_it_stays() {
    let stack = forgetful().await;
    let body = send(Size { students: 4, teachers: 1, groups: 1, series: 6201 }).to_string();
    let held = json!({"call": "dynamodb.UpdateItem", "times": u32::MAX, "fault": "holdBefore"});
    stack.put_faults("watchdog", &json!([held])).await;
    let rule = json!({"function": "api", "call": "dynamodb.TransactWriteItems", "fault": "killBefore"});
    stack.put_faults(ORGANISER, &json!([rule])).await;
    let killed = stack.post(ORGANISER, "one press", body.clone()).await;
    assert_eq!(killed.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", killed.text);
    stack
        .until("the watchdog is about to discard it", async || {
            let calls = stack.calls("watchdog").await;
            calls.iter().any(|call| call["fault"] == "holdBefore").then_some(())
        })
        .await;
    let repeat = stack.post(ORGANISER, "one press", body).await;
    assert_eq!(repeat.status, StatusCode::ACCEPTED, "{}", repeat.text);
    stack.put_faults("watchdog", &json!([])).await;
    assert_eq!(stack.ended(repeat.json()["id"].as_str().unwrap()).await["status"], "succeeded");
    assert!(stack.events("upload.discarded").is_empty());
    stack.finish(0).await;
}

#[tokio::test]
async fn a_resume_that_loses_to_a_later_send_leaves_nothing() {
    let stack = forgetful().await;
    let body = send(Size { students: 4, teachers: 1, groups: 1, series: 6202 });
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::error("givenName"));
    let first = stack.send(&body).await;
    assert_eq!(stack.ended(&first).await["status"], "failed");
    let rule = json!({"function": "api", "call": "dynamodb.TransactWriteItems", "fault": "holdBefore"});
    stack.put_faults(ORGANISER, &json!([rule])).await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let resume = stack.call(Method::POST, &format!("/v1/sends/{first}/resume")).bearer_auth(token);
    let (resumed, later) = tokio::join!(stack.request(resume.body("{}")), async {
        stack
            .until("the resume is held", async || {
                let calls = stack.calls(ORGANISER).await;
                calls.iter().any(|call| call["fault"] == "holdBefore").then_some(())
            })
            .await;
        let later = stack.send(&body).await;
        stack.put_faults(ORGANISER, &json!([])).await;
        later
    });
    assert_eq!(
        (resumed.status.as_u16(), &resumed.json()["type"]),
        (409, &json!("urn:stafett:problem:superseded"))
    );
    stack.ended(&later).await;
    let left = async || {
        let mut left = stored(&stack, &[ORGANISER.to_owned()]).await;
        left.retain(|(pk, _)| {
            !pk.starts_with("org#") && !pk.contains(&first) && !pk.contains(later.as_str())
        });
        left
    };
    assert!(!left().await.is_empty(), "it was stored");
    stack.until("nothing of it is stored", async || left().await.is_empty().then_some(())).await;
    let sends = stack.get("/v1/sends").await;
    let ids: Vec<_> = sends["items"].as_array().unwrap().iter().map(|send| &send["id"]).collect();
    assert_eq!(ids, [&Value::from(later), &Value::from(first)]);
    stack.finish(0).await;
}
