//! Rules about queues, and about who takes from them and sends to them.

use std::collections::BTreeSet;

use serde_json::Value;
use stafett_domain::{RecordKind, Route};

use super::document::{Document, attribute_of, each};

/// The most that SQS offers, in seconds.
const LONGEST_RETENTION: u64 = 14 * 24 * 3600;

/// Of a batch, only what failed comes again.
pub(super) fn partial_batch_responses(document: &Document) -> Vec<String> {
    let without = document.events("SQS").filter(|(_, _, event)| {
        !each(&event["FunctionResponseTypes"]).iter().any(|kind| **kind == "ReportBatchItemFailures")
    });
    without.map(|(name, ..)| name.to_owned()).collect()
}

/// As Lambda asks for: a message must not come again while it is worked on.
pub(super) fn visibility(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, function, event) in document.events("SQS") {
        let queue = attribute_of(&event["Queue"]).unwrap_or_default();
        let visibility =
            document.value(&document.resource(queue)["VisibilityTimeout"]).as_u64().unwrap_or(30);
        let needed = 6 * document.timeout(function);
        if visibility < needed {
            faults.push(format!("{queue}: {visibility} s, {name} needs {needed} s"));
        }
    }
    faults
}

/// Every queue that is taken from has one, and none has another's.
pub(super) fn dead_letter_queues(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let mut targets = BTreeSet::new();
    for (name, queue) in document.resources("AWS::SQS::Queue") {
        let is_taken_from =
            document.events("SQS").any(|(_, _, event)| attribute_of(&event["Queue"]) == Some(name));
        match attribute_of(&queue["RedrivePolicy"]["deadLetterTargetArn"]) {
            None if is_taken_from => faults.push(format!("{name} has none")),
            Some(target) if !document.has(target) => faults.push(format!("{name}: there is no {target}")),
            Some(target) if !targets.insert(target) => {
                faults.push(format!("{target} is more than one queue's"));
            }
            _ => {}
        }
    }
    faults
}

/// Less, and an outage of a minute ends there.
pub(super) fn receives(document: &Document) -> Vec<String> {
    let few = document.resources("AWS::SQS::Queue").filter(|(_, queue)| {
        let policy = &queue["RedrivePolicy"];
        !policy.is_null() && policy["maxReceiveCount"].as_u64().unwrap_or_default() < 5
    });
    few.map(|(name, _)| name.to_owned()).collect()
}

pub(super) fn kept_and_encrypted(document: &Document) -> Vec<String> {
    let against = document.resources("AWS::SQS::Queue").filter(|(_, queue)| {
        queue["MessageRetentionPeriod"].as_u64() != Some(LONGEST_RETENTION)
            || queue["SqsManagedSseEnabled"] != true
    });
    against.map(|(name, _)| name.to_owned()).collect()
}

/// Each stage takes from its own queue, which is the one that functions know as its, and may send to that, to the next
/// stage's and to the first one's. The API sends to the first, the watchdog to all.
pub(super) fn order(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let queue = |stage| document.queue_of(stage).unwrap_or_default();
    let (route, stages) = (Route::of_puts(), RecordKind::ALL);
    let first = route.first().kind;
    let mut expect = |function: &str, takes: Option<RecordKind>, sends: &[RecordKind]| {
        let (taken, sent) = rights(document, function);
        let source = document.events("SQS").find(|(name, ..)| *name == function);
        let source = source.and_then(|(_, _, event)| attribute_of(&event["Queue"]));
        if source != takes.map(queue) {
            faults.push(format!("{function} takes from {source:?}"));
        }
        if taken != takes.map(queue).into_iter().collect() {
            faults.push(format!("{function} may take from {taken:?}"));
        }
        if sent != sends.iter().map(|stage| queue(*stage)).collect() {
            faults.push(format!("{function} may send to {sent:?}"));
        }
    };
    for stage in stages {
        let name = function_of(stage);
        let next = route.next(stage).map(|next| next.kind);
        let sends: Vec<_> = [Some(stage), next, Some(first)].into_iter().flatten().collect();
        expect(&name, Some(stage), &sends);
    }
    expect("ApiFunction", None, &[first]);
    expect("WatchdogFunction", None, &stages);
    faults
}

/// `UsersFunction` of `users`.
fn function_of(stage: RecordKind) -> String {
    let (first, rest) = stage.as_str().split_at(1);
    format!("{}{rest}Function", first.to_uppercase())
}

/// The queues that a function's role may take from, and those that it may send to.
fn rights<'a>(document: &'a Document, function: &str) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let role = attribute_of(&document.resource(function)["Role"]).unwrap_or_default();
    let with = |action: &str| {
        let statements = super::rights::statements(document.resource(role));
        let allowed = statements.into_iter().filter(|statement| {
            each(&statement["Action"]).iter().any(|allowed| allowed.as_str() == Some(action))
        });
        allowed.flat_map(|statement| each(&statement["Resource"])).filter_map(attribute_of).collect()
    };
    (with("sqs:ReceiveMessage"), with("sqs:SendMessage"))
}

/// A chain from queue to function to queue is what a send is made of: Lambda must not take it for a mistake.
pub(super) fn recursion(document: &Document) -> Vec<String> {
    let queues: BTreeSet<_> =
        document.events("SQS").filter_map(|(_, _, event)| attribute_of(&event["Queue"])).collect();
    let stopped = document.functions().filter(|(name, function)| {
        let own = function.get("RecursiveLoop").unwrap_or(&document.globals()["RecursiveLoop"]);
        let (_, sends) = rights(document, name);
        *own != "Allow" && !sends.is_disjoint(&queues)
    });
    stopped.map(|(name, _)| name.to_owned()).collect()
}

/// The switch pauses every stage and the watchdog; requests are answered all the same.
pub(super) fn switch(document: &Document) -> Vec<String> {
    let by =
        |value: &Value, on: Value, off: Value| value["Fn::If"] == serde_json::json!(["SendingRuns", on, off]);
    let sources =
        document.events("SQS").filter(|(_, _, event)| !by(&event["Enabled"], true.into(), false.into()));
    let clocks = document
        .events("Schedule")
        .filter(|(_, _, event)| !by(&event["State"], "ENABLED".into(), "DISABLED".into()));
    sources.chain(clocks).map(|(name, ..)| name.to_owned()).collect()
}
