//! Resuming: a new send of what was not accepted and what depended on it, and nothing else.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::{CallKind, ScriptedOutcome};

use crate::answer::Answer;
use crate::people::{Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, counts, statuses};

async fn resume_as(stack: &TestStack, organisation: &str, id: &str, key: &str, body: &Value) -> Answer {
    let token = stack.token(organisation, ALL_SCOPES).await;
    let request = stack.call(Method::POST, &format!("/v1/sends/{id}/resume")).bearer_auth(token);
    let request = request.header("idempotency-key", key).header("content-type", "application/json");
    stack.request(request.body(body.to_string())).await
}

async fn resume(stack: &TestStack, id: &str, body: &Value) -> Answer {
    resume_as(stack, ORGANISER, id, &uuid::Uuid::new_v4().to_string(), body).await
}

fn refusal(answer: &Answer) -> (u16, String) {
    let kind = answer.json()["type"].as_str().unwrap().trim_start_matches("urn:stafett:problem:").to_owned();
    (answer.status.as_u16(), kind)
}

/// The ids of all records that the simulator was sent from its call number `from` on.
fn sent_since(stack: &TestStack, from: usize) -> BTreeSet<String> {
    let calls = stack.skolverket.calls();
    let bulk = calls.iter().skip(from).filter(|call| call.call == CallKind::Bulk);
    bulk.flat_map(|call| call.request.as_ref().unwrap()["data"].as_array().unwrap().clone())
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(body: &Value, records: &[(&str, usize)]) -> BTreeSet<String> {
    records.iter().map(|(list, at)| record_id(body, list, *at).to_string()).collect()
}

#[tokio::test]
async fn after_one_refused_student_only_what_depended_on_it_is_sent_again() {
    let stack = TestStack::start().await;
    let mut body = send(Size { students: 9, teachers: 2, groups: 3, series: 90 });
    body["options"] = json!({"onRecordErrors": "continue"});
    let student = record_id(&body, "persons", 4);
    let teacher = record_id(&body, "persons", 9);
    stack.skolverket.script(student, ScriptedOutcome::error("eduPersonPrincipalNames"));
    stack.skolverket.script(teacher, ScriptedOutcome::error("emails"));
    let first = stack.send(&body).await;
    let ended = stack.ended(&first).await;
    assert_eq!(ended["status"], "completedWithErrors", "{ended}");
    let calls = stack.skolverket.calls().len();
    stack.skolverket.unscript(student);
    stack.skolverket.unscript(teacher);

    // Corrected records must be of those that are sent again.
    let accepted = json!({"persons": [body["persons"][0]]});
    assert_eq!(refusal(&resume(&stack, &first, &accepted).await), (422, "not-part-of-it".to_owned()));
    assert_eq!(resume(&stack, &first, &json!({"persons": [{"id": "x"}]})).await.status, 422);

    let mut corrected = body["persons"][4].clone();
    corrected["eduPersonPrincipalNames"] = json!(["k000000000000@edu.example.se"]);
    let answer = resume_as(&stack, ORGANISER, &first, "once", &json!({"persons": [corrected]})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let second = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["resumeOf"], first);
    let resumed = stack.ended(&second).await;
    assert_eq!(resumed["status"], "succeeded", "{resumed}");
    assert_eq!(counts(&resumed, "users"), "total 2, success 2");
    assert_eq!(counts(&resumed, "duties"), "total 1, success 1");
    assert_eq!(resumed["activities"], ended["activities"]);
    // The student is in the groups 1 and 2 (of 3); all activities went without the refused teacher's duty.
    let expected = ids(
        &body,
        &[
            ("persons", 4),
            ("persons", 9),
            ("duties", 0),
            ("groups", 1),
            ("groups", 2),
            ("activities", 0),
            ("activities", 1),
            ("activities", 2),
        ],
    );
    assert_eq!(sent_since(&stack, calls), expected);
    let row = stack.get(&format!("/v1/sends/{second}/jobs/users/records/{student}")).await;
    assert_eq!(row["sent"]["eduPersonPrincipalNames"], json!(["k000000000000@edu.example.se"]));

    assert_eq!(stack.get(&format!("/v1/sends/{first}")).await, ended, "ended sends never change");
    let repeat = resume_as(&stack, ORGANISER, &first, "once", &json!({"persons": [corrected]})).await;
    assert_eq!((repeat.status, repeat.json()), (answer.status, answer.json()), "a repeat is the same send");
    assert_eq!(refusal(&resume(&stack, &first, &json!({})).await), (409, "superseded".to_owned()));
    assert_eq!(refusal(&resume(&stack, &second, &json!({})).await), (409, "nothing-to-resume".to_owned()));
    stack.finish(0).await;
}

#[tokio::test]
async fn a_resumed_send_is_the_latest_only_of_the_activities_that_go_again() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 4, teachers: 1, groups: 2, series: 94 });
    let (refused, other) = (record_id(&body, "activities", 0), record_id(&body, "activities", 1));
    stack.skolverket.script(refused, ScriptedOutcome::error("displayName"));
    let first = stack.send(&body).await;
    stack.ended(&first).await;
    stack.skolverket.unscript(refused);
    let mut between = body.clone();
    between["activities"] = json!([body["activities"][1]]);
    between["activities"][0]["displayName"] = json!("Prov i mellantiden");
    let newer = stack.send(&between).await;
    assert_eq!(stack.ended(&newer).await["status"], "succeeded");

    let answer = resume(&stack, &first, &json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let second = answer.json()["id"].as_str().unwrap().to_owned();
    let resumed = stack.ended(&second).await;
    assert_eq!(resumed["status"], "succeeded", "{resumed}");
    assert_eq!((&resumed["activityCount"], &resumed["activities"][0]["id"]), (&json!(1), &json!(refused)));
    let held = stack.get(&format!("/v1/sends/{second}/activities")).await;
    assert_eq!(held["items"], resumed["activities"]);
    let listed = stack.get("/v1/activities").await;
    let listed: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["id"], &item["displayName"], &item["latestSend"]["id"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!(refused), &json!("Prov Biologi"), &json!(second)),
            (&json!(other), &json!("Prov i mellantiden"), &json!(newer)),
        ]
    );
    stack.finish(0).await;
}

