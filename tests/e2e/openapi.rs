//! Bodies and answers against Skolverket's own OpenAPI document, where `SKOLVERKET_OPENAPI_DIR` says where it is.
//!
//! Its known defects, none of which keeps its schemas from being used as they are: 13 examples are strings instead
//! of JSON; `x-ratelimit-reset` is an integer with the example 0.5 (headers are not checked here);
//! `attributeValue` is a string with the example 0 (the simulator gives strings in this test); nothing in the body of
//! a 202 is required, `jobId` included (asserted here); an empty `eduPersonPrincipalNames` passes (the domain's rules
//! refuse it); the example of a coordination number fails its check digit (no fixture).

use serde_json::{Value, json};
use stafett_simulator::{CallKind, Limits, Log, ScriptedOutcome, Simulator};

use crate::people::{class, record_id};
use crate::stack::TestStack;

/// One of Skolverket's documents. None where they are not there, which is printed. In a CI the variable must be set; it
/// is empty where somebody has decided that the documents are not there.
fn skolverkets(name: &str) -> Option<Value> {
    let dir = std::env::var("SKOLVERKET_OPENAPI_DIR");
    let is_ci = std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    assert!(
        dir.is_ok() || !is_ci,
        "SKOLVERKET_OPENAPI_DIR is not set: Skolverket's documents are not there to test against"
    );
    let Some(dir) = dir.ok().filter(|dir| !dir.is_empty()) else {
        println!("skipped: SKOLVERKET_OPENAPI_DIR names no folder");
        return None;
    };
    let text = std::fs::read_to_string(format!("{dir}/{name}.openapi.yaml")).unwrap();
    Some(serde_saphyr::from_str(&text).unwrap())
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": document["components"],
    });
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn assert_valid(document: &Value, schema: &Value, instance: &Value, what: &str) {
    let faults: Vec<_> =
        validator(document, schema).iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{what}: {faults:?}");
}

#[tokio::test]
async fn what_is_sent_and_answered_is_what_the_document_says() {
    let Some(document) = skolverkets("provisioning-api") else { return };

    let stack = TestStack::start().await;
    let good: Value = serde_json::from_str(include_str!("../fixtures/prov-biologi.json")).unwrap();
    let id = stack.send(&good).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let mut bad = class(50);
    // Every attribute that a person may have.
    let person = &mut bad["persons"][0];
    person["middleName"] = json!("Mellannamn");
    person["securityMarking"] = json!("Ingen");
    person["enrolments"][0]["cancelled"] = json!(false);
    person["enrolments"][0]["educationCode"] = json!("EKJURV");
    bad["persons"][6]["externalIdentifiers"] =
        json!([{"value": "abcde-fghij@eduid.se", "context": "https://eduid.se", "globallyUnique": true}]);
    let log = Log::new("2011", 400, "Ogiltigt format", "Fel.").attribute("Enrolment.schoolYear", "0");
    stack.skolverket.script(record_id(&bad, "persons", 0), ScriptedOutcome::Error(log));
    stack.skolverket.script(record_id(&bad, "persons", 1), ScriptedOutcome::warning());
    let id = stack.send(&bad).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");

    let mut checked = 0;
    for call in stack.skolverket.calls() {
        let Some(kind) = call.kind else { continue };
        let (path, method) = match call.call {
            CallKind::Bulk => (format!("/{kind}/bulk"), "post"),
            CallKind::Job => (format!("/{kind}/bulk/jobs/{{id}}"), "get"),
            CallKind::Token | CallKind::OpenData | CallKind::Other => continue,
        };
        let operation = &document["paths"][&path][method];
        assert!(operation.is_object(), "the document has no {method} {path}");
        if let Some(request) = &call.request {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert_valid(&document, schema, request, &format!("request of {method} {path}"));
        }
        let reference = operation["responses"][call.status.to_string()]["$ref"].as_str();
        let response = document.pointer(reference.unwrap().trim_start_matches('#')).unwrap();
        let answer = call.response.as_ref().unwrap();
        let schema = &response["content"]["application/json"]["schema"];
        assert_valid(&document, schema, answer, &format!("answer of {method} {path}"));
        assert!(answer["jobId"].is_string());
        checked += 1;
    }
    assert!(checked >= 10, "{checked} calls were checked");
    stack.finish(0).await;

    // The check can fail.
    let schema = json!({"$ref": "#/components/schemas/Duty"});
    let wrong = json!({"id": "x", "person": {}, "dutyAt": {"id": 3}, "dutyRole": "Vaktmästare"});
    assert!(validator(&document, &schema).iter_errors(&wrong).count() >= 4);
}

