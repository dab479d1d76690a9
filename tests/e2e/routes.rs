//! Every call of the API, as its description has it, for tests to go through.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::class;
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, first_attempt};

/// What stands in the places of an address.
#[derive(Clone)]
pub(crate) struct Places {
    pub(crate) send: String,
    pub(crate) stage: String,
    pub(crate) record: String,
    pub(crate) attempt: String,
}

impl Places {
    pub(crate) fn fill(&self, path: &str) -> String {
        let places = [
            ("{send}", &self.send),
            ("{stage}", &self.stage),
            ("{record}", &self.record),
            ("{attempt}", &self.attempt),
        ];
        let filled = places.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        assert!(!filled.contains('{'), "{path} has a place that the table does not know");
        filled
    }
}

/// A body that each route can read, so that nothing but the look-up refuses it.
pub(crate) fn readable(path: &str) -> Value {
    match path.rsplit('/').next() {
        Some("records") => json!({"part": 1, "persons": []}),
        Some("submit") => json!({"parts": 1}),
        _ => json!({}),
    }
}

/// Every call, with addresses of a send and a job that are there, and a body that it can read.
async fn asked(stack: &TestStack, places: &Places, query: impl Fn(&Method, &str) -> Option<String>) -> usize {
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let mut count = 0;
    for (method, path) in stack.contract().await.calls() {
        let Some(query) = query(&method, &path) else { continue };
        let address = format!("{}?{query}", places.fill(&path));
        let mut request = stack.call(method.clone(), &address).bearer_auth(&token);
        if method == Method::POST {
            let key = uuid::Uuid::new_v4().to_string();
            request = request.header("idempotency-key", key).json(&readable(&path));
        }
        let answer = stack.request(request).await;
        assert_eq!(answer.status, 400, "{method} {address}: {}", answer.text);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:stafett:problem:parameter", "{method} {address}");
        let named = query.split(['=', '&']).next().unwrap();
        assert_eq!(problem["parameter"], named, "{method} {address}");
        for text in ["detail", "detailSv"] {
            assert!(problem[text].as_str().unwrap().contains(named), "{problem}");
        }
        if named == "unheardOf" {
            let known = stack.contract().await.query(&method, &path);
            assert_eq!(problem["allowed"], json!(known), "{method} {address}");
        }
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_parameter_that_a_call_does_not_have_is_refused_by_its_name() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(7_300)).await;
    stack.ended(&id).await;
    let attempt = first_attempt(&stack, &id, "users").await;
    let record =
        stack.get(&format!("/v1/sends/{id}/jobs/users/records?limit=1")).await["items"][0]["id"].clone();
    let record = record.as_str().unwrap().to_owned();
    let places = Places { send: id, stage: "users".to_owned(), record, attempt };
    let contract = stack.contract().await;

    let all = asked(&stack, &places, |_, _| Some("unheardOf=1".to_owned())).await;
    assert_eq!(all, contract.calls().len());
    assert!(all >= 20, "{all} calls");
    // Others' parameters are as unknown; and what a call has, it has once.
    let others = asked(&stack, &places, |method, path| {
        (!contract.query(method, path).contains(&"stage")).then(|| "stage=users".to_owned())
    });
    assert_eq!(others.await, all - 1, "all but the list of jobs");
    let twice = asked(&stack, &places, |method, path| {
        let name = *contract.query(method, path).last()?;
        Some(format!("{name}=1&{name}=2"))
    });
    assert!(twice.await >= 7);

    let users = stack.get_as(ORGANISER, ALL_SCOPES, "/v1/sends?stage=users").await;
    assert_eq!(users.status, 400);
    assert_eq!(users.json()["allowed"], json!(["limit", "cursor", "status", "activity", "from", "to"]));
    let civic_number = stack.get_as(ORGANISER, ALL_SCOPES, "/v1/sends?201304129818=1").await;
    assert_eq!((civic_number.status.as_u16(), civic_number.text.contains("2013")), (400, false));
    stack.finish(0).await;
}

#[tokio::test]
async fn a_word_that_is_not_allowed_is_answered_with_those_that_are() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(7_301)).await;
    stack.ended(&id).await;
    for (path, name, allowed) in [
        ("/v1/sends?status=failed,lost".to_owned(), "status", "completedWithErrors"),
        ("/v1/jobs?status=queued".to_owned(), "status", "notStarted"),
        ("/v1/jobs?stage=pupils".to_owned(), "stage", "users"),
        ("/v1/activities?status=".to_owned(), "status", "receiving"),
        (format!("/v1/sends/{id}/jobs/users/records?outcome=ok"), "outcome", "success"),
    ] {
        let answer = stack.get_as(ORGANISER, ALL_SCOPES, &path).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), &problem["parameter"]), (400, &json!(name)), "{path}: {problem}");
        assert!(problem["allowed"].as_array().unwrap().contains(&json!(allowed)), "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(allowed), "{path}: {problem}");
        // Each of the words is taken.
        let words: Vec<_> =
            problem["allowed"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let list = path.split('?').next().unwrap();
        let words = if name == "stage" { words[0].to_owned() } else { words.join(",") };
        assert_eq!(stack.get_as(ORGANISER, ALL_SCOPES, &format!("{list}?{name}={words}")).await.status, 200);
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn what_is_no_call_is_not_described_and_not_found() {
    let stack = TestStack::start().await;
    for (method, path, status) in [
        (Method::GET, "/v1/send", 404),
        (Method::GET, "/v1/sends/", 404),
        (Method::PUT, "/v1/sends", 405),
        (Method::POST, "/v1/organiser", 405),
        (Method::DELETE, "/v1/health", 405),
    ] {
        let token = stack.token(ORGANISER, ALL_SCOPES).await;
        let answer = stack.request(stack.call(method.clone(), path).bearer_auth(token)).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn every_example_is_what_its_schema_says() {
    let stack = TestStack::start().await;
    let held = stack.contract().await.hold_examples();
    assert!(held > 100, "{held} examples");
    stack.finish(0).await;
}
