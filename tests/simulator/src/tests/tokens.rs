use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, quick, refusal, token_request};
use super::sample;
use crate::{CallKind, Kind, Limits, Rule, Simulator};

#[tokio::test]
async fn a_token_is_issued_and_good_for_the_api() {
    let caller = Caller::start(quick()).await;
    let request = token_request(&caller.simulator, ORGANISATION);
    let answer = caller.client.post(caller.simulator.token_url()).json(&request).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    let token = &answer["access_token"];
    assert_ne!(token["value"], json!(caller.token), "each is another");
    assert_eq!(token["expires_in"], 36_000);
    assert_eq!(token["flags"], json!(["bearer"]));
    assert_eq!(token["access"], request["access_token"][0]["access"]);

    assert_eq!(caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 202);
    let calls = caller.simulator.calls();
    let shown: Vec<_> = calls.iter().map(|call| (call.call, call.organisation.as_deref())).collect();
    let who = Some(ORGANISATION);
    assert_eq!(shown, [(CallKind::Token, who), (CallKind::Token, who), (CallKind::Bulk, who)]);
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn token_requests_are_refused_in_their_own_shape() {
    let simulator = Simulator::start(quick()).await.unwrap();
    let client = reqwest::Client::new();
    let ask = async |request: Value| {
        let answer = client.post(simulator.token_url()).json(&request).send().await.unwrap();
        let status = answer.status().as_u16();
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["error"]["code"].is_string() && answer["error"]["description"].is_string());
        status
    };
    assert_eq!(ask(token_request(&simulator, "unknown")).await, 401);
    assert!(simulator.violations().is_empty());

    assert_eq!(ask(json!({})).await, 400);
    assert_eq!(simulator.violations().len(), 1);
    assert_eq!(simulator.violations()[0].rule, Rule::Token);
}

#[tokio::test]
async fn a_token_for_another_location_is_issued_but_refused_by_the_api() {
    let simulator = Simulator::start(quick()).await.unwrap();
    let mut request = token_request(&simulator, ORGANISATION);
    request["access_token"][0]["access"][0]["locations"] = json!(["https://elsewhere.example.se"]);
    let client = reqwest::Client::new();
    let answer = client.post(simulator.token_url()).json(&request).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let token: Value = answer.json().await.unwrap();
    let token = token["access_token"]["value"].as_str().unwrap().to_owned();
    assert_eq!(simulator.violations().len(), 1);

    let caller = Caller { token, client, simulator };
    let (status, entry) = refusal(caller.bulk(Kind::Persons, &[]).await).await;
    assert_eq!((status, &entry["id"]), (403, &json!("5002")));
    assert_eq!(caller.rules(), [Rule::Token, Rule::Token]);
}

#[tokio::test]
async fn calls_without_a_good_token_are_refused_and_judged() {
    let mut caller = Caller::start(quick()).await;
    let bare = caller.client.post(caller.url("/persons/bulk?updateIfExists=true")).json(&json!({"data": []}));
    let (status, entry) = refusal(bare.send().await.unwrap()).await;
    assert_eq!((status, &entry["id"]), (403, &json!("5002")));

    let (header, rest) = caller.token.split_once('.').unwrap();
    caller.token = format!("{header}.x{rest}");
    let (status, _) = refusal(caller.bulk(Kind::Persons, &[]).await).await;
    assert_eq!(status, 403);
    let job = caller.get(&format!("/persons/bulk/jobs/{}", Uuid::new_v4())).send().await.unwrap();
    assert_eq!(job.status(), 403);
    assert_eq!(caller.rules(), [Rule::Token; 3]);
    assert!(caller.simulator.calls().iter().skip(1).all(|call| call.organisation.is_none()));
}

#[tokio::test]
async fn a_token_that_just_expired_is_refused_without_blame() {
    let caller = Caller::start(Limits { token_life: Duration::ZERO, ..quick() }).await;
    let (status, entry) = refusal(caller.bulk(Kind::Persons, &[]).await).await;
    assert_eq!((status, &entry["id"]), (403, &json!("5002")));
    assert!(caller.rules().is_empty());
}
