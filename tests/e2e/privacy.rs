//! No personal data in any output.

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::{Log, ScriptedOutcome};
use uuid::Uuid;

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::routes::Places;
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, first_attempt};

/// A class of people whose every personal value can be recognised; and those values.
fn marked_class(series: u16) -> (Value, Vec<String>) {
    let mut body = class(series);
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
    (body, marks)
}

#[tokio::test]
async fn no_marked_value_is_in_anything_that_is_printed() {
    let stack = TestStack::start().await;
    let (body, marks) = marked_class(40);
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
    let validation = stack.request(request.body(malformed.to_string())).await;
    assert_eq!(validation.status, 200);
    let mut validation = validation.json();
    // It names the teachers, as rows do.
    validation["accessPreview"] = json!(null);
    let validation = validation.to_string();
    let cut_off = body.to_string();
    let unreadable = stack.post(ORGANISER, "markerad", cut_off[..cut_off.len() - 5].to_owned()).await;
    assert_eq!(unreadable.status, 400);
    // Reading everything, too.
    let attempt = format!("/jobs/users/attempts/{}", first_attempt(&stack, &id, "users").await);
    for path in ["", "/jobs/users", "/jobs/users/records", "/jobs/users/attempts", &attempt, "/access"] {
        stack.get(&format!("/v1/sends/{id}{path}")).await;
    }
    for list in ["activities", "jobs?status=failed", "sends?status=failed"] {
        stack.get(&format!("/v1/{list}")).await;
    }
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let rows = stack.call(Method::GET, &format!("/v1/sends/{id}/jobs/users/records")).bearer_auth(token);
    let sheet = stack.request(rows.header("accept", "text/csv")).await;
    assert!(sheet.text.contains("Markgivet0x"), "{}", sheet.text);
    let headers_text = format!("{:?}", sheet.headers);

    let logs = stack.log_text();
    for event in ["batch.closed", "api.request"] {
        assert!(!stack.events(event).is_empty(), "{event}: {logs}");
    }
    for line in logs.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    let printed = stack.finish(0).await;
    for (what, text) in [
        ("logs", &logs),
        ("output", &printed),
        ("422", &refused.text),
        ("400", &unreadable.text),
        ("headers", &headers_text),
        ("200", &validation),
    ] {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{what} hold {mark}");
        }
    }
}

/// Bodies that hold marks wherever a body can: where a name, a number, a word or an id should be, and cut off. `key` is
/// a mark in the place of an attribute's name. (What is written like an attribute's name, letters only, is reported by
/// its name: nobody could fix a misspelt attribute that is not named.)
fn marked_bodies(body: &Value, mark: &str, key: &str) -> Vec<Vec<u8>> {
    let mut words = body.clone();
    words["options"] = json!({"onRecordErrors": mark, "references": mark, "validation": mark, key: mark});
    let mut places = body.clone();
    places["persons"][0]["id"] = json!(mark);
    places["persons"][1]["enrolments"] = json!(mark);
    places["persons"][2][key] = json!({key: [mark]});
    places["persons"][3]["enrolments"][0]["schoolYear"] = json!(mark);
    places["duties"][0]["dutyRole"] = json!(mark);
    places["groups"][0]["groupMemberships"][0]["person"]["id"] = json!(mark);
    places["activities"][0]["parentActivity"] = json!({"testCode": mark});
    places["activities"][0]["organisation"] = json!({"schoolUnitCode": mark});
    let whole = body.to_string();
    vec![
        json!({key: mark}).to_string().into_bytes(),
        json!({"part": mark, "parts": mark, "upload": mark, "persons": mark}).to_string().into_bytes(),
        json!({"part": 1, "persons": [body["persons"][0], mark]}).to_string().into_bytes(),
        json!(mark).to_string().into_bytes(),
        words.to_string().into_bytes(),
        places.to_string().into_bytes(),
        whole.as_bytes()[..whole.len() - 7].to_vec(),
        [mark.as_bytes(), b"\xff\xfe", mark.as_bytes()].concat(),
    ]
}

