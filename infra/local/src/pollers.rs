//! What invokes functions without anybody asking: event source mappings of queues, and schedules.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::clock::Clock;
use crate::functions::FunctionHost;
use crate::notice::notice;
use crate::queues::Queues;
use crate::sqs::{Received, body_md5, system_attributes};
use crate::template::{ACCOUNT, QueueSource, REGION, Schedule};

/// Invocations at a time of an event source that does not say; Lambda starts with five.
const DEFAULT_CONCURRENCY: usize = 5;
/// Before a queue that could not be asked is asked again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Moves messages from a queue into invocations for as long as it is awaited.
pub async fn poll(source: QueueSource, queues: Queues, function: FunctionHost) {
    let places = Arc::new(Semaphore::new(source.max_concurrency.unwrap_or(DEFAULT_CONCURRENCY)));
    let source = Arc::new(source);
    // Deliveries end with the poller.
    let mut deliveries = JoinSet::new();
    // Never closed, hence never an error.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let received = queues.receive(&source.queue, source.batch_size).await;
        function.meter().call(function.name(), "sqs.ReceiveMessage", 200);
        let messages = match received {
            Ok(messages) if messages.is_empty() => continue,
            Ok(messages) => messages,
            Err(error) if error.may_pass() => {
                notice(format_args!("{} is polled again: {error}", source.queue));
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                continue;
            }
            Err(error) => {
                notice(format_args!("{} is not polled: {error}", source.queue));
                return;
            }
        };
        let (source, queues, function) = (Arc::clone(&source), queues.clone(), function.clone());
        while deliveries.try_join_next().is_some() {}
        deliveries.spawn(async move {
            deliver(&source, &queues, &function, &messages).await;
            drop(place);
        });
    }
}

/// One invocation: what it does not name as failed is deleted, the rest comes back when its visibility time-out has
/// passed, as on AWS.
async fn deliver(source: &QueueSource, queues: &Queues, function: &FunctionHost, messages: &[Received]) {
    let failed = match function.invoke(queue_event(source, messages).to_string()).await {
        Ok(answer) => failed_messages(source, &answer, messages),
        Err(error) => {
            function.report(&error);
            return;
        }
    };
    for message in messages.iter().filter(|message| !failed.contains(&message.id)) {
        function.meter().call(function.name(), "sqs.DeleteMessage", 200);
        if let Err(error) = queues.delete(&source.queue, &message.receipt).await {
            notice(format_args!("{}: a message could not be deleted: {error}", source.queue));
        }
    }
}

fn queue_event(source: &QueueSource, messages: &[Received]) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": system_attributes(message).collect::<Map<_, _>>(),
                "messageAttributes": {},
                "md5OfBody": body_md5(&message.body),
                "eventSource": "aws:sqs",
                "eventSourceARN": source.arn,
                "awsRegion": REGION,
            })
        })
        .collect();
    json!({"Records": records})
}

/// Which messages a function's answer gives back. Nothing, null or an empty list: none. A list that Lambda cannot
/// read (an identifier that is empty, null, misnamed or of no message of the batch): all of them.
fn failed_messages(source: &QueueSource, answer: &[u8], messages: &[Received]) -> BTreeSet<String> {
    let none = BTreeSet::new();
    if !source.partial_responses {
        return none;
    }
    let all = || messages.iter().map(|message| message.id.clone()).collect();
    if answer.trim_ascii().is_empty() {
        return none;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return all() };
    let failures = match (&answer, answer.get("batchItemFailures")) {
        (Value::Null, _) | (Value::Object(_), None | Some(Value::Null)) => return none,
        (Value::Object(_), Some(Value::Array(failures))) => failures,
        _ => return all(),
    };
    let named: Option<BTreeSet<String>> = failures
        .iter()
        .map(|failure| {
            let id = failure.get("itemIdentifier")?.as_str()?;
            messages.iter().find(|message| message.id == id).map(|message| message.id.clone())
        })
        .collect();
    named.unwrap_or_else(all)
}

/// Invokes a function at a steady rate for as long as it is awaited; the first time after one interval, and not while
/// an invocation still runs.
pub async fn tick(schedule: Schedule, every: Duration, function: FunctionHost, clock: Clock) {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // An interval's first tick is at once.
    interval.tick().await;
    loop {
        interval.tick().await;
        let event = schedule_event(&schedule, &clock);
        if let Err(error) = function.invoke(event.to_string()).await {
            function.report(&error);
        }
    }
}

fn schedule_event(schedule: &Schedule, clock: &Clock) -> Value {
    let now = clock.now();
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", schedule.name)],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(partial_responses: bool) -> QueueSource {
        QueueSource {
            queue: "users".to_owned(),
            arn: "arn:aws:sqs:eu-north-1:000000000000:users".to_owned(),
            batch_size: 10,
            max_concurrency: None,
            partial_responses,
            enabled: true,
        }
    }

    fn messages() -> Vec<Received> {
        let message = || Received {
            id: Uuid::new_v4().to_string(),
            receipt: Uuid::new_v4().to_string(),
            body: "b".to_owned(),
            sent_ms: 1,
            first_received_ms: 2,
            receive_count: 3,
        };
        vec![message(), message()]
    }

    #[test]
    fn an_answer_without_failures_fails_none() {
        let messages = messages();
        for answer in ["", "null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#] {
            assert!(failed_messages(&source(true), answer.as_bytes(), &messages).is_empty(), "{answer}");
        }
    }

    #[test]
    fn a_named_message_fails_alone() {
        let messages = messages();
        let answer = json!({"batchItemFailures": [{"itemIdentifier": messages[1].id}]}).to_string();
        let failed = failed_messages(&source(true), answer.as_bytes(), &messages);
        assert_eq!(failed, BTreeSet::from([messages[1].id.clone()]));
        assert!(failed_messages(&source(false), answer.as_bytes(), &messages).is_empty());
    }

    #[test]
    fn an_answer_that_cannot_be_read_fails_all() {
        let messages = messages();
        let id = &messages[0].id;
        for failures in [
            json!([{"itemIdentifier": ""}]),
            json!([{"itemIdentifier": null}]),
            json!([{"messageId": id}]),
            json!([{"itemIdentifier": Uuid::new_v4()}]),
            json!([{"itemIdentifier": id}, {}]),
            json!("x"),
        ] {
            let answer = json!({"batchItemFailures": failures}).to_string();
            assert_eq!(failed_messages(&source(true), answer.as_bytes(), &messages).len(), 2, "{answer}");
        }
        assert_eq!(failed_messages(&source(true), b"{", &messages).len(), 2);
        assert_eq!(failed_messages(&source(true), b"[]", &messages).len(), 2);
    }

    #[test]
    fn a_record_has_what_lambda_gives() {
        let messages = messages();
        let event = queue_event(&source(true), &messages);
        let record = &event["Records"][0];
        assert_eq!(record["messageId"], json!(messages[0].id));
        assert_eq!(record["body"], "b");
        assert_eq!(record["eventSource"], "aws:sqs");
        assert_eq!(record["eventSourceARN"], "arn:aws:sqs:eu-north-1:000000000000:users");
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "3");
        assert_eq!(record["attributes"]["SentTimestamp"], "1");
        assert_eq!(record["attributes"]["ApproximateFirstReceiveTimestamp"], "2");
    }
}
