//! Who may call what: every call that the API describes, with every kind of token that is not enough for it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::Answer;
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
            let seen = answer.json();
            assert_eq!((answer.status.as_u16(), &seen["type"]), (status, &kind), "{method} {path}");
            tried += 1;
        }
    }
    assert!(calls >= 20 && tried >= 6 * (calls - 3), "{tried} tries of {calls} calls");
    println!("{tried} refusals of {calls} calls");
    stack.finish(0).await;
}

/// Identity providers write scopes as a text or as a list, in `scope` or in `scp`; and claims may hold anything.
#[tokio::test]
async fn scopes_may_be_a_list_and_other_claims_may_be_anything() {
    let stack = TestStack::start().await;
    let with = async |claims: Value| {
        let claims = claims.to_string();
        token(&stack, &[("organisation_number", ORGANISER), ("claims", &claims)]).await
    };
    let get =
        async |token: &str, path: &str| stack.request(stack.call(Method::GET, path).bearer_auth(token)).await;
    let refusal = |answer: &Answer| answer.json()["type"].as_str().unwrap_or_default().to_owned();

    // A list goes the whole way: what it holds may be done, and nothing else.
    let list = with(json!({"scope": ["sends:write", "history:read"]})).await;
    let post = stack.call(Method::POST, "/v1/sends").bearer_auth(&list).header("idempotency-key", "list");
    let accepted = stack.request(post.body(class(62).to_string())).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", accepted.text);
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    stack.ended(&id).await;
    let rows = get(&list, &format!("/v1/sends/{id}/jobs/users/records")).await;
    assert_eq!(rows.status, StatusCode::OK);
    assert_eq!(rows.json()["items"][0]["masked"], true, "no history:personal: {}", rows.text);

    for claims in [
        json!({"scope": ["history:read"]}),
        json!({"scp": "openid history:read"}),
        json!({"scp": ["openid", "history:read"]}),
        json!({"scope": "openid", "scp": ["history:read"]}),
        json!({"scope": ["openid history:read"], "roles": [1, [2]], "level": 3.5, "none": null}),
    ] {
        let answer = get(&with(claims.clone()).await, "/v1/sends").await;
        assert_eq!(answer.status, StatusCode::OK, "{claims}: {}", answer.text);
    }
    for scopes in [json!([]), json!(12), json!(null), json!({"history:read": true}), json!(["history"])] {
        for name in ["scope", "scp"] {
            let answer = get(&with(json!({name: scopes})).await, "/v1/sends").await;
            let seen = (answer.status.as_u16(), refusal(&answer));
            assert_eq!(seen, (403, "urn:stafett:problem:scope".to_owned()), "{name}: {scopes}");
        }
    }
    for number in [json!([ORGANISER]), json!(12.5), json!(null), json!({"a": 1}), json!(true)] {
        let claims = json!({"scope": ["history:read"], "organisation_number": number});
        let answer = get(&with(claims).await, "/v1/sends").await;
        let seen = (answer.status.as_u16(), refusal(&answer));
        assert_eq!(seen, (403, "urn:stafett:problem:no-organiser".to_owned()), "{number}");
    }
    stack.finish(0).await;
}

/// Subjects are often e-mail addresses: a colleague with `history:read` does not see who asked for a send.
#[tokio::test]
async fn who_asked_for_a_send_is_seen_by_themselves_and_with_history_personal() {
    let stack = TestStack::start().await;
    let whose = async |sub: &str, scope: &str| {
        token(&stack, &[("organisation_number", ORGANISER), ("sub", sub), ("scope", scope)]).await
    };
    let (anna, bo) = ("anna.andersson@example.se", "bo.ek@example.se");
    let annas = whose(anna, "sends:write history:read").await;
    let body = class(63).to_string();
    let post = async |token: &str, path: &str, body: &str| {
        let call = stack.call(Method::POST, path).bearer_auth(token).header("idempotency-key", "who");
        stack.request(call.body(body.to_owned())).await
    };
    let accepted = post(&annas, "/v1/sends", &body).await;
    assert_eq!(accepted.json()["requestedBy"], anna, "{}", accepted.text);
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    stack.ended(&id).await;

    let others = whose(bo, "sends:write history:read").await;
    let reads = ["/v1/sends".to_owned(), format!("/v1/sends/{id}"), "/v1/jobs".to_owned()];
    let shown = async |token: &str| {
        let mut shown = Vec::new();
        for path in &reads {
            let answer = stack.request(stack.call(Method::GET, path).bearer_auth(token)).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let whole = answer.json();
            let one = whole["items"].get(0).unwrap_or(&whole);
            shown.push((one["requestedBy"].clone(), one["masked"].clone()));
            assert_eq!(answer.text.contains(anna), one["requestedBy"] == anna, "{path}: {}", answer.text);
        }
        shown
    };
    assert_eq!(shown(&others).await, vec![(Value::Null, json!(true)); 3]);
    assert_eq!(shown(&annas).await, vec![(json!(anna), json!(false)); 3]);
    assert_eq!(shown(&whose(bo, "history:personal").await).await, vec![(json!(anna), json!(false)); 3]);
    // Nor is it shown to a colleague who calls with the same key, or cancels.
    let repeated = post(&others, "/v1/sends", &body).await;
    assert_eq!((repeated.status, &repeated.json()["requestedBy"]), (StatusCode::ACCEPTED, &Value::Null));
    let cancelled = post(&others, &format!("/v1/sends/{id}/cancel"), "{}").await;
    assert!(!cancelled.text.contains(anna), "{}", cancelled.text);
    stack.finish(0).await;
}
