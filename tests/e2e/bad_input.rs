//! Bad input: each refused with a clear answer, nothing stored, nothing sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};

fn problem(answer: &Answer, status: u16, kind: &str) -> Value {
    let problem = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{problem}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(problem["type"], format!("urn:stafett:problem:{kind}"));
    assert_eq!(problem["status"], status);
    for text in ["title", "detail", "detailSv"] {
        assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    problem
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect()
}

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut body = class(20);
    change(&mut body);
    body.to_string()
}

#[tokio::test]
async fn each_bad_input_is_refused_and_nothing_is_stored() {
    let stack = TestStack::start().await;
    let key = "a key";

    let answer = stack.post(ORGANISER, key, "{\"activities\": [".to_owned()).await;
    problem(&answer, 400, "not-readable");
    let answer = stack.post(ORGANISER, key, "[]".to_owned()).await;
    problem(&answer, 400, "not-readable");

    let body = with(|body| body["colour"] = json!("red"));
    assert_eq!(pointers(&problem(&stack.post(ORGANISER, key, body).await, 422, "invalid-send")), ["/colour"]);

    let body = with(|body| drop(body["persons"][2].as_object_mut().unwrap().remove("givenName")));
    let answer = problem(&stack.post(ORGANISER, key, body).await, 422, "invalid-send");
    assert_eq!(pointers(&answer), ["/persons/2/givenName"]);
    assert_eq!(answer["errors"][0]["code"], "missingAttribute");

    let body = with(|body| body["duties"][1]["person"]["id"] = json!("0190a1b2-0000-4000-8000-000000000000"));
    let answer = problem(&stack.post(ORGANISER, key, body).await, 422, "invalid-send");
    assert_eq!(pointers(&answer), ["/duties/1/person/id"]);
    assert_eq!(answer["errors"][0]["code"], "missingReference");

    let body = with(|body| body["groups"][0]["id"] = body["activities"][0]["id"].clone());
    let answer = problem(&stack.post(ORGANISER, key, body).await, 422, "invalid-send");
    assert!(pointers(&answer).contains(&"/groups/0/id"), "{answer}");

    // All faults of a body in one answer.
    let body = with(|body| {
        body["colour"] = json!("red");
        body["persons"][0]["enrolments"][0]["schoolYear"] = json!("six");
        body["duties"][0]["dutyRole"] = json!("Vaktmästare");
        body["groups"][0].as_object_mut().unwrap().remove("displayName");
    });
    let answer = problem(&stack.post(ORGANISER, key, body).await, 422, "invalid-send");
    let mut found = pointers(&answer);
    found.sort_unstable();
    let expected =
        ["/colour", "/duties/0/dutyRole", "/groups/0/displayName", "/persons/0/enrolments/0/schoolYear"];
    assert_eq!(found, expected);
    assert_eq!(answer["errorCount"], 4);

    let body = with(|body| body["persons"][0]["givenName"] = json!("x".repeat(4_000_000)));
    problem(&stack.post(ORGANISER, key, body).await, 413, "too-large");

    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let post = || {
        stack
            .call(Method::POST, "/v1/sends")
            .header("content-type", "application/json")
            .body(class(20).to_string())
    };
    problem(&stack.request(post().bearer_auth(&token)).await, 400, "idempotency-key");

    // Requests that the gateway itself refuses get the gateway's own response.
    for request in [post(), post().bearer_auth("no token"), post().bearer_auth(format!("{token}x"))] {
        let answer = stack.request(request.header("idempotency-key", key)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({"message": "Unauthorized"})));
    }
    for scope in ["history:read", "history:personal", "something:else"] {
        let token = stack.token(ORGANISER, scope).await;
        let answer = stack.request(post().bearer_auth(token).header("idempotency-key", key)).await;
        problem(&answer, 403, "scope");
    }

    // Nothing of all this was stored or sent, and the key is as good as new.
    assert_eq!(stack.get("/v1/sends").await, json!({"items": [], "nextCursor": null}));
    assert!(stack.skolverket.calls().is_empty());
    let answer = stack.post(ORGANISER, key, class(20).to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    stack.ended(answer.json()["id"].as_str().unwrap()).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_not_there() {
    let stack = TestStack::start().await;
    let body = class(21);
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let person = record_id(&body, "persons", 0);
    let paths = [
        format!("/v1/sends/{id}"),
        format!("/v1/sends/{id}/jobs/users/records"),
        format!("/v1/sends/{id}/activities"),
        format!("/v1/sends/{id}/jobs/users/records/{person}"),
        format!("/v1/sends/{id}/jobs/users/attempts"),
        format!("/v1/sends/{id}/jobs/users/attempts/0.1.0"),
        format!("/v1/sends/{id}/access"),
    ];
    for path in &paths {
        stack.get(path).await;
        let absent = path.replace(&id, "0190a1b2-0000-7000-8000-000000000000");
        let absent = problem(&stack.get_as(ORGANISER, ALL_SCOPES, &absent).await, 404, "not-found");
        let others = problem(&stack.get_as("5560000001", ALL_SCOPES, path).await, 404, "not-found");
        assert_eq!(others, absent, "another organiser's is as one that does not exist");
        problem(&stack.get_as(ORGANISER, "sends:write", path).await, 403, "scope");
    }
    for list in ["/v1/sends", "/v1/jobs", "/v1/activities"] {
        assert_eq!(stack.get_as("5560000001", ALL_SCOPES, list).await.json()["items"], json!([]), "{list}");
        problem(&stack.get_as(ORGANISER, "sends:write", list).await, 403, "scope");
    }
    for strange in [
        "/v1/sends/x",
        "/v1/nothing",
        "/v1/sends/%FF",
        &format!("/v1/sends/{id}/jobs/pupils/records"),
        &format!("/v1/sends/{id}/jobs/users/records/x"),
        &format!("/v1/sends/{id}/jobs/users/attempts/9.9.9"),
        &format!("/v1/sends/{id}/jobs/duties/records/{person}"),
    ] {
        problem(&stack.get_as(ORGANISER, ALL_SCOPES, strange).await, 404, "not-found");
    }
    for strange in
        ["limit=1&limit=2", "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=", "outcome=bad"]
    {
        let path = format!("{}?{strange}", paths[1]);
        problem(&stack.get_as(ORGANISER, ALL_SCOPES, &path).await, 400, "parameter");
    }
    for strange in [
        "sends?status=waiting",
        "sends?activity=x",
        "sends?to=now",
        "jobs?status=queued",
        "jobs?stage=pupils",
        "jobs?cursor=MQ",
        "activities?status=",
        "activities?schoolUnitCode=1",
        "activities?testCode=B-1",
        "activities?cursor=MS4yLjM",
    ] {
        let answer = stack.get_as(ORGANISER, ALL_SCOPES, &format!("/v1/{strange}")).await;
        problem(&answer, 400, "parameter");
    }
    // The end of time is far away, and no more than that.
    for path in ["/v1/sends?to=9999-12-30T22:00:00Z", "/v1/jobs?to=9999-12-30T22:00:00Z"] {
        assert!(!stack.get(path).await["items"].as_array().unwrap().is_empty(), "{path}");
    }
    let health = stack.request(stack.call(Method::GET, "/v1/health")).await;
    assert_eq!((health.status.as_u16(), health.json()), (200, json!({"status": "ok"})));
    stack.finish(0).await;
}
