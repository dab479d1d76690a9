//! SQS's calls as they come over HTTP: AWS JSON 1.0, the operation in the header `X-Amz-Target`.

use std::collections::HashSet;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::error::{CONTENT_TYPE, SqsError};
use super::limits::{MAX_BYTES, MAX_MESSAGES};
use super::queue::Received;
use super::settings::Settings;
use super::{Sqs, body_md5};
use crate::template::ACCOUNT;

/// The largest request: a message of the largest size of which JSON escapes every character.
const MAX_REQUEST_BYTES: usize = 8 * MAX_BYTES;

impl Sqs {
    /// Answers calls on this listener for as long as it is awaited.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        axum::serve(listener, router(self)).await
    }
}

fn router(sqs: Sqs) -> Router {
    Router::new().route("/", post(call)).layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES)).with_state(sqs)
}

async fn call(State(sqs): State<Sqs>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonSQS.").unwrap_or(target);
    match perform(&sqs, operation, &body).await {
        Ok(answer) => (StatusCode::OK, [("content-type", CONTENT_TYPE)], answer.to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn perform(sqs: &Sqs, operation: &str, body: &[u8]) -> Result<Value, SqsError> {
    match operation {
        "SendMessage" => send(sqs, &parse::<Send>(body)?),
        "SendMessageBatch" => send_batch(sqs, &parse::<Batch<SendEntry>>(body)?),
        "ReceiveMessage" => receive(sqs, parse(body)?).await,
        "DeleteMessage" => {
            let delete: Delete = parse(body)?;
            sqs.delete(queue_name(sqs, &delete.queue_url)?, &delete.receipt_handle).map(|()| json!({}))
        }
        "DeleteMessageBatch" => delete_batch(sqs, &parse::<Batch<DeleteEntry>>(body)?),
        "ChangeMessageVisibility" => {
            let change: ChangeVisibility = parse(body)?;
            let queue = queue_name(sqs, &change.queue_url)?;
            sqs.change_visibility(queue, &change.receipt_handle, change.visibility_timeout)
                .map(|()| json!({}))
        }
        "GetQueueUrl" => {
            let get: GetQueueUrl = parse(body)?;
            sqs.settings(&get.queue_name)?;
            Ok(json!({"QueueUrl": sqs.url(&get.queue_name)}))
        }
        "CreateQueue" => create(sqs, &parse::<CreateQueue>(body)?),
        "DeleteQueue" => {
            let delete: DeleteQueue = parse(body)?;
            let queue = queue_name(sqs, &delete.queue_url)?;
            sqs.change(|queues| queues.remove(queue).ok_or(SqsError::QueueDoesNotExist))?;
            Ok(json!({}))
        }
        "SetQueueAttributes" => {
            let set: SetAttributes = parse(body)?;
            let queue = queue_name(sqs, &set.queue_url)?;
            let settings = with_dead_letters(sqs, sqs.settings(queue)?.with(&set.attributes)?)?;
            sqs.change(|queues| {
                queues.set(queue, settings);
                Ok(json!({}))
            })
        }
        "GetQueueAttributes" => attributes(sqs, &parse::<GetAttributes>(body)?),
        other => Err(SqsError::UnsupportedOperation(other.to_owned())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    queue_url: String,
    #[serde(flatten)]
    message: Outgoing,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEntry {
    id: String,
    #[serde(flatten)]
    message: Outgoing,
}

/// The fields of a message, sent alone or in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outgoing {
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Option<Map<String, Value>>,
    #[serde(default)]
    message_system_attributes: Option<Map<String, Value>>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<E> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<E>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteEntry {
    id: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetAttributes {
    queue_url: String,
    attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| SqsError::InvalidParameterValue(error.to_string()))
}

/// The queue that an address names, if there is one.
fn queue_name<'a>(sqs: &Sqs, url: &'a str) -> Result<&'a str, SqsError> {
    let name = url.rsplit('/').next().unwrap_or(url);
    let path = format!("/{ACCOUNT}/{name}");
    if url.ends_with(&path) { sqs.settings(name).map(|_| name) } else { Err(SqsError::QueueDoesNotExist) }
}

/// A queue that is there already with these very attributes is no error, as on AWS.
fn create(sqs: &Sqs, request: &CreateQueue) -> Result<Value, SqsError> {
    let name = request.queue_name.as_str();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 80 || !name.bytes().all(allowed) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(SqsError::InvalidParameterValue(reason.to_owned()));
    }
    let settings = with_dead_letters(sqs, Settings::default().with(&request.attributes)?)?;
    sqs.change(|queues| match queues.settings(name) {
        Some(known) if *known != settings => Err(SqsError::QueueNameExists),
        Some(_) => Ok(()),
        None => {
            queues.set(name, settings);
            Ok(())
        }
    })?;
    Ok(json!({"QueueUrl": sqs.url(name)}))
}

/// The settings, if the queue that they send dead letters to exists.
fn with_dead_letters(sqs: &Sqs, settings: Settings) -> Result<Settings, SqsError> {
    match &settings.redrive {
        Some(redrive) if sqs.settings(&redrive.dead_letter_queue).is_err() => {
            Err(SqsError::InvalidAttributeValue("RedrivePolicy".to_owned()))
        }
        _ => Ok(settings),
    }
}

fn send_one(sqs: &Sqs, queue: &str, message: &Outgoing) -> Result<Map<String, Value>, SqsError> {
    let filled =
        |attributes: &Option<Map<String, Value>>| attributes.as_ref().is_some_and(|map| !map.is_empty());
    // Refused, not ignored: what a sender believes to have sent must arrive.
    let unsupported = [
        ("MessageAttributes", filled(&message.message_attributes)),
        ("MessageSystemAttributes", filled(&message.message_system_attributes)),
        ("MessageGroupId", message.message_group_id.is_some()),
        ("MessageDeduplicationId", message.message_deduplication_id.is_some()),
    ];
    if let Some((name, _)) = unsupported.iter().find(|(_, present)| *present) {
        return Err(SqsError::UnsupportedOperation((*name).to_owned()));
    }
    let sent = sqs.send(queue, message.message_body.clone(), message.delay_seconds)?;
    let mut answer = Map::new();
    answer.insert("MessageId".to_owned(), json!(sent.id));
    answer.insert("MD5OfMessageBody".to_owned(), json!(sent.body_md5));
    Ok(answer)
}

fn send(sqs: &Sqs, request: &Send) -> Result<Value, SqsError> {
    let queue = queue_name(sqs, &request.queue_url)?;
    send_one(sqs, queue, &request.message).map(Value::Object)
}

fn send_batch(sqs: &Sqs, request: &Batch<SendEntry>) -> Result<Value, SqsError> {
    let queue = queue_name(sqs, &request.queue_url)?;
    check_entry_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let bytes: usize = request.entries.iter().map(|entry| entry.message.message_body.len()).sum();
    if bytes > MAX_BYTES {
        return Err(SqsError::BatchRequestTooLong);
    }
    Ok(entry_results(
        request.entries.iter().map(|entry| (entry.id.as_str(), send_one(sqs, queue, &entry.message))),
    ))
}

fn delete_batch(sqs: &Sqs, request: &Batch<DeleteEntry>) -> Result<Value, SqsError> {
    let queue = queue_name(sqs, &request.queue_url)?;
    check_entry_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
    Ok(entry_results(
        request
            .entries
            .iter()
            .map(|entry| (entry.id.as_str(), sqs.delete(queue, &entry.receipt_handle).map(|()| Map::new()))),
    ))
}

fn check_entry_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), SqsError> {
    let count = ids.len();
    if count == 0 {
        return Err(SqsError::EmptyBatchRequest);
    }
    if count > MAX_MESSAGES {
        return Err(SqsError::TooManyEntriesInBatchRequest);
    }
    let mut distinct = HashSet::new();
    for id in ids {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 80 || !id.bytes().all(allowed) {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !distinct.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct);
        }
    }
    Ok(())
}

/// A batch call succeeds although entries of it fail: each has its own result.
fn entry_results<'a>(
    results: impl Iterator<Item = (&'a str, Result<Map<String, Value>, SqsError>)>,
) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut entry) => {
                entry.insert("Id".to_owned(), json!(id));
                successful.push(Value::Object(entry));
            }
            Err(error) => failed.push(
                json!({"Id": id, "SenderFault": true, "Code": error.code(), "Message": error.to_string()}),
            ),
        }
    }
    json!({"Successful": successful, "Failed": failed})
}