/// Marks in every place of every route's address, in its query, its headers and its body: each is answered with
/// something that quotes none of them, and nothing that is printed holds one.
#[tokio::test]
async fn no_route_quotes_what_it_was_given_when_it_refuses_it() {
    let stack = TestStack::start().await;
    let (body, mut marks) = marked_class(41);
    let refused = record_id(&body, "persons", 1);
    stack.skolverket.script(refused, ScriptedOutcome::error("eppn"));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");
    let attempt = first_attempt(&stack, &id, "users").await;
    let places = Places { send: id, stage: "users".to_owned(), record: refused.to_string(), attempt };
    // In an address the values are as they are written there.
    let (name, number) = ("Markgivet3x", body["persons"][3]["civicNo"]["value"].as_str().unwrap().to_owned());
    let address = "markeppn3x%40edu.example.se";
    marks.push(address.to_owned());
    let token = stack.token(ORGANISER, ALL_SCOPES).await;

    let (mut refusals, mut asked) = (0, 0);
    for (method, path) in &stack.contract().await.calls() {
        let call = |path: &str| stack.call(method.clone(), path).bearer_auth(&token);
        let mut requests = Vec::new();
        for mark in [name, &number, address] {
            let in_query = ["limit", "cursor", "outcome", "status", "activity", "from", mark];
            let here = places.fill(path);
            requests.extend(in_query.map(|parameter| call(&format!("{here}?{parameter}={mark}"))));
            let headers = ["content-encoding", "content-type", "if-none-match", "accept", "x-request-id"];
            requests.extend(headers.map(|header| call(&here).header(header, mark)));
            for field in 0..4 {
                let mut elsewhere = places.clone();
                let field = [
                    &mut elsewhere.send,
                    &mut elsewhere.stage,
                    &mut elsewhere.record,
                    &mut elsewhere.attempt,
                ]
                .into_iter()
                .nth(field);
                *field.unwrap() = mark.to_owned();
                let there = elsewhere.fill(path);
                if there != here {
                    requests.push(call(&there));
                }
            }
            requests.push(call(&format!("{here}/{mark}")));
            if method == Method::POST {
                requests.push(call(&here).header("idempotency-key", format!("å{mark}")).json(&json!({})));
                // Neither an address nor a civic number behind a letter is reported as a name.
                let keys = ["markeppn3x@edu.example.se".to_owned(), format!("x{number}")];
                let bodies: Vec<_> = keys.iter().flat_map(|key| marked_bodies(&body, mark, key)).collect();
                // The same key every time: it is reported that the body differs, and not how.
                let keyed = |body| call(&here).header("idempotency-key", mark).body(body);
                requests.extend(bodies.clone().into_iter().map(keyed));
                let fresh =
                    |body| call(&here).header("idempotency-key", Uuid::new_v4().to_string()).body(body);
                requests.extend(bodies.into_iter().map(fresh));
            }
        }
        for request in requests {
            let Answer { status, headers, text } = stack.request(request).await;
            assert!(!status.is_server_error(), "{method} {path}: {status} {text}");
            asked += 1;
            if status.is_client_error() {
                refusals += 1;
                let headers_text = format!("{headers:?} {text}");
                for mark in &marks {
                    assert!(
                        !headers_text.contains(mark.as_str()),
                        "{method} {path} quotes {mark}: {headers_text}"
                    );
                }
            }
        }
    }
    println!("{refusals} of {asked} requests were refused");
    assert!(refusals > asked / 2, "{refusals} of {asked}");
    let logs = stack.log_text();
    assert!(stack.events("api.request").len() >= asked, "each was logged");
    let printed = stack.finish(0).await;
    for mark in &marks {
        assert!(!logs.contains(mark.as_str()) && !printed.contains(mark.as_str()), "{mark} was printed");
    }
}
