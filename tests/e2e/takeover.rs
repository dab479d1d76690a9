//! Holders that die: their steps are taken up again, at growing intervals. A disturbance that ends all of them for some
//! minutes fails nobody's send; a step that kills every holder stops its own send, and only that.

use jiff::Timestamp;
use serde_json::{Value, json};
use stafett_simulator::Simulator;

use crate::people::{Size, class, send};
use crate::stack::{ALL_SCOPES, TestStack, counts, job, roomy, statuses};

const STAGES: [&str; 4] = ["users", "duties", "groups", "activities"];

/// How a send ended, without what differs from run to run.
fn ending(send: &Value) -> Value {
    let jobs = STAGES.map(|stage| {
        let job = job(send, stage);
        json!([stage, job["status"], job["counts"], job["reason"]])
    });
    json!([send["status"], jobs])
}

/// The processes that were killed at work for an organiser, since its rules were put.
async fn killed(stack: &TestStack, organisation: &str) -> usize {
    stack.calls(organisation).await.iter().filter(|call| !call["fault"].is_null()).count()
}

async fn until_killed(stack: &TestStack, organisation: &str, times: usize) {
    let what = format!("{times} holders of {organisation} have died");
    stack.until(&what, async || (killed(stack, organisation).await >= times).then_some(())).await;
}

async fn start(arguments: &[&str]) -> TestStack {
    TestStack::start_with(Simulator::start(roomy()).await.unwrap(), arguments).await
}

/// Three in a row: on AWS the third one dies some eight minutes after the first, and the fourth would half an hour after.
#[tokio::test]
async fn a_disturbance_that_ends_every_holder_for_ten_minutes_fails_nobodys_send() {
    let stack = start(&[]).await;
    let undisturbed = stack.send(&class(7600)).await;
    let undisturbed = ending(&stack.ended(&undisturbed).await);
    assert_eq!(undisturbed[0], "succeeded");
    let mut sends = Vec::new();
    for number in 0..4_u16 {
        let organisation = format!("556000010{number}");
        let rules = json!([{"call": "skolverket", "times": u32::MAX, "fault": "killBefore"}]);
        stack.put_faults(&organisation, &rules).await;
        let id = stack.send_as(&organisation, &class(7601 + number)).await;
        sends.push((organisation, id));
    }
    for (organisation, _) in &sends {
        until_killed(&stack, organisation, 3).await;
    }
    for (organisation, _) in &sends {
        stack.put_faults(organisation, &json!([])).await;
    }
    for (organisation, id) in &sends {
        let ended = stack.ended_as(organisation, id).await;
        assert_eq!(ending(&ended), undisturbed, "{ended}");
    }
    stack.finish(0).await;
}

