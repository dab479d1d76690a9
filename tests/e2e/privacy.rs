//! No personal data in any output.

use serde_json::json;
use stafett_simulator::{Log, ScriptedOutcome};

use crate::people::{class, record_id};
use crate::stack::{ORGANISER, TestStack};

#[tokio::test]
async fn no_marked_value_is_in_anything_that_is_printed() {
    let stack = TestStack::start().await;
    let mut body = class(40);
    let mut marks = Vec::new();
    for (number, person) in body["persons"].as_array_mut().unwrap().iter_mut().enumerate() {
        person["givenName"] = json!(format!("Markgivet{number}x"));
        person["familyName"] = json!(format!("Markefter{number}x"));
        person["eduPersonPrincipalNames"] = json!([format!("markeppn{number}x@edu.example.se")]);
        person["emails"] =
            json!([{"value": format!("markmail{number}x@example.se"), "type": "Skola personal"}]);
        let pointers =
            ["/givenName", "/familyName", "/eduPersonPrincipalNames/0", "/emails/0/value", "/civicNo/value"];
        marks.extend(pointers.map(|pointer| person.pointer(pointer).unwrap().as_str().unwrap().to_owned()));
    }
    let log = Log::new("2011", 400, "Ogiltigt format", "Markgivet1x kan inte vara markeppn1x@edu.example.se")
        .attribute("eppn", "markeppn1x@edu.example.se");
    stack.skolverket.script(record_id(&body, "persons", 1), ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");

    // A malformed one: a mark where a number should be, where an id should be, and as the name of an attribute.
    let mut malformed = body.clone();
    malformed["persons"][0]["enrolments"][0]["schoolYear"] = json!("Markgivet0x");
    malformed["duties"][0]["id"] = json!("Markefter6x");
    malformed["persons"][1]["markeppn1x@edu.example.se"] = json!(true);
    let refused = stack.post(ORGANISER, "markerad", malformed.to_string()).await;
    assert_eq!(refused.status, 422);
    let request = stack.call(reqwest::Method::POST, "/v1/validations");
    let request = request.bearer_auth(stack.token(ORGANISER, "sends:write").await);
    let looked_at = stack.request(request.body(malformed.to_string())).await;
    assert_eq!(looked_at.status, 200);
    let mut looked_at = looked_at.json();
    // It names the teachers, as rows do.
    looked_at["accessPreview"] = json!(null);
    let looked_at = looked_at.to_string();
    let cut_off = body.to_string();
    let unreadable = stack.post(ORGANISER, "markerad", cut_off[..cut_off.len() - 5].to_owned()).await;
    assert_eq!(unreadable.status, 400);
    // Reading everything, too.
    for path in ["", "/jobs/users/records", "/jobs/users/attempts", "/jobs/users/attempts/0.1.0", "/access"] {
        stack.get(&format!("/v1/sends/{id}{path}")).await;
    }

    let logs = stack.log_text();
    assert!(
        logs.contains("\"event\":\"batch.closed\"") && logs.contains("\"event\":\"api.request\""),
        "{logs}"
    );
    for line in logs.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    let printed = stack.finish(0).await;
    for (what, text) in [
        ("logs", &logs),
        ("output", &printed),
        ("422", &refused.text),
        ("400", &unreadable.text),
        ("200", &looked_at),
    ] {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{what} hold {mark}");
        }
    }
}
