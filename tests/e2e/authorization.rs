//! Who may call what: every call that the API describes, with every kind of token that is not enough for it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::people::{class, record_id};
use crate::routes::{Places, readable};
use crate::stack::{ORGANISER, TestStack};

const STRANGER: &str = "2120000142";
const ALL: &str = "sends:write history:read history:personal";

/// A token as `/local/token` makes it.
async fn token(stack: &TestStack, query: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params(&format!("{}/local/token", stack.url), query).unwrap();
    let answer = stack.local(&url.as_str()[stack.url.len()..]).await;
    answer["token"].as_str().unwrap().to_owned()
}

fn whose<'a>(organisation: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("organisation_number", organisation), ("scope", scope)]
}

#[tokio::test]
async fn every_call_needs_its_token_its_scope_and_its_organiser() {
    let stack = TestStack::start().await;
    let body = class(61);
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let places = Places {
        send: id,
        stage: "users".to_owned(),
        record: record_id(&body, "persons", 0).to_string(),
        attempt: "0.1.0".to_owned(),
    };
    let expired = token(&stack, &[whose(ORGANISER, ALL), vec![("expires_in", "-1")]].concat()).await;
    let strange =
        token(&stack, &[whose(ORGANISER, ALL), vec![("issuer", "https://other.example.se")]].concat()).await;
    let nobody = token(&stack, &whose("somebody", ALL)).await;
    let stranger = token(&stack, &whose(STRANGER, ALL)).await;

    let (mut calls, mut tried) = (0, 0);
    let contract = stack.contract().await;
    for (method, path) in contract.calls() {
        let scopes = contract.scopes(&method, &path);
        let call = async |token: Option<&str>| {
            let mut request = stack.call(method.clone(), &places.fill(&path));
            if method == Method::POST {
                request = request
                    .header("idempotency-key", uuid::Uuid::new_v4().to_string())
                    .json(&readable(&path));
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            stack.request(request).await
        };
        calls += 1;
        if scopes.is_empty() {
            assert_eq!(call(None).await.status, StatusCode::OK, "{method} {path}");
            continue;
        }
        let others: Vec<&str> = ALL.split(' ').filter(|scope| !scopes.contains(scope)).collect();
        // Who may read everything may read.
        let others: Vec<&str> = if scopes.contains(&"history:read") {
            others.into_iter().filter(|scope| *scope != "history:personal").collect()
        } else {
            others
        };
        let others = others.join(" ");
        let scopeless = token(&stack, &whose(ORGANISER, &others)).await;
        for refused in [None, Some("no.token.at-all"), Some(expired.as_str()), Some(strange.as_str())] {
            let answer = call(refused).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({"message": "Unauthorized"})));
            tried += 1;
        }
        for (refused, status, kind) in
            [(&scopeless, 403, "scope"), (&nobody, 403, "no-organiser"), (&stranger, 404, "not-found")]
        {
            if status == 404 && !path.contains("{send}") {
                continue;
            }
            let answer = call(Some(refused)).await;
            let kind = Value::String(format!("urn:stafett:problem:{kind}"));
            let told = answer.json();
            assert_eq!((answer.status.as_u16(), &told["type"]), (status, &kind), "{method} {path}");
            tried += 1;
        }
    }
    assert!(calls >= 20 && tried >= 6 * (calls - 3), "{tried} tries of {calls} calls");
    println!("{tried} refusals of {calls} calls");
    stack.finish(0).await;
}
