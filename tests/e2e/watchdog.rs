//! The watchdog: what it does when it has too little time, and what an operator orders by it.

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::certificate::KeyKind;
use stafett_simulator::{Simulator, TlsVersions};

use crate::federation::Federation;
use crate::people::class;
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, job, limits, statuses};
use crate::storage::tamper;

/// Invokes the watchdog as the AWS CLI does. Says whether it failed.
async fn invoke(stack: &TestStack, event: &Value) -> (bool, Value) {
    let path = "/2015-03-31/functions/watchdog/invocations";
    let answer = stack.request(stack.call(Method::POST, path).body(event.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (answer.headers.contains_key("x-amz-function-error"), answer.json())
}

async fn stop(stack: &TestStack, which: Value) -> Value {
    let (failed, answer) = invoke(stack, &json!({"stop": which})).await;
    assert!(!failed, "{answer}");
    answer
}

fn stopping(sends: &[(&str, &String)]) -> Value {
    let sends: Vec<_> = sends
        .iter()
        .map(|(organisation, send)| json!({"organisation": organisation, "send": send}))
        .collect();
    json!({"stopping": sends, "complete": true})
}

async fn shown(stack: &TestStack, organisation: &str, id: &str) -> Value {
    stack.get_as(organisation, ALL_SCOPES, &format!("/v1/sends/{id}")).await.json()
}

/// Until Skolverket has a job of it: a batch is open.
async fn until_open(stack: &TestStack, organisation: &str) {
    stack
        .until("a batch is open", async || {
            let calls = stack.skolverket.calls();
            let taken = |call: &stafett_simulator::Call| {
                call.organisation.as_deref() == Some(organisation) && call.status == 202
            };
            calls.iter().any(taken).then_some(())
        })
        .await;
}

#[tokio::test]
async fn an_operator_stops_one_send_or_all_of_an_organisers_and_nobody_elses() {
    let stack = TestStack::start().await;
    let (one, other) = ("5560000201", "5560000202");
    stack.skolverket.hold_jobs(true);
    let first = stack.send_as(one, &class(7700)).await;
    let second = stack.send_as(one, &class(7701)).await;
    // The same records: had it gone, it would supersede the second.
    let third = stack.send_as(one, &class(7701)).await;
    let elsewhere = stack.send_as(other, &class(7703)).await;
    until_open(&stack, one).await;

    // One that waits ends at once.
    let answer = stop(&stack, json!({"organisation": one, "send": second})).await;
    assert_eq!(answer, stopping(&[(one, &second)]));
    let ended = shown(&stack, one, &second).await;
    assert_eq!((&ended["status"], statuses(&ended)), (&json!("failed"), vec!["notStarted"; 4]));
    for stage in ["users", "activities"] {
        let reason = &job(&ended, stage)["reason"];
        assert_eq!(reason["code"], "stoppedByOperator");
        assert_eq!(reason["guidance"]["who"], "operator");
        assert!(reason["sv"].as_str().unwrap().contains("stoppade sändningen"), "{reason}");
    }
    let (failed, again) = invoke(&stack, &json!({"stop": {"organisation": one, "send": second}})).await;
    assert_eq!((failed, &again["errorMessage"]), (true, &json!("no such send waits or runs")));
    // Another organiser's number is no way to it.
    let (failed, _) = invoke(&stack, &json!({"stop": {"organisation": other, "send": first}})).await;
    assert!(failed);

    // The one that runs stops when what is open has its outcome, and starts no other by its end.
    let answer = stop(&stack, json!({"organisation": one})).await;
    assert_eq!(answer, stopping(&[(one, &third), (one, &first)]));
    assert_eq!(shown(&stack, one, &third).await["status"], "failed");
    assert_eq!(shown(&stack, one, &first).await["stopping"]["code"], "stoppedByOperator");
    stack.skolverket.hold_jobs(false);
    let ended = stack.ended_as(one, &first).await;
    assert_eq!(statuses(&ended), ["failed", "notStarted", "notStarted", "notStarted"], "{ended}");
    assert_eq!(job(&ended, "users")["reason"]["code"], "stoppedByOperator");
    assert_eq!(job(&ended, "users")["counts"]["success"], 8, "what was open was looked after");
    assert_eq!(stack.ended_as(other, &elsewhere).await["status"], "succeeded");

    // Nothing is locked: what never went can be resumed, and others go.
    let token = stack.token(one, ALL_SCOPES).await;
    let resume = stack.call(Method::POST, &format!("/v1/sends/{second}/resume")).bearer_auth(&token);
    let resumed = stack.request(resume.header("idempotency-key", "again")).await;
    assert_eq!(resumed.status, 202, "{}", resumed.text);
    let resumed = resumed.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(stack.ended_as(one, &resumed).await["status"], "succeeded");
    assert_eq!(stop(&stack, json!({"organisation": one})).await, stopping(&[]));
    stack.finish(0).await;
}

#[tokio::test]
async fn an_operator_stops_all_sends_there_are() {
    let stack = TestStack::start().await;
    let organisers = ["5560000203", "5560000204"];
    stack.skolverket.hold_jobs(true);
    let mut sends = Vec::new();
    for (organisation, series) in organisers.into_iter().zip([7710, 7712]) {
        for series in [series, series + 1] {
            sends.push((organisation, stack.send_as(organisation, &class(series)).await));
        }
        until_open(&stack, organisation).await;
    }
    for wrong in [json!({}), json!({"allOrganisers": true, "organisation": "5560000203"}), json!("all")] {
        let (failed, answer) = invoke(&stack, &json!({"stop": wrong})).await;
        assert!(failed, "{answer}");
    }
    let answer = stop(&stack, json!({"allOrganisers": true})).await;
    assert_eq!(answer["stopping"].as_array().unwrap().len(), 4, "{answer}");
    stack.skolverket.hold_jobs(false);
    for (organisation, id) in &sends {
        let ended = stack.ended_as(organisation, id).await;
        assert_eq!(ended["status"], "failed", "{ended}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn the_watchdog_says_first_what_runs_and_ends_before_its_time_is_over() {
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &[]).await;
    // Each step that is sent again costs some tries: more than there is time for.
    let throttled = json!([{"call": "dynamodb.UpdateItem", "times": u32::MAX, "fault": "throttle"}]);
    stack.put_faults("watchdog", &throttled).await;
    let mut sends = Vec::new();
    for number in 0..8_u16 {
        let organisation = format!("556000021{number}");
        let dies = json!([{"function": "users", "call": "skolverket", "fault": "killBefore"}]);
        stack.put_faults(&organisation, &dies).await;
        let id = stack.send_as(&organisation, &class(7720 + number)).await;
        sends.push((organisation, id));
    }
    let logged_lines = |what: &str| stack.log_text().lines().filter(|line| line.contains(what)).count();
    stack
        .until("the time was over", async || (!stack.events("watchdog.outOfTime").is_empty()).then_some(()))
        .await;
    let process = async || {
        let processes = stack.local("/local/processes").await;
        let mut of_watchdog =
            processes.as_array().unwrap().iter().filter(|one| one["function"] == "watchdog");
        of_watchdog.next().unwrap()["pid"].clone()
    };
    let pid = process().await;
    stack
        .until("it was over again", async || (stack.events("watchdog.outOfTime").len() > 1).then_some(()))
        .await;
    assert_eq!(process().await, pid, "it ended by itself");

    // It dies over the first of them, each time; how many run is known all the same.
    let dies = json!([{"call": "dynamodb.UpdateItem", "times": u32::MAX, "fault": "killBefore"}]);
    stack.put_faults("watchdog", &dies).await;
    let deaths = async || {
        let calls = stack.calls("watchdog").await;
        calls.iter().filter(|call| call["fault"] == "killBefore").count()
    };
    stack.until("it has died", async || (deaths().await > 0).then_some(())).await;
    let before = logged_lines(r#""RunningSends":8.0"#);
    stack.until("it counts", async || (logged_lines(r#""RunningSends":8.0"#) > before).then_some(())).await;
    stack.put_faults("watchdog", &json!([])).await;
    for (organisation, id) in &sends {
        assert_eq!(stack.ended_as(organisation, id).await["status"], "succeeded");
    }
    stack.finish(0).await;
}

/// The number of log lines that hold this.
fn logged(stack: &TestStack, what: &str) -> usize {
    stack.log_text().lines().filter(|line| line.contains(what)).count()
}

/// Until this has been logged once more.
async fn until_logged_again(stack: &TestStack, what: &str) {
    let before = logged(stack, what);
    stack.until(what, async || (logged(stack, what) > before).then_some(())).await;
}

/// Changes an attribute of an item.
async fn set(stack: &TestStack, (pk, sk): (&str, &str), name: &str, value: &Value) {
    let change = json!({
        "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": {"#name": name},
        "ExpressionAttributeValues": {":value": value},
    });
    tamper(stack, "UpdateItem", (pk, sk), &change).await;
}

/// Accepts a send whose start is never queued: only the watchdog moves it. Gives its id.
async fn accept_unqueued(stack: &TestStack, organisation: &str, series: u16) -> String {
    let lost =
        json!([{"function": "api", "call": "sqs.SendMessage", "times": u32::MAX, "fault": "cutBefore"}]);
    stack.put_faults(organisation, &lost).await;
    let key = format!("unqueued-{series}");
    stack.post(organisation, &key, class(series).to_string()).await;
    stack.put_faults(organisation, &json!([])).await;
    let sends = stack.get_as(organisation, ALL_SCOPES, "/v1/sends").await.json();
    sends["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Until a call of the watchdog has met a fault.
async fn until_failed(stack: &TestStack, call: &str) {
    let failed = |seen: &Value| seen["call"].as_str().unwrap().starts_with(call) && !seen["fault"].is_null();
    stack.until(call, async || stack.calls("watchdog").await.iter().any(failed).then_some(())).await;
}

#[tokio::test]
async fn a_part_of_the_watchdogs_work_that_fails_does_not_stop_the_other_parts() {
    let federation = Federation::new();
    let (settings, _) = federation.holder(ORGANISER, KeyKind::Ec);
    federation.set(ORGANISER, &settings);
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let stack = federation.stack(skolverket, &["--set", "CERTIFICATE_WATCH_MS=1"]).await;

    // The running sends cannot be counted and the certificates cannot be read; overdue steps are queued all the same.
    let failing = json!([
        {"call": "dynamodb.BatchGetItem", "times": u32::MAX, "fault": "throttle"},
        {"call": "ssm", "times": u32::MAX, "fault": "cutBefore"},
    ]);
    stack.put_faults("watchdog", &failing).await;
    let first = accept_unqueued(&stack, ORGANISER, 7740).await;
    assert_eq!(stack.ended(&first).await["status"], "succeeded");
    until_failed(&stack, "dynamodb.BatchGetItem").await;
    until_failed(&stack, "ssm").await;

    // An overdue step cannot be read; sends are counted and certificates read all the same.
    stack
        .put_faults("watchdog", &json!([{"call": "dynamodb", "times": u32::MAX, "fault": "holdBefore"}]))
        .await;
    let second = accept_unqueued(&stack, ORGANISER, 7741).await;
    let job = format!("send#{ORGANISER}#{second}");
    let start = (job.as_str(), "send#job#1");
    set(&stack, start, "status", &json!({"S": "sleeping"})).await;
    stack.put_faults("watchdog", &json!([])).await;
    for what in [
        "an overdue step was not sent again",
        r#""event":"organiser.certificate""#,
        r#""RunningSends":1.0"#,
        "an overdue step was not sent again",
    ] {
        until_logged_again(&stack, what).await;
    }
    set(&stack, start, "status", &json!({"S": "waiting"})).await;
    assert_eq!(stack.ended(&second).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_step_that_cannot_be_read_keeps_no_other_from_being_sent_again() {
    let stack = TestStack::start().await;
    let pause = json!([{"call": "dynamodb.Query", "times": u32::MAX, "fault": "holdBefore"}]);
    stack.put_faults("watchdog", &pause).await;
    let mut sends = Vec::new();
    for (organisation, series) in [("5560000221", 7750), ("5560000222", 7751)] {
        sends.push((organisation, accept_unqueued(&stack, organisation, series).await));
    }
    let [(unreadable, first), (readable, second)] = &sends[..] else { panic!("two") };
    let job = format!("send#{unreadable}#{first}");
    let start = (job.as_str(), "send#job#1");
    set(&stack, start, "status", &json!({"S": "sleeping"})).await;
    stack.put_faults("watchdog", &json!([])).await;
    assert_eq!(stack.ended_as(readable, second).await["status"], "succeeded");
    until_logged_again(&stack, "an overdue step was not sent again").await;
    set(&stack, start, "status", &json!({"S": "waiting"})).await;
    assert_eq!(stack.ended_as(unreadable, first).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn an_order_to_all_says_where_it_was_not_carried_out() {
    let stack = TestStack::start().await;
    stack.skolverket.hold_jobs(true);
    let (unreadable, readable) = ("5560000223", "5560000224");
    let first = stack.send_as(unreadable, &class(7760)).await;
    let second = stack.send_as(readable, &class(7761)).await;
    for organisation in [unreadable, readable] {
        until_open(&stack, organisation).await;
    }
    let organiser = format!("org#{unreadable}");
    let organiser = (organiser.as_str(), "organiser");
    set(&stack, organiser, "nextSeq", &json!({"S": "many"})).await;
    let answer = stop(&stack, json!({"allOrganisers": true})).await;
    assert_eq!(answer["stopping"], stopping(&[(readable, &second)])["stopping"]);
    assert_eq!(answer["complete"], false);
    let (failed, _) = invoke(&stack, &json!({"stop": {"organisation": unreadable}})).await;
    assert!(failed, "one that is named cannot be passed over");
    set(&stack, organiser, "nextSeq", &json!({"N": "2"})).await;
    let answer = stop(&stack, json!({"allOrganisers": true})).await;
    assert_eq!(answer["complete"], true);
    assert!(
        answer["stopping"].as_array().unwrap().contains(&json!({"organisation": unreadable, "send": first}))
    );
    stack.skolverket.hold_jobs(false);
    for (organisation, id) in [(unreadable, &first), (readable, &second)] {
        assert_eq!(stack.ended_as(organisation, id).await["status"], "failed");
    }
    stack.finish(0).await;
}