/// Found by a random schedule (seed 700882): three processes die in the same step of duties, every message comes twice.
#[tokio::test]
async fn three_deaths_in_the_same_step_are_no_end() {
    let stack = start(&[]).await;
    let organisation = "5560000110";
    let rules = json!([
        {"function": "duties", "call": "skolverket", "times": 3, "fault": "killAfter"},
        {"call": "sqs.Send", "times": u32::MAX, "fault": "duplicate"},
    ]);
    stack.put_faults(organisation, &rules).await;
    let id = stack.send_as(organisation, &class(7610)).await;
    let ended = stack.ended_as(organisation, &id).await;
    assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    assert_eq!(counts(&ended, "duties"), "total 2, success 2");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_step_that_kills_every_holder_stops_its_send_and_only_that_after_six_over_the_whole_span() {
    const SPAN_MS: i64 = 50_000;
    let span = format!("UNFINISHED_SPAN_MS={SPAN_MS}");
    let stack = start(&["--set", "RETAKE_PAUSES_MS=0,100,200,300,400", "--set", &span]).await;
    // A step of a batch: six die before its call. Were there a seventh call, it would pass.
    let of_batch = "5560000120";
    let dies = json!([{"function": "duties", "call": "skolverket", "times": 6, "fault": "killBefore"}]);
    stack.put_faults(of_batch, &dies).await;
    let poisoned = stack.send_as(of_batch, &class(7620)).await;
    let behind = stack.send_as(of_batch, &class(7621)).await;
    // The start of a job that has no batches: six die when they end it.
    let of_start = "5560000121";
    let ends = "dynamodb.TransactWriteItems";
    let dies = json!([{"function": "duties", "call": ends, "nth": 2, "times": 6, "fault": "killBefore"}]);
    stack.put_faults(of_start, &dies).await;
    let no_duties = send(Size { students: 3, teachers: 0, groups: 1, series: 7622 });
    let start = stack.send_as(of_start, &no_duties).await;
    let other = "5560000122";
    let beside = stack.send_as(other, &class(7623)).await;
    assert_eq!(stack.ended_as(other, &beside).await["status"], "succeeded");

    for (organisation, id, duties) in
        [(of_batch, &poisoned, "total 2, unknown 2"), (of_start, &start, "total 0")]
    {
        let ended = stack.ended_as(organisation, id).await;
        assert_eq!(statuses(&ended), ["succeeded", "failed", "notStarted", "notStarted"], "{ended}");
        let job = job(&ended, "duties");
        assert_eq!(job["reason"]["code"], "unfinished");
        assert_eq!(counts(&ended, "duties").trim_end_matches("total 0"), duties.trim_end_matches("total 0"));
        assert_eq!(killed(&stack, organisation).await, 6, "{organisation}");
        let time = |name: &str| job[name].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
        assert!(time("endedAt") - time("startedAt") >= SPAN_MS, "{job}");
    }
    assert_eq!(stack.ended_as(of_batch, &behind).await["status"], "succeeded");
    stack.finish(0).await;
}

/// A start that dies before its claim, each time: nobody claimed it, and that is waited for as long as an outage is.
#[tokio::test]
async fn a_send_whose_first_step_nobody_claims_fails_after_the_deadline_and_the_next_one_runs() {
    let stack = start(&["--set", "DEADLINE_MS=15000"]).await;
    let organisation = "5560000125";
    let dies = json!([{"function": "users", "call": "dynamodb", "times": u32::MAX, "fault": "killBefore"}]);
    stack.put_faults(organisation, &dies).await;
    let id = stack.send_as(organisation, &class(7625)).await;
    let behind = stack.send_as(organisation, &class(7626)).await;
    let ended = stack.ended_as(organisation, &id).await;
    stack.put_faults(organisation, &json!([])).await;
    assert_eq!((&ended["status"], statuses(&ended)), (&json!("failed"), vec!["notStarted"; 4]), "{ended}");
    assert_eq!(job(&ended, "users")["reason"]["code"], "deadline");
    assert_eq!(job(&ended, "duties")["reason"]["code"], "earlierJob");
    assert_eq!(stack.ended_as(organisation, &behind).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn the_pause_after_dead_holders_holds_for_every_message() {
    let stack = start(&["--set", "RETAKE_PAUSES_MS=0,3600000"]).await;
    let organisation = "5560000130";
    let dies = json!([{"function": "users", "call": "skolverket", "times": 2, "fault": "killBefore"}]);
    stack.put_faults(organisation, &dies).await;
    let id = stack.send_as(organisation, &class(7630)).await;
    until_killed(&stack, organisation, 2).await;
    let deliver = async |n: u32| {
        let step = json!({"kind": "submit", "batch": 0, "try": 1, "n": n});
        let message =
            json!({"v": 1, "organisation": organisation, "send": id, "stage": "users", "step": step});
        stack.queue("Users", &message.to_string()).await;
    };
    let put_off = async |times: usize| {
        let why = "its holder died, and it is taken up again later";
        stack
            .until("messages were put off", async || {
                (stack.log_text().matches(why).count() >= times).then_some(())
            })
            .await;
    };
    // The second one's claim still lasts: one copy comes back once it has expired.
    deliver(1).await;
    put_off(1).await;
    // This step's, an older one's, and those of the dead, which SQS delivers again.
    for n in [1, 1, 0, 1] {
        deliver(n).await;
    }
    put_off(6).await;
    let calls = stack.calls(organisation).await;
    let to_skolverket = calls.iter().filter(|call| call["call"].as_str().unwrap().starts_with("skolverket"));
    assert_eq!(to_skolverket.count(), 2, "nobody took it up");
    let send = stack.get_as(organisation, ALL_SCOPES, &format!("/v1/sends/{id}")).await.json();
    assert_eq!(send["status"], "running", "{send}");
    // No message goes round meanwhile.
    stack.finish(0).await;
}
