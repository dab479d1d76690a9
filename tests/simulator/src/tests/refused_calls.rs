//! Faults by which a call is refused.

use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, outcome, quick, refusal, token_request};
use super::sample;
use crate::{CallKind, Fault, FaultTarget, Kind, Limits, Simulator};

/// The answer to a bulk call with that fault, of one new person; then nothing has come of it.
async fn refused(fault: Fault) -> Response {
    let mut caller = Caller::start(quick()).await;
    caller.client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, fault);
    let person = Uuid::new_v4();
    let answer = caller.bulk(Kind::Persons, &[sample::person(person)]).await;
    // No job is open, and a repeat is the first to be carried out.
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[person])]).await;
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 201)]);
    assert_eq!(caller.simulator.times_sent(person), 2);
    assert!(caller.rules().is_empty(), "{fault:?}");
    let call = &caller.simulator.calls()[1];
    assert_eq!((call.status, call.fault), (answer.status().as_u16(), Some(fault)));
    answer
}

#[tokio::test]
async fn limits_tokens_and_outages_answer_as_the_real_ones() {
    for (fault, status, id) in [
        (Fault::RateLimited { reset: None }, 429, "5021"),
        (Fault::TokenExpired, 403, "5002"),
        (Fault::TooLarge, 413, "5020"),
        (Fault::ServerError, 500, "5004"),
        (Fault::Unavailable, 503, "5022"),
    ] {
        let answer = refused(fault).await;
        let has_headers = answer.headers().contains_key("x-ratelimit-remaining");
        assert_eq!(has_headers, fault != Fault::Unavailable, "{fault:?}");
        let (given, entry) = refusal(answer).await;
        assert_eq!((given, &entry["id"]), (status, &json!(id)));
    }
}

#[tokio::test]
async fn a_rate_limit_has_the_reset_that_it_is_given() {
    let answer = refused(Fault::RateLimited { reset: Some(0.5) }).await;
    assert_eq!(answer.headers()["x-ratelimit-reset"], "0.5");
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "0");
    let answer = refused(Fault::RateLimited { reset: None }).await;
    assert!(!answer.headers().contains_key("x-ratelimit-reset"));
}

#[tokio::test]
async fn a_bad_request_names_a_record_a_parameter_or_nothing() {
    let culprit = Uuid::new_v4();
    let (status, entry) = refusal(refused(Fault::BadRequest { culprit: Some(culprit) }).await).await;
    assert_eq!((status, &entry["resourceType"]), (400, &json!("Person")));
    assert_eq!(entry["resourceId"], json!(culprit));
    assert!(entry["parameterName"].is_null());

    let (status, entry) = refusal(refused(Fault::BadRequest { culprit: None }).await).await;
    assert_eq!(status, 400);
    assert!(entry["resourceId"].is_null() && entry["parameterName"].is_null());

    let (status, entry) = refusal(refused(Fault::BadParameter).await).await;
    assert_eq!((status, &entry["parameterName"]), (400, &json!("updateIfExists")));
}

#[tokio::test]
async fn a_proxy_answers_with_html_or_with_nothing() {
    let answer = refused(Fault::Html(502)).await;
    assert_eq!(answer.status(), 502);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    for status in [204, 302, 401, 418, 599] {
        let answer = refused(Fault::Status(status)).await;
        assert_eq!(answer.status().as_u16(), status);
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        assert_eq!(location.as_deref(), (status == 302).then_some("https://elsewhere.example.se/"));
        assert!(answer.text().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn rules_choose_among_calls() {
    let caller = Caller::start(quick()).await;
    let other = Caller::of(caller.simulator.clone(), "2120000142").await;
    let marked = Uuid::new_v4();
    let of_other = FaultTarget::bulk(Kind::Persons).of("2120000142");
    let with_record = FaultTarget::calls(CallKind::Bulk).containing(marked);
    caller.simulator.fault(of_other, u32::MAX, Fault::Unavailable);
    caller.simulator.fault(with_record, 1, Fault::TooLarge);
    let status = async |caller: &Caller, id| {
        caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4()), sample::person(id)]).await.status()
    };
    assert_eq!(status(&caller, Uuid::new_v4()).await, 202);
    assert_eq!(status(&other, marked).await, 503, "the first rule that matches");
    assert_eq!(status(&caller, marked).await, 413);
    assert_eq!(status(&caller, marked).await, 202);
    assert_eq!(status(&other, Uuid::new_v4()).await, 503);
    caller.simulator.clear_faults();
    assert_eq!(status(&other, marked).await, 202);
    assert_eq!(caller.simulator.times_sent(marked), 4, "whoever sends it");
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_true_rate_violation_is_one_and_uses_no_rule() {
    let caller = Caller::start(Limits { calls_per_second: 0.01, ..quick() }).await;
    for _ in 0..5 {
        caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    }
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::CutBefore);
    assert_eq!(caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 429);
    assert_eq!(caller.rules().len(), 1);
    assert_eq!(caller.simulator.calls().last().unwrap().fault, None);
}

