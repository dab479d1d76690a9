//! Sends messages to the stages' queues.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use stafett_domain::{PerKind, RecordKind};

use crate::config::Config;
use stafett_domain::message::Message;

/// SQS takes delays up to 900 seconds.
const LONGEST_DELAY_SECONDS: u32 = 900;
/// SQS takes ten messages per call.
const LARGEST_BATCH: usize = 10;

/// A message could not be queued.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The call failed.
    #[error("the queue did not take a message: {code}")]
    Refused {
        /// SQS's error code, or the kind of transport failure.
        code: String,
    },
    /// A message could not be written as JSON.
    #[error("a message cannot be written")]
    NotWritable(#[from] serde_json::Error),
}

/// The stages' queues.
#[derive(Clone)]
pub struct Queues {
    sqs: aws_sdk_sqs::Client,
    addresses: PerKind<String>,
    /// The length of one second of queue delay.
    second: Duration,
}

impl Queues {
    /// Creates the queues that `config` names.
    pub(crate) fn new(sqs: aws_sdk_sqs::Client, config: &Config) -> Self {
        Self { sqs, addresses: config.queues.clone(), second: config.timing.queue_delay_unit }
    }

    /// Queues one message for its stage and delivers it after `wait` at the earliest. The delay is rounded up to whole
    /// seconds of the queue, and is at most 900 of them. A step that is delivered too early is put back.
    ///
    /// # Errors
    /// [`QueueError`] if SQS did not take it.
    pub async fn send(&self, message: &Message, wait: Duration) -> Result<(), QueueError> {
        self.send_text(message.stage, serde_json::to_string(message)?, wait).await
    }

    /// Queues a message unchanged, with the longest delay that SQS allows.
    ///
    /// # Errors
    /// [`QueueError`] if SQS did not take it.
    pub async fn put_off(&self, stage: RecordKind, body: &str) -> Result<(), QueueError> {
        let longest = self.second.saturating_mul(LONGEST_DELAY_SECONDS);
        self.send_text(stage, body.to_owned(), longest).await
    }

    async fn send_text(&self, stage: RecordKind, body: String, wait: Duration) -> Result<(), QueueError> {
        let request = self
            .sqs
            .send_message()
            .queue_url(&self.addresses[stage])
            .message_body(body)
            .delay_seconds(delay_seconds(wait, self.second));
        request.send().await.map(drop).map_err(|error| refused(&error))
    }

    /// Queues several messages for one stage, without delay.
    ///
    /// # Errors
    /// [`QueueError`] if SQS did not take one of them. It may have taken others; it is safe to send them again.
    pub async fn send_all(&self, messages: &[Message]) -> Result<(), QueueError> {
        for chunk in messages.chunks(LARGEST_BATCH) {
            let Some(first) = chunk.first() else { continue };
            let mut request = self.sqs.send_message_batch().queue_url(&self.addresses[first.stage]);
            for (index, message) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(serde_json::to_string(message)?)
                    .build()
                    .map_err(|_| QueueError::Refused { code: "entry".to_owned() })?;
                request = request.entries(entry);
            }
            let answer = request.send().await.map_err(|error| refused(&error))?;
            // A batch call succeeds even if some of its entries failed.
            if let Some(failed) = answer.failed().first() {
                return Err(QueueError::Refused { code: failed.code().to_owned() });
            }
        }
        Ok(())
    }
}

fn delay_seconds(wait: Duration, unit: Duration) -> i32 {
    let units = wait.as_millis().div_ceil(unit.as_millis().max(1)).min(LONGEST_DELAY_SECONDS.into());
    i32::try_from(units).unwrap_or(i32::MAX)
}

fn refused<E, R>(error: &aws_sdk_sqs::error::SdkError<E, R>) -> QueueError
where
    E: aws_sdk_sqs::error::ProvideErrorMetadata,
{
    QueueError::Refused { code: crate::aws_error::error_code(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_the_queues_second() {
        let second = Duration::from_secs(1);
        let delays = [0, 1, 999, 1000, 1001, 900_000, 5_000_000]
            .map(|wait| delay_seconds(Duration::from_millis(wait), second));
        assert_eq!(delays, [0, 1, 1, 1, 2, 900, 900]);
        assert_eq!(delay_seconds(Duration::from_millis(250), Duration::from_millis(100)), 3);
    }
}
