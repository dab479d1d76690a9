//! What the API shows of a send.

use serde_json::{Value, json};
use stafett_simulator::{Log, ScriptedOutcome};

use crate::guidance::assert_guides;
use crate::people::{SCHOOL_UNIT, class, record_id};
use crate::stack::{ORGANISER, TestStack};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn assert_keys(value: &Value, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(keys(value), expected, "{value}");
}

/// The one message of a row, without its guidance; the guidance.
fn only_message(row: &Value) -> (Value, Value) {
    let [message] = row["messages"].as_array().unwrap().as_slice() else { panic!("{row}") };
    let mut message = message.clone();
    let guidance = message.as_object_mut().unwrap().remove("guidance").unwrap_or_default();
    (message, guidance)
}

const ROW: [&str; 14] = [
    "id",
    "outcome",
    "outcomeLabel",
    "statusCode",
    "name",
    "role",
    "civicNo",
    "eppn",
    "schoolYear",
    "schoolType",
    "protected",
    "masked",
    "findings",
    "messages",
];
const ATTEMPT: [&str; 10] = [
    "attempt",
    "call",
    "callLabel",
    "method",
    "path",
    "startedAt",
    "durationMs",
    "status",
    "requestBytes",
    "responseBytes",
];

#[tokio::test]
async fn a_send_is_shown_with_all_that_was_sent_and_answered() {
    let stack = TestStack::start().await;
    let body = class(30);
    let refused = record_id(&body, "persons", 1);
    let text = "Värdet k2@edu.example.se godtas inte.";
    let log = Log::new("3047", 400, "Bristfälligt värde", text).attribute("eppn", "k2@edu.example.se");
    stack.skolverket.script(refused, ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    let send = stack.ended(&id).await;

    assert_keys(
        &send,
        &[
            "id",
            "status",
            "statusLabel",
            "acceptedAt",
            "startedAt",
            "endedAt",
            "requestedBy",
            "masked",
            "queuePosition",
            "stopping",
            "validation",
            "resumeOf",
            "activityCount",
            "activities",
            "jobs",
            "options",
        ],
    );
    assert_eq!((&send["queuePosition"], &send["activityCount"]), (&Value::Null, &json!(1)));
    assert_eq!(send["requestedBy"], "admin@local");
    assert_eq!(
        send["options"],
        json!({"onRecordErrors": "stop", "environment": "production", "references": "internal", "validation": "strict"})
    );
    let name = &send["activities"][0]["schoolUnit"]["name"];
    assert_eq!(
        send["activities"],
        json!([{
            "id": body["activities"][0]["id"], "displayName": "Prov Biologi", "testCode": "GRGRBIO01_6",
            "testActivityId": stafett_domain::skolverket_id("GRGRBIO01_6"),
            "schoolUnit": {"id": "fb22448b-b724-5e53-8a2c-d8b339206901", "code": SCHOOL_UNIT, "name": name},
            "groups": 1, "students": 6, "teachers": 2,
            // The school has no principal.
            "findingCount": 1,
        }])
    );
    let times: Vec<jiff::Timestamp> = ["acceptedAt", "startedAt", "endedAt"]
        .map(|name| send[name].as_str().unwrap().parse().unwrap())
        .into();
    assert!(times.is_sorted(), "{times:?}");
    for job in send["jobs"].as_array().unwrap() {
        assert_keys(
            job,
            &[
                "stage",
                "stageLabel",
                "status",
                "statusLabel",
                "startedAt",
                "endedAt",
                "counts",
                "waitingForSkolverketSince",
                "waitingForSkolverketCause",
                "reason",
            ],
        );
        assert_keys(
            &job["counts"],
            &["total", "pending", "success", "warning", "error", "skipped", "notSent", "unknown"],
        );
    }
    assert_keys(&send["jobs"][0]["reason"], &["code", "en", "sv", "guidance"]);

    let rows = stack.get(&format!("/v1/sends/{id}/jobs/users/records")).await;
    assert_keys(&rows, &["items", "nextCursor"]);
    for (row, person) in rows["items"].as_array().unwrap().iter().zip(body["persons"].as_array().unwrap()) {
        assert_keys(row, &ROW);
        assert_eq!((&row["id"], &row["civicNo"]), (&person["id"], &person["civicNo"]["value"]));
        assert_eq!(row["eppn"], person["eduPersonPrincipalNames"][0]);
    }
    let student = &rows["items"][0];
    assert_eq!((&student["name"], &student["role"]), (&json!("Förnamn Öqvist"), &json!("Elev")));
    assert_eq!((&student["schoolYear"], &student["schoolType"]), (&json!(6), &json!("GR")));
    assert_eq!((&student["outcome"], &student["statusCode"]), (&json!("success"), &json!(201)));
    assert_eq!(rows["items"][6]["role"], "Lärare");
    let (message, guidance) = only_message(&rows["items"][1]);
    assert_eq!(
        message,
        json!({
            "severity": "Error", "id": "3047", "messageType": "Bristfälligt värde", "message": text, "attributeName": "eppn",
        })
    );
    assert_guides(&guidance, "identityProvider");
    assert!(guidance["meaning"]["en"].as_str().unwrap().contains("EPPN"), "{guidance}");
    let duties = stack.get(&format!("/v1/sends/{id}/jobs/duties/records")).await;
    assert_eq!(
        (&duties["items"][0]["outcome"], &duties["items"][0]["role"]),
        (&json!("notSent"), &json!("Lärare"))
    );
    assert_eq!(duties["items"][0]["name"], "Lärarnamn Åström");

    let whole = stack.get(&format!("/v1/sends/{id}/jobs/users/records/{refused}")).await;
    assert_eq!(whole["sent"]["civicNo"], body["persons"][1]["civicNo"]);
    assert_eq!(whole["sent"]["enrolments"][0]["enroledAt"]["id"], "fb22448b-b724-5e53-8a2c-d8b339206901");
    assert_eq!(whole["answers"][0]["response"]["errors"][0]["message"], text);

    let attempts = stack.get(&format!("/v1/sends/{id}/jobs/users/attempts")).await;
    let attempts = attempts["items"].as_array().unwrap();
    assert_eq!((&attempts[0]["call"], &attempts.last().unwrap()["call"]), (&json!("poll"), &json!("token")));
    assert!(attempts.iter().any(|attempt| attempt["call"] == "submit"));
    for attempt in attempts {
        assert_keys(attempt, &ATTEMPT);
        let whole = stack
            .get(&format!("/v1/sends/{id}/jobs/users/attempts/{}", attempt["attempt"].as_str().unwrap()))
            .await;
        assert_keys(&whole, &[&ATTEMPT[..], &["request", "response"]].concat());
        let submit = attempt["call"] == "submit";
        assert_eq!(attempt["status"], if submit { 202 } else { 200 });
        assert_eq!(whole["request"].is_null(), attempt["call"] == "poll");
        if submit {
            assert_eq!(whole["request"]["data"][1]["id"], refused.to_string());
            assert_eq!(attempt["requestBytes"], whole["request"].to_string().len());
            assert!(whole["response"]["jobId"].is_string());
        }
    }
    let last = stack
        .get(&format!("/v1/sends/{id}/jobs/users/attempts/{}", attempts[0]["attempt"].as_str().unwrap()))
        .await;
    assert_eq!(last["response"]["responses"].as_array().unwrap().len(), 8);
    stack.finish(0).await;
}

#[tokio::test]
async fn those_who_may_only_read_see_no_numbers_and_no_bodies() {
    let (stack, _settings) = TestStack::start_attesting().await;
    let mut body = class(31);
    body["persons"][2]["securityMarking"] = json!("Sekretessmarkering");
    body["persons"][2]["familyName"] = json!("Skyddadsson");
    let refused = record_id(&body, "persons", 1);
    let log = Log::new("2011", 400, "Ogiltigt format", "Värdet Hemligtext godtas inte.")
        .attribute("Enrolment.schoolYear", "Hemligtext");
    stack.skolverket.script(refused, ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let get = async |path: String| {
        let answer = stack.get_as(ORGANISER, "history:read", &format!("/v1/sends/{id}{path}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    };
    let rows = get("/jobs/users/records".to_owned()).await.json();
    let [student, refused_row, protected, ..] = rows["items"].as_array().unwrap().as_slice() else {
        panic!("{rows}")
    };
    assert_eq!(student["name"], "Förnamn Öqvist");
    for (row, is_protected, name) in
        [(student, false, json!("Förnamn Öqvist")), (protected, true, Value::Null)]
    {
        assert_eq!((&row["protected"], &row["masked"]), (&json!(is_protected), &json!(true)), "{row}");
        let values = [&row["name"], &row["civicNo"], &row["eppn"]];
        assert_eq!(values, [&name, &Value::Null, &Value::Null], "{row}");
    }
    let (message, guidance) = only_message(refused_row);
    assert_eq!(
        message,
        json!({
            "severity": "Error", "id": "2011", "messageType": "Ogiltigt format", "message": null,
            "attributeName": "Enrolment.schoolYear",
        })
    );
    assert_guides(&guidance, "studentRegister");
    assert!(guidance["meaning"]["en"].as_str().unwrap().contains("school year"), "{guidance}");
    let whole = get(format!("/jobs/users/records/{refused}")).await.json();
    assert_keys(&whole, &ROW);
    let attempts = get("/jobs/users/attempts".to_owned()).await.json();
    let attempt = attempts["items"][0]["attempt"].as_str().unwrap();
    assert_keys(&get(format!("/jobs/users/attempts/{attempt}")).await.json(), &ATTEMPT);
    let person = &body["persons"][0];
    let hidden = [
        &person["civicNo"]["value"],
        &person["eduPersonPrincipalNames"][0],
        &json!("Skyddadsson"),
        &json!("Hemligtext"),
    ];
    for path in [
        String::new(),
        "/jobs/users/records".to_owned(),
        format!("/jobs/users/records/{refused}"),
        format!("/jobs/users/attempts/{attempt}"),
        "/jobs/duties/records".to_owned(),
        "/access".to_owned(),
    ] {
        let text = get(path.clone()).await.text;
        for value in hidden {
            assert!(!text.contains(value.as_str().unwrap()), "{path} shows {value}");
        }
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn sends_are_listed_newest_first_by_page() {
    let stack = TestStack::start().await;
    let mut ids = Vec::new();
    for series in 32..35 {
        ids.push(stack.send(&class(series)).await);
    }
    for id in &ids {
        stack.ended(id).await;
    }
    let page = stack.get("/v1/sends?limit=2").await;
    let listed = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|send| send["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&page), [ids[2].clone(), ids[1].clone()]);
    assert_eq!(page["items"][0], stack.get(&format!("/v1/sends/{}", ids[2])).await);
    let rest = stack.get(&format!("/v1/sends?limit=2&cursor={}", page["nextCursor"].as_str().unwrap())).await;
    assert_eq!((listed(&rest), &rest["nextCursor"]), (vec![ids[0].clone()], &Value::Null));
    let whole = stack.get("/v1/sends?limit=3").await;
    assert_eq!((listed(&whole).len(), &whole["nextCursor"]), (3, &Value::Null), "no cursor to an empty page");
    stack.finish(0).await;
}
