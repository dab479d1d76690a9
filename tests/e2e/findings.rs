//! Findings that do not refuse a send are stored with its records: nobody has to search for the student.

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::ScriptedOutcome;

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};
use crate::uploads::{open, put, submit};

const WRONG_DIGIT: &str = "civicNumberCheckDigit";
const SHARED: &str = "civicNumberShared";

/// A class in which the first student's civic number has a wrong check digit, and the second has the third's; each is to
/// be judged by Skolverket.
fn doubtful(series: u16) -> Value {
    let mut body = class(series);
    let number = body["persons"][0]["civicNo"]["value"].as_str().unwrap().to_owned();
    let (ten, digit) = number.split_at(11);
    let digit = (digit.parse::<u32>().unwrap() + 1) % 10;
    body["persons"][0]["civicNo"]["value"] = json!(format!("{ten}{digit}"));
    body["persons"][2]["civicNo"] = body["persons"][1]["civicNo"].clone();
    body["options"] = json!({"validation": "warnOnly"});
    body
}

/// The records that a send names for a code.
fn first_records(validation: &Value, code: &str) -> Vec<Value> {
    let rules = validation["rules"].as_array().unwrap_or_else(|| panic!("{validation}"));
    let group = rules.iter().find(|group| group["code"] == code);
    group.map(|group| group["firstRecordIds"].as_array().unwrap().clone()).unwrap_or_default()
}

