//! The cases.

use std::time::{Duration, Instant};

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use serde_json::{Value, json};

use super::endpoint::Endpoint;

const ONE_MEBIBYTE: usize = 1_048_576;
/// By how much a wait may be shorter than asked for: two clocks are compared.
const CLOCKS_DIFFER: Duration = Duration::from_millis(50);

/// The error's name in the JSON protocol, whichever protocol's name the endpoint gave.
fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    let Err(error) = result else { panic!("it was not refused") };
    let code = error.code().unwrap_or("no code");
    let code = code.rsplit('.').next().unwrap_or(code).trim_end_matches("Exception");
    if code == "NonExistentQueue" { "QueueDoesNotExist".to_owned() } else { code.to_owned() }
}

fn entry(id: &str, body: impl Into<String>) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

fn receive_count(message: &Message) -> &str {
    &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount]
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    let mut bodies: Vec<_> = messages.iter().map(|message| message.body().unwrap()).collect();
    bodies.sort_unstable();
    bodies
}

pub(super) async fn what_is_sent_is_received_until_it_is_deleted(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let body = r#"{"name":"Åsa \"Ö\" 🙂","line":"a\tb\n"}"#;
    let sent = endpoint.sqs.send_message().queue_url(&queue).message_body(body).send().await.unwrap();
    let message = endpoint.receive_one(&queue).await;
    assert_eq!((message.body(), message.message_id()), (Some(body), sent.message_id()));
    let digest = format!("{:x}", md5::compute(body));
    assert_eq!((sent.md5_of_message_body(), message.md5_of_body()), (Some(&*digest), Some(&*digest)));
    assert_eq!(receive_count(&message), "1");
    let attributes = message.attributes().unwrap();
    let ms = |name| attributes[&name].parse::<u64>().unwrap();
    let sent_at = ms(MessageSystemAttributeName::SentTimestamp);
    let received_at = ms(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp);
    assert!(sent_at <= received_at && sent_at > 1_700_000_000_000, "{sent_at} {received_at}");
    endpoint.delete(&queue, &message).await;
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
}

pub(super) async fn an_entry_of_a_batch_fails_alone(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let entries = [entry("first", "a"), entry("bad", "\u{b}"), entry("last", "c")];
    let request = endpoint.sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries.into()));
    let answer = request.send().await.unwrap();
    let taken: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(taken, ["first", "last"]);
    let [failed] = answer.failed() else { panic!("{} failed, not one", answer.failed().len()) };
    assert_eq!((failed.id(), failed.sender_fault(), failed.code()), ("bad", true, "InvalidMessageContents"));
    let received = endpoint.receive_all(&queue, 2).await;
    assert_eq!(bodies(&received), ["a", "c"]);
    let ids: Vec<_> = answer.successful().iter().map(|entry| entry.message_id()).collect();
    assert!(received.iter().all(|message| ids.contains(&message.message_id().unwrap())));
}

pub(super) async fn a_batch_is_one_to_ten_entries_with_ids_of_their_own(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let send = async |entries: Vec<_>| {
        let request = endpoint.sqs.send_message_batch().queue_url(&queue);
        request.set_entries(Some(entries)).send().await
    };
    let numbered = |count: usize| (0..count).map(|id| entry(&id.to_string(), "a")).collect();
    assert_eq!(code(send(numbered(0)).await), "EmptyBatchRequest");
    assert_eq!(code(send(numbered(11)).await), "TooManyEntriesInBatchRequest");
    assert_eq!(code(send(vec![entry("a", "a"), entry("a", "b")]).await), "BatchEntryIdsNotDistinct");
    assert_eq!(code(send(vec![entry("a b", "a")]).await), "InvalidBatchEntryId");
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
    assert_eq!(send(numbered(10)).await.unwrap().successful().len(), 10);
    endpoint.until_counts(&queue, ["10", "0", "0"]).await;
}

