//! Answers that are correct but unusual.

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, outcome, quick, refusal};
use super::cut_calls::carried_out;
use super::sample;
use crate::{Fault, FaultTarget, Kind, Oddity, RetryAfter, Rule};

/// The answer to a poll of a finished job of a person, with that oddity: media type and bytes.
async fn odd(oddity: Oddity) -> (String, Vec<u8>) {
    let caller = Caller::start(quick()).await;
    let job = caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    caller.outcomes(Kind::Persons, job).await;
    caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, Fault::Odd(oddity));
    let answer = caller.get(&format!("/persons/bulk/jobs/{job}")).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(caller.rules().is_empty());
    (kind, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_body_can_be_encoded_in_many_ways() {
    assert_eq!(odd(Oddity::MediaType("text/plain")).await.0, "text/plain");
    for (oddity, head) in [
        (Oddity::ByteOrderMark, [0xef, 0xbb, 0xbf].as_slice()),
        (Oddity::Utf16, &[0xff, 0xfe, b'{', 0]),
        (Oddity::Utf16BigEndian, &[0, b'{', 0, b'"']),
        (Oddity::Gzip, &[0x1f, 0x8b]),
    ] {
        let (kind, body) = odd(oddity).await;
        assert_eq!(kind, "application/json");
        assert!(body.starts_with(head), "{oddity:?}");
    }
    let (_, long) = odd(Oddity::Long(100_000)).await;
    assert_eq!(long.len(), 100_000);
    assert!(serde_json::from_slice::<Value>(&long).unwrap()["responses"].is_array());
}

#[tokio::test]
async fn a_bulk_call_can_be_accepted_in_other_words() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    let target = || FaultTarget::bulk(Kind::Persons);
    caller.simulator.fault(target(), 1, Fault::Odd(Oddity::Success(200)));
    caller.simulator.fault(target(), 1, Fault::Odd(Oddity::LocationEnd("/?a=b")));
    let answer = caller.bulk(Kind::Persons, &[sample::person(person)]).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<Value>().await.unwrap()["jobId"].is_string());
    let answer = caller.bulk(Kind::Persons, &[sample::person(person)]).await;
    assert!(answer.headers()["location"].to_str().unwrap().ends_with("/?a=b"));
    assert!(answer.json::<Value>().await.unwrap()["jobId"].is_null());
}

#[tokio::test]
async fn entries_can_be_changed_and_come_beside_others() {
    let caller = Caller::start(quick()).await;
    let (person, other) = (Uuid::new_v4(), Uuid::new_v4());
    caller.simulator.change_entry(person, "/response/statusCode", json!("201"));
    caller.simulator.add_entry(person, json!({"id": person, "response": {"status": "Error"}}));
    let job = caller.accepted(Kind::Persons, &[sample::person(person), sample::person(other)]).await;
    let outcomes = caller.outcomes(Kind::Persons, job).await;
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[0]["response"]["statusCode"], "201");
    assert_eq!(outcomes[2]["response"]["status"], "Error");
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn what_could_not_be_read_does_not_count_as_read() {
    for (fault, change) in [(Some(Oddity::Long(12_000_001)), None), (None, Some("/id"))] {
        let caller = Caller::start(quick()).await;
        let person = Uuid::new_v4();
        let job = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
        carried_out(&caller.simulator, Kind::Persons, person).await;
        if let Some(oddity) = fault {
            caller.simulator.fault(FaultTarget::job(Kind::Persons), 1, Fault::Odd(oddity));
        }
        if let Some(place) = change {
            caller.simulator.change_entry(person, place, Value::Null);
        }
        caller.job(Kind::Persons, job).await;
        let duty = sample::duty(Uuid::new_v4(), person);
        caller.bulk(Kind::Duties, &[duty]).await;
        assert!(caller.rules().contains(&Rule::Order), "{fault:?} {change:?}");
    }
}

#[tokio::test]
async fn a_refusal_can_say_when_to_come_back() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    let target = || FaultTarget::bulk(Kind::Persons);
    caller.simulator.fault(target(), 1, Fault::TooManyUntil(RetryAfter::Seconds(6)));
    caller.simulator.fault(target(), 1, Fault::UnavailableUntil(RetryAfter::Date(6)));
    let mut answers = Vec::new();
    for status in [429, 503] {
        let answer = caller.bulk(Kind::Persons, &[sample::person(person)]).await;
        assert_eq!(answer.status().as_u16(), status);
        assert!(!answer.headers().contains_key("x-ratelimit-reset"));
        answers.push(answer.headers()["retry-after"].to_str().unwrap().to_owned());
    }
    assert_eq!(answers[0], "6");
    assert!(
        answers[1].ends_with(" GMT") && answers[1].len() == "Mon, 23 Nov 2026 08:00:06 GMT".len(),
        "{}",
        answers[1]
    );
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 201)]);
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn a_culprit_can_be_named_in_capitals() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    let fault = Fault::BadRequestInCapitals { culprit: person };
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons), 1, fault);
    let (status, entry) = refusal(caller.bulk(Kind::Persons, &[sample::person(person)]).await).await;
    assert_eq!((status, &entry["resourceId"]), (400, &json!(person.to_string().to_uppercase())));
}
