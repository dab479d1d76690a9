use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, job_id, quick, refusal};
use super::sample;
use crate::{CallKind, Kind, Rule, Simulator};

#[tokio::test]
async fn a_job_is_pending_until_it_completes() {
    let caller = Caller::start(quick()).await;
    caller.simulator.hold_jobs(true);
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    let answer = caller.bulk(Kind::Persons, &ids.map(sample::person)).await;
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let job: Uuid = body["jobId"].as_str().unwrap().parse().unwrap();
    assert!(body["message"].is_string());
    assert!(location.ends_with(&format!("/persons/bulk/jobs/{job}")), "{location}");
    assert!(!location.starts_with(&caller.simulator.provisioning_url()), "an old base path");

    let is_completed = async || {
        let answer = caller.get(&format!("/persons/bulk/jobs/{job}/isCompleted")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    tokio::time::sleep(quick().job_time * 2).await;
    let pending = caller.job(Kind::Persons, job).await;
    assert_eq!(pending["jobId"], json!(job));
    for (id, response) in ids.iter().zip(pending["responses"].as_array().unwrap()) {
        assert_eq!(response["id"], json!(id));
        assert_eq!(response["response"], json!({"status": "Pending"}));
        assert!(response["meta"]["created"].is_string() && response["meta"]["modified"].is_string());
    }
    assert_eq!(is_completed().await, json!(false));
    assert!(caller.simulator.stored(ORGANISATION, Kind::Persons).is_empty());

    caller.simulator.hold_jobs(false);
    assert_eq!(is_completed().await, json!(true), "it was due");
    let done = caller.job(Kind::Persons, job).await;
    let first = &done["responses"][0];
    assert_eq!(first["response"]["status"], "Success");
    assert_eq!(first["response"]["statusCode"], 201);
    assert_eq!(first["response"]["errors"], json!([]));
    assert_eq!(first["response"]["warnings"], json!([]));
    assert!(first["response"]["location"].as_str().unwrap().ends_with(&format!("/persons/{}", ids[0])));
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), ids);

    let kinds: Vec<CallKind> = caller.simulator.calls().iter().map(|call| call.call).collect();
    assert_eq!(kinds[..2], [CallKind::Token, CallKind::Bulk]);
    assert!(kinds[2..].iter().all(|kind| *kind == CallKind::Job));
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn jobs_of_others_and_unknown_ones_are_not_found() {
    let caller = Caller::start(quick()).await;
    let job = caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    let other = Caller::of(caller.simulator.clone(), "2120000142").await;
    for (who, path) in [
        (&other, format!("/persons/bulk/jobs/{job}")),
        (&other, format!("/persons/bulk/jobs/{job}/isCompleted")),
        (&caller, format!("/duties/bulk/jobs/{job}")),
        (&caller, format!("/persons/bulk/jobs/{}", Uuid::new_v4())),
    ] {
        let (status, entry) = refusal(who.get(&path).send().await.unwrap()).await;
        assert_eq!((status, &entry["id"]), (404, &json!("4001")), "{path}");
    }
    assert!(caller.rules().is_empty());

    let malformed = caller.get("/persons/bulk/jobs/x").send().await.unwrap();
    let (status, entry) = refusal(malformed).await;
    assert_eq!((status, &entry["id"], &entry["parameterName"]), (400, &json!("2011"), &json!("id")));
    assert_eq!(caller.rules(), [Rule::Path]);
}

#[tokio::test]
async fn only_errors_hides_the_warnings_and_is_judged() {
    let caller = Caller::start(quick()).await;
    let (good, bad) = (Uuid::new_v4(), Uuid::new_v4());
    let mut refused = sample::person(bad);
    refused["enrolments"][0]["schoolYear"] = json!(11);
    let job = job_id(caller.bulk(Kind::Persons, &[sample::person(good), refused]).await).await;
    caller.outcomes(Kind::Persons, job).await;
    let path = format!("/persons/bulk/jobs/{job}?showOnlyError=true");
    let shown: Value = caller.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["responses"].as_array().unwrap().len(), 1);
    assert_eq!(shown["responses"][0]["id"], json!(bad));
    assert_eq!(caller.rules(), [Rule::Query]);
}

#[tokio::test]
async fn the_server_ends_with_its_last_handle_or_when_stopped() {
    let answers = async |url: &str| reqwest::Client::new().get(url).send().await.is_ok();
    let ends = async |url: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while answers(url).await {
            assert!(Instant::now() < deadline, "it still answers");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let simulator = Simulator::start(quick()).await.unwrap();
    let (url, clone) = (simulator.token_url(), simulator.clone());
    drop(simulator);
    assert!(answers(&url).await, "a handle is left");
    drop(clone);
    ends(&url).await;

    let simulator = Simulator::start(quick()).await.unwrap();
    let url = simulator.token_url();
    assert!(answers(&url).await);
    simulator.stop();
    ends(&url).await;
    assert!(!simulator.calls().is_empty(), "what was seen can still be read");
}