#[tokio::test]
async fn rows_of_a_resumed_send_show_what_holds_after_the_correction() {
    let (stack, _settings) = TestStack::start_attesting().await;
    let body = class(95);
    let teacher = record_id(&body, "persons", 6);
    stack.skolverket.script(teacher, ScriptedOutcome::error("emails"));
    let first = stack.send(&body).await;
    assert_eq!(stack.ended(&first).await["status"], "failed");
    stack.skolverket.unscript(teacher);

    // The teacher's identity has become protected; the duty of the other one is the teacher's too; the test is another.
    let mut protected = body["persons"][6].clone();
    protected["securityMarking"] = json!("Skyddad folkbokföring");
    let mut duty = body["duties"][1].clone();
    duty["person"]["id"] = json!(teacher);
    duty["dutyRole"] = json!("Kurator");
    let mut activity = body["activities"][0].clone();
    activity["parentActivity"] = json!({"testCode": "GRGRMAT01_6"});
    let corrections = json!({"persons": [protected], "duties": [duty], "activities": [activity]});
    let answer = resume(&stack, &first, &corrections).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let second = answer.json()["id"].as_str().unwrap().to_owned();
    let resumed = stack.ended(&second).await;
    assert_eq!(resumed["status"], "succeeded", "{resumed}");
    let activity = &resumed["activities"][0];
    assert_eq!((&activity["testCode"], &activity["students"]), (&json!("GRGRMAT01_6"), &json!(6)));

    let get = async |scope: &str, path: &str| {
        let answer = stack.get_as(ORGANISER, scope, &format!("/v1/sends/{second}{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()["items"].as_array().unwrap().clone()
    };
    let [user] = &get("history:read", "/jobs/users/records").await[..] else { panic!("one goes again") };
    assert_eq!((&user["name"], &user["role"]), (&Value::Null, &json!("Lärare, Kurator")));
    for path in ["/jobs/duties/records", "/access"] {
        for (scope, name) in [("history:read", Value::Null), (ALL_SCOPES, json!("Lärarnamn Åström"))] {
            for row in get(scope, path).await {
                let shown = [&row["name"], &row["protected"], &row["masked"]];
                assert_eq!(shown, [&name, &json!(true), &json!(name.is_null())], "{path} {scope}");
            }
        }
    }
    let rows = get("history:read", "/jobs/activities/records").await;
    assert_eq!(rows[0]["testCode"], "GRGRMAT01_6");
    stack.finish(0).await;
}

#[tokio::test]
async fn what_never_went_goes_with_the_resume() {
    let stack = TestStack::start().await;
    let body = class(91);
    let student = record_id(&body, "persons", 0);
    stack.skolverket.script(student, ScriptedOutcome::error("eduPersonPrincipalNames"));
    let first = stack.send(&body).await;
    assert_eq!(stack.ended(&first).await["status"], "failed");
    let calls = stack.skolverket.calls().len();
    stack.skolverket.unscript(student);
    let second = resume(&stack, &first, &json!({})).await.json()["id"].as_str().unwrap().to_owned();
    let resumed = stack.ended(&second).await;
    assert_eq!(statuses(&resumed), ["succeeded"; 4], "{resumed}");
    assert_eq!(counts(&resumed, "users"), "total 1, success 1");
    let never_went =
        ids(&body, &[("persons", 0), ("duties", 0), ("duties", 1), ("groups", 0), ("activities", 0)]);
    assert_eq!(sent_since(&stack, calls), never_went);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_newer_send_of_the_same_records_supersedes_and_a_running_one_cannot_be_resumed() {
    let stack = TestStack::start().await;
    let body = class(92);
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::error("emails"));
    let first = stack.send(&body).await;
    stack.ended(&first).await;
    stack.skolverket.unscript(record_id(&body, "persons", 0));
    // Other records do not matter; the same ones do.
    stack.send(&class(93)).await;
    stack.skolverket.hold_jobs(true);
    let newer = stack.send(&body).await;
    assert_eq!(refusal(&resume(&stack, &first, &json!({})).await), (409, "superseded".to_owned()));
    assert_eq!(refusal(&resume(&stack, &newer, &json!({})).await), (409, "not-ended".to_owned()));
    let elsewhere = resume_as(&stack, "5560000001", &first, "key", &json!({})).await;
    assert_eq!(refusal(&elsewhere), (404, "not-found".to_owned()));
    stack.skolverket.hold_jobs(false);
    assert_eq!(stack.ended(&newer).await["status"], "succeeded");
    stack.finish(0).await;
}
