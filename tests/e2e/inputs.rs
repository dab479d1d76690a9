//! Inputs that went wrong in other systems: the findings for each, and that what is sent of them is correct.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::CallKind;

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};

const BYTE_ORDER_MARK: &str = "\u{feff}";

async fn post(stack: &TestStack, path: &str, body: String) -> Answer {
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let request =
        stack.call(Method::POST, path).bearer_auth(token).header("content-type", "application/json");
    let key = uuid::Uuid::new_v4().to_string();
    stack.request(request.header("idempotency-key", key).body(body)).await
}

/// How often each finding is reported, as `{rule} {code} {severity}`.
async fn reported(stack: &TestStack, body: &Value) -> BTreeMap<String, u64> {
    let answer = post(stack, "/v1/validations", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let groups = answer.json()["rules"].as_array().unwrap().clone();
    let text = |group: &Value, name: &str| group[name].as_str().unwrap().to_owned();
    groups
        .iter()
        .map(|group| {
            let name = format!("{} {} {}", group["rule"], text(group, "code"), text(group, "severity"));
            (name, group["count"].as_u64().unwrap())
        })
        .collect()
}

/// A record of the body.
fn at<'a>(body: &'a mut Value, pointer: &str) -> &'a mut Value {
    body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

/// Puts the first entry of a list there once more.
fn twice(body: &mut Value, list: &str) {
    let list = at(body, list).as_array_mut().unwrap();
    list.push(list[0].clone());
}

fn eppn(body: &mut Value, person: usize, eppn: &str) {
    body["persons"][person]["eduPersonPrincipalNames"] = json!([eppn]);
}

/// A change to a class, and the findings that it adds.
type Case = (&'static str, fn(&mut Value), &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "a coordination number without a month",
        |body| *at(body, "/persons/0/civicNo/value") = json!("201300729827"),
        &["7 civicNumberBirthUnknown warning"],
    ),
    (
        "a coordination number without a day",
        |body| *at(body, "/persons/0/civicNo/value") = json!("201304609835"),
        &["7 civicNumberBirthUnknown warning"],
    ),
    (
        "two students with one civic number",
        |body| body["persons"][1]["civicNo"] = json!({"value": body["persons"][0]["civicNo"]["value"]}),
        &["7 civicNumberShared warning"],
    ),
    (
        "one EPPN in two spellings",
        |body| {
            eppn(body, 0, "Åkq7zx1@edu.example.se");
            eppn(body, 1, "a\u{30a}kq7zx1@edu.example.se");
        },
        &["5 eppnShared error"],
    ),
    (
        "an EPPN with a character that nobody sees",
        |body| {
            eppn(body, 0, "q7zx1@edu.example.se");
            eppn(body, 1, "q7zx1\u{200b}@edu.example.se");
        },
        &["5 eppnInvisibleCharacter error"],
    ),
    (
        "a name in the EPPN in another spelling",
        |body| {
            body["persons"][0]["familyName"] = json!("Åkerman");
            eppn(body, 0, "a\u{30a}kerman1@edu.example.se");
        },
        &["6 eppnShowsName warning"],
    ),
    (
        "no EPPN",
        |body| drop(body["persons"][0].as_object_mut().unwrap().remove("eduPersonPrincipalNames")),
        &["5 eppnMissing error"],
    ),
    ("an empty EPPN", |body| eppn(body, 0, " "), &["5 eppnMissing error"]),
    ("no given name", |body| body["persons"][0]["givenName"] = json!(""), &["4 nameBlank warning"]),
    (
        "no name at all",
        |body| {
            body["persons"][0]["givenName"] = json!(" ");
            body["persons"][0]["familyName"] = json!("");
        },
        &["4 namesBlank error"],
    ),
    (
        "a name that turns the direction",
        |body| body["persons"][0]["givenName"] = json!("\u{202e}Bo"),
        &["4 nameInvisibleCharacter warning"],
    ),
    (
        "a name with a tab",
        |body| body["persons"][0]["givenName"] = json!("Bo\tIda"),
        &["4 nameControlCharacter error"],
    ),
    (
        "a name of 256 characters",
        |body| body["persons"][0]["givenName"] = json!("x".repeat(256)),
        &["4 nameTooLong error"],
    ),
    (
        "blank names of a group and an activity",
        |body| {
            body["groups"][0]["displayName"] = json!("");
            body["activities"][0]["displayName"] = json!("  ");
        },
        &["14 displayNameBlank error", "15 displayNameBlank error"],
    ),
    (
        "an empty e-mail address of staff",
        |body| *at(body, "/persons/6/emails/0/value") = json!(""),
        &["8 staffEmailForm error"],
    ),
    (
        "an e-mail address that is none",
        |body| *at(body, "/persons/6/emails/0/value") = json!("nobody"),
        &["8 staffEmailForm error"],
    ),
    ("a member twice", |body| twice(body, "/groups/0/groupMemberships"), &["14 memberNamedTwice warning"]),
    ("a teacher twice", |body| twice(body, "/activities/0/teachers"), &["15 teacherNamedTwice warning"]),
    (
        "a teacher of another school unit",
        |body| body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": "31279303"}),
        // The other school unit has no principal either.
        &["13 schoolUnitWithoutLeader warning", "16 teacherOfOtherSchoolUnit warning"],
    ),
    (
        "no teachers",
        |body| drop(body["activities"][0].as_object_mut().unwrap().remove("teachers")),
        &["15 activityWithoutTeachers warning"],
    ),
    (
        "an empty study path",
        |body| {
            body["persons"][0]["enrolments"][0] = json!({
                "enroledAt": {"schoolUnitCode": "31279303"}, "schoolType": "GY", "educationCode": "",
            });
        },
        &["9 educationCodeMissing error", "14 memberOfOtherSchoolUnit warning"],
    ),
    (
        "dates of an enrolment",
        |body| {
            let enrolment = at(body, "/persons/0/enrolments/0");
            (enrolment["startDate"], enrolment["endDate"]) = (json!("2020-01-12"), json!("2020-06-05"));
        },
        &["17 attributeNotTaken warning"],
    ),
];

