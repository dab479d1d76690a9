//! No answer grows beyond what a function may answer: lists hold fewer items then, and go on from there.

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::{Log, ScriptedOutcome};

use crate::answer::Answer;
use crate::people::{Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, first_attempt};
use crate::storage::tamper;
use crate::uploads::{open, put, submit};

/// Bytes of a page.
const LARGEST: usize = 4_000_000;

/// Gets something that must not be too large.
async fn get(stack: &TestStack, token: &str, path: &str) -> Value {
    let answer = stack.request(stack.call(Method::GET, path).bearer_auth(token)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text.get(..300).unwrap_or(&answer.text));
    assert!(answer.text.len() <= LARGEST, "{path}: {} bytes", answer.text.len());
    answer.json()
}

/// All items of a list, taken by page, and how many each page had.
async fn pages(stack: &TestStack, token: &str, path: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = get(stack, token, &format!("{path}?limit=100{cursor}")).await;
        let more = page["items"].as_array().unwrap();
        pages.push(more.len());
        items.extend(more.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

/// Sends were stored before names had a longest length: the start page shows them all the same.
#[tokio::test]
async fn lists_of_large_items_hold_fewer_of_them() {
    let stack = TestStack::start().await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let mut sends = Vec::new();
    for number in 0..45 {
        let id = stack.send(&class(900 + number)).await;
        // At once: what it holds is merged into the list of activities with the next ones.
        let mut activities = get(&stack, &token, &format!("/v1/sends/{id}")).await["activities"].clone();
        activities[0]["displayName"] = json!("Prov ".repeat(36_000));
        let stored = json!({
            "UpdateExpression": "SET activities = :long",
            "ExpressionAttributeValues": {":long": {"S": activities.to_string()}},
        });
        let key = (format!("send#{ORGANISER}#{id}"), "send#activities");
        tamper(&stack, "UpdateItem", (&key.0, key.1), &stored).await;
        sends.push(id);
    }
    sends.reverse();
    let (listed, by_page) = pages(&stack, &token, "/v1/sends").await;
    let ids: Vec<_> = listed.iter().map(|send| send["id"].as_str().unwrap()).collect();
    assert_eq!(ids, sends, "each once, the newest first");
    assert!(by_page.len() >= 3 && by_page[0] >= 15, "{by_page:?}");
    let (listed, by_page) = pages(&stack, &token, "/v1/activities").await;
    let ids: Vec<_> = listed.iter().map(|activity| activity["latestSend"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, sends);
    assert!(by_page.len() >= 3, "{by_page:?}");
    // One that is filtered goes on, too.
    let filtered = get(&stack, &token, "/v1/sends?status=queued,running,succeeded&limit=100").await;
    assert!(filtered["nextCursor"].is_string() && filtered["items"].as_array().unwrap().len() < 45);
    for id in &sends {
        stack.ended(id).await;
    }
    stack.finish(0).await;
}

/// Nothing says how long a user name may be.
#[tokio::test]
async fn rows_of_large_records_are_read_by_page() {
    let stack = TestStack::start().await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let mut body = send(Size { students: 90, teachers: 2, groups: 1, series: 946 });
    for (number, person) in body["persons"].as_array_mut().unwrap().iter_mut().enumerate() {
        let long = "\"k7\"".repeat(14_000);
        person["eduPersonPrincipalNames"] = json!([format!("k{number}{long}@edu.example.se")]);
    }
    let id = open(&stack, json!({"validation": "warnOnly"})).await;
    for (part, first) in (1..).zip((0..92).step_by(23)) {
        let mut content =
            json!({"part": part, "persons": &body["persons"].as_array().unwrap()[first..first + 23]});
        if part == 1 {
            for list in ["groups", "duties", "activities"] {
                content[list] = body[list].clone();
            }
        }
        let stored = put(&stack, &id, &content).await;
        assert_eq!(stored.status, 200, "{}", stored.text);
    }
    let accepted = submit(&stack, &id, 4).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let path = format!("/v1/sends/{id}/jobs/users/records");
    let (rows, by_page) = pages(&stack, &token, &path).await;
    let expected: Vec<_> = (0..92).map(|index| record_id(&body, "persons", index).to_string()).collect();
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ids, by_page.len() >= 2), (expected.clone(), true), "{by_page:?}");

    let (mut next, mut sheets, mut found) = (Some(path), 0, Vec::new());
    while let Some(page) = next {
        let request = stack.call(Method::GET, &page).bearer_auth(&token).header("accept", "text/csv");
        let Answer { status, headers, text } = stack.request(request).await;
        assert!(status == 200 && text.len() <= LARGEST, "{page}: {status}, {} bytes", text.len());
        found.extend(text.lines().skip(1).map(|line| line.rsplit(';').next().unwrap().to_owned()));
        sheets += 1;
        let link = headers.get("link").map(|link| link.to_str().unwrap());
        next = link.map(|link| link.trim_start_matches('<').split('>').next().unwrap().to_owned());
    }
    assert_eq!((found, sheets >= 2), (expected, true));
    // Whatever Skolverket says of such names.
    stack.ended(&id).await;
}

/// An answer of several megabytes: what is shown of it is not.
#[tokio::test]
async fn a_large_answer_is_shown_by_its_beginning() {
    let stack = TestStack::start().await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let body = class(947);
    let refused = record_id(&body, "persons", 1);
    let log = Log::new("2011", 400, "Ogiltigt format", "Fel. ".repeat(1_000_000));
    stack.skolverket.script(refused, ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");
    let job = format!("/v1/sends/{id}/jobs/users");
    let cut = |text: &Value| {
        let text = text.as_str().unwrap();
        text.chars().count() == 1_001 && text.starts_with("Fel. Fel.") && text.ends_with('…')
    };
    let rows = get(&stack, &token, &format!("{job}/records?outcome=error")).await;
    assert!(cut(&rows["items"][0]["messages"][0]["message"]), "{rows}");
    assert!(cut(&get(&stack, &token, &job).await["causes"][0]["message"]));
    let record = get(&stack, &token, &format!("{job}/records/{refused}")).await;
    assert_eq!((&record["truncated"], &record["sent"]["id"]), (&json!(true), &json!(refused)));
    assert!(record["answers"][0].as_str().unwrap().contains("Fel. Fel."));
    let attempts = get(&stack, &token, &format!("{job}/attempts")).await;
    let last = attempts["items"][0]["attempt"].as_str().unwrap();
    let attempt = get(&stack, &token, &format!("{job}/attempts/{last}")).await;
    assert_eq!(attempt["truncated"], true);
    assert!(attempt["response"].as_str().unwrap().starts_with("{\""));
    // What is not too large is whole, and JSON.
    let first = first_attempt(&stack, &id, "users").await;
    let submitted = get(&stack, &token, &format!("{job}/attempts/{first}")).await;
    assert!(submitted["request"]["data"].is_array() && submitted.get("truncated").is_none(), "{submitted}");
    stack.finish(0).await;
}

/// A hundred teachers of sixty activities with sixty groups, and thousands of faults of many kinds.
#[tokio::test]
async fn a_validation_lists_what_it_has_room_for_and_counts_the_rest() {
    let stack = TestStack::start().await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let mut body = send(Size { students: 700, teachers: 100, groups: 60, series: 948 });
    let teachers: Vec<_> =
        (0..100).map(|index| json!({"duty": {"id": record_id(&body, "duties", index)}})).collect();
    let groups: Vec<_> = (0..60).map(|index| json!({"id": record_id(&body, "groups", index)})).collect();
    for activity in body["activities"].as_array_mut().unwrap() {
        activity["displayName"] = json!("å".repeat(200));
        activity["teachers"] = json!(teachers);
        activity["groups"] = json!(groups);
    }
    for group in body["groups"].as_array_mut().unwrap() {
        group["displayName"] = json!("\"".repeat(200));
    }
    let unknown: Vec<String> =
        (b'a'..=b'z').map(|letter| char::from(letter).to_string().repeat(40)).collect();
    for person in body["persons"].as_array_mut().unwrap() {
        for name in &unknown[..4] {
            person[name.as_str()] = json!(1);
        }
        person["emails"] = json!([{"value": "a", "type": "x"}]);
        person["nationality"] = json!("x");
    }
    let post = async |path: &str| {
        let request = stack.call(Method::POST, path).bearer_auth(&token).header("idempotency-key", "large");
        stack.request(request.body(body.to_string())).await
    };
    let validated = post("/v1/validations").await;
    assert_eq!(validated.status, 200, "{}", validated.text.get(..300).unwrap_or_default());
    assert!(validated.text.len() <= LARGEST, "{}", validated.text.len());
    let validated = validated.json();
    assert_eq!(validated["accessPreview"]["total"], 100);
    let shown = validated["accessPreview"]["items"].as_array().unwrap().len();
    assert!((20..100).contains(&shown), "{shown}");
    for rule in validated["rules"].as_array().unwrap() {
        let (count, listed) = (rule["count"].as_u64().unwrap(), rule["findings"].as_array().unwrap().len());
        assert!(listed as u64 == count.min(100) && listed > 0, "{rule}");
    }
    let refused = post("/v1/sends").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.len() <= LARGEST && refused.json()["errorCount"].as_u64() > Some(2_000));
    stack.finish(0).await;
}
