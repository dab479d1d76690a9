//! Undocumented answers: what can be read of them counts, record by record; what cannot be read is reported as
//! unreadable, not as an outage.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Fault, FaultTarget, Kind, Log, Oddity, RetryAfter, ScriptedOutcome};
use uuid::Uuid;

use crate::faults::assert_true;
use crate::people::{Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, counts, first_attempt, job, statuses};

/// A row as `outcome status-code ids-of-messages texts-of-messages unknown-status`.
fn summary(row: &Value) -> String {
    let messages = row["messages"].as_array().unwrap();
    let of =
        |name: &str| messages.iter().map(|message| message[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
    let unknown = row["unknownStatus"].as_str().unwrap_or("-");
    let outcome = row["outcome"].as_str().unwrap();
    format!(
        "{outcome} {} [{}] [{}] {unknown}",
        row["statusCode"],
        of("id").join(","),
        of("message").join(",")
    )
}

/// What Skolverket says of a record that it refuses: one message.
fn refusal() -> ScriptedOutcome {
    ScriptedOutcome::Error(Log::new("2011", 400, "Ogiltigt format", "Fel.").attribute("eppn", "x"))
}

#[tokio::test]
async fn what_is_odd_about_one_record_costs_no_other_its_outcome() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 24, teachers: 1, groups: 1, series: 2100 });
    let person = |index| record_id(&body, "persons", index);
    let skolverket = &stack.skolverket;
    let accepted = |name: &str, value: Value, row| (format!("/response/{name}"), value, false, row);
    let refused = |name: &str, value: Value, row| (format!("/response/{name}"), value, true, row);
    // What is changed in each record's entry, whether it is refused, and what its row shows then.
    let mut odd = vec![
        accepted("status", json!("Rejected"), "unknown 201 [] [] Rejected"),
        accepted("status", Value::Null, "unknown 201 [] [] null"),
        accepted("status", json!(["Success"]), r#"unknown 201 [] [] ["Success"]"#),
        accepted("status", json!("SUCCESS"), "success 201 [] [] -"),
        refused("status", json!("error"), "error 400 [2011] [Fel.] -"),
        accepted("statusCode", json!("201"), "success 201 [] [] -"),
        accepted("statusCode", json!(201.0), "success 201 [] [] -"),
        accepted("statusCode", json!(0), "success null [] [] -"),
        accepted("statusCode", json!(-1), "success null [] [] -"),
        accepted("statusCode", json!(100_000), "success null [] [] -"),
        accepted("warnings", json!(7), "success 201 [] [7] -"),
        accepted("location", json!({"a": [1]}), "success 201 [] [] -"),
        refused("errors", json!({"id": 2011, "message": "Ensam."}), "error 400 [2011] [Ensam.] -"),
        refused("errors", json!(["En text."]), "error 400 [] [En text.] -"),
        refused("errors", Value::Null, "error 400 [] [] -"),
        refused("errors/0/message", Value::Null, "error 400 [2011] [] -"),
        refused("errors/0/message", json!(12), "error 400 [2011] [12] -"),
        refused("errors/0/attributeName", json!(["a"]), "error 400 [2011] [Fel.] -"),
        refused("errors/0/resourceId", json!(17), "error 400 [2011] [Fel.] -"),
        refused("errors/0/statusCode", json!("no"), "error 400 [2011] [Fel.] -"),
    ];
    let capitals = person(odd.len()).to_string().to_uppercase();
    odd.push(("/id".to_owned(), json!(capitals), false, "success 201 [] [] -"));
    for (index, (place, value, is_refused, _)) in odd.iter().enumerate() {
        if *is_refused {
            skolverket.script(person(index), refusal());
        }
        skolverket.change_entry(person(index), place, value.clone());
    }
    // Entries that are nobody's; and two about one record.
    for id in [Value::Null, json!("no UUID"), json!(17), json!(Uuid::new_v4())] {
        skolverket.add_entry(person(22), json!({"id": id, "response": {"status": "Error"}}));
    }
    skolverket.script(person(23), ScriptedOutcome::warning());
    let other =
        json!({"status": "Error", "statusCode": 409, "errors": [{"id": "4009", "message": "Finns."}]});
    skolverket.add_entry(person(23), json!({"id": person(23), "response": other}));

    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "failed");
    assert_eq!(counts(&ended, "users"), "total 25, success 12, error 10, unknown 3");
    let path = format!("/v1/sends/{id}/jobs/users");
    let rows = stack.get(&format!("{path}/records?limit=100")).await["items"].clone();
    for (index, (place, value, _, expected)) in odd.iter().enumerate() {
        assert_eq!(summary(&rows[index]), *expected, "{place} {value}");
    }
    assert_eq!(summary(&rows[22]), "success 201 [] [] -");
    assert_eq!(summary(&rows[23]), "error 409 [3047,4009] [Federationsanvändarnamnet bör ändras.,Finns.] -");
    // The answer is shown whole, and the guidance says that it is not known.
    let whole = stack.get(&format!("{path}/records/{}", person(0))).await;
    assert_eq!(whole["answers"][0]["response"]["status"], "Rejected");
    let action = "/guidance/meaning/en";
    assert!(
        whole.pointer(action).unwrap().as_str().unwrap().contains("a status that the system does not know")
    );
    let capitals = stack.get(&format!("{path}/records/{}", person(20))).await;
    assert_eq!(capitals["answers"].as_array().map(Vec::len), Some(1));
    let both = stack.get(&format!("{path}/records/{}", person(23))).await;
    assert_eq!(both["answers"].as_array().map(Vec::len), Some(2));
    let causes = stack.get(&path).await["causes"].clone();
    let unknown: Vec<_> =
        causes.as_array().unwrap().iter().filter(|cause| cause["outcome"] == "unknown").collect();
    assert_eq!((unknown.len(), &unknown[0]["count"]), (1, &json!(3)));
    assert_eq!(unknown[0]["guidance"], whole["guidance"]);

    // A status may hold anything: it is for those who may see personal data.
    let masked = stack.get_as(ORGANISER, "history:read", &format!("{path}/records?outcome=unknown")).await;
    assert_eq!(masked.json()["items"].as_array().map(Vec::len), Some(3));
    assert!(!masked.text.contains("Rejected") && !masked.text.contains("unknownStatus"), "{}", masked.text);
    stack.finish(0).await;
}