#[tokio::test]
async fn inputs_that_went_wrong_elsewhere_are_reported() {
    let stack = TestStack::start().await;
    let before = reported(&stack, &class(930)).await;
    for (what, change, expected) in CASES {
        let mut body = class(930);
        change(&mut body);
        let reported = reported(&stack, &body).await;
        let new =
            reported.iter().filter(|(name, count)| before.get(*name).is_none_or(|before| before < *count));
        let new: Vec<_> = new.map(|(name, _)| name.as_str()).collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(new, expected, "{what}");
    }
    stack.finish(0).await;
}

/// The class with members, groups and teachers named twice, attributes that Skolverket does not take, and a byte order
/// order mark before it.
fn exported(series: u16) -> (Value, String) {
    let mut body = class(series);
    for list in ["/groups/0/groupMemberships", "/activities/0/groups", "/activities/0/teachers"] {
        twice(&mut body, list);
    }
    for list in ["persons", "duties", "groups", "activities"] {
        for record in body[list].as_array_mut().unwrap() {
            record["meta"] = json!({"created": "2026-08-20T07:00:00Z", "modified": "2026-08-20T07:00:00Z"});
        }
    }
    body["persons"][0]["enrolments"][0]["startDate"] = json!("2026-08-20");
    body["duties"][0]["person"]["displayName"] = json!("Lärarnamn Åström");
    let text = format!("{BYTE_ORDER_MARK}{body}");
    (body, text)
}