async fn receive(sqs: &Sqs, request: Receive) -> Result<Value, SqsError> {
    let queue = queue_name(sqs, &request.queue_url)?;
    let messages = sqs
        .receive(queue, request.max_number_of_messages, request.visibility_timeout, request.wait_time_seconds)
        .await?;
    let names: Vec<&str> = request
        .attribute_names
        .iter()
        .chain(&request.message_system_attribute_names)
        .map(String::as_str)
        .collect();
    let messages: Vec<Value> = messages.iter().map(|message| received(message, &names)).collect();
    // AWS leaves the member out where there is nothing.
    Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
}

fn received(message: &Received, names: &[&str]) -> Value {
    let mut answer = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": body_md5(&message.body),
        "Body": message.body,
    });
    let all = names.contains(&"All");
    let attributes: Map<String, Value> =
        system_attributes(message).filter(|(name, _)| all || names.contains(&name.as_str())).collect();
    if !attributes.is_empty() {
        answer["Attributes"] = Value::Object(attributes);
    }
    answer
}

/// What SQS says about a message, as text, under SQS's names.
pub(crate) fn system_attributes(message: &Received) -> impl Iterator<Item = (String, Value)> {
    [
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("SentTimestamp", message.sent_ms.to_string()),
        ("SenderId", ACCOUNT.to_owned()),
        ("ApproximateFirstReceiveTimestamp", message.first_received_ms.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::String(value)))
}

fn attributes(sqs: &Sqs, request: &GetAttributes) -> Result<Value, SqsError> {
    let queue = queue_name(sqs, &request.queue_url)?;
    let settings = sqs.settings(queue)?;
    let counts = sqs.counts(queue)?;
    let created = sqs.0.started.as_second().to_string();
    let mut known = settings.attributes(queue);
    known.extend([
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("CreatedTimestamp", created.clone()),
        ("LastModifiedTimestamp", created),
    ]);
    let asked = |name: &str| request.attribute_names.iter().any(|asked| asked == "All" || asked == name);
    let attributes: Map<String, Value> = known
        .into_iter()
        .filter(|(name, _)| asked(name))
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    Ok(if attributes.is_empty() { json!({}) } else { json!({"Attributes": attributes}) })
}

#[cfg(test)]
mod tests;