pub(super) async fn a_delay_is_at_most_900_seconds(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let send = async |delay| {
        let request = endpoint.sqs.send_message().queue_url(&queue).message_body("a");
        request.delay_seconds(delay).send().await
    };
    send(900).await.unwrap();
    endpoint.until_counts(&queue, ["0", "1", "0"]).await;
    assert_eq!(code(send(901).await), "InvalidParameterValue");
    assert_eq!(code(send(-1).await), "InvalidParameterValue");
}

pub(super) async fn a_delayed_message_is_not_visible_before(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let start = Instant::now();
    let request = endpoint.sqs.send_message().queue_url(&queue).message_body("late").delay_seconds(2);
    request.send().await.unwrap();
    endpoint.send(&queue, "now").await;
    let first = endpoint.receive_one(&queue).await;
    assert_eq!(first.body(), Some("now"));
    let second = endpoint.receive_one(&queue).await;
    let waited = start.elapsed();
    assert_eq!((second.body(), receive_count(&second)), (Some("late"), "1"));
    assert!(waited + CLOCKS_DIFFER >= Duration::from_secs(2), "{waited:?}");
}

pub(super) async fn a_waiting_receive_gets_what_is_sent_meanwhile(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let start = Instant::now();
    let waiting = endpoint.receive(&queue, 1, 20);
    let sending = async {
        // Long enough for the receive to have come, and to see that it waits.
        tokio::time::sleep(Duration::from_secs(1)).await;
        endpoint.send(&queue, "a").await;
    };
    let (received, ()) = tokio::join!(waiting, sending);
    assert_eq!(bodies(&received), ["a"]);
    let waited = start.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(15)).contains(&waited), "{waited:?}");
}

pub(super) async fn a_receive_of_an_empty_queue_waits_and_ends_empty(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let start = Instant::now();
    assert!(endpoint.receive(&queue, 1, 1).await.is_empty());
    assert!(start.elapsed() + CLOCKS_DIFFER >= Duration::from_secs(1), "{:?}", start.elapsed());
    let receive = async |max, wait_s| {
        let request = endpoint.sqs.receive_message().queue_url(&queue);
        request.max_number_of_messages(max).wait_time_seconds(wait_s).send().await
    };
    assert_eq!(code(receive(11, 0).await), "InvalidParameterValue");
    assert_eq!(code(receive(0, 0).await), "InvalidParameterValue");
}

pub(super) async fn a_message_is_visible_again_after_its_visibility_time_out(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[(QueueAttributeName::VisibilityTimeout, "2")]).await;
    let id = endpoint.send(&queue, "a").await;
    let start = Instant::now();
    let first = endpoint.receive_one(&queue).await;
    assert!(endpoint.receive(&queue, 1, 0).await.is_empty());
    endpoint.until_counts(&queue, ["0", "0", "1"]).await;
    let second = endpoint.receive_one(&queue).await;
    let waited = start.elapsed();
    assert!(waited + CLOCKS_DIFFER >= Duration::from_secs(2), "{waited:?}");
    assert!(waited < Duration::from_secs(20), "not the queue's own time-out: {waited:?}");
    assert_eq!((receive_count(&first), receive_count(&second)), ("1", "2"));
    assert_eq!((first.message_id(), second.message_id()), (Some(&*id), Some(&*id)));
    assert_ne!(first.receipt_handle(), second.receipt_handle());
    let first_received = |message: &Message| {
        message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateFirstReceiveTimestamp].clone()
    };
    assert_eq!(first_received(&first), first_received(&second));
}

pub(super) async fn a_visibility_of_zero_makes_it_visible_at_once(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[(QueueAttributeName::VisibilityTimeout, "600")]).await;
    endpoint.send(&queue, "a").await;
    let first = endpoint.receive_one(&queue).await;
    endpoint.change_visibility(&queue, &first, 0).await;
    let second = endpoint.receive_one(&queue).await;
    assert_eq!(receive_count(&second), "2");
}

pub(super) async fn a_longer_visibility_keeps_it_away(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[(QueueAttributeName::VisibilityTimeout, "2")]).await;
    endpoint.send(&queue, "a").await;
    let first = endpoint.receive_one(&queue).await;
    endpoint.change_visibility(&queue, &first, 600).await;
    assert!(endpoint.receive(&queue, 1, 3).await.is_empty());
    endpoint.until_counts(&queue, ["0", "0", "1"]).await;
}