/// Everybody is there once, wherever they are counted or sent.
async fn assert_once(stack: &TestStack, id: &str, body: &Value) {
    let send = stack.ended(id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    let [group, activity] = ["groups", "activities"].map(|list| record_id(body, list, 0).to_string());
    let of_send = stack.get(&format!("/v1/sends/{id}/activities")).await;
    let current = stack.get("/v1/activities").await;
    let current = current["items"].as_array().unwrap().iter().find(|item| item["id"] == json!(activity));
    for summary in [&send["activities"][0], &of_send["items"][0], current.unwrap()] {
        let counts = [&summary["groups"], &summary["students"], &summary["teachers"]];
        assert_eq!(counts, [&json!(1), &json!(6), &json!(2)], "{summary}");
    }
    let row = stack.get(&format!("/v1/sends/{id}/jobs/groups/records/{group}")).await;
    assert_eq!((&row["members"], row["sent"]["groupMemberships"].as_array().unwrap().len()), (&json!(6), 6));
    let row = stack.get(&format!("/v1/sends/{id}/jobs/activities/records/{activity}")).await;
    assert_eq!((&row["groups"], &row["teachers"]), (&json!(1), &json!(2)));
    let viewers = stack.get(&format!("/v1/sends/{id}/access")).await;
    let seen = &viewers["items"][0];
    assert_eq!(
        [&seen["students"], &seen["groupCount"], &seen["groups"][0]["students"]],
        [&json!(6), &json!(1), &json!(6)]
    );
    // And so did Skolverket get them, without what it does not take.
    let calls = stack.skolverket.calls();
    let sent = calls.iter().filter(|call| call.call == CallKind::Bulk);
    let sent: Vec<Value> =
        sent.flat_map(|call| call.request.as_ref().unwrap()["data"].as_array().unwrap().clone()).collect();
    let of = |id: &str| sent.iter().find(|record| record["id"] == json!(id)).unwrap();
    assert_eq!(of(&group)["groupMemberships"].as_array().unwrap().len(), 6);
    let lengths = ["groups", "teachers"].map(|list| of(&activity)[list].as_array().unwrap().len());
    assert_eq!(lengths, [1, 2]);
    let text = json!(sent).to_string();
    assert!(!text.contains("meta") && !text.contains("startDate") && !text.contains("Lärarnamn Åström"));
}

#[tokio::test]
async fn what_was_exported_carelessly_is_sent_as_it_should_be() {
    let stack = TestStack::start().await;
    let (body, text) = exported(931);
    let reported = post(&stack, "/v1/validations", text.clone()).await.json();
    assert_eq!(reported["valid"], true, "{reported}");
    let left_out = reported["rules"].as_array().unwrap().iter().find(|group| group["rule"] == 17).unwrap();
    let listed: Vec<_> = left_out["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["pointer"].as_str().unwrap(), finding["count"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("/activities/0/meta", 1),
        ("/duties/0/meta", 2),
        ("/duties/0/person/displayName", 1),
        ("/groups/0/meta", 1),
        ("/persons/0/enrolments/0/startDate", 1),
        ("/persons/0/meta", 8),
    ];
    assert_eq!((listed.as_slice(), &left_out["count"]), (expected.as_slice(), &json!(14)));
    assert_eq!(reported["accessPreview"]["items"][0]["students"], 6);

    let accepted = post(&stack, "/v1/sends", text).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert_once(&stack, accepted.json()["id"].as_str().unwrap(), &body).await;

    // The same in parts, each with a mark before it.
    let (body, _) = exported(932);
    let marked = |content: Value| format!("{BYTE_ORDER_MARK}{content}");
    let opened = post(&stack, "/v1/sends", marked(json!({"upload": true}))).await;
    assert_eq!(opened.status, 202, "{}", opened.text);
    let id = opened.json()["id"].as_str().unwrap().to_owned();
    for (number, list) in (1..).zip(["groups", "activities", "persons", "duties"]) {
        let part = marked(json!({"part": number, list: body[list]}));
        let stored = post(&stack, &format!("/v1/sends/{id}/records"), part).await;
        assert_eq!(stored.status, 200, "{}", stored.text);
    }
    let accepted = post(&stack, &format!("/v1/sends/{id}/submit"), marked(json!({"parts": 4}))).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let rules = accepted.json()["validation"]["rules"].clone();
    let left_out = rules.as_array().unwrap().iter().find(|group| group["rule"] == 17).unwrap();
    assert_eq!(left_out["count"], 14, "{rules}");
    assert_once(&stack, &id, &body).await;
    stack.finish(0).await;
}
