//! The stored list of activities may be lost, or seem lost: the list that is shown is not.

use serde_json::{Value, json};

use crate::people::class;
use crate::stack::{ORGANISER, TestStack};
use crate::storage::{keys, tamper};

/// The ids of the sends that the list names as the latest, newest first.
async fn listed(stack: &TestStack) -> Vec<String> {
    let page = stack.get("/v1/activities?limit=100").await;
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["latestSend"]["id"].as_str().unwrap().to_owned()).collect()
}

fn newest_first(sends: &[String]) -> Vec<String> {
    sends.iter().rev().cloned().collect()
}

/// The places of the API's calls of this name among its calls.
fn places(calls: &[Value], name: &str) -> Vec<usize> {
    let own = calls.iter().filter(|call| call["function"] == "api").enumerate();
    own.filter(|(_, call)| call["call"] == name).map(|(place, _)| place).collect()
}

/// The keys of the catalogues that are stored.
async fn catalogues(stack: &TestStack) -> Vec<(String, String)> {
    let of = format!("org#{ORGANISER}#activities");
    keys(stack).await.into_iter().filter(|(pk, _)| *pk == of).collect()
}

#[tokio::test]
async fn a_catalogue_is_there_after_a_lost_answer_and_made_anew_if_it_is_not() {
    let stack = TestStack::start().await;
    let mut sends = Vec::new();
    for number in 0..14 {
        sends.push(stack.send(&class(880 + number)).await);
    }
    // How often the API writes for such a send.
    stack.put_faults(ORGANISER, &json!([])).await;
    sends.push(stack.send(&class(894)).await);
    let calls = stack.calls(ORGANISER).await;
    let writes = places(&calls, "dynamodb.PutItem").len();
    let updates = places(&calls, "dynamodb.UpdateItem").len();
    for id in &sends {
        stack.ended(id).await;
    }

    // With the sixteenth what the sends hold is merged: a content, and the pointer that names it. The pointer is written,
    // and nobody hears of it.
    let rule =
        json!({"function": "api", "call": "dynamodb.UpdateItem", "nth": updates + 1, "fault": "cutAfter"});
    stack.put_faults(ORGANISER, &json!([rule])).await;
    sends.push(stack.send(&class(895)).await);
    let calls = stack.calls(ORGANISER).await;
    let put = places(&calls, "dynamodb.PutItem");
    assert_eq!(put.len(), writes + 1, "{calls:?}");
    assert_eq!(places(&calls, "dynamodb.UpdateItem").len(), updates + 2, "the pointer twice: {calls:?}");
    assert_eq!(calls.iter().filter(|call| call["fault"] == "cutAfter").count(), 1, "{calls:?}");
    // The send has been started before.
    assert!(places(&calls, "sqs.SendMessage").iter().all(|start| *start < put[writes]), "{calls:?}");
    assert_eq!(places(&calls, "sqs.SendMessage").len(), 1);
    stack.put_faults(ORGANISER, &json!([])).await;
    assert_eq!(catalogues(&stack).await.len(), 1);
    assert_eq!(listed(&stack).await, newest_first(&sends));

    // Lost altogether.
    for (pk, sk) in catalogues(&stack).await {
        tamper(&stack, "DeleteItem", (&pk, &sk), &json!({})).await;
    }
    assert_eq!(listed(&stack).await, newest_first(&sends));
    // A send whose content cannot be read keeps no other from being listed.
    let unreadable = sends.remove(3);
    let broken = json!({
        "UpdateExpression": "SET activities = :broken", "ExpressionAttributeValues": {":broken": {"S": "[{}]"}},
    });
    let item = (format!("send#{ORGANISER}#{unreadable}"), "send#activities");
    tamper(&stack, "UpdateItem", (&item.0, item.1), &broken).await;
    assert_eq!(listed(&stack).await, newest_first(&sends));
    let page = stack.get("/v1/sends?limit=100").await;
    let row = page["items"].as_array().unwrap().iter().find(|send| send["id"] == unreadable).unwrap();
    assert_eq!((&row["activities"], &row["activityCount"]), (&json!([]), &json!(1)));

    for number in 0..16 {
        sends.push(stack.send(&class(896 + number)).await);
    }
    assert_eq!(listed(&stack).await, newest_first(&sends));
    assert_eq!(catalogues(&stack).await.len(), 1);
    for id in &sends {
        stack.ended(id).await;
    }
    stack.finish(0).await;
}
