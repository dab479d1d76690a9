use serde_json::json;
use uuid::Uuid;

use super::caller::{Caller, quick, refusal};
use super::sample;
use crate::{Kind, Rule};

#[tokio::test]
async fn a_stage_that_does_not_wait_is_out_of_order() {
    let caller = Caller::start(quick()).await;
    let (person, duty) = (Uuid::new_v4(), Uuid::new_v4());
    let persons = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
    caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert!(caller.rules().is_empty(), "several jobs of one kind are good");

    let duties = caller.accepted(Kind::Duties, &[sample::duty(duty, person)]).await;
    // One for each of the two jobs, one for the person whose outcome nobody has read.
    assert_eq!(caller.rules(), [Rule::Order; 3]);
    let found = caller.simulator.violations();
    assert!(found[0].what.contains(&persons.to_string()), "{}", found[0]);
    assert!(found[2].what.contains(&person.to_string()) && found[2].what.contains(&duty.to_string()));

    // Backwards too: persons while the duties are open.
    caller.outcomes(Kind::Duties, duties).await;
    caller.outcomes(Kind::Persons, persons).await;
    assert_eq!(caller.rules().len(), 3);
}

#[tokio::test]
async fn an_open_later_stage_keeps_an_earlier_one_waiting() {
    let caller = Caller::start(quick()).await;
    caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    assert_eq!(caller.rules(), [Rule::Order]);
}

#[tokio::test]
async fn neither_is_completed_nor_a_pending_answer_counts_as_read() {
    let caller = Caller::start(quick()).await;
    caller.simulator.hold_jobs(true);
    let person = Uuid::new_v4();
    let job = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
    caller.job(Kind::Persons, job).await;
    tokio::time::sleep(quick().job_time).await;
    caller.simulator.hold_jobs(false);
    caller.get(&format!("/persons/bulk/jobs/{job}/isCompleted")).send().await.unwrap();
    caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[person])]).await;
    assert_eq!(caller.rules(), [Rule::Order]);
}

#[tokio::test]
async fn organisations_do_not_wait_for_each_other() {
    let caller = Caller::start(quick()).await;
    let other = Caller::of(caller.simulator.clone(), "2120000142").await;
    caller.accepted(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    other.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    assert!(caller.rules().is_empty());
}

#[tokio::test]
async fn unknown_attributes_are_named_with_their_record() {
    let caller = Caller::start(quick()).await;
    let id = Uuid::new_v4();
    let mut person = sample::person(id);
    person["enrolments"][0]["unitCode"] = json!("marked");
    person["provisioningStatus"] = json!(true);
    caller.sent(Kind::Persons, &[person]).await;
    let body = json!({"data": [sample::person(Uuid::new_v4())], "extra": "marked"});
    caller.post("/persons/bulk?updateIfExists=true").json(&body).send().await.unwrap();

    assert_eq!(caller.rules(), [Rule::UnknownAttribute; 3]);
    let shown: Vec<String> = caller.simulator.violations().iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("enrolments[].unitCode") && shown[0].contains(&id.to_string()), "{}", shown[0]);
    assert!(shown[1].contains("provisioningStatus"));
    assert!(shown[2].contains("extra"));
    assert!(shown.iter().all(|what| !what.contains("marked")));
}

#[tokio::test]
async fn bodies_that_are_no_bulk_call_are_refused() {
    let caller = Caller::start(quick()).await;
    let path = "/persons/bulk?updateIfExists=true";
    for body in ["{", "[]", "{}", r#"{"data": {}}"#, r#"{"data": []}"#, r#"{"data": [{"id": "x"}]}"#] {
        let call = caller.post(path).header("content-type", "application/json").body(body);
        assert_eq!(refusal(call.send().await.unwrap()).await.0, 400, "{body}");
    }
    assert_eq!(caller.rules(), [Rule::Body; 6]);

    let text = json!({"data": [sample::person(Uuid::new_v4())]}).to_string();
    assert_eq!(caller.post(path).body(text).send().await.unwrap().status(), 202);
    assert_eq!(caller.rules(), [Rule::Body; 7], "the content type is missing");
}

#[tokio::test]
async fn queries_are_judged() {
    let caller = Caller::start(quick()).await;
    let post = async |query: &str| {
        let body = json!({"data": [sample::person(Uuid::new_v4())]});
        caller.post(&format!("/persons/bulk{query}")).json(&body).send().await.unwrap()
    };
    assert_eq!(post("?updateIfExists=true&other=1").await.status(), 202);
    assert_eq!(post("").await.status(), 202);
    let (status, entry) = refusal(post("?updateIfExists=yes").await).await;
    assert_eq!(
        (status, &entry["id"], &entry["parameterName"]),
        (400, &json!("2025"), &json!("updateIfExists"))
    );
    assert_eq!(caller.rules(), [Rule::Query; 3]);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_and_judged() {
    let caller = Caller::start(quick()).await;
    let answer = caller.bulk(Kind::Persons, &[sample::person(Uuid::new_v4())]).await;
    let location = answer.headers()["location"].to_str().unwrap();
    let followed = caller.client.get(location).bearer_auth(&caller.token).send().await.unwrap();
    assert_eq!(refusal(followed).await.0, 404, "the old base path");
    assert_eq!(refusal(caller.get("/persons").send().await.unwrap()).await.0, 404);
    assert_eq!(refusal(caller.get("/persons/bulk").send().await.unwrap()).await.0, 405);
    assert_eq!(caller.rules(), [Rule::Path, Rule::Path, Rule::Method]);
}

#[tokio::test]
async fn no_debug_output_shows_what_was_sent() {
    let caller = Caller::start(quick()).await;
    let mut person = sample::person(Uuid::new_v4());
    person["familyName"] = json!("Marked");
    person["eduPersonPrincipalNames"] = json!(["marked@edu.example.se"]);
    caller.sent(Kind::Persons, &[person]).await;
    let calls = caller.simulator.calls();
    assert!(calls[1].request.as_ref().unwrap().to_string().contains("Marked"));
    let shown = format!("{calls:?} {:?} {:?}", caller.simulator.violations(), caller.simulator);
    assert!(!shown.contains("arked"));
    assert!(!shown.contains(&caller.token));
}