pub(super) async fn a_receive_gives_as_many_as_were_asked_for(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    for body in ["a", "b", "c"] {
        endpoint.send(&queue, body).await;
    }
    endpoint.until_counts(&queue, ["3", "0", "0"]).await;
    let mut received = Vec::new();
    while received.len() < 3 {
        let next = endpoint.receive(&queue, 1, 5).await;
        assert!(next.len() <= 1, "{} messages, not one", next.len());
        received.extend(next);
    }
    assert_eq!(bodies(&received), ["a", "b", "c"]);
}

pub(super) async fn a_message_received_too_often_is_a_dead_letter(endpoint: &Endpoint) {
    let dead = endpoint.queue(&[]).await;
    let arn = endpoint.attribute(&dead, QueueAttributeName::QueueArn).await;
    let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": 2}).to_string();
    let queue = endpoint.queue(&[(QueueAttributeName::RedrivePolicy, &policy)]).await;
    let policy = endpoint.attribute(&queue, QueueAttributeName::RedrivePolicy).await;
    let policy: Value = serde_json::from_str(&policy).unwrap();
    assert_eq!(policy["deadLetterTargetArn"], arn);
    let id = endpoint.send(&queue, "poison").await;
    for count in ["1", "2"] {
        let message = endpoint.receive_one(&queue).await;
        assert_eq!(receive_count(&message), count);
        endpoint.change_visibility(&queue, &message, 0).await;
    }
    assert!(endpoint.receive(&queue, 1, 1).await.is_empty());
    let letter = endpoint.receive_one(&dead).await;
    assert_eq!((letter.body(), letter.message_id()), (Some("poison"), Some(&*id)));
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
}

pub(super) async fn a_message_is_at_most_one_mebibyte(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    // Bytes count, not characters.
    let largest = "ö".repeat(ONE_MEBIBYTE / 2);
    let send = async |body| endpoint.sqs.send_message().queue_url(&queue).message_body(body).send().await;
    assert_eq!(code(send(format!("{largest}x")).await), "InvalidParameterValue");
    send(largest.clone()).await.unwrap();
    assert!(endpoint.receive_one(&queue).await.body() == Some(&largest), "it came as it went");
}

pub(super) async fn a_batch_is_at_most_one_mebibyte(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let send = async |bytes: usize| {
        let half = "x".repeat(ONE_MEBIBYTE / 2);
        let entries = vec![entry("a", half), entry("b", "x".repeat(bytes - ONE_MEBIBYTE / 2))];
        endpoint.sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries)).send().await
    };
    assert_eq!(code(send(ONE_MEBIBYTE + 1).await), "BatchRequestTooLong");
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
    assert_eq!(send(ONE_MEBIBYTE).await.unwrap().successful().len(), 2);
}

pub(super) async fn a_stale_receipt_deletes_nothing(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    endpoint.send(&queue, "a").await;
    let stale = endpoint.receive_one(&queue).await;
    endpoint.change_visibility(&queue, &stale, 0).await;
    let last = endpoint.receive_one(&queue).await;
    // As on AWS, the call succeeds, but deletes nothing.
    endpoint.delete(&queue, &stale).await;
    endpoint.until_counts(&queue, ["0", "0", "1"]).await;
    endpoint.delete(&queue, &last).await;
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
}

pub(super) async fn a_second_delete_is_no_error(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    endpoint.send(&queue, "a").await;
    let message = endpoint.receive_one(&queue).await;
    endpoint.delete(&queue, &message).await;
    endpoint.delete(&queue, &message).await;
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
}

pub(super) async fn what_is_no_receipt_is_refused(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    let delete = endpoint.sqs.delete_message().queue_url(&queue).receipt_handle("made up");
    assert_eq!(code(delete.send().await), "ReceiptHandleIsInvalid");
    let change = endpoint.sqs.change_message_visibility().queue_url(&queue).receipt_handle("made up");
    assert_eq!(code(change.visibility_timeout(1).send().await), "ReceiptHandleIsInvalid");
}

