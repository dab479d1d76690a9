//! What an operator uses, checked against what a run really prints: alarms, dashboard, saved queries, the table of
//! events.

mod asked;
mod documents;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::certificate::KeyKind;
use stafett_simulator::{CallKind, Fault, FaultTarget, Kind, ScriptedOutcome, Simulator};

use crate::federation::Federation;
use crate::people::{Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, limits};
use crate::template::{Document, template};
use asked::Series;
pub(crate) use documents::assert_documented;

/// What AWS itself measures, by namespace and the dimensions that it is asked for by.
const OF_AWS: [(&str, &[&str], &[&str]); 5] = [
    ("AWS/SQS", &["QueueName"], &["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"]),
    ("AWS/Lambda", &["FunctionName"], &["Duration", "Errors", "Throttles", "RecursiveInvocationsDropped"]),
    ("AWS/ApiGateway", &["ApiId"], &["Count", "4xx", "5xx", "Latency", "IntegrationLatency"]),
    ("AWS/DynamoDB", &["TableName"], &["ReadThrottleEvents", "WriteThrottleEvents"]),
    (
        "AWS/DynamoDB",
        &["GlobalSecondaryIndexName", "TableName"],
        &["ReadThrottleEvents", "WriteThrottleEvents"],
    ),
];
/// Members of the lines that Lambda itself prints.
const OF_LAMBDA: [&str; 3] = ["type", "record.metrics.maxMemoryUsedMB", "record.metrics.memorySizeMB"];

/// The output of a run.
struct Printed {
    metrics: Vec<Value>,
    /// Names of members of log lines.
    fields: BTreeSet<String>,
    events: BTreeSet<String>,
}

impl Printed {
    fn has(&self, (namespace, name, dimensions): &Series) -> bool {
        if namespace.starts_with("AWS/") {
            return OF_AWS.iter().any(|(of_aws, by, names)| {
                of_aws == namespace && names.contains(&name.as_str()) && dimensions.keys().eq(*by)
            });
        }
        self.metrics.iter().any(|series| {
            let found = series["dimensions"].as_object().unwrap();
            series["namespace"] == *namespace
                && series["name"] == *name
                && found.len() == dimensions.len()
                && found.iter().all(|(dimension, value)| match dimensions.get(dimension) {
                    Some(Some(wanted)) => value == wanted,
                    Some(None) => true,
                    None => false,
                })
        })
    }
}

#[tokio::test]
async fn alarms_dashboard_and_queries_ask_for_what_a_run_prints() {
    let printed = a_run_of_everything().await;
    let document = Document::of(&template());
    let mut missing = Vec::new();
    let counted = asked::counted_in_logs(&document);
    for (what, series) in asked::by_alarms(&document).into_iter().chain(asked::by_dashboard(&document)) {
        if !printed.has(&series) && !counted.contains(&series) {
            missing.push(format!("{what}: {series:?}"));
        }
    }
    for (what, query) in asked::by_queries(&document) {
        let has = |field: &String| printed.fields.contains(field) || OF_LAMBDA.contains(&field.as_str());
        let fields = query.fields.iter().filter(|field| !has(field));
        missing.extend(fields.map(|field| format!("{what}: no line has {field}")));
        let events = query.events.iter().filter(|event| !printed.events.contains(*event));
        missing.extend(events.map(|event| format!("{what}: nobody says {event}")));
    }
    assert!(missing.is_empty(), "{missing:#?}\nprinted: {:#?}\n{:?}", printed.metrics, printed.fields);
}

