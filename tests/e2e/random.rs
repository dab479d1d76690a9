//! Random schedules: faults and odd answers of Skolverket's, faults of AWS's, killed processes, duplicates and late
//! messages in one send, which comes in one request or in parts, and may be cancelled at any time. Drawn from a seed: the
//! same seed draws the same schedule.

use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Fault, FaultTarget, Oddity, RetryAfter, ScriptedOutcome, Simulator};
use uuid::Uuid;

use crate::answer::Answer;
use crate::faults::{STAGES, assert_true};
use crate::people::{Size, record_id, send};
use crate::stack::{ALL_SCOPES, TestStack, roomy};
use crate::uploads::{put_as, submit_as};

/// How many seeds are tried.
const COUNT: &str = "STAFETT_SCHEDULES";
const DEFAULT_COUNT: u64 = 5;
/// The first of them.
const SEED: &str = "STAFETT_SEED";
/// Schedules that run at the same time.
const AT_ONCE: usize = 16;

/// Names that distinguish the contents of a part.
const FAMILY_NAMES: [&str; 4] = ["Ettström", "Tvåström", "Treström", "Fyrström"];
/// The statuses of a send before its end.
const GOING_ON: [&str; 3] = ["receiving", "queued", "running"];

/// What a send does by itself, before anything goes wrong with it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    Plain,
    /// Several batches of persons.
    Large,
    /// A student is refused, the rest goes on.
    GoesOn,
    /// A student is refused, and that is the end.
    Stops,
    /// A record cannot be handled for a while.
    Temporary,
    /// A student gets a status that nobody knows, and that is the end.
    UnknownStatus,
}

#[derive(Debug)]
struct Schedule {
    seed: u64,
    course: Course,
    /// It comes in parts, and the first of them with so many contents at the same time.
    in_parts: Option<usize>,
    /// Somebody cancels it when so many calls have been made for it.
    cancelled: Option<usize>,
    /// Rules of the forwarding layer.
    rules: Vec<Value>,
    /// Faults of Skolverket's: the stage's number, the call, how often.
    faults: Vec<(usize, CallKind, Fault, u32)>,
    /// Records that are left out of answers: the stage's number, and how often.
    left_out: Option<(usize, u32)>,
    /// What is odd about the entry of a stage's second record, and changes no outcome: the stage's number, place, value.
    odd: Vec<(usize, &'static str, Value)>,
}

impl Schedule {
    fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut cancelled = None;
        let course = match rng.u8(0..11) {
            0..=3 => Course::Plain,
            4 => Course::Large,
            5..=6 => Course::GoesOn,
            7 => Course::Stops,
            8 => Course::Temporary,
            9 => Course::UnknownStatus,
            _ => {
                cancelled = Some(rng.usize(10..120));
                Course::Plain
            }
        };
        let mut rules: Vec<_> = (0..rng.u8(1..5)).map(|_| layer_rule(&mut rng)).collect();
        if rng.bool() {
            rules.push(json!({"call": "sqs.Send", "times": u32::MAX, "fault": "duplicate"}));
        }
        let mut faults: Vec<_> = (0..rng.u8(0..4)).map(|_| transient_fault(&mut rng)).collect();
        // A job that is lost three times is given up, and rightly.
        let mut lost = false;
        faults.retain(|(_, _, fault, _)| *fault != Fault::JobLost || !std::mem::replace(&mut lost, true));
        // With another one of these, a record would be alone in its call and rightly refused; so would a person that is
        // sent again after a transient fault.
        if rng.u8(0..4) == 0 {
            let splitting = [Fault::TooLarge, Fault::BadRequest { culprit: None }];
            let (stage, fault) = (rng.usize(0..4), splitting[rng.usize(0..2)]);
            if stage > 0 || course != Course::Temporary {
                faults.push((stage, CallKind::Bulk, fault, 1));
            }
        }
        // A second one in a row would be a real refusal.
        if rng.u8(0..4) == 0 {
            faults.push((rng.usize(0..4), CallKind::Bulk, Fault::TokenExpired, 1));
        }
        let left_out = (rng.u8(0..4) == 0).then(|| (rng.usize(0..4), rng.u32(1..3)));
        let in_parts = (rng.u8(0..3) == 0).then(|| rng.usize(1..=FAMILY_NAMES.len()));
        if rng.u8(0..5) == 0 {
            cancelled = Some(rng.usize(0..150));
        }
        let odd = (0..rng.u8(0..4)).map(|_| odd_entry(&mut rng)).collect();
        Self { seed, course, in_parts, cancelled, rules, faults, left_out, odd }
    }

