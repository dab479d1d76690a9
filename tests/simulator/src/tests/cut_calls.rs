//! Faults by which the caller does not learn what it started.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, outcome, quick};
use super::sample;
use crate::{Fault, FaultTarget, Kind, Rule, Simulator};

/// A bulk call that has no answer: the client's error.
async fn failed(caller: &Caller, kind: Kind, records: &[Value]) -> reqwest::Error {
    let call = caller.post(&format!("/{kind}/bulk?updateIfExists=true")).json(&json!({"data": records}));
    call.send().await.unwrap_err()
}

/// Until the record has been accepted.
pub(super) async fn carried_out(simulator: &Simulator, kind: Kind, record: Uuid) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !simulator.stored(ORGANISATION, kind).contains(&record) {
        assert!(Instant::now() < deadline, "it was never carried out");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn cut_before_nothing_is_carried_out() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 2, Fault::CutBefore);
    for _ in 0..2 {
        let error = failed(&caller, Kind::Persons, &[sample::person(person)]).await;
        assert!(error.is_request() && error.status().is_none() && !error.is_timeout(), "{error:?}");
    }
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 201)]);
    assert_eq!(caller.simulator.times_sent(person), 3, "no client repeats it by itself");
    let calls = caller.simulator.calls();
    assert_eq!(calls[1..4].iter().map(|call| call.status).collect::<Vec<_>>(), [0, 0, 202]);
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn cut_after_the_job_goes_on_and_a_repeat_updates() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::CutAfter);
    let error = failed(&caller, Kind::Persons, &[sample::person(person)]).await;
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    carried_out(&caller.simulator, Kind::Persons, person).await;

    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 200)]);
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), [person]);
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[person])]).await;
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_body_that_is_cut_off_has_a_status_and_no_end() {
    let caller = Caller::start(quick()).await;
    // Small, and larger than any buffer on the way.
    for count in [1, 2000] {
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
        let group = |id: &Uuid| sample::group(*id, &[]);
        let groups: Vec<Value> = ids.iter().map(group).collect();
        caller.simulator.set_limits(crate::Limits { max_body_bytes: 4_000_000, ..quick() });
        caller.simulator.fault(FaultTarget::bulk(Kind::Groups), 1, Fault::CutOffBody);
        let answer = caller.bulk(Kind::Groups, &groups).await;
        assert_eq!(answer.status(), 202);
        assert!(answer.headers().contains_key("location"));
        assert!(answer.content_length().unwrap() > 0);
        let error = answer.bytes().await.unwrap_err();
        assert!(error.is_body() || error.is_decode(), "{error:?}");
        carried_out(&caller.simulator, Kind::Groups, ids[count - 1]).await;

        let job = caller.accepted(Kind::Groups, &groups).await;
        caller.simulator.fault(FaultTarget::job(Kind::Groups), 1, Fault::CutOffBody);
        let answer = caller.get(&format!("/groups/bulk/jobs/{job}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.is_err());
        assert_eq!(caller.outcomes(Kind::Groups, job).await.len(), count);
    }
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn outcomes_that_did_not_arrive_are_not_read() {
    for fault in [Fault::CutAfter, Fault::CutOffBody, Fault::CutBefore] {
        let caller = Caller::start(quick()).await;
        let person = Uuid::new_v4();
        let job = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
        carried_out(&caller.simulator, Kind::Persons, person).await;
        caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, fault);
        let answer = caller.get(&format!("/persons/bulk/jobs/{job}")).send().await;
        let body = match answer {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        assert!(body.is_err(), "{fault:?}");
        caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
        assert_eq!(caller.rules(), [Rule::Order], "{fault:?}");
    }
}

#[tokio::test]
async fn a_job_id_can_be_missing_from_the_body_or_at_all() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    let target = || FaultTarget::bulk(Kind::Persons);
    caller.simulator.fault(target(), 1, Fault::NoJobId);
    caller.simulator.fault(target(), 1, Fault::NoJobIdAtAll);
    let answer = caller.bulk(Kind::Persons, &[sample::person(person)]).await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    assert!(body["jobId"].is_null() && body["message"].is_string());
    let job: Uuid = location.rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(caller.outcomes(Kind::Persons, job).await.len(), 1);

    let other = Uuid::new_v4();
    let answer = caller.bulk(Kind::Persons, &[sample::person(other)]).await;
    assert_eq!(answer.status(), 202);
    assert!(!answer.headers().contains_key("location"));
    assert!(answer.json::<Value>().await.unwrap()["jobId"].is_null());
    carried_out(&caller.simulator, Kind::Persons, other).await;
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_known_job_without_job_id_in_the_body_is_to_be_waited_for() {
    let caller = Caller::start(quick()).await;
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::NoJobId);
    caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    assert_eq!(caller.rules(), [Rule::Order]);
}

#[tokio::test]
async fn going_on_without_a_repeat_is_out_of_order() {
    for fault in [Fault::CutAfter, Fault::NoJobIdAtAll] {
        let caller = Caller::start(quick()).await;
        let person = Uuid::new_v4();
        caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, fault);
        let body = json!({"data": [sample::person(person)]});
        drop(caller.post("/persons/bulk?updateIfExists=true").json(&body).send().await);
        // What has nothing to do with it may be another send's.
        caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
        assert!(caller.rules().is_empty(), "{fault:?}");
        caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[person])]).await;
        assert_eq!(caller.rules(), [Rule::Order], "{fault:?}");
    }
}

#[tokio::test]
async fn a_record_of_a_hidden_job_may_be_refused_by_the_repeat() {
    let caller = Caller::start(quick()).await;
    let (good, bad) = (Uuid::new_v4(), Uuid::new_v4());
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::CutAfter);
    let culprit = Fault::BadRequest { culprit: Some(bad) };
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons).containing(bad), u32::MAX, culprit);
    let both = [good, bad].map(sample::person);
    failed(&caller, Kind::Persons, &both).await;
    assert_eq!(caller.bulk(Kind::Persons, &both).await.status(), 400);
    caller.sent(Kind::Persons, &both[..1]).await;
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[good, bad])]).await;
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_caller_that_hangs_up_cannot_know_the_job() {
    let caller = Caller::start(quick()).await;
    let slow = Fault::Slow(Duration::from_secs(600));
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, slow);
    let body = json!({"data": [sample::person(Uuid::new_v4())]});
    let call = caller.post("/persons/bulk?updateIfExists=true").json(&body);
    let error = call.timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());

    let deadline = Instant::now() + Duration::from_secs(20);
    while caller.simulator.calls().len() < 2 {
        assert!(Instant::now() < deadline, "the call never ended");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let calls = caller.simulator.calls();
    assert_eq!((calls[1].status, calls[1].fault), (0, Some(slow)));
    assert!(calls[1].request.is_some() && calls[1].response.is_none());
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    assert!(caller.rules().is_empty());
}
