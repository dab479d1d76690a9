//! The crash matrix: a process is killed before and after every call that a send makes, at the first delivery of its
//! messages and at repeated ones; the send must end as it does without.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stafett_simulator::{Kind, Limits, ScriptedOutcome, Simulator};
use uuid::Uuid;

use crate::people::{Size, record_id, send};
use crate::stack::{ALL_SCOPES, TestStack, has_ended, roomy};

/// Runs that meet a kill at the same time. More of them only wait for each other on a small machine.
const AT_ONCE: usize = 32;
/// A point is tried so often until it is met: with every message twice, two deliveries share the work differently from
/// run to run, so that a run may make fewer calls than were seen.
const TRIES: usize = 20;
/// Runs that show the points, for each kind of delivery: of each function those of the run in which it made the fewest
/// calls. A busy machine makes a step wait, which costs calls that other runs do not make.
const UNDISTURBED: usize = 5;
/// Set: every point. Unset: a sample.
const FULL: &str = "STAFETT_FULL_MATRIX";
/// The sample takes one of so many points.
const SAMPLE: usize = 9;

const STAGES: [&str; 4] = ["users", "duties", "groups", "activities"];
const KINDS: [(&str, Kind); 4] = [
    ("persons", Kind::Persons),
    ("duties", Kind::Duties),
    ("groups", Kind::Groups),
    ("activities", Kind::Activities),
];

/// How a send ended, without what differs from run to run: its state, and which of its records are at Skolverket.
#[derive(Debug, PartialEq)]
struct Ending {
    send: Value,
    stored: Vec<Vec<usize>>,
}

/// Organisers and records of their own for each run.
static RUNS: AtomicU16 = AtomicU16::new(0);

/// One of the calls of a function, as the layer counts them.
#[derive(Clone)]
struct Point {
    function: String,
    nth: u64,
    call: String,
    fault: &'static str,
    repeated: bool,
}

fn every_message_twice() -> Value {
    json!({"call": "sqs.Send", "times": u32::MAX, "fault": "duplicate"})
}

fn rules_kill(rules: &Value) -> bool {
    rules.to_string().contains("kill")
}

/// Sends one class of which a student is refused and the rest goes on, while `rules` are in force; the caller of the
/// API repeats what got no answer, as a frontend does.
async fn run(stack: &TestStack, rules: &Value) -> (Ending, Vec<Value>) {
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let organisation = format!("559{number:07}");
    let mut body = send(Size { students: 3, teachers: 1, groups: 1, series: 5000 + number });
    body["options"] = json!({"onRecordErrors": "continue"});
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::error("givenName"));
    stack.put_faults(&organisation, rules).await;
    let key = Uuid::new_v4().to_string();
    let id = stack
        .until("the send is accepted", async || {
            let answer = stack.post(&organisation, &key, body.to_string()).await;
            match answer.status {
                StatusCode::ACCEPTED => Some(answer.json()["id"].as_str().unwrap().to_owned()),
                StatusCode::INTERNAL_SERVER_ERROR => None,
                other => panic!("{other}: {}", answer.text),
            }
        })
        .await;
    let (path, token) = (format!("/v1/sends/{id}"), stack.token(&organisation, ALL_SCOPES).await);
    let ended = stack
        .until(&format!("send {id} has ended"), async || {
            let answer = stack.request(stack.call(Method::GET, &path).bearer_auth(&token)).await;
            match answer.status {
                StatusCode::OK => has_ended(answer.json()),
                // A run that made fewer calls than were seen meets its kill here.
                StatusCode::INTERNAL_SERVER_ERROR if rules_kill(rules) => None,
                other => panic!("{other}: {}", answer.text),
            }
        })
        .await;
    let jobs = ended["jobs"].as_array().unwrap().iter();
    let jobs: Vec<_> =
        jobs.map(|job| json!([job["stage"], job["status"], job["counts"], job["reason"]])).collect();
    let stored = KINDS.map(|(list, kind)| {
        let there = stack.skolverket.stored(&organisation, kind);
        let records = 0..body[list].as_array().unwrap().len();
        records.filter(|index| there.contains(&record_id(&body, list, *index))).collect()
    });
    let ending = Ending { send: json!([ended["status"], jobs]), stored: stored.into() };
    (ending, stack.calls(&organisation).await)
}

/// The calls of a run that belong to the send: those of the stages, and those of the API function until it accepted.
fn points(seen: &[Value], repeated: bool) -> Vec<Point> {
    let mut accepted = false;
    let mut points = Vec::new();
    for call in seen {
        let (function, name) = (call["function"].as_str().unwrap(), call["call"].as_str().unwrap());
        if function == "api" {
            if accepted {
                continue;
            }
            accepted = name == "runtime.response";
        }
        for fault in ["killBefore", "killAfter"] {
            points.push(Point {
                function: function.to_owned(),
                nth: call["nth"].as_u64().unwrap(),
                call: name.to_owned(),
                fault,
                repeated,
            });
        }
    }
    points
}

