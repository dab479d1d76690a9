use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, quick, refusal};
use super::sample;
use crate::{Kind, Limits, Rule};

fn header(answer: &reqwest::Response, name: &str) -> f64 {
    answer.headers()[name].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_sixth_call_at_once_is_one_too_many() {
    // So slow that nothing is added while the test runs.
    let limits = Limits { calls_per_second: 0.01, ..quick() };
    let caller = Caller::start(limits).await;
    let job = caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    for left in (0..4).rev() {
        let answer = caller.get(&format!("/persons/bulk/jobs/{job}/isCompleted")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-remaining"], left.to_string().as_str());
    }
    assert!(caller.rules().is_empty());

    let answer = caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "0");
    assert!(header(&answer, "x-ratelimit-reset") > 400.0);
    let (status, entry) = refusal(answer).await;
    assert_eq!((status, &entry["id"]), (429, &json!("5021")));
    assert_eq!(caller.rules(), [Rule::Rate]);

    // Tokens are another server's business.
    let other = Caller::of(caller.simulator.clone(), "2120000142").await;
    assert_eq!(other.bulk(Kind::Persons, &[]).await.status(), 429, "one bucket for all organisations");
    assert_eq!(caller.rules(), [Rule::Rate, Rule::Rate]);
}

#[tokio::test]
async fn waiting_for_the_reset_is_enough() {
    let caller = Caller::start(Limits { calls_per_second: 10.0, ..quick() }).await;
    let refused = loop {
        let answer = caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
        if answer.status() == 429 {
            break answer;
        }
    };
    assert_eq!(header(&refused, "x-ratelimit-limit"), 10.0);
    let reset = header(&refused, "x-ratelimit-reset");
    assert!(reset > 0.0 && reset <= 0.5, "{reset}");
    tokio::time::sleep(Duration::from_secs_f64(reset)).await;
    assert_eq!(caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 202);
}

#[tokio::test]
async fn limits_can_change_while_it_runs() {
    let caller = Caller::start(Limits { calls_per_second: 0.01, ..quick() }).await;
    for _ in 0..5 {
        caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    }
    assert_eq!(caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 429);
    caller.simulator.set_limits(Limits { max_body_bytes: 10, ..quick() });
    assert_eq!(caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await.status(), 413);
}

#[tokio::test]
async fn a_body_may_have_200_000_bytes_and_no_more() {
    let caller = Caller::start(quick()).await;
    let padded = |bytes: usize| {
        let mut person = sample::person(Uuid::new_v4());
        person["middleName"] = json!("");
        let empty = json!({"data": [person]}).to_string().len();
        person["middleName"] = json!("x".repeat(bytes - empty));
        person
    };
    assert_eq!(caller.bulk(Kind::Persons, &[padded(200_000)]).await.status(), 202);
    assert!(caller.rules().is_empty());

    let (status, entry) = refusal(caller.bulk(Kind::Persons, &[padded(200_001)]).await).await;
    assert_eq!((status, &entry["id"]), (413, &json!("5020")));
    let sizes: Vec<usize> = caller.simulator.calls().iter().skip(1).map(|call| call.request_bytes).collect();
    assert_eq!(sizes, [200_000, 200_001]);
    assert_eq!(caller.rules(), [Rule::Size]);
}

#[tokio::test]
async fn a_call_takes_the_time_it_is_given() {
    let call_time = Duration::from_millis(30);
    let caller = Caller::start(Limits { call_time, ..quick() }).await;
    let job = caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    caller.job(Kind::Persons, job).await;
    let times: Vec<Duration> =
        caller.simulator.calls().iter().map(|call| call.answered_at.duration_since(call.at)).collect();
    assert!(times[0] < times[1] && times[1] >= call_time && times[2] >= call_time, "{times:?}");
}

#[tokio::test]
async fn concurrent_calls_are_recorded_in_order_of_arrival() {
    let caller = Caller::start(Limits { call_time: Duration::from_millis(5), ..quick() }).await;
    let records: [Value; 4] = std::array::from_fn(|_| sample::person(Uuid::new_v4()));
    let [a, b, c, d] =
        records.each_ref().map(|record| caller.bulk(Kind::Persons, std::slice::from_ref(record)));
    let _answers = tokio::join!(a, b, c, d);
    let calls = caller.simulator.calls();
    assert_eq!(calls.len(), 5);
    assert!(calls.is_sorted_by_key(|call| call.at));
}
