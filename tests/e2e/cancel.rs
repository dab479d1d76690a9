//! Cancelling: nothing more is submitted, what is open is polled to its end.

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::CallKind;

use crate::answer::Answer;
use crate::people::{Size, class, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, counts, job, statuses};

pub(crate) async fn cancel_as(stack: &TestStack, organisation: &str, scope: &str, id: &str) -> Answer {
    let token = stack.token(organisation, scope).await;
    stack.request(stack.call(Method::POST, &format!("/v1/sends/{id}/cancel")).bearer_auth(token)).await
}

pub(crate) async fn cancel(stack: &TestStack, id: &str) -> Answer {
    cancel_as(stack, ORGANISER, ALL_SCOPES, id).await
}

fn bulk_calls(stack: &TestStack) -> usize {
    stack.skolverket.calls().iter().filter(|call| call.call == CallKind::Bulk).count()
}

#[tokio::test]
async fn a_running_send_stops_when_what_is_open_has_its_outcome_and_the_next_one_runs() {
    let stack = TestStack::start().await;
    stack.skolverket.hold_jobs(true);
    // Six batches of persons, of which four may be open at once.
    let running = stack.send(&send(Size { students: 2000, teachers: 1200, groups: 20, series: 70 })).await;
    let waiting = stack.send(&class(71)).await;
    let last = stack.send(&class(72)).await;
    stack.until("four batches are open", async || (bulk_calls(&stack) == 4).then_some(())).await;

    // One that waits ends at once.
    let answer = cancel(&stack, &waiting).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]),
        (202, &json!("cancelled")),
        "{}",
        answer.text
    );
    let cancelled = stack.get(&format!("/v1/sends/{waiting}")).await;
    assert_eq!(statuses(&cancelled), ["notStarted"; 4]);
    assert_eq!(job(&cancelled, "users")["reason"]["code"], "cancelled");
    assert_eq!(counts(&cancelled, "users"), "total 8, notSent 8");

    // One that runs says that it is stopping, and does so when its open batches have their outcome.
    let answer = cancel(&stack, &running).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let stopping = answer.json();
    assert_eq!(
        (&stopping["status"], &stopping["stopping"]["code"]),
        (&json!("running"), &json!("cancelled"))
    );
    assert_eq!(cancel(&stack, &running).await.status, 202, "a repeat is answered alike");
    stack.skolverket.hold_jobs(false);
    let ended = stack.ended(&running).await;
    assert_eq!((&ended["status"], &ended["stopping"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(statuses(&ended), ["cancelled", "notStarted", "notStarted", "notStarted"]);
    let users = &job(&ended, "users")["counts"];
    assert_eq!(users["pending"], 0);
    assert!(users["success"].as_u64() > Some(0) && users["notSent"].as_u64() > Some(0), "{users}");
    let sent = users["success"].as_u64().unwrap() + users["notSent"].as_u64().unwrap();
    assert_eq!(sent, 3200, "every record has the outcome that it has");

    assert_eq!(stack.ended(&last).await["status"], "succeeded");
    // Four of the first send, four of the last.
    assert_eq!(bulk_calls(&stack), 8);
    let again = cancel(&stack, &last).await;
    assert_eq!((again.status.as_u16(), &again.json()["type"]), (409, &json!("urn:stafett:problem:ended")));
    stack.finish(0).await;
}

#[tokio::test]
async fn only_who_may_send_may_cancel() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(73)).await;
    assert_eq!(cancel_as(&stack, ORGANISER, "history:read history:personal", &id).await.status, 403);
    assert_eq!(cancel_as(&stack, "5560000001", ALL_SCOPES, &id).await.status, 404);
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    stack.finish(0).await;
}
