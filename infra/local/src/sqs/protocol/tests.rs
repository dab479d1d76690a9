//! Calls as they come and go.

use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::pace::Pace;
use crate::template::Queue;

const URL: &str = "http://127.0.0.1:9/000000000000/users";

fn sqs() -> Sqs {
    let queue = Queue {
        name: "users".to_owned(),
        url: URL.to_owned(),
        visibility_timeout: Duration::from_secs(180),
        retention: Duration::from_secs(60),
        redrive: None,
    };
    let sqs = Sqs::open("http://127.0.0.1:9", None, Clock::start(), Pace::REAL).unwrap();
    sqs.declare(&[queue]).unwrap();
    sqs
}

async fn call(sqs: &Sqs, operation: &str, mut request: Value) -> Result<Value, SqsError> {
    request["QueueUrl"] = json!(URL);
    perform(sqs, operation, request.to_string().as_bytes()).await
}

#[tokio::test]
async fn send_receive_delete() {
    let sqs = sqs();
    let sent = call(&sqs, "SendMessage", json!({"MessageBody": "a"})).await.unwrap();
    assert_eq!(sent["MD5OfMessageBody"], "0cc175b9c0f1b6a831c399e269772661");
    let received =
        call(&sqs, "ReceiveMessage", json!({"MessageSystemAttributeNames": ["All"]})).await.unwrap();
    let message = &received["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageId"]), (&json!("a"), &sent["MessageId"]));
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    let deleted = call(&sqs, "DeleteMessage", json!({"ReceiptHandle": message["ReceiptHandle"]})).await;
    assert_eq!(deleted, Ok(json!({})));
    let asked = json!({"AttributeNames": ["ApproximateNumberOfMessagesNotVisible"]});
    let attributes = call(&sqs, "GetQueueAttributes", asked).await.unwrap();
    assert_eq!(attributes, json!({"Attributes": {"ApproximateNumberOfMessagesNotVisible": "0"}}));
}

#[tokio::test]
async fn a_batch_entry_fails_alone() {
    let entries = json!({"Entries": [
        {"Id": "good", "MessageBody": "a"},
        {"Id": "late", "MessageBody": "b", "DelaySeconds": 901},
        {"Id": "attributes", "MessageBody": "c", "MessageAttributes": {"x": {"DataType": "String"}}},
    ]});
    let answer = call(&sqs(), "SendMessageBatch", entries).await.unwrap();
    assert_eq!(answer["Successful"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["Failed"][0]["Id"], "late");
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(answer["Failed"][1]["Id"], "attributes");
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_for_its_shape() {
    let refused = async |count: usize, id: fn(usize) -> String, bytes: usize| {
        let entries: Vec<_> =
            (0..count).map(|n| json!({"Id": id(n), "MessageBody": "x".repeat(bytes)})).collect();
        call(&sqs(), "SendMessageBatch", json!({"Entries": entries})).await.map(drop)
    };
    let numbered: fn(usize) -> String = |n| n.to_string();
    assert_eq!(refused(10, numbered, 1).await, Ok(()));
    assert_eq!(refused(0, numbered, 1).await, Err(SqsError::EmptyBatchRequest));
    assert_eq!(refused(11, numbered, 1).await, Err(SqsError::TooManyEntriesInBatchRequest));
    assert_eq!(refused(2, |_| "a".to_owned(), 1).await, Err(SqsError::BatchEntryIdsNotDistinct));
    assert_eq!(refused(1, |_| "a b".to_owned(), 1).await, Err(SqsError::InvalidBatchEntryId));
    assert_eq!(refused(2, numbered, MAX_BYTES / 2 + 1).await, Err(SqsError::BatchRequestTooLong));
}

#[tokio::test]
async fn a_missing_queue_is_reported() {
    let unsupported = call(&sqs(), "PurgeQueue", json!({})).await;
    assert_eq!(unsupported, Err(SqsError::UnsupportedOperation("PurgeQueue".to_owned())));
    let body = json!({"QueueUrl": "http://127.0.0.1:9/000000000000/other", "MessageBody": "a"}).to_string();
    assert_eq!(perform(&sqs(), "SendMessage", body.as_bytes()).await, Err(SqsError::QueueDoesNotExist));
}
