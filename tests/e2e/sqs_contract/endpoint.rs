//! The endpoint that is held to the contract, and the queues that a case has there.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use stafett_local::clock::Clock;
use stafett_local::loopback;
use stafett_local::pace::Pace;
use stafett_local::sqs::Sqs;
use stafett_local::template::REGION;
use uuid::Uuid;

/// Longest wait for a condition.
const DEADLINE: Duration = Duration::from_secs(60);

pub(super) struct Endpoint {
    pub(super) sqs: Client,
    /// Base URL; none is AWS itself.
    url: Option<String>,
    queues: Mutex<Vec<String>>,
}

impl Endpoint {
    pub(super) async fn from_environment() -> Self {
        let url = match std::env::var("SQS_CONTRACT_ENDPOINT").ok().filter(|url| !url.is_empty()) {
            None => Some(own().await),
            Some(url) if url == "aws" => None,
            Some(url) => Some(url),
        };
        Self { sqs: client(url.as_deref()), url, queues: Mutex::default() }
    }

    /// Which emulator it is, by an address that no other has.
    pub(super) async fn is_ministack(&self) -> bool {
        let Some(url) = &self.url else { return false };
        let answer = reqwest::get(format!("{}/_ministack/health", url.trim_end_matches('/'))).await.unwrap();
        answer.status().is_success()
    }

    /// A new queue; gives its address.
    pub(super) async fn queue(&self, attributes: &[(QueueAttributeName, &str)]) -> String {
        let name = format!("stafett-contract-{}", Uuid::new_v4().simple());
        let attributes: HashMap<_, _> =
            attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        let request = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes));
        let url = request.send().await.unwrap().queue_url.unwrap();
        self.queues.lock().unwrap().push(url.clone());
        url
    }

    pub(super) async fn delete_queues(&self) {
        let queues = std::mem::take(&mut *self.queues.lock().unwrap());
        for queue in queues {
            self.sqs.delete_queue().queue_url(queue).send().await.unwrap();
        }
    }

    pub(super) async fn attribute(&self, queue: &str, name: QueueAttributeName) -> String {
        let request = self.sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        request.send().await.unwrap().attributes.unwrap().remove(&name).unwrap()
    }

    /// Waits until the attribute has this value: AWS takes up to a minute.
    pub(super) async fn until_attribute(&self, queue: &str, name: QueueAttributeName, value: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.attribute(queue, name.clone()).await != value {
            assert!(Instant::now() < deadline, "{name} is not {value}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the queue has so many messages that are visible, delayed, in flight.
    pub(super) async fn until_counts(&self, queue: &str, counts: [&str; 3]) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let found = [
                self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessages).await,
                self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessagesDelayed).await,
                self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await,
            ];
            if found == counts {
                return;
            }
            assert!(Instant::now() < deadline, "visible, delayed, in flight: {found:?}, not {counts:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends one message; gives its id.
    pub(super) async fn send(&self, queue: &str, body: &str) -> String {
        let request = self.sqs.send_message().queue_url(queue).message_body(body);
        request.send().await.unwrap().message_id.unwrap()
    }

    /// Receives up to `max` messages, within `wait_s` seconds.
    pub(super) async fn receive(&self, queue: &str, max: i32, wait_s: i32) -> Vec<Message> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(max)
            .wait_time_seconds(wait_s)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    /// Receives the one message that there is; a distributed queue may need a second receive.
    pub(super) async fn receive_one(&self, queue: &str) -> Message {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let mut received = self.receive(queue, 10, 5).await;
            assert!(received.len() <= 1, "{} messages, not one", received.len());
            if let Some(message) = received.pop() {
                return message;
            }
            assert!(Instant::now() < deadline, "no message");
        }
    }

    /// Receives until there have been `count` messages.
    pub(super) async fn receive_all(&self, queue: &str, count: usize) -> Vec<Message> {
        let deadline = Instant::now() + DEADLINE;
        let mut received = Vec::new();
        while received.len() < count {
            received.extend(self.receive(queue, 10, 5).await);
            assert!(Instant::now() < deadline, "{} messages, not {count}", received.len());
        }
        assert_eq!(received.len(), count);
        received
    }

    pub(super) async fn delete(&self, queue: &str, message: &Message) {
        let receipt = message.receipt_handle().unwrap();
        self.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
    }

    pub(super) async fn change_visibility(&self, queue: &str, message: &Message, seconds: i32) {
        let receipt = message.receipt_handle().unwrap();
        let request = self.sqs.change_message_visibility().queue_url(queue).receipt_handle(receipt);
        request.visibility_timeout(seconds).send().await.unwrap();
    }
}

/// A client of the emulator at this base URL; of AWS itself without one, with the environment's credentials and region.
pub(crate) fn client(url: Option<&str>) -> Client {
    let config = Config::builder().behavior_version(BehaviorVersion::latest());
    let config = match url {
        None => {
            let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
            let token = std::env::var("AWS_SESSION_TOKEN").ok();
            let (key, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
            config.region(Region::new(variable("AWS_REGION"))).credentials_provider(Credentials::new(
                key,
                secret,
                token,
                None,
                "this test",
            ))
        }
        Some(url) => config
            .endpoint_url(url)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("local", "local", None, None, "this test")),
    };
    Client::from_conf(config.build())
}

/// The local stack's own, served by this test at the real pace; gives its address.
async fn own() -> String {
    let listener = loopback::listen(0).unwrap();
    let url = loopback::url(&listener).unwrap();
    let sqs = Sqs::open(&url, None, Clock::start(), Pace::REAL).unwrap();
    tokio::spawn(sqs.serve(listener));
    url
}
