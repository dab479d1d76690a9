//! What reaches Skolverket, in which order, whatever fails.

use std::time::Duration;

use serde_json::{Value, json};
use stafett_simulator::{Call, CallKind, Kind, Limits, Log, ScriptedOutcome, Simulator};

use crate::people::{self, Size, class, record_id};
use crate::stack::{ORGANISER, TestStack, counts, job, limits, statuses};

const STAGES: [(&str, Kind); 4] = [
    ("users", Kind::Persons),
    ("duties", Kind::Duties),
    ("groups", Kind::Groups),
    ("activities", Kind::Activities),
];

fn is_final(call: &Call) -> bool {
    let Some(response) = &call.response else { return false };
    call.call == CallKind::Job
        && response["responses"]
            .as_array()
            .is_some_and(|records| records.iter().all(|record| record["response"]["status"] != "Pending"))
}

/// Asserts that each stage's first bulk call came only after the last final answer of the stage before.
fn assert_in_order(calls: &[Call]) {
    let mut answered = None;
    for (stage, kind) in STAGES {
        let of_kind = |wanted: fn(&Call) -> bool| {
            calls.iter().filter(move |call| call.kind == Some(kind) && wanted(call))
        };
        let first = of_kind(|call| call.call == CallKind::Bulk).map(|call| call.at).min();
        let first = first.unwrap_or_else(|| panic!("no bulk call for {stage}"));
        if let Some(answered) = answered {
            assert!(first >= answered, "{stage} began before the stage before had its last answer");
        }
        answered = of_kind(is_final).map(|call| call.answered_at).max();
        assert!(answered.is_some(), "{stage} had no final answer");
    }
}

#[tokio::test]
async fn the_four_stages_arrive_in_order_and_whole() {
    let stack = TestStack::start().await;
    let body = class(1);
    let id = stack.send(&body).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    assert_eq!(statuses(&send), ["succeeded"; 4]);
    assert_eq!(counts(&send, "users"), "total 8, success 8");
    assert_in_order(&stack.skolverket.calls());
    for ((_, kind), list) in STAGES.into_iter().zip(["persons", "duties", "groups", "activities"]) {
        let sent: Vec<_> =
            (0..body[list].as_array().unwrap().len()).map(|at| record_id(&body, list, at)).collect();
        assert_eq!(stack.skolverket.stored(ORGANISER, kind), sent, "{list}");
    }
    // Codes were turned into Skolverket's ids (shared/README, Skolverket 10).
    let calls = stack.skolverket.calls();
    let bulk =
        |kind| calls.iter().find(|call| call.kind == Some(kind) && call.call == CallKind::Bulk).unwrap();
    let person = &bulk(Kind::Persons).request.as_ref().unwrap()["data"][0];
    assert_eq!(person["enrolments"][0]["enroledAt"], json!({"id": "fb22448b-b724-5e53-8a2c-d8b339206901"}));
    // One bulk and one job call a batch, if the job was done at the first poll; a busy machine may poll later.
    assert_eq!(calls.iter().filter(|call| call.call == CallKind::Bulk).count(), 4);
    assert_eq!(
        calls.iter().filter(|call| call.call == CallKind::Token).count(),
        4,
        "one token a function process"
    );
    stack.finish(0).await;
}