    /// Whether it may end so.
    fn may_end(&self, status: &str) -> bool {
        let end = match self.course {
            Course::Plain | Course::Large | Course::Temporary => "succeeded",
            Course::GoesOn => "completedWithErrors",
            Course::Stops | Course::UnknownStatus => "failed",
        };
        // It may have ended before it was cancelled.
        status == end || self.cancelled.is_some() && status == "cancelled"
    }
}

/// A fault of AWS's, or a kill, at some call of some function.
fn layer_rule(rng: &mut Rng) -> Value {
    let function = ["api", "users", "duties", "groups", "activities"][rng.usize(0..5)];
    let (call, fault, times) = match rng.u8(0..8) {
        0 => (None, json!("killBefore"), 1),
        1 => (None, json!("killAfter"), 1),
        2 => (Some("dynamodb"), json!("throttle"), rng.u32(1..5)),
        3 => (Some("dynamodb"), json!("conflict"), rng.u32(1..5)),
        4 => (Some("dynamodb"), json!("cutAfter"), rng.u32(1..3)),
        5 => (Some("sqs"), json!("cutAfter"), rng.u32(1..3)),
        6 => (Some("sqs"), json!("throttle"), rng.u32(1..3)),
        _ => (Some("sqs"), json!({"delay": rng.u32(1..40)}), rng.u32(1..4)),
    };
    let nth = if call == Some("sqs") { rng.u32(1..5) } else { rng.u32(1..35) };
    let mut rule = json!({"function": function, "nth": nth, "times": times, "fault": fault});
    if let Some(call) = call {
        rule["call"] = call.into();
    }
    rule
}

/// A fault that is waited out.
fn transient_fault(rng: &mut Rng) -> (usize, CallKind, Fault, u32) {
    let call = if rng.bool() { CallKind::Bulk } else { CallKind::Job };
    let fault = match rng.u8(0..22) {
        0 => Fault::RateLimited { reset: Some(0.2) },
        1 => Fault::RateLimited { reset: None },
        2 => Fault::Unavailable,
        3 => Fault::ServerError,
        4 => Fault::Html(502),
        5 => Fault::Slow(Duration::from_secs(3)),
        6 => Fault::CutBefore,
        7 => Fault::CutAfter,
        8 => Fault::CutOffBody,
        9 => Fault::JobLost,
        10 => Fault::NoJobIdAtAll,
        // What else was answered, by whomever.
        11 => Fault::Html([200, 404][rng.usize(0..2)]),
        12 => Fault::Status([200, 204, 408, 425][rng.usize(0..4)]),
        13 => Fault::TooManyUntil(RetryAfter::Seconds(1)),
        14 => Fault::UnavailableUntil(RetryAfter::Date(1)),
        _ => Fault::Odd(odd_answer(rng)),
    };
    let bulk_only =
        matches!(fault, Fault::JobLost | Fault::NoJobIdAtAll | Fault::Odd(Oddity::LocationEnd(_)));
    (rng.usize(0..4), if bulk_only { CallKind::Bulk } else { call }, fault, rng.u32(1..3))
}

/// An answer that is correct but unusual.
fn odd_answer(rng: &mut Rng) -> Oddity {
    match rng.u8(0..8) {
        0 => Oddity::Success([200, 201, 203][rng.usize(0..3)]),
        1 => Oddity::LocationEnd(["/", "?version=1", "/?a=b/c#d"][rng.usize(0..3)]),
        2 => Oddity::MediaType(["text/plain", "text/html", "application/octet-stream"][rng.usize(0..3)]),
        3 => Oddity::ByteOrderMark,
        4 => Oddity::Utf16,
        5 => Oddity::Utf16BigEndian,
        6 => Oddity::Gzip,
        _ => Oddity::Long(rng.usize(1..9_000_000)),
    }
}

/// What costs a record its detail and nothing else.
fn odd_entry(rng: &mut Rng) -> (usize, &'static str, Value) {
    let places = [
        "/response/statusCode",
        "/response/errors",
        "/response/warnings",
        "/response/location",
        "/response/new",
        "/meta",
    ];
    let values = [
        Value::Null,
        json!(0),
        json!(-201),
        json!(201.0),
        json!(100_000),
        json!("201"),
        json!("a text"),
        json!(["a", {"id": 2011, "message": null}]),
        json!({"id": ["x"], "attributeName": 7}),
    ];
    let place = places[rng.usize(0..places.len())];
    (rng.usize(0..4), place, values[rng.usize(0..values.len())].clone())
}