#[tokio::test]
async fn job_calls_can_be_refused_and_leave_the_job_unread() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    let job = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
    caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, Fault::ServerError);
    caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, Fault::BadParameter);
    let path = format!("/persons/bulk/jobs/{job}");
    assert_eq!(refusal(caller.get(&path).send().await.unwrap()).await.0, 500);
    assert_eq!(refusal(caller.get(&path).send().await.unwrap()).await.1["parameterName"], json!("id"));
    assert!(caller.rules().is_empty());
    caller.accepted(Kind::Duties, &[sample::duty(Uuid::new_v4(), person)]).await;
    assert_eq!(caller.rules().len(), 1, "what refers to it is still too early");
}

#[tokio::test]
async fn a_job_whose_calls_are_refused_for_good_may_be_given_up() {
    let caller = Caller::start(quick()).await;
    let job = caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    caller.simulator.fault(FaultTarget::job(Kind::Groups), 1, Fault::Status(401));
    let answer = caller.get(&format!("/groups/bulk/jobs/{job}")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    // The next send.
    caller.sent(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn the_authorization_server_fails_in_its_own_shape() {
    let simulator = Simulator::start(quick()).await.unwrap();
    let client = reqwest::Client::new();
    let target = || FaultTarget::calls(CallKind::Token).of(ORGANISATION);
    let ask = async |organisation| {
        let request = token_request(&simulator, organisation);
        client.post(simulator.token_url()).json(&request).send().await
    };
    for (fault, status) in [
        (Fault::RateLimited { reset: Some(1.0) }, 429),
        (Fault::Unavailable, 503),
        (Fault::ServerError, 500),
        (Fault::BadParameter, 400),
    ] {
        simulator.fault(target(), 1, fault);
        assert_eq!(ask("2120000142").await.unwrap().status(), 200, "another's");
        let answer = ask(ORGANISATION).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["error"]["code"].is_string(), "{answer}");
    }
    simulator.fault(target(), 1, Fault::CutAfter);
    assert!(ask(ORGANISATION).await.is_err());
    assert_eq!(ask(ORGANISATION).await.unwrap().status(), 200);
    assert!(simulator.violations().is_empty());
}

#[tokio::test]
async fn while_down_everything_answers_503() {
    let caller = Caller::start(quick()).await;
    let (person, request) = (Uuid::new_v4(), token_request(&caller.simulator, ORGANISATION));
    let job = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
    caller.simulator.set_down(true);
    let bulk = caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert!(!bulk.headers().contains_key("x-ratelimit-remaining"));
    assert_eq!(refusal(bulk).await.1["id"], "5022");
    let job_call = caller.get(&format!("/persons/bulk/jobs/{job}")).send().await.unwrap();
    assert_eq!(refusal(job_call).await.0, 503);
    let token = caller.client.post(caller.simulator.token_url()).json(&request).send().await.unwrap();
    assert_eq!(token.status(), 503);

    caller.simulator.set_down(false);
    caller.outcomes(Kind::Persons, job).await;
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), [person]);
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn expired_tokens_are_refused_without_blame_and_new_ones_are_good() {
    let caller = Caller::start(quick()).await;
    caller.simulator.expire_tokens();
    for _ in 0..2 {
        let (status, entry) = refusal(caller.bulk(Kind::Persons, &[]).await).await;
        assert_eq!((status, &entry["id"]), (403, &json!("5002")));
    }
    let renewed = Caller::of(caller.simulator.clone(), ORGANISATION).await;
    assert_eq!(renewed.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 202);
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_slow_call_is_carried_out_and_answered_late() {
    let caller = Caller::start(quick()).await;
    let time = Duration::from_millis(60);
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::Slow(time));
    caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, Fault::Slow(time));
    let from = Instant::now();
    let sent = caller.sent(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert_eq!(sent, [outcome("Success", 201)]);
    assert!(from.elapsed() >= time * 2);
    assert!(caller.rules().is_empty());
}