#[tokio::test]
async fn what_the_open_data_api_answers_is_what_its_document_says() {
    let Some(document) = skolverkets("open-data-api") else { return };
    let skolverket = Simulator::start(Limits::default()).await.unwrap();
    let (http, base) = (reqwest::Client::new(), skolverket.open_data_url());
    let made_up = "00000000-0000-4000-8000-000000000000";
    let nothing = |code: &str| uuid::Uuid::new_v5(&uuid::Uuid::nil(), code.as_bytes());
    let mut met = Vec::new();
    for (path, given) in [
        ("/alive", "/alive".to_owned()),
        ("/organisations/{id}", "/organisations/657ae6a4-2978-5fbe-b357-ba353c0f03b5".to_owned()),
        ("/organisations/{id}", format!("/organisations/{made_up}")),
        ("/organisations/code/{code}", "/organisations/code/5567044268?expandSchoolUnits=true".to_owned()),
        ("/organisations/code/{code}", "/organisations/code/9900000299?expandSchoolUnits=false".to_owned()),
        ("/schoolUnits/{id}", "/schoolUnits/fb22448b-b724-5e53-8a2c-d8b339206901".to_owned()),
        ("/schoolUnits/{id}", "/schoolUnits/31279295".to_owned()),
        ("/schoolUnits/{id}", format!("/schoolUnits/{made_up}")),
        ("/schoolUnits/{id}", format!("/schoolUnits/{}", nothing("00000000"))),
        ("/schoolUnits/code/{code}", "/schoolUnits/code/45678902".to_owned()),
        ("/schoolUnits/code/{code}", "/schoolUnits/code/00000000".to_owned()),
        ("/programmes", "/programmes".to_owned()),
        ("/programmes/{id}", "/programmes/f8bd4423-9693-51ed-a854-6e9984e6c2f7".to_owned()),
        ("/programmes/{id}", "/programmes/x".to_owned()),
        ("/programmes/{id}", format!("/programmes/{made_up}")),
        ("/programmes/code/{code}", "/programmes/code/EKJURV".to_owned()),
        ("/programmes/code/{code}", "/programmes/code/NIX".to_owned()),
        ("/activities", "/activities".to_owned()),
        ("/activities/{id}", "/activities/505c5ee0-7be4-560d-9c27-10ab0d96ac9a".to_owned()),
        ("/activities/{id}", format!("/activities/{made_up}")),
        ("/activities/{id}", format!("/activities/{}", nothing("GRGRNIX01_6"))),
    ] {
        let answer = http.get(format!("{base}{given}")).send().await.unwrap();
        let responses = &document["paths"][path]["get"]["responses"];
        let mut response = &responses[answer.status().as_str()];
        assert!(response.is_object(), "the document has no {} of {path}", answer.status());
        if let Some(reference) = response["$ref"].as_str() {
            response = document.pointer(reference.trim_start_matches('#')).unwrap();
        }
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_object() {
            assert_valid(&document, schema, &answer.json().await.unwrap(), &given);
        }
        met.push(path);
    }
    let paths = document["paths"].as_object().unwrap().keys();
    assert!(paths.clone().all(|path| met.contains(&path.as_str())), "{paths:?}");
    assert!(skolverket.violations().is_empty());
}