/// What did not hold after a schedule.
async fn run(stack: &TestStack, schedule: &Schedule) -> Result<String, String> {
    let seed = schedule.seed;
    let organisation = format!("550{seed:07}");
    let students = if schedule.course == Course::Large { 900 } else { 4 };
    let series = 20_000 + u16::try_from(seed % 40_000).unwrap();
    let mut body = send(Size { students, teachers: 2, groups: 2, series });
    let first = record_id(&body, "persons", 0);
    match schedule.course {
        Course::GoesOn => {
            body["options"] = json!({"onRecordErrors": "continue"});
            stack.skolverket.script(first, ScriptedOutcome::error("givenName"));
        }
        Course::Stops => stack.skolverket.script(first, ScriptedOutcome::error("givenName")),
        Course::Temporary => stack.skolverket.script_temporary(first, 2),
        Course::UnknownStatus => {
            let unknown = [json!("Rejected"), Value::Null, json!(3), json!({})];
            let unknown = unknown[usize::try_from(seed % 4).unwrap()].clone();
            stack.skolverket.change_entry(first, "/response/status", unknown);
        }
        Course::Plain | Course::Large => {}
    }
    for (stage, call, fault, times) in &schedule.faults {
        let target = FaultTarget { kind: Some(STAGES[*stage].1), ..FaultTarget::calls(*call) };
        stack.skolverket.fault(target.of(&organisation), *times, *fault);
    }
    if let Some((stage, times)) = schedule.left_out {
        stack.skolverket.leave_out(record_id(&body, STAGES[stage].2, 0), times);
    }
    for (stage, place, value) in &schedule.odd {
        stack.skolverket.change_entry(record_id(&body, STAGES[*stage].2, 1), place, value.clone());
    }
    stack.put_faults(&organisation, &Value::from(schedule.rules.clone())).await;

    let options = body.get("options").cloned().unwrap_or_else(|| json!({}));
    let opening = json!({"upload": true, "options": options});
    let request = if schedule.in_parts.is_some() { &opening } else { &body };
    let key = Uuid::new_v4().to_string();
    let id = stack
        .until("the send is accepted", async || {
            let answer = stack.post(&organisation, &key, request.to_string()).await;
            // What got no answer is sent again, as a frontend would.
            (answer.status == StatusCode::ACCEPTED).then(|| answer.json()["id"].as_str().unwrap().to_owned())
        })
        .await;
    let fill = async {
        if let Some(contents) = schedule.in_parts {
            fill(stack, &organisation, &id, &body, contents).await;
        }
    };
    let cancel = async {
        if let Some(calls) = schedule.cancelled {
            cancel(stack, &organisation, &id, calls).await;
        }
    };
    tokio::join!(fill, cancel);
    let ended = ended(stack, &organisation, &id).await;
    let status = ended["status"].as_str().unwrap().to_owned();
    let faulty = stack.calls(&organisation).await.iter().filter(|call| !call["fault"].is_null()).count();
    stack.put_faults(&organisation, &json!([])).await;
    let true_to_itself = if ended["acceptedAt"].is_null() {
        STAGES.iter().all(|(_, kind, _)| stack.skolverket.stored(&organisation, *kind).is_empty())
    } else {
        assert_true(stack, &organisation, &id, &format!("seed {seed}")).await;
        schedule.in_parts.is_none() || has_one_content(stack, &organisation, &id).await
    };
    if schedule.may_end(&status) && true_to_itself {
        Ok(format!("{status}, {faulty} calls faulty"))
    } else {
        let path = format!("/v1/sends/{id}/jobs/users");
        let mut users = String::new();
        for list in ["records?outcome=error,unknown,warning", "attempts"] {
            users += &stack.get_as(&organisation, ALL_SCOPES, &format!("{path}/{list}")).await.text;
        }
        Err(format!("seed {seed} ended {status}: {schedule:?}\n{ended}\n{users}"))
    }
}

