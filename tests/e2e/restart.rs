//! A program that is ended in the middle, and started again on the same data directory.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use stafett_simulator::{CallKind, Kind, Simulator};
use tempfile::TempDir;

use crate::people::class;
use crate::sqs_contract::client;
use crate::stack::{TestStack, job, limits, program, statuses};

const ORGANISERS: [&str; 3] = ["5567044268", "2120000142", "2120001553"];

struct Running {
    stack: TestStack,
    data: TempDir,
    sends: Vec<(&'static str, String)>,
}

/// A stack in which every organiser has a send that runs and one that waits, or soon will.
async fn running(series: u16, held: bool) -> Running {
    let data = TempDir::new().unwrap();
    let stack = start(Simulator::start(limits()).await.unwrap(), &data).await;
    stack.skolverket.hold_jobs(held);
    let mut sends = Vec::new();
    for (number, organiser) in (series..).step_by(2).zip(ORGANISERS) {
        sends.push((organiser, stack.send_as(organiser, &class(number)).await));
        sends.push((organiser, stack.send_as(organiser, &class(number + 1)).await));
    }
    Running { stack, data, sends }
}

async fn start(skolverket: Simulator, data: &TempDir) -> TestStack {
    TestStack::start_with(skolverket, &["--data-dir", data.path().to_str().unwrap()]).await
}

/// The organisers of whom Skolverket has accepted records of this kind.
fn accepted(skolverket: &Simulator, kind: Kind) -> HashSet<String> {
    let calls = skolverket.calls();
    let bulk = calls.iter().filter(|call| call.call == CallKind::Bulk && call.status == 202);
    bulk.filter(|call| call.kind == Some(kind)).filter_map(|call| call.organisation.clone()).collect()
}

async fn all_succeed_after(signal: &str, Running { stack, data, sends }: Running) {
    let skolverket = stack.end(signal).await;
    skolverket.hold_jobs(false);
    let stack = start(skolverket, &data).await;
    for (organiser, id) in &sends {
        let send = stack.ended_as(organiser, id).await;
        assert_eq!(send["status"], "succeeded", "{send}");
        assert_eq!(statuses(&send), ["succeeded"; 4]);
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn sends_go_on_after_a_kill_while_skolverket_is_at_work() {
    let mut running = running(700, true).await;
    let stack = &running.stack;
    stack
        .until("every organiser's first job is under way", async || {
            (accepted(&stack.skolverket, Kind::Persons).len() == ORGANISERS.len()).then_some(())
        })
        .await;
    // Answered, and nothing more: nobody has looked whether it has begun.
    let id = stack.send_as("2120000787", &class(706)).await;
    running.sends.push(("2120000787", id));
    all_succeed_after("KILL", running).await;
}

/// Waits until a send has come so far that the simulator has one of its records of this kind.
async fn until_one_is_accepted(stack: &TestStack, kind: Kind) {
    let some = async || (!accepted(&stack.skolverket, kind).is_empty()).then_some(());
    stack.until(&format!("a record of {kind:?} is accepted"), some).await;
}

#[tokio::test]
async fn sends_go_on_after_a_kill_on_their_way() {
    let running = running(710, false).await;
    until_one_is_accepted(&running.stack, Kind::Groups).await;
    all_succeed_after("KILL", running).await;
}

#[tokio::test]
async fn sends_go_on_after_an_orderly_end_on_their_way() {
    let running = running(720, false).await;
    until_one_is_accepted(&running.stack, Kind::Duties).await;
    all_succeed_after("TERM", running).await;
}

/// With the built-in simulator, which is killed too: records of the jobs before are still known there.
#[tokio::test]
async fn a_send_goes_on_after_a_kill_of_program_and_simulator() {
    let data = TempDir::new().unwrap();
    let stack = TestStack::start_alone(&["--data-dir", data.path().to_str().unwrap()]).await;
    let id = stack.send(&class(740)).await;
    stack
        .until("the users' job has ended", async || {
            let send = stack.get(&format!("/v1/sends/{id}")).await;
            (job(&send, "users")["status"] == "succeeded").then_some(())
        })
        .await;
    stack.end("KILL").await;
    let stack = TestStack::start_alone(&["--data-dir", data.path().to_str().unwrap()]).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    stack.finish(0).await;
}

/// History alone would bring a lost message back; the queues are held to their own word here.
#[tokio::test]
async fn queues_keep_what_they_acknowledged_through_a_kill() {
    let data = TempDir::new().unwrap();
    let stack = start(Simulator::start(limits()).await.unwrap(), &data).await;
    let (sqs, queue) = dead_letters(&stack).await;
    let mut ids = Vec::new();
    for body in ["kept", "deleted"] {
        let sent = sqs.send_message().queue_url(&queue).message_body(body).send().await.unwrap();
        ids.push(sent.message_id.unwrap());
    }
    let receive = sqs.receive_message().queue_url(&queue).max_number_of_messages(10).visibility_timeout(0);
    let received = receive.send().await.unwrap().messages.unwrap();
    assert_eq!(received.len(), 2);
    let deleted = received.iter().find(|message| message.body() == Some("deleted")).unwrap();
    let receipt = deleted.receipt_handle().unwrap();
    sqs.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.unwrap();
    let skolverket = stack.end("KILL").await;

    let stack = start(skolverket, &data).await;
    let (sqs, queue) = dead_letters(&stack).await;
    let receive = sqs
        .receive_message()
        .queue_url(&queue)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::All);
    let received = receive.send().await.unwrap().messages.unwrap();
    let [kept] = received.as_slice() else { panic!("{} messages, not one", received.len()) };
    assert_eq!((kept.message_id(), kept.body()), (Some(&*ids[0]), Some("kept")));
    let count = &kept.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount];
    assert_eq!(count, "2", "the receive before the kill counts");
    stack.finish(1).await;
}

#[tokio::test]
async fn a_data_directory_has_one_program_at_a_time() {
    let data = TempDir::new().unwrap();
    let stack = start(Simulator::start(limits()).await.unwrap(), &data).await;
    let mut second = program();
    let second = second.args(["--no-send", "--data-dir"]).arg(data.path()).output();
    let ended = tokio::time::timeout(Duration::from_secs(60), second).await;
    let output = ended.expect("the second one ends").unwrap();
    assert!(!output.status.success());
    let notices = String::from_utf8(output.stderr).unwrap();
    assert!(notices.contains("--data-dir: another stack uses it"), "{notices}");
    stack.finish(0).await;
}

/// The dead-letter queue of the users queue, and a client for it.
async fn dead_letters(stack: &TestStack) -> (aws_sdk_sqs::Client, String) {
    let queues = stack.local("/local/queues").await;
    let users =
        queues.as_array().unwrap().iter().find(|queue| queue["queue"] == "stafett-UsersQueue").unwrap();
    let url = users["url"].as_str().unwrap();
    let endpoint = url.split("/000000000000/").next().unwrap();
    (client(Some(endpoint)), url.replace("UsersQueue", "UsersDeadLetters"))
}