fn first_cause(send: &Value) -> Option<String> {
    job(send, "users").pointer("/waitingForSkolverketCause/code")?.as_str().map(str::to_owned)
}

/// How often a metric was printed.
async fn metric(stack: &TestStack, name: &str) -> u64 {
    let metrics = stack.local("/local/metrics").await;
    let series = metrics.as_array().unwrap().iter().filter(|series| series["name"] == name);
    series.map(|series| series["count"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn an_unreadable_answer_is_not_reported_as_an_outage() {
    let stack = TestStack::start().await;
    stack.skolverket.fault(FaultTarget::job(Kind::Persons), u32::MAX, Fault::Html(200));
    let id = stack.send(&class(2101)).await;
    let path = format!("/v1/sends/{id}");
    let cause = stack.until("it says why it waits", async || first_cause(&stack.get(&path).await)).await;
    assert_eq!(cause, "unreadableAnswer");
    let waiting = stack.get(&path).await;
    let users = job(&waiting, "users");
    assert!(users["waitingForSkolverketSince"].is_string(), "{users}");
    let words = &users["waitingForSkolverketCause"]["guidance"];
    assert!(words["meaning"]["sv"].as_str().unwrap().contains("gick inte att läsa"), "{words}");
    let attempts = stack.get(&format!("{path}/jobs/users/attempts?limit=100")).await["items"].clone();
    let poll = attempts.as_array().unwrap().iter().find(|attempt| attempt["call"] == "poll").unwrap();
    assert_eq!((&poll["status"], &poll["guidance"]), (&json!(200), words));
    let unreadable = stack
        .until("it is counted", async || {
            Some(metric(&stack, "SkolverketUnreadable").await).filter(|count| *count > 0)
        })
        .await;
    assert!(unreadable > 0);
    assert_eq!(metric(&stack, "SkolverketUnavailable").await, 0);

    // The other way round.
    stack.skolverket.clear_faults();
    stack.skolverket.fault(FaultTarget::job(Kind::Persons), u32::MAX, Fault::CutBefore);
    stack
        .until("it says that Skolverket cannot be reached", async || {
            first_cause(&stack.get(&path).await).filter(|cause| cause == "notReached")
        })
        .await;
    stack.skolverket.clear_faults();
    let ended = stack.ended(&id).await;
    assert_eq!((&ended["status"], first_cause(&ended)), (&json!("succeeded"), None));
    assert!(metric(&stack, "SkolverketUnavailable").await > 0);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_cancelled_send_does_not_wait_for_ever_for_an_answer_that_can_be_read() {
    let stack = TestStack::start().await;
    stack.skolverket.fault(FaultTarget::job(Kind::Persons), u32::MAX, Fault::Html(200));
    // One that is not cancelled goes on asking, for longer than three answers.
    let another = "5560002107";
    let (id, other) = (stack.send(&class(2102)).await, stack.send_as(another, &class(2103)).await);
    let path = format!("/v1/sends/{id}");
    stack.until("it waits", async || first_cause(&stack.get(&path).await)).await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let cancel = stack.call(Method::POST, &format!("{path}/cancel")).bearer_auth(token);
    assert_eq!(stack.request(cancel).await.status, 202);
    let ended = stack.ended(&id).await;
    assert_eq!(statuses(&ended), ["cancelled", "notStarted", "notStarted", "notStarted"]);
    assert_eq!(counts(&ended, "users"), "total 8, unknown 8");
    assert_true(&stack, ORGANISER, &id, "given up").await;
    let polls = async || {
        let path = format!("/v1/sends/{other}/jobs/users/attempts?limit=100");
        let attempts = stack.get_as(another, ALL_SCOPES, &path).await.json();
        attempts["items"].as_array().unwrap().iter().filter(|attempt| attempt["call"] == "poll").count()
    };
    stack.until("the other has asked more often", async || (polls().await > 4).then_some(())).await;
    stack.skolverket.clear_faults();
    assert_eq!(stack.ended_as(another, &other).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn an_answer_of_many_megabytes_is_read_and_one_of_too_many_is_refused_in_words() {
    let stack = TestStack::start().await;
    let long = |bytes| Fault::Odd(Oddity::Long(bytes));
    stack.skolverket.fault(FaultTarget::job(Kind::Persons), 1, long(9_000_000));
    let id = stack.send(&class(2104)).await;
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "succeeded");
    let path = format!("/v1/sends/{id}/jobs/users/attempts");
    let attempts = stack.get(&format!("{path}?limit=100")).await["items"].clone();
    let last = attempts.as_array().unwrap().iter().find(|attempt| attempt["responseBytes"] == 9_000_000);
    assert!(last.is_some(), "{attempts}");

    stack.skolverket.fault(FaultTarget::job(Kind::Persons), u32::MAX, long(17 * 1024 * 1024));
    let id = stack.send(&class(2105)).await;
    let ended = stack.ended(&id).await;
    let users = job(&ended, "users");
    assert_eq!((&ended["status"], &users["reason"]["code"]), (&json!("failed"), &json!("unreadableAnswer")));
    assert_eq!(counts(&ended, "users"), "total 8, unknown 8");
    let attempts = stack.get(&format!("/v1/sends/{id}/jobs/users/attempts?limit=100")).await["items"].clone();
    let words = attempts[0]["guidance"]["meaning"]["en"].as_str().unwrap();
    assert!(words.contains("larger than the system can read"), "{words}");
    stack.finish(0).await;
}

#[tokio::test]
async fn skolverkets_pause_is_kept_whichever_header_has_it() {
    let stack = TestStack::start().await;
    // Longer than the pauses of this pace. A date has whole seconds: up to one less.
    let waits = [
        ("5560002110", Fault::TooManyUntil(RetryAfter::Seconds(4)), Duration::from_secs(4)),
        ("5560002111", Fault::TooManyUntil(RetryAfter::Date(5)), Duration::from_secs(4)),
        ("5560002112", Fault::UnavailableUntil(RetryAfter::Seconds(4)), Duration::from_secs(4)),
        ("5560002113", Fault::UnavailableUntil(RetryAfter::Date(5)), Duration::from_secs(4)),
    ];
    for (number, (organisation, fault, wait)) in waits.into_iter().enumerate() {
        stack.skolverket.fault(FaultTarget::bulk(Kind::Persons).of(organisation), 1, fault);
        let series = 2110 + u16::try_from(number).unwrap();
        let id = stack.send_as(organisation, &class(series)).await;
        assert_eq!(stack.ended_as(organisation, &id).await["status"], "succeeded");
        let calls = stack.skolverket.calls();
        let [refused, taken] = calls
            .iter()
            .filter(|call| call.call == CallKind::Bulk && call.kind == Some(Kind::Persons))
            .filter(|call| call.organisation.as_deref() == Some(organisation))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_else(|calls: Vec<_>| panic!("{} calls", calls.len()));
        assert_eq!(refused.fault, Some(fault));
        let waited = taken.at.duration_since(refused.at);
        assert!(waited >= wait, "{fault:?}: {waited:?}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_gateways_page_is_shown_with_its_call() {
    let stack = TestStack::start().await;
    stack.skolverket.fault(FaultTarget::bulk(Kind::Persons), 1, Fault::Html(200));
    let id = stack.send(&class(2106)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let first = first_attempt(&stack, &id, "users").await;
    let attempt = stack.get(&format!("/v1/sends/{id}/jobs/users/attempts/{first}")).await;
    assert_eq!(attempt["status"], 200);
    assert!(attempt["response"].as_str().unwrap().starts_with("<!DOCTYPE html>"), "{attempt}");
    assert!(
        attempt["guidance"]["meaning"]["en"].as_str().unwrap().contains("could not be read"),
        "{attempt}"
    );
    stack.finish(0).await;
}