/// Sends without a kill, while `rules` are in force: how they all end, and of each function the calls of the run in which
/// it made the fewest.
async fn undisturbed(stack: &TestStack, rules: &Value) -> (Ending, Vec<Value>) {
    let (ending, mut fewest) = run(stack, rules).await;
    for _ in 1..UNDISTURBED {
        let (same, seen) = run(stack, rules).await;
        assert_eq!(same, ending);
        fewest = fewest_of_each(fewest, seen);
    }
    (ending, fewest)
}

/// Of each function the calls of the run in which it made fewer.
fn fewest_of_each(one: Vec<Value>, other: Vec<Value>) -> Vec<Value> {
    let count =
        |calls: &[Value], function: &Value| calls.iter().filter(|call| call["function"] == *function).count();
    let from_one = |call: &Value| count(&one, &call["function"]) <= count(&other, &call["function"]);
    let chosen = one.iter().filter(|call| from_one(call)).chain(other.iter().filter(|call| !from_one(call)));
    chosen.cloned().collect()
}

/// Kills at a point; the send must end as `expected`. Gives what is wrong.
async fn try_point(stack: &TestStack, point: &Point, expected: &Ending) -> Result<(), String> {
    let Point { function, nth, call, fault, repeated } = point;
    let mut rules = vec![json!({"function": function, "nth": nth, "fault": fault})];
    if *repeated {
        rules.push(every_message_twice());
    }
    for _ in 0..TRIES {
        let (ending, seen) = run(stack, &Value::from(rules.clone())).await;
        let met = seen.iter().any(|call| call["fault"] == *fault);
        if met && ending == *expected {
            return Ok(());
        }
        if met {
            return Err(format!(
                "{fault} call {nth} of {function} ({call}), repeated: {repeated}: {ending:?}"
            ));
        }
    }
    Err(format!("{fault} call {nth} of {function} ({call}), repeated: {repeated}: no run made that call"))
}

#[derive(Default)]
struct Row {
    seen: usize,
    tried: usize,
    equal: usize,
}

#[tokio::test]
async fn a_send_ends_the_same_wherever_a_process_is_killed() {
    // Jobs that are done at the first poll: every run makes the same calls.
    let limits = Limits { job_time: std::time::Duration::ZERO, ..roomy() };
    let stack = TestStack::start_with(Simulator::start(limits).await.unwrap(), &[]).await;
    let (expected, first) = undisturbed(&stack, &json!([])).await;
    assert_eq!(expected.send[0], "completedWithErrors", "{expected:?}");
    let (twice, repeated) = undisturbed(&stack, &json!([every_message_twice()])).await;
    assert_eq!(twice, expected, "with every message twice");
    let all: Vec<_> = points(&first, false).into_iter().chain(points(&repeated, true)).collect();
    let step = if std::env::var_os(FULL).is_some() { 1 } else { SAMPLE };
    let mut rows: BTreeMap<(String, bool, &str), Row> = BTreeMap::new();
    let row = |point: &Point| (point.function.clone(), point.repeated, point.fault);
    for point in &all {
        rows.entry(row(point)).or_default().seen += 1;
    }
    let tried = futures::stream::iter(all.iter().step_by(step))
        .map(async |point| (point, try_point(&stack, point, &expected).await))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut wrong = Vec::new();
    for (point, result) in tried {
        let row = rows.entry(row(point)).or_default();
        row.tried += 1;
        row.equal += usize::from(result.is_ok());
        wrong.extend(result.err());
    }
    println!(
        "{:<12} {:<9} {:<10} {:>5} {:>6} {:>12}",
        "function", "delivery", "killed", "seen", "tried", "ended equal"
    );
    for ((function, repeated, fault), Row { seen, tried, equal }) in &rows {
        let delivery = if *repeated { "repeated" } else { "first" };
        println!("{function:<12} {delivery:<9} {fault:<10} {seen:>5} {tried:>6} {equal:>12}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for stage in STAGES {
        assert!(rows.keys().any(|(function, ..)| function == stage), "no call of {stage} was seen");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn duplicates_do_not_multiply() {
    let stack = TestStack::start().await;
    let messages = async |rules: Value| {
        let runs = (0..10).map(async |_| {
            let (ending, seen) = run(&stack, &rules).await;
            assert_eq!(ending.send[0], "completedWithErrors", "{ending:?}");
            seen.iter().map(|call| call["messages"].as_u64().unwrap()).sum::<u64>()
        });
        futures::future::join_all(runs).await.into_iter().sum::<u64>()
    };
    let usual = messages(json!([])).await;
    let twice = messages(json!([every_message_twice()])).await;
    println!("10 sends: {usual} messages sent; {twice} with every message delivered twice");
    assert!(twice < 3 * usual, "{twice} messages instead of {usual}");
    stack.finish(0).await;
}
