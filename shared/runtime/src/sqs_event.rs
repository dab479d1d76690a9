//! Partial batch responses: each record of an event is parsed and handled separately, so that one bad message never
//! makes the others fail.

use std::fmt;
use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use serde::Deserialize;

use stafett_domain::message::MessageNames;

/// The event is not an SQS event. The error quotes nothing from it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is no SQS event with message ids")]
pub struct HandlerError;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: Option<String>,
}

/// Calls `handle` with each record's body, and returns the records that failed: the record cannot be read, or `handle`
/// returned an error or panicked.
///
/// # Errors
/// [`HandlerError`] if failures cannot be reported one by one, because the event is not valid or a message id is
/// missing. The queue then delivers the whole event again.
pub async fn handle_batch<F, E>(
    event: serde_json::Value,
    handle: impl Fn(String) -> F,
) -> Result<SqsBatchResponse, HandlerError>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display + Send + 'static,
{
    let event: Event = serde_json::from_value(event).map_err(|_| HandlerError)?;
    let records = event.records.into_iter().map(serde_json::from_value);
    let records: Vec<Record> = records.collect::<Result<_, _>>().map_err(|_| HandlerError)?;
    let mut failed: Vec<String> = records.iter().map(|record| record.message_id.clone()).collect();
    for Record { message_id, body } in records {
        let body = body.unwrap_or_default();
        // A separate task, so that a panic ends only this task.
        match tokio::spawn(handle(body.clone())).await {
            Ok(Ok(())) => failed.retain(|id| *id != message_id),
            Ok(Err(error)) => log_failed(&message_id, &body, &error),
            Err(_) => log_panicked(&message_id, &body),
        }
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    Ok(response)
}

/// Logs the same ids that a dead letter shows, so that one query leads from a dead letter to its cause.
fn log_failed(message_id: &str, body: &str, error: &impl fmt::Display) {
    let MessageNames { organisation, send, stage, step } = MessageNames::of(body);
    tracing::error!(
        event = "message.failed", message_id, organisation = organisation.map(display),
        send = send.map(display), stage = stage.map(display), step = step.map(display), error = %error,
        "a message failed"
    );
}

fn log_panicked(message_id: &str, body: &str) {
    let MessageNames { organisation, send, stage, step } = MessageNames::of(body);
    tracing::error!(
        event = "message.panicked",
        message_id,
        organisation = organisation.map(display),
        send = send.map(display),
        stage = stage.map(display),
        step = step.map(display),
        "a message's handling panicked"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use stafett_domain::message::{InvalidMessage, Message};

    fn event(bodies: &[&str]) -> serde_json::Value {
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| serde_json::json!({"messageId": format!("m{at}"), "body": body, "other": {}}))
            .collect();
        serde_json::json!({"Records": records})
    }

    async fn failed(event: serde_json::Value) -> Result<Vec<String>, HandlerError> {
        let response = handle_batch(event, |body| async move {
            let message = Message::parse(&body)?;
            assert_ne!(message.organisation.as_str(), "0000000000", "panics on purpose");
            Ok::<(), InvalidMessage>(())
        })
        .await?;
        Ok(response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect())
    }

    fn start(organisation: &str) -> String {
        format!(
            r#"{{"v":1,"organisation":"{organisation}","send":"0190a1b2-0000-7000-8000-000000000000","stage":"users","step":{{"kind":"start"}}}}"#
        )
    }

    #[tokio::test]
    async fn of_three_messages_exactly_the_two_bad_ones_fail() {
        let event = event(&["no json", &start("5567044268"), &start("0000000000")]);
        assert_eq!(failed(event).await.unwrap(), ["m0", "m2"]);
    }

    #[tokio::test]
    async fn an_event_without_message_ids_fails_as_a_whole() {
        for event in
            [serde_json::json!({}), serde_json::json!({"Records": [{"body": "x"}]}), serde_json::json!(3)]
        {
            assert_eq!(failed(event).await, Err(HandlerError));
        }
    }

    #[tokio::test]
    async fn nothing_fails_in_an_empty_event() {
        assert_eq!(failed(event(&[])).await.unwrap(), Vec::<String>::new());
    }
}