pub(super) async fn a_batch_of_deletes_has_a_result_for_each(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    for body in ["a", "b"] {
        endpoint.send(&queue, body).await;
    }
    let received = endpoint.receive_all(&queue, 2).await;
    let entry = |id: &str, receipt: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().unwrap()
    };
    let mut entries: Vec<_> = ["0", "1"]
        .iter()
        .zip(&received)
        .map(|(id, message)| entry(id, message.receipt_handle().unwrap()))
        .collect();
    entries.push(entry("bad", "made up"));
    let request = endpoint.sqs.delete_message_batch().queue_url(&queue).set_entries(Some(entries));
    let answer = request.send().await.unwrap();
    let deleted: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(deleted, ["0", "1"]);
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, [("bad", "ReceiptHandleIsInvalid")]);
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
    let empty = endpoint.sqs.delete_message_batch().queue_url(&queue).set_entries(Some(Vec::new()));
    assert_eq!(code(empty.send().await), "EmptyBatchRequest");
}

pub(super) async fn the_counts_are_those_of_the_states(endpoint: &Endpoint) {
    let queue = endpoint.queue(&[]).await;
    endpoint.until_counts(&queue, ["0", "0", "0"]).await;
    let request = endpoint.sqs.send_message().queue_url(&queue).message_body("late").delay_seconds(900);
    request.send().await.unwrap();
    for body in ["a", "b", "c"] {
        endpoint.send(&queue, body).await;
    }
    endpoint.until_counts(&queue, ["3", "1", "0"]).await;
    let message = endpoint.receive(&queue, 1, 5).await;
    endpoint.until_counts(&queue, ["2", "1", "1"]).await;
    endpoint.change_visibility(&queue, &message[0], 0).await;
    endpoint.until_counts(&queue, ["3", "1", "0"]).await;
}

pub(super) async fn a_queue_that_does_not_exist_is_named_so(endpoint: &Endpoint) {
    let get = endpoint.sqs.get_queue_url().queue_name("stafett-contract-nowhere");
    assert_eq!(code(get.send().await), "QueueDoesNotExist");
    let queue = endpoint.queue(&[]).await;
    let nowhere = format!("{queue}-nowhere");
    let send = endpoint.sqs.send_message().queue_url(&nowhere).message_body("a");
    assert_eq!(code(send.send().await), "QueueDoesNotExist");
    let receive = endpoint.sqs.receive_message().queue_url(&nowhere);
    assert_eq!(code(receive.send().await), "QueueDoesNotExist");
    let attributes = endpoint.sqs.get_queue_attributes().queue_url(&nowhere);
    assert_eq!(code(attributes.send().await), "QueueDoesNotExist");
}

pub(super) async fn a_queue_is_what_it_was_created_as(endpoint: &Endpoint) {
    let attributes = [
        (QueueAttributeName::VisibilityTimeout, "180"),
        (QueueAttributeName::MessageRetentionPeriod, "1209600"),
    ];
    let queue = endpoint.queue(&attributes).await;
    for (name, value) in attributes {
        assert_eq!(endpoint.attribute(&queue, name).await, value);
    }
    let name = queue.rsplit('/').next().unwrap();
    let url = endpoint.sqs.get_queue_url().queue_name(name).send().await.unwrap();
    assert_eq!(url.queue_url(), Some(&*queue));
    let arn = endpoint.attribute(&queue, QueueAttributeName::QueueArn).await;
    assert!(arn.ends_with(&format!(":{name}")), "{arn}");
    let set = endpoint.sqs.set_queue_attributes().queue_url(&queue);
    set.attributes(QueueAttributeName::VisibilityTimeout, "60").send().await.unwrap();
    endpoint.until_attribute(&queue, QueueAttributeName::VisibilityTimeout, "60").await;
    assert_eq!(endpoint.attribute(&queue, QueueAttributeName::MessageRetentionPeriod).await, "1209600");
}
