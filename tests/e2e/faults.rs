//! Every fault of Skolverket's at every stage: a transient fault is waited out, another one is reported, and nothing
//! that was accepted is reported as refused, or the other way round.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Fault, FaultTarget, Kind, Oddity, RetryAfter, Simulator, TokenForm};
use uuid::Uuid;

use crate::people::{Size, class, record_id, send};
use crate::stack::{ORGANISER, TestStack, counts, job, limits, roomy, statuses};

pub(crate) const STAGES: [(&str, Kind, &str); 4] = [
    ("users", Kind::Persons, "persons"),
    ("duties", Kind::Duties, "duties"),
    ("groups", Kind::Groups, "groups"),
    ("activities", Kind::Activities, "activities"),
];

/// Faults that are tried at the same time.
const AT_ONCE: usize = 8;

/// How a send is to end that meets a fault in one of its stages.
#[derive(Clone, Copy)]
enum Expected {
    Succeeds,
    /// The stage's job fails, for this reason.
    Fails(&'static str),
}

/// A fault that a send meets.
#[derive(Clone)]
enum Trouble {
    Call(CallKind, Fault),
    /// The first record of the stage is named as the culprit.
    Culprit,
    CulpritInCapitals,
    Temporary,
    LeftOut,
    /// Of AWS's, to the stage's own calls whose name begins so: so many of them, from the first on.
    Aws(&'static str, &'static str, u32),
}

fn troubles() -> Vec<(&'static str, Trouble, Expected)> {
    use CallKind::{Bulk, Job, Token};
    use Expected::{Fails, Succeeds};
    let call = |kind, fault| Trouble::Call(kind, fault);
    let odd = |kind, oddity| Trouble::Call(kind, Fault::Odd(oddity));
    vec![
        ("429 with reset", call(Bulk, Fault::RateLimited { reset: Some(0.5) }), Succeeds),
        ("429 without reset", call(Bulk, Fault::RateLimited { reset: None }), Succeeds),
        ("429 to a poll", call(Job, Fault::RateLimited { reset: Some(0.5) }), Succeeds),
        ("503", call(Bulk, Fault::Unavailable), Succeeds),
        ("503 to a poll", call(Job, Fault::Unavailable), Succeeds),
        ("500", call(Bulk, Fault::ServerError), Succeeds),
        ("500 to a poll", call(Job, Fault::ServerError), Succeeds),
        ("HTML", call(Bulk, Fault::Html(502)), Succeeds),
        ("HTML to a poll", call(Job, Fault::Html(200)), Succeeds),
        ("too slow", call(Bulk, Fault::Slow(Duration::from_secs(3))), Succeeds),
        ("too slow a poll", call(Job, Fault::Slow(Duration::from_secs(3))), Succeeds),
        ("cut before", call(Bulk, Fault::CutBefore), Succeeds),
        ("cut after", call(Bulk, Fault::CutAfter), Succeeds),
        ("cut poll", call(Job, Fault::CutBefore), Succeeds),
        ("half an answer", call(Bulk, Fault::CutOffBody), Succeeds),
        ("half an answer to a poll", call(Job, Fault::CutOffBody), Succeeds),
        ("expired token", call(Bulk, Fault::TokenExpired), Succeeds),
        ("expired token at a poll", call(Job, Fault::TokenExpired), Succeeds),
        ("413", call(Bulk, Fault::TooLarge), Succeeds),
        ("400 without the culprit", call(Bulk, Fault::BadRequest { culprit: None }), Succeeds),
        ("no job id in the body", call(Bulk, Fault::NoJobId), Succeeds),
        ("a Location with a slash behind it", odd(Bulk, Oddity::LocationEnd("/")), Succeeds),
        ("a Location with a query", odd(Bulk, Oddity::LocationEnd("/?version=1&x=a/b")), Succeeds),
        ("200 instead of 202", odd(Bulk, Oddity::Success(200)), Succeeds),
        ("203 instead of 200", odd(Job, Oddity::Success(203)), Succeeds),
        ("a page as a success", call(Bulk, Fault::Html(200)), Succeeds),
        ("an empty success", call(Bulk, Fault::Status(204)), Succeeds),
        ("an empty success to a poll", call(Job, Fault::Status(200)), Succeeds),
        ("a gateway's 404", call(Bulk, Fault::Html(404)), Succeeds),
        ("a gateway's 404 to a poll", call(Job, Fault::Html(404)), Succeeds),
        ("408", call(Bulk, Fault::Status(408)), Succeeds),
        ("408 to a poll", call(Job, Fault::Status(408)), Succeeds),
        ("425", call(Bulk, Fault::Status(425)), Succeeds),
        ("425 to a poll", call(Job, Fault::Status(425)), Succeeds),
        ("429 with Retry-After", call(Bulk, Fault::TooManyUntil(RetryAfter::Seconds(1))), Succeeds),
        ("503 with a date", call(Job, Fault::UnavailableUntil(RetryAfter::Date(1))), Succeeds),
        ("another media type", odd(Bulk, Oddity::MediaType("text/plain")), Succeeds),
        ("another media type of a poll", odd(Job, Oddity::MediaType("text/html")), Succeeds),
        ("a byte order mark", odd(Bulk, Oddity::ByteOrderMark), Succeeds),
        ("a byte order mark in a poll", odd(Job, Oddity::ByteOrderMark), Succeeds),
        ("UTF-16", odd(Bulk, Oddity::Utf16), Succeeds),
        ("UTF-16 in a poll", odd(Job, Oddity::Utf16BigEndian), Succeeds),
        ("gzip", odd(Bulk, Oddity::Gzip), Succeeds),
        ("gzip in a poll", odd(Job, Oddity::Gzip), Succeeds),
        ("no job id at all", call(Bulk, Fault::NoJobIdAtAll), Succeeds),
        ("400 with the culprit", Trouble::Culprit, Fails("recordErrors")),
        ("400 with the culprit in capitals", Trouble::CulpritInCapitals, Fails("recordErrors")),
        ("400 for a parameter", call(Bulk, Fault::BadParameter), Fails("refused")),
        ("401", call(Bulk, Fault::Status(401)), Succeeds),
        ("401 to a poll", call(Job, Fault::Html(401)), Succeeds),
        ("302", call(Bulk, Fault::Status(302)), Fails("unforeseenAnswer")),
        ("418 to a poll", call(Job, Fault::Status(418)), Fails("unforeseenAnswer")),
        ("token server down", call(Token, Fault::Unavailable), Succeeds),
        ("no token in a success", call(Token, Fault::Html(200)), Succeeds),
        ("half a token", call(Token, Fault::CutOffBody), Succeeds),
        ("a token in a list", call(Token, Fault::Token(TokenForm::List)), Succeeds),
        ("token refused", call(Token, Fault::Status(401)), Fails("authorization")),
        ("transient fault", Trouble::Temporary, Succeeds),
        ("lost job", call(Bulk, Fault::JobLost), Succeeds),
        ("left out of the answer", Trouble::LeftOut, Succeeds),
        ("DynamoDB throttles once", Trouble::Aws("dynamodb", r#""throttle""#, 1), Succeeds),
        ("DynamoDB throttles for long", Trouble::Aws("dynamodb", r#""throttle""#, 8), Succeeds),
        ("transactions in conflict", Trouble::Aws("dynamodb.Transact", r#""conflict""#, 3), Succeeds),
        ("writes in conflict", Trouble::Aws("dynamodb.PutItem", r#""conflict""#, 3), Succeeds),
        ("updates in conflict", Trouble::Aws("dynamodb.UpdateItem", r#""conflict""#, 3), Succeeds),
        ("transactions without answer", Trouble::Aws("dynamodb.Transact", r#""cutAfter""#, 2), Succeeds),
        ("writes without answer", Trouble::Aws("dynamodb.PutItem", r#""cutAfter""#, 4), Succeeds),
        ("updates without answer", Trouble::Aws("dynamodb.UpdateItem", r#""cutAfter""#, 4), Succeeds),
        ("DynamoDB not reached", Trouble::Aws("dynamodb", r#""cutBefore""#, 8), Succeeds),
        ("SQS throttles", Trouble::Aws("sqs", r#""throttle""#, 4), Succeeds),
        ("SQS without answer", Trouble::Aws("sqs", r#""cutAfter""#, 4), Succeeds),
        ("SQS not reached", Trouble::Aws("sqs", r#""cutBefore""#, 4), Succeeds),
        ("messages twice", Trouble::Aws("sqs", r#""duplicate""#, u32::MAX), Succeeds),
        ("messages late", Trouble::Aws("sqs", r#"{"delay":40}"#, u32::MAX), Succeeds),
    ]
}

async fn bring(
    stack: &TestStack,
    trouble: &Trouble,
    organisation: &str,
    (stage, kind): (&str, Kind),
    record: Uuid,
) {
    let target = |call| FaultTarget {
        // Tokens belong to no kind.
        kind: (call != CallKind::Token).then_some(kind),
        call,
        organisation: Some(organisation.to_owned()),
        containing: None,
    };
    let skolverket = &stack.skolverket;
    match trouble {
        Trouble::Call(call, fault) => skolverket.fault(target(*call), 1, *fault),
        Trouble::Culprit => {
            skolverket.fault(target(CallKind::Bulk), 1, Fault::BadRequest { culprit: Some(record) });
        }
        Trouble::CulpritInCapitals => {
            let fault = Fault::BadRequestInCapitals { culprit: record };
            skolverket.fault(target(CallKind::Bulk), 1, fault);
        }
        Trouble::Temporary => skolverket.script_temporary(record, 1),
        Trouble::LeftOut => skolverket.leave_out(record, 2),
        Trouble::Aws(call, fault, times) => {
            let fault: Value = serde_json::from_str(fault).unwrap();
            let rule = json!({"function": stage, "call": call, "times": times, "fault": fault});
            stack.put_faults(organisation, &json!([rule])).await;
            if stage == "activities" && *call == "sqs" {
                // The last stage queues a message only when a step has to wait for longer than an invocation does.
                skolverket.fault(target(CallKind::Bulk), 1, Fault::RateLimited { reset: Some(0.5) });
            }
        }
    }
}

/// Asserts that what the history says of each record is what the simulator has.
pub(crate) async fn assert_true(stack: &TestStack, organisation: &str, id: &str, what: &str) {
    for (stage, kind, _) in STAGES {
        let stored = stack.skolverket.stored(organisation, kind);
        let path = format!("/v1/sends/{id}/jobs/{stage}/records");
        let rows = stack.get_as(organisation, crate::stack::ALL_SCOPES, &path).await.json();
        for row in rows["items"].as_array().unwrap() {
            let record: Uuid = row["id"].as_str().unwrap().parse().unwrap();
            let there = stored.contains(&record);
            match row["outcome"].as_str().unwrap() {
                "success" | "warning" => assert!(there, "{what}: {stage} {row} is not at Skolverket"),
                "error" | "skipped" | "notSent" => assert!(!there, "{what}: {stage} {row} is at Skolverket"),
                "unknown" => {}
                other => panic!("{what}: {stage} has a record that is {other}"),
            }
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_stage() {
    // Thirty sends at once, which faults hold up and release at the same time: other tests check the rate of calls.
    let stack = TestStack::start_with(Simulator::start(roomy()).await.unwrap(), &[]).await;
    let troubles = troubles();
    let tried = futures::stream::iter(troubles.iter().enumerate()).map(
        async |(number, (what, trouble, expected))| {
            // Each with an organiser of its own.
            let sends = STAGES.iter().enumerate().map(async |(stage_number, (stage, kind, list))| {
                let series = 1000 + u16::try_from(number * 4 + stage_number).unwrap();
                let organisation = format!("556{series:07}");
                let body = send(Size { students: 4, teachers: 2, groups: 2, series });
                let record = record_id(&body, list, 0);
                bring(&stack, trouble, &organisation, (stage, *kind), record).await;
                let id = stack.send_as(&organisation, &body).await;
                let ended = stack.ended_as(&organisation, &id).await;
                let what = format!("{what} at {stage}");
                match expected {
                    Expected::Succeeds => assert_eq!(ended["status"], "succeeded", "{what}: {ended}"),
                    Expected::Fails(reason) => {
                        assert_eq!(ended["status"], "failed", "{what}: {ended}");
                        // A token is asked for first by the first stage.
                        let first = if matches!(trouble, Trouble::Call(CallKind::Token, _)) {
                            "users"
                        } else {
                            stage
                        };
                        assert_eq!(job(&ended, first)["reason"]["code"], *reason, "{what}: {ended}");
                    }
                }
                assert!(
                    ended["jobs"].as_array().unwrap().iter().all(|job| job["counts"]["pending"] == 0),
                    "{ended}"
                );
                assert_true(&stack, &organisation, &id, &what).await;
                assert_eq!(stack.skolverket.faults_left(&organisation, &[record]), 0, "{what}: not met");
                if let Trouble::Aws(_, fault, _) = trouble {
                    let fault: Value = serde_json::from_str(fault).unwrap();
                    let calls = stack.calls(&organisation).await;
                    let met = calls.iter().filter(|call| call["fault"] == fault).count();
                    assert!(met > 0, "{what}: not met");
                }
            });
            futures::future::join_all(sends).await;
            format!("{what:<28} 4 stages, ended as expected")
        },
    );
    let rows: Vec<_> = tried.buffered(AT_ONCE).collect().await;
    println!("{}", rows.join("\n"));
    stack.finish(0).await;
}

#[tokio::test]
async fn while_skolverket_is_down_sends_wait_and_say_so() {
    let stack = TestStack::start().await;
    stack.skolverket.set_down(true);
    let body = send(Size { students: 4, teachers: 2, groups: 2, series: 2000 });
    let id = stack.send(&body).await;
    let since = |send: &Value| job(send, "users")["waitingForSkolverketSince"].as_str().map(str::to_owned);
    let path = format!("/v1/sends/{id}");
    let waiting = stack.until("the send says that it waits", async || since(&stack.get(&path).await)).await;
    // Two minutes, at ten times the pace, by the stack's own clock: what is waited for is calls, not time.
    let calls = stack.skolverket.calls().len();
    stack
        .until("it has tried several times more", async || {
            (stack.skolverket.calls().len() >= calls + 4).then_some(())
        })
        .await;
    assert_eq!(since(&stack.get(&path).await), Some(waiting), "it waits since the first time");
    stack.skolverket.set_down(false);
    let ended = stack.ended(&id).await;
    assert_eq!((&ended["status"], since(&ended)), (&Value::from("succeeded"), None));
    stack.finish(0).await;
}

#[tokio::test]
async fn what_may_be_at_skolverket_is_not_reported_as_not_sent() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 4, teachers: 2, groups: 2, series: 2001 });
    // The groups are accepted and their job is lost; sent again they are too large; in halves they are refused.
    for (times, fault) in [(1, Fault::JobLost), (1, Fault::TooLarge), (u32::MAX, Fault::Status(401))] {
        stack.skolverket.fault(FaultTarget::bulk(Kind::Groups).of(ORGANISER), times, fault);
    }
    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "failed");
    assert_eq!(stack.skolverket.stored(ORGANISER, Kind::Groups).len(), 2);
    assert_eq!(counts(&ended, "groups"), "total 2, unknown 2");
    assert_true(&stack, ORGANISER, &id, "halves of a batch whose job was lost").await;
    stack.finish(0).await;
}

#[tokio::test]
async fn a_lost_job_of_a_batch_that_was_split_is_no_third_lost_job() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 4, teachers: 2, groups: 2, series: 2003 });
    // The persons are too large, so is their first half; then a job is lost, once.
    for (times, fault) in [(2, Fault::TooLarge), (1, Fault::JobLost)] {
        stack.skolverket.fault(FaultTarget::bulk(Kind::Persons).of(ORGANISER), times, fault);
    }
    let ended = stack.ended(&stack.send(&body).await).await;
    assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    stack.finish(0).await;
}

/// At the real pace: under `--fast` an invocation is over before an attempt is. Without an end to an attempt, the API's
/// invocation would end at 29 s without an answer, and the stage's at 30 s, to begin again three minutes later.
#[tokio::test]
async fn a_call_to_aws_that_nobody_answers_costs_an_attempt_and_not_the_invocation() {
    let arguments = ["--set", "AWS_ATTEMPT_MS=3000"];
    let stack = TestStack::start_at(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let rules = [("api", "dynamodb"), ("api", "sqs"), ("users", "dynamodb"), ("users", "sqs")]
        .map(|(function, call)| json!({"function": function, "call": call, "fault": "holdBefore"}));
    stack.put_faults(ORGANISER, &json!(rules)).await;
    let id = stack.send(&class(782)).await;
    let send = stack.ended(&id).await;
    assert_eq!(statuses(&send), ["succeeded"; 4], "{send}");
    let calls = stack.calls(ORGANISER).await;
    assert_eq!(calls.iter().filter(|call| call["fault"] == "holdBefore").count(), 4, "{calls:?}");
    stack.finish(0).await;
}