/// Brings a send's parts, the first with several contents at the same time, and submits it; until somebody cancels it.
async fn fill(stack: &TestStack, organisation: &str, id: &str, body: &Value, contents: usize) {
    let is_closed = |answer: &Answer| {
        answer.status == StatusCode::CONFLICT && answer.json()["type"] == "urn:stafett:problem:ended"
    };
    let bring = async |part: Value| {
        stack
            .until(&format!("a part of {id} is there"), async || {
                let answer = put_as(stack, organisation, id, &part).await;
                (answer.status == StatusCode::OK || is_closed(&answer)).then_some(())
            })
            .await;
    };
    let first = |family_name: &&str| {
        let mut persons = body["persons"].clone();
        for person in persons.as_array_mut().unwrap() {
            person["familyName"] = (*family_name).into();
        }
        json!({"part": 1, "persons": persons})
    };
    let second = json!({
        "part": 2, "duties": body["duties"], "groups": body["groups"], "activities": body["activities"],
    });
    bring(second).await;
    futures::future::join_all(FAMILY_NAMES[..contents].iter().map(first).map(bring)).await;
    stack
        .until(&format!("{id} is submitted"), async || {
            let answer = submit_as(stack, organisation, id, 2).await;
            (answer.status == StatusCode::ACCEPTED || is_closed(&answer)).then_some(())
        })
        .await;
}

/// Whether all persons are those of one of the contents that came at the same time.
async fn has_one_content(stack: &TestStack, organisation: &str, id: &str) -> bool {
    let path = format!("/v1/sends/{id}/jobs/users/records");
    let rows = stack.get_as(organisation, ALL_SCOPES, &path).await.json();
    let rows = rows["items"].as_array().unwrap();
    let all_have = |name: &&str| rows.iter().all(|row| row["name"].as_str().unwrap().ends_with(name));
    FAMILY_NAMES.iter().any(all_have)
}

/// Waits until the send has ended; the one who asks meets faults, too.
async fn ended(stack: &TestStack, organisation: &str, id: &str) -> Value {
    stack
        .until(&format!("the send {id} of {organisation} has ended"), async || {
            let answer = stack.get_as(organisation, ALL_SCOPES, &format!("/v1/sends/{id}")).await;
            let send = (answer.status == StatusCode::OK).then(|| answer.json())?;
            (!GOING_ON.contains(&send["status"].as_str().unwrap())).then_some(send)
        })
        .await
}

async fn cancel(stack: &TestStack, organisation: &str, id: &str, calls: usize) {
    stack
        .until("it is time to cancel", async || {
            let send = stack.get_as(organisation, ALL_SCOPES, &format!("/v1/sends/{id}")).await;
            let send = (send.status == StatusCode::OK).then(|| send.json())?;
            let status = send["status"].as_str().unwrap();
            // While it takes parts only the API is at work on it.
            let count = |call: &&Value| status == "receiving" || call["function"] != "api";
            let made = stack.calls(organisation).await.iter().filter(count).count();
            (made >= calls || !GOING_ON.contains(&status)).then_some(())
        })
        .await;
    let token = stack.token(organisation, ALL_SCOPES).await;
    let path = format!("/v1/sends/{id}/cancel");
    stack
        .until("it is cancelled", async || {
            let request = stack.call(Method::POST, &path).bearer_auth(&token);
            let answer = stack.request(request).await;
            // 409: it has ended.
            matches!(answer.status, StatusCode::ACCEPTED | StatusCode::CONFLICT).then_some(())
        })
        .await;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::test]
async fn every_send_ends_as_it_should_whatever_is_mixed() {
    let stack = TestStack::start_with(Simulator::start(roomy()).await.unwrap(), &[]).await;
    // The watchdog itself dies now and then.
    let kills = (1..=200).map(|kill| {
        let fault = if kill % 2 == 0 { "killAfter" } else { "killBefore" };
        json!({"nth": kill * 37, "fault": fault})
    });
    stack.put_faults("watchdog", &kills.collect()).await;
    let first = number(SEED).unwrap_or(1);
    let seeds = first..first + number(COUNT).unwrap_or(DEFAULT_COUNT);
    println!("seeds {seeds:?}; {SEED} and {COUNT} choose others");
    let ends = futures::stream::iter(seeds)
        .map(async |seed| {
            let schedule = Schedule::draw(seed);
            (seed, run(&stack, &schedule).await)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut wrong = 0;
    for (seed, end) in &ends {
        match end {
            Ok(end) => println!("seed {seed}: {end}"),
            Err(end) => {
                wrong += 1;
                println!("WRONG {end}");
            }
        }
    }
    println!("{} schedules, {wrong} ended wrongly", ends.len());
    assert_eq!(wrong, 0);
    stack.finish(0).await;
}