/// Sends that end in every way, against a Skolverket that fails in most ways, until the watchdog has looked.
async fn a_run_of_everything() -> Printed {
    // One organiser has a certificate; the others' settings are made up by the stack.
    let federation = Federation::new();
    let (settings, _) = federation.holder("5590000010", KeyKind::Ec);
    federation.set("5590000010", &settings);
    let organisers = federation.organisers();
    let arguments = ["--organisers", organisers.to_str().unwrap()];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let skolverket = &stack.skolverket;
    let person = |body: &Value, index| record_id(body, "persons", index);

    // A busy minute, failures, a token that is refused for a moment: and everything is accepted all the same.
    let of = |call, organisation: &str| FaultTarget::calls(call).of(organisation);
    skolverket.fault(FaultTarget::calls(CallKind::Token), 1, Fault::Unavailable);
    skolverket.fault(of(CallKind::Bulk, "5590000011"), 1, Fault::RateLimited { reset: Some(3.0) });
    skolverket.fault(of(CallKind::Job, "5590000012"), 1, Fault::Unavailable);
    skolverket.fault(of(CallKind::Bulk, "5590000013"), 1, Fault::CutBefore);
    skolverket.fault(of(CallKind::Bulk, "5590000013"), 1, Fault::Html(200));
    let mut sends = Vec::new();
    for (number, organisation) in ["5590000011", "5590000012", "5590000013"].into_iter().enumerate() {
        let series = 750 + u16::try_from(number).unwrap();
        sends.push((organisation, class(series), "succeeded"));
    }
    let warned = class(754);
    skolverket.script(person(&warned, 0), ScriptedOutcome::warning());
    sends.push(("5590000014", warned, "succeededWithWarnings"));
    let refused = class(755);
    skolverket.script(person(&refused, 0), ScriptedOutcome::error("Enrolment.schoolYear"));
    sends.push(("5590000015", refused, "failed"));
    let mut goes_on = class(756);
    goes_on["options"] = json!({"onRecordErrors": "continue"});
    // A teacher: the duty goes with it.
    skolverket.script(person(&goes_on, 6), ScriptedOutcome::error("givenName"));
    sends.push(("5590000016", goes_on, "completedWithErrors"));
    // An answer that nobody foresaw: nothing was sent; and one after a call that nobody saw the answer of.
    skolverket.fault(FaultTarget::bulk(Kind::Persons).of("5590000017"), 1, Fault::Status(418));
    sends.push(("5590000017", class(757), "failed"));
    skolverket.fault(FaultTarget::bulk(Kind::Persons).of("5590000018"), 1, Fault::CutAfter);
    skolverket.fault(FaultTarget::bulk(Kind::Persons).of("5590000018"), 1, Fault::Status(418));
    sends.push(("5590000018", class(758), "failed"));

    let mut ids = Vec::new();
    for (organisation, body, _) in &sends {
        ids.push(stack.send_as(organisation, body).await);
    }
    // Cancelled while it waits behind another.
    let running = stack.send(&send(Size { students: 700, teachers: 5, groups: 2, series: 759 })).await;
    let waiting = stack.send(&class(760)).await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let cancel = stack.call(Method::POST, &format!("/v1/sends/{waiting}/cancel")).bearer_auth(token);
    assert_eq!(stack.request(cancel).await.status, 202);
    for ((organisation, _, expected), id) in sends.iter().zip(&ids) {
        assert_eq!(stack.ended_as(organisation, id).await["status"], *expected, "{organisation}");
    }
    assert_eq!(stack.ended(&running).await["status"], "succeeded");
    // Somebody who may see personal data reads it.
    let records = format!("/v1/sends/{running}/jobs/users/records?limit=1");
    assert_eq!(stack.get_as(ORGANISER, ALL_SCOPES, &records).await.status, 200);
    // A message that comes when all is done.
    let message = json!({"v": 1, "organisation": ORGANISER, "send": running, "stage": "users", "step": {"kind": "start"}});
    stack.queue("Users", &message.to_string()).await;
    let metrics = stack
        .until("every kind of line has been printed", async || {
            let metrics = stack.local("/local/metrics").await;
            let has = |name: &str| metrics.as_array().unwrap().iter().any(|series| series["name"] == name);
            let stale = !stack.events("message.stale").is_empty();
            (has("OldestRunningSend") && has("CertificateDaysLeft") && stale).then_some(metrics)
        })
        .await;
    let (mut fields, mut events) = (BTreeSet::new(), BTreeSet::new());
    for line in stack.log_text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(event) = line["event"].as_str() {
            events.insert(event.to_owned());
            fields.extend(line.as_object().unwrap().keys().cloned());
        }
    }
    stack.finish(0).await;
    Printed { metrics: metrics.as_array().unwrap().clone(), fields, events }
}
