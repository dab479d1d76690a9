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

#[tokio::test]
async fn a_token_is_signed_with_a_key_that_the_server_publishes() {
    let caller = Caller::start(quick()).await;
    let keys = caller.simulator.token_url().replace("/transaction", "/.well-known/jwks.json");
    let keys: Value = caller.client.get(keys).send().await.unwrap().json().await.unwrap();
    let jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_required_spec_claims(&["exp", "nbf"]);
    let claims = jsonwebtoken::decode::<Value>(&caller.token, &key, &validation).unwrap().claims;
    assert_eq!(claims["organization_id"], format!("SE{ORGANISATION}"));
    assert!(caller.simulator.calls().iter().all(|call| call.call == CallKind::Token));
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn another_environment_takes_the_tokens_that_are_made_for_it_and_no_other() {
    let production = Simulator::start(quick()).await.unwrap();
    let verification = production.start_verification(quick()).await.unwrap();
    assert_eq!(verification.token_url(), production.token_url());
    let for_production = Caller::of(production.clone(), ORGANISATION).await;
    let for_verification = Caller::of(verification.clone(), ORGANISATION).await;
    assert_eq!(for_verification.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 202);
    let wrong = Caller { simulator: verification.clone(), ..for_production };
    assert_eq!(wrong.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 403);
    assert_eq!(wrong.rules(), [Rule::Token]);
    assert!(production.violations().is_empty());
}