/// The codes of the rows of a job, by record.
async fn marks(stack: &TestStack, id: &str, stage: &str) -> Vec<(Value, Vec<String>)> {
    let rows = stack.get(&format!("/v1/sends/{id}/jobs/{stage}/records")).await;
    let codes = |row: &Value| {
        let findings = row["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    };
    rows["items"].as_array().unwrap().iter().map(|row| (row["id"].clone(), codes(row))).collect()
}

/// The findings of the doubtful class's rows.
async fn assert_marked(stack: &TestStack, id: &str, body: &Value) {
    let person = |at: usize| json!(record_id(body, "persons", at));
    let mut expected: Vec<(Value, Vec<String>)> = (0..8).map(|at| (person(at), Vec::new())).collect();
    expected[0].1.push(WRONG_DIGIT.to_owned());
    expected[2].1.push(SHARED.to_owned());
    let mut marks = marks(stack, id, "users").await;
    marks.sort_by_key(|(id, _)| expected.iter().position(|(expected, _)| expected == id));
    assert_eq!(marks, expected);
}

async fn resume(stack: &TestStack, id: &str, corrections: &Value) -> Answer {
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let request = stack.call(Method::POST, &format!("/v1/sends/{id}/resume")).bearer_auth(token);
    stack.request(request.header("content-type", "application/json").body(corrections.to_string())).await
}

#[tokio::test]
async fn a_finding_that_does_not_bind_is_shown_with_its_record() {
    let stack = TestStack::start().await;
    let body = doubtful(940);
    let (first, third) = (record_id(&body, "persons", 0), record_id(&body, "persons", 2));
    let key = "doubtful";
    let accepted = stack.post(ORGANISER, key, body.to_string()).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let send = accepted.json();
    assert_eq!(first_records(&send["validation"], WRONG_DIGIT), [json!(first)]);
    assert_eq!(first_records(&send["validation"], SHARED), [json!(third)]);
    let id = send["id"].as_str().unwrap();
    let ended = stack.ended(id).await;
    assert_eq!(ended["validation"], send["validation"]);

    // Whatever became of it at Skolverket, the row says it: in words, to those who may not see the number too.
    assert_marked(&stack, id, &body).await;
    for scope in [ALL_SCOPES, "history:read"] {
        let path = format!("/v1/sends/{id}/jobs/users/records/{first}");
        let row = stack.get_as(ORGANISER, scope, &path).await.json();
        let finding = &row["findings"][0];
        assert_eq!([&finding["severity"], &finding["mender"]], [&json!("error"), &json!("studentRegister")]);
        assert!(finding["sv"].as_str().unwrap().contains("kontrollsiffra"), "{finding}");
        assert!(finding["en"].as_str().unwrap().contains("check digit"), "{finding}");
    }
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let sheet = stack.call(Method::GET, &format!("/v1/sends/{id}/jobs/users/records")).bearer_auth(token);
    let sheet = stack.request(sheet.header("accept", "text/csv")).await.text;
    let lines: Vec<_> = sheet.lines().filter(|line| line.contains("kontrollsiffra")).collect();
    assert!(matches!(lines[..], [line] if line.contains(&first.to_string())), "{sheet}");

    // The activity counts them: these two, and that its school has no principal.
    let duties = marks(&stack, id, "duties").await;
    assert_eq!(duties[0].1, ["schoolUnitWithoutLeader"]);
    let current = stack.get("/v1/activities").await;
    for activity in [&ended["activities"][0], &current["items"][0]] {
        assert_eq!(activity["findingCount"], 3, "{activity}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn findings_stay_with_their_records_in_whatever_parts_they_came() {
    let stack = TestStack::start().await;
    let body = doubtful(941);
    let persons = body["persons"].as_array().unwrap();
    let id = open(&stack, body["options"].clone()).await;
    // The two with one number are in different parts: only all parts as a whole show it.
    let (one, other) = (&persons[..2], &persons[2..]);
    let alone = put(&stack, &id, &json!({"part": 1, "persons": one, "duties": body["duties"]})).await.json();
    assert_eq!(first_records(&alone["validation"], WRONG_DIGIT), [json!(record_id(&body, "persons", 0))]);
    let rest =
        json!({"part": 2, "persons": other, "groups": body["groups"], "activities": body["activities"]});
    let rest = put(&stack, &id, &rest).await.json();
    assert_eq!(first_records(&rest["validation"], SHARED), [Value::Null; 0]);
    let accepted = submit(&stack, &id, 2).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let validation = accepted.json()["validation"].clone();
    assert_eq!(first_records(&validation, WRONG_DIGIT), [json!(record_id(&body, "persons", 0))]);
    assert_eq!(first_records(&validation, SHARED), [json!(record_id(&body, "persons", 2))]);
    let ended = stack.ended(&id).await;
    assert_eq!(ended["activities"][0]["findingCount"], 3, "{ended}");
    assert_marked(&stack, &id, &body).await;
    // As what rows show beside.
    assert_eq!(marks(&stack, &id, "duties").await[0].1, ["schoolUnitWithoutLeader"]);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_resumed_send_shows_what_still_holds() {
    let stack = TestStack::start().await;
    let body = doubtful(942);
    let (first, third) = (record_id(&body, "persons", 0), record_id(&body, "persons", 2));
    for refused in [first, third] {
        stack.skolverket.script(refused, ScriptedOutcome::error("civicNo"));
    }
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["activities"][0]["findingCount"], 3);

    // Nothing corrected: it is as it was, for those that go again.
    let again = resume(&stack, &id, &json!({})).await;
    assert_eq!(again.status, 202, "{}", again.text);
    let again = again.json();
    assert_eq!(first_records(&again["validation"], WRONG_DIGIT), [json!(first)]);
    assert_eq!(first_records(&again["validation"], SHARED), [json!(third)]);
    assert_eq!((&again["validation"]["errors"], &again["validation"]["warnings"]), (&json!(1), &json!(2)));
    let again = again["id"].as_str().unwrap();
    let ended = stack.ended(again).await;
    assert_eq!(ended["activities"][0]["findingCount"], 3, "{ended}");
    let marked = [(json!(first), vec![WRONG_DIGIT.to_owned()]), (json!(third), vec![SHARED.to_owned()])];
    assert_eq!(marks(&stack, again, "users").await, marked);

    // One is corrected; and what was found by other persons too is not known any more.
    stack.skolverket.unscript(first);
    stack.skolverket.unscript(third);
    let mut corrected = body["persons"][0].clone();
    corrected["civicNo"] = class(942)["persons"][0]["civicNo"].clone();
    corrected["givenName"] = json!("");
    let last = resume(&stack, again, &json!({"persons": [corrected]})).await;
    assert_eq!(last.status, 202, "{}", last.text);
    let last = last.json();
    assert_eq!(first_records(&last["validation"], WRONG_DIGIT), [Value::Null; 0]);
    assert_eq!(first_records(&last["validation"], "nameBlank"), [json!(first)]);
    let last = last["id"].as_str().unwrap();
    // The name, and the principal that is still missing.
    assert_eq!(stack.ended(last).await["activities"][0]["findingCount"], 2);
    let marked = [(json!(first), vec!["nameBlank".to_owned()]), (json!(third), Vec::new())];
    assert_eq!(marks(&stack, last, "users").await, marked);
    stack.finish(0).await;
}
