//! `onRecordErrors: continue`: what was accepted goes on, without what was not.

use serde_json::{Value, json};
use stafett_simulator::{Kind, ScriptedOutcome};

use crate::people::{Size, record_id, send};
use crate::stack::{ORGANISER, TestStack, counts, job, statuses};

#[tokio::test]
async fn what_depends_on_a_refused_record_is_left_out_and_the_rest_goes() {
    let stack = TestStack::start().await;
    let mut body = send(Size { students: 8, teachers: 3, groups: 2, series: 80 });
    body["options"] = json!({"onRecordErrors": "continue"});
    // A second activity of the first group only.
    let student = record_id(&body, "persons", 0);
    let teacher = record_id(&body, "persons", 8);
    let duty = record_id(&body, "duties", 0);
    let group = record_id(&body, "groups", 0);
    let refusal = || ScriptedOutcome::error("eduPersonPrincipalNames");
    stack.skolverket.script(student, refusal());
    stack.skolverket.script(teacher, refusal());
    stack.skolverket.script(group, refusal());
    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "completedWithErrors", "{ended}");
    let expected = ["completedWithErrors"; 4];
    assert_eq!(statuses(&ended), expected, "{ended}");
    assert_eq!(counts(&ended, "users"), "total 11, success 9, error 2");
    assert_eq!(counts(&ended, "duties"), "total 3, success 2, skipped 1");
    // The group that holds the refused student goes unchanged and gets a warning; the other one was refused.
    assert_eq!(counts(&ended, "groups"), "total 2, warning 1, error 1");
    assert_eq!(counts(&ended, "activities"), "total 2, success 1, skipped 1");
    assert_eq!(job(&ended, "users")["reason"]["code"], "recordErrors");

    let row = async |stage: &str, record: &str| {
        stack.get(&format!("/v1/sends/{id}/jobs/{stage}/records/{record}")).await
    };
    let skipped = row("duties", &duty.to_string()).await;
    assert_eq!((&skipped["outcome"], &skipped["without"]), (&json!("skipped"), &json!([teacher])));
    let skipped = row("activities", body["activities"][0]["id"].as_str().unwrap()).await;
    assert_eq!((&skipped["outcome"], &skipped["without"]), (&json!("skipped"), &json!([group])));
    let shortened = row("activities", body["activities"][1]["id"].as_str().unwrap()).await;
    assert_eq!((&shortened["outcome"], &shortened["statusCode"]), (&json!("success"), &json!(201)));
    assert_eq!(shortened["without"], json!([duty]));
    let teachers = |activity: &Value| activity["teachers"].as_array().unwrap().len();
    assert_eq!((teachers(&shortened["sent"]), teachers(&body["activities"][1])), (2, 3));

    let stored = |kind| stack.skolverket.stored(ORGANISER, kind).len();
    assert_eq!([Kind::Persons, Kind::Duties, Kind::Groups, Kind::Activities].map(stored), [9, 2, 1, 1]);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_stage_of_which_nothing_is_left_ends_without_a_call() {
    let stack = TestStack::start().await;
    let mut body = send(Size { students: 4, teachers: 2, groups: 1, series: 81 });
    body["options"] = json!({"onRecordErrors": "continue"});
    for teacher in [4, 5] {
        stack.skolverket.script(record_id(&body, "persons", teacher), ScriptedOutcome::error("emails"));
    }
    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_eq!(counts(&ended, "duties"), "total 2, skipped 2", "{ended}");
    assert_eq!(counts(&ended, "activities"), "total 1, success 1");
    let attempts = stack.get(&format!("/v1/sends/{id}/jobs/duties/attempts")).await;
    assert_eq!(attempts["items"], json!([]));
    stack.finish(0).await;
}