#[tokio::test]
async fn a_refused_student_fails_the_job_and_stops_the_send() {
    let stack = TestStack::start().await;
    let body = class(2);
    let refused = record_id(&body, "persons", 3);
    let log = Log::new("2011", 400, "Ogiltigt format", "Ogiltigt format på <schoolYear>.")
        .attribute("Enrolment.schoolYear", 0);
    stack.skolverket.script(refused, ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "failed");
    assert_eq!(statuses(&send), ["failed", "notStarted", "notStarted", "notStarted"]);
    assert_eq!(counts(&send, "users"), "total 8, success 7, error 1");
    assert_eq!(counts(&send, "duties"), "total 2, notSent 2");
    assert_eq!(job(&send, "users")["reason"]["code"], "recordErrors");
    assert_eq!(job(&send, "duties")["reason"]["code"], "earlierJob");

    let rows = stack.get(&format!("/v1/sends/{id}/jobs/users/records?outcome=error")).await;
    let [row] = rows["items"].as_array().unwrap().as_slice() else { panic!("{rows}") };
    assert_eq!(row["id"], refused.to_string());
    assert_eq!((&row["outcome"], &row["statusCode"]), (&json!("error"), &json!(400)));
    assert_eq!(row["messages"][0]["message"], "Ogiltigt format på <schoolYear>.");
    assert_eq!(row["messages"][0]["attributeName"], "Enrolment.schoolYear");
    let bulk: Vec<_> =
        stack.skolverket.calls().into_iter().filter(|call| call.call == CallKind::Bulk).collect();
    assert_eq!(bulk.len(), 1, "nothing after the failed job was sent");

    // The organiser's next send is not held up by one that failed.
    let next = stack.send(&class(3)).await;
    assert_eq!(stack.ended(&next).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn warnings_pass() {
    let stack = TestStack::start().await;
    let body = class(4);
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::warning());
    let id = stack.send(&body).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeededWithWarnings");
    assert_eq!(statuses(&send), ["succeededWithWarnings", "succeeded", "succeeded", "succeeded"]);
    assert_eq!(counts(&send, "users"), "total 8, success 7, warning 1");
    let rows = stack.get(&format!("/v1/sends/{id}/jobs/users/records?outcome=warning")).await;
    assert_eq!(rows["items"].as_array().unwrap().len(), 1);
    assert_eq!(rows["items"][0]["messages"][0]["id"], "3047");
    stack.finish(0).await;
}

#[tokio::test]
async fn one_organisers_sends_run_one_after_another_and_two_organisers_side_by_side() {
    let stack = TestStack::start().await;
    let other = "5560000001";
    stack.skolverket.hold_jobs(true);
    let bodies = [class(5), class(6), class(7)];
    let first = stack.send(&bodies[0]).await;
    let second = stack.send(&bodies[1]).await;
    let elsewhere = stack.send_as(other, &bodies[2]).await;
    let began = |organisation: &str, body: &Value| {
        let person = body["persons"][0]["id"].clone();
        let organisation = organisation.to_owned();
        stack.skolverket.calls().into_iter().find(move |call| {
            call.call == CallKind::Bulk
                && call.organisation.as_ref() == Some(&organisation)
                && call.request.as_ref().is_some_and(|request| request["data"][0]["id"] == person)
        })
    };
    // Both organisers' first sends are under way while neither can end.
    stack
        .until("both organisers' sends have begun", async || {
            began(ORGANISER, &bodies[0]).and(began(other, &bodies[2])).map(drop)
        })
        .await;
    let waiting = stack.get(&format!("/v1/sends/{second}")).await;
    assert_eq!((&waiting["status"], &waiting["queuePosition"]), (&json!("queued"), &json!(1)));
    assert!(began(ORGANISER, &bodies[1]).is_none());
    stack.skolverket.hold_jobs(false);
    for (organisation, id) in [(ORGANISER, &first), (ORGANISER, &second), (other, &elsewhere)] {
        assert_eq!(stack.ended_as(organisation, id).await["status"], "succeeded");
    }
    let calls = stack.skolverket.calls();
    let last_of_first = calls
        .iter()
        .filter(|call| call.organisation.as_deref() == Some(ORGANISER) && is_final(call))
        .filter(|call| {
            call.response.as_ref().unwrap()["responses"][0]["id"] == bodies[0]["activities"][0]["id"]
        })
        .map(|call| call.answered_at)
        .max()
        .unwrap();
    assert!(began(ORGANISER, &bodies[1]).unwrap().at >= last_of_first);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_killed_stage_function_does_not_keep_a_send_from_succeeding() {
    // Calls take long enough to be met in the middle, and less than their time-out.
    let slow = Limits { call_time: Duration::from_millis(400), ..limits() };
    let stack = TestStack::start_with(Simulator::start(slow).await.unwrap(), &[]).await;
    let mut killed = Vec::new();
    let id = stack.send(&class(8)).await;
    for stage in ["users", "groups"] {
        // The job has started in the history, and its first call is on its way.
        stack
            .until(&format!("the function {stage} is at work"), async || {
                stack.events("job.started").iter().any(|line| line["stage"] == stage).then_some(())
            })
            .await;
        let processes = stack.local("/local/processes").await;
        let mut busy = processes.as_array().unwrap().iter();
        let process = busy.find(|process| process["function"] == stage && process["busy"] == true).unwrap();
        let pid = process["pid"].as_u64().unwrap();
        let status =
            tokio::process::Command::new("kill").args(["-9", &pid.to_string()]).status().await.unwrap();
        assert!(status.success());
        killed.push(pid);
    }
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    let processes = stack.local("/local/processes").await;
    let alive = |pid: &u64| processes.as_array().unwrap().iter().any(|process| process["pid"] == *pid);
    assert!(!killed.iter().any(alive), "{processes}");
    // Somebody else found the expired claim and took the step.
    assert!(!stack.events("step.overdue").is_empty());
    assert_in_order(&stack.skolverket.calls());
    stack.finish(0).await;
}

#[tokio::test]
async fn an_organiser_without_authorization_sees_why_and_the_others_go_on() {
    let settings = tempfile::TempDir::new().unwrap();
    let file = settings.path().join(format!("{ORGANISER}.json"));
    std::fs::write(file, r#"{"entityId": "https://nobody.example.se"}"#).unwrap();
    let skolverket = Simulator::start(limits()).await.unwrap();
    let arguments = ["--organisers", settings.path().to_str().unwrap()];
    let stack = TestStack::start_with(skolverket, &arguments).await;
    let id = stack.send(&class(13)).await;
    let send = stack.ended(&id).await;
    assert_eq!(statuses(&send), ["failed", "notStarted", "notStarted", "notStarted"]);
    let reason = &job(&send, "users")["reason"];
    assert_eq!((&reason["code"], &reason["httpStatus"]), (&json!("authorization"), &json!(401)));
    assert_eq!(counts(&send, "users"), "total 8, notSent 8");
    let asked = stack.skolverket.calls().len();
    assert_eq!(asked, 1, "a refusal is not repeated");
    let other = "5560000001";
    let id = stack.send_as(other, &class(14)).await;
    assert_eq!(stack.ended_as(other, &id).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn two_thousand_students_go_in_several_batches() {
    let stack = TestStack::start().await;
    let body = people::send(Size { students: 2000, teachers: 1200, groups: 120, series: 9 });
    assert!(body.to_string().len() < 4_000_000, "{}", body.to_string().len());
    let id = stack.send(&body).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    assert_eq!(counts(&send, "users"), "total 3200, success 3200");
    assert_eq!(counts(&send, "duties"), "total 1200, success 1200");
    assert_eq!(counts(&send, "groups"), "total 120, success 120");
    assert_eq!(counts(&send, "activities"), "total 120, success 120");
    let calls = stack.skolverket.calls();
    let batches =
        |kind| calls.iter().filter(|call| call.kind == Some(kind) && call.call == CallKind::Bulk).count();
    let batches = STAGES.map(|(_, kind)| batches(kind));
    assert!(batches[0] > 4 && batches.iter().all(|batches| *batches > 1), "{batches:?}");
    assert!(calls.iter().all(|call| call.request_bytes <= 195_000));
    assert_in_order(&calls);
    // The rows of all batches, page by page, in the order given.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stack.get(&format!("/v1/sends/{id}/jobs/users/records?limit=100{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let given: Vec<_> =
        body["persons"].as_array().unwrap().iter().map(|person| person["id"].clone()).collect();
    assert_eq!(seen, given);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_message_that_is_no_json_ends_in_the_dead_letter_queue() {
    let stack = TestStack::start().await;
    stack.queue("Groups", "no json").await;
    // Its neighbours are not held up meanwhile.
    let id = stack.send(&class(10)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    stack.finish(1).await;
}

#[tokio::test]
async fn a_send_pressed_twice_is_one_send() {
    let stack = TestStack::start().await;
    let body = class(11).to_string();
    let mut answers = Vec::new();
    // All at the same moment.
    let mut set = tokio::task::JoinSet::new();
    let token = stack.token(ORGANISER, crate::stack::ALL_SCOPES).await;
    for _ in 0..50 {
        let request = stack
            .call(reqwest::Method::POST, "/v1/sends")
            .bearer_auth(&token)
            .header("idempotency-key", "one press")
            .header("content-type", "application/json")
            .body(body.clone());
        set.spawn(async move {
            let response = request.send().await.unwrap();
            (response.status(), response.text().await.unwrap())
        });
    }
    while let Some(answer) = set.join_next().await {
        answers.push(answer.unwrap());
    }
    answers.sort_by(|one, other| one.1.cmp(&other.1));
    answers.dedup();
    let [(status, answer)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(*status, 202);
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["status"], "queued");
    let id = answer["id"].as_str().unwrap();
    assert_eq!(stack.ended(id).await["status"], "succeeded");
    // And much later still.
    let repeat = stack.post(ORGANISER, "one press", body).await;
    assert_eq!((repeat.status.as_u16(), repeat.json()), (202, answer.clone()));
    let sends = stack.get("/v1/sends").await;
    assert_eq!(sends["items"].as_array().unwrap().len(), 1);
    let bulk = stack.skolverket.calls().into_iter().filter(|call| call.call == CallKind::Bulk).count();
    assert_eq!(bulk, 4, "nothing was sent twice");
    let other = stack.post(ORGANISER, "one press", class(12).to_string()).await;
    assert_eq!(
        (other.status.as_u16(), other.json()["type"].clone()),
        (422, json!("urn:stafett:problem:idempotency-key-reused"))
    );
    stack.finish(0).await;
}
