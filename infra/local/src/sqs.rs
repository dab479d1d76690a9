//! The local stack's own SQS: queues in memory behind the calls of AWS's that Stafett makes, and their rules; on
//! request with a journal of every change on disk.

mod error;
mod journal;
mod limits;
mod protocol;
mod queue;
mod settings;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::clock::Clock;
use crate::pace::Pace;
use crate::template::{self, ACCOUNT};

pub use error::SqsError;
use journal::Journal;
pub(crate) use limits::MAX_DELAY_S;
pub use limits::MAX_WAIT_S;
use limits::{MAX_BYTES, MAX_MESSAGES, MAX_VISIBILITY_S};
pub(crate) use protocol::system_attributes;
pub use queue::{Counts, Received};
use queue::{NotChanged, Queues, at_pace_ms};
use settings::Settings;

/// The id and digest that a sent message gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub id: Uuid,
    /// MD5 of its body, in hexadecimal: clients of some languages compare it.
    pub body_md5: String,
}

/// The queues, shared by the endpoint and the pollers. Durations are given in SQS's seconds and run at the stack's
/// pace.
#[derive(Debug, Clone)]
pub struct Sqs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Base URL of the queues' addresses.
    endpoint: String,
    kept: Mutex<Kept>,
    /// Notified whenever a message may have become visible earlier than a waiting receive expects.
    changed: Notify,
    clock: Clock,
    pace: Pace,
    started: jiff::Timestamp,
}

/// The queues, and where their changes are written, if they are.
#[derive(Debug)]
struct Kept {
    queues: Queues,
    journal: Option<Journal>,
}

impl Sqs {
    /// No queues, or those of the journal; their addresses begin with `endpoint`.
    pub fn open(endpoint: &str, journal: Option<&Path>, clock: Clock, pace: Pace) -> std::io::Result<Self> {
        let mut queues = Queues::new(pace);
        let journal = journal.map(|path| Journal::open(path, &mut queues)).transpose()?;
        Ok(Self(Arc::new(Inner {
            endpoint: endpoint.to_owned(),
            kept: Mutex::new(Kept { queues, journal }),
            changed: Notify::new(),
            clock,
            pace,
            started: clock.now(),
        })))
    }

    /// Creates the template's queues; those that are there keep their messages.
    pub fn declare(&self, descriptions: &[template::Queue]) -> Result<(), SqsError> {
        self.change(|queues| {
            for description in descriptions {
                queues.set(&description.name, Settings::from(description));
            }
            Ok(())
        })
    }

    /// Sends a message, visible in `delay_s` seconds.
    pub fn send(&self, queue: &str, body: String, delay_s: Option<i64>) -> Result<Sent, SqsError> {
        check_body(&body)?;
        let delay_s = in_range("DelaySeconds", delay_s, MAX_DELAY_S)?.unwrap_or(0);
        let body_md5 = body_md5(&body);
        let (delay_ms, now_ms) = (self.at_pace_ms(delay_s), self.now_ms());
        let id = self
            .change(|queues| queues.send(queue, body, delay_ms, now_ms).ok_or(SqsError::QueueDoesNotExist))?;
        self.0.changed.notify_waiters();
        Ok(Sent { id, body_md5 })
    }

    /// Receives up to `max` (1–10) messages; waits up to `wait_s` (0–20) seconds for the first.
    pub async fn receive(
        &self,
        queue: &str,
        max: Option<i64>,
        visibility_s: Option<i64>,
        wait_s: Option<i64>,
    ) -> Result<Vec<Received>, SqsError> {
        let max = match max {
            None => 1,
            Some(max) => usize::try_from(max)
                .ok()
                .filter(|max| (1..=MAX_MESSAGES).contains(max))
                .ok_or_else(|| out_of_range("MaxNumberOfMessages", 1, 10))?,
        };
        let visibility = in_range("VisibilityTimeout", visibility_s, MAX_VISIBILITY_S)?;
        let visibility_ms = visibility.map(|seconds| self.at_pace_ms(seconds));
        let wait_s = in_range("WaitTimeSeconds", wait_s, MAX_WAIT_S)?.unwrap_or(0);
        let deadline = Instant::now() + Duration::from_millis(self.at_pace_ms(wait_s));
        loop {
            // Subscribes before it reads: a message that is sent in between is not missed.
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now_ms = self.now_ms();
            let (received, next_visible_ms) = self.change(|queues| {
                let received = queues.receive(queue, max, visibility_ms, now_ms);
                Ok((received.ok_or(SqsError::QueueDoesNotExist)?, queues.next_visible_ms(queue, now_ms)))
            })?;
            if !received.is_empty() || Instant::now() >= deadline {
                return Ok(received);
            }
            let next_visible = next_visible_ms
                .map(|at_ms| Instant::now() + Duration::from_millis(at_ms.saturating_sub(now_ms)));
            let until = next_visible.map_or(deadline, |at| at.min(deadline));
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    /// Deletes a received message. With an old receipt the call succeeds and deletes nothing.
    pub fn delete(&self, queue: &str, receipt: &str) -> Result<(), SqsError> {
        let receipt = parse_receipt(receipt)?;
        self.change(|queues| queues.delete(queue, receipt).ok_or(SqsError::QueueDoesNotExist))
    }

    /// Makes a received message visible in `visibility_s` (0–43,200) seconds from now.
    pub fn change_visibility(
        &self,
        queue: &str,
        receipt: &str,
        visibility_s: Option<i64>,
    ) -> Result<(), SqsError> {
        let visibility_s = in_range("VisibilityTimeout", visibility_s, MAX_VISIBILITY_S)?
            .ok_or(SqsError::MissingParameter("VisibilityTimeout"))?;
        let receipt = parse_receipt(receipt)?;
        let visibility_ms = self.at_pace_ms(visibility_s);
        let now_ms = self.now_ms();
        self.change(|queues| {
            let changed = queues.change_visibility(queue, receipt, visibility_ms, now_ms);
            changed.ok_or(SqsError::QueueDoesNotExist)?.map_err(|error| match error {
                NotChanged::UnknownReceipt => SqsError::ReceiptHandleIsInvalid,
                NotChanged::NotInFlight => SqsError::MessageNotInflight,
            })
        })?;
        self.0.changed.notify_waiters();
        Ok(())
    }

    /// How many messages a queue holds.
    pub fn counts(&self, queue: &str) -> Result<Counts, SqsError> {
        self.kept().queues.counts(queue, self.now_ms()).ok_or(SqsError::QueueDoesNotExist)
    }

    fn settings(&self, queue: &str) -> Result<Settings, SqsError> {
        self.kept().queues.settings(queue).cloned().ok_or(SqsError::QueueDoesNotExist)
    }

    fn url(&self, queue: &str) -> String {
        format!("{}/{ACCOUNT}/{queue}", self.0.endpoint)
    }

    /// Changes the queues, and writes the changes to the journal before anybody is notified.
    fn change<T>(&self, change: impl FnOnce(&mut Queues) -> Result<T, SqsError>) -> Result<T, SqsError> {
        let mut kept = self.kept();
        let Kept { queues, journal } = &mut *kept;
        let result = change(queues)?;
        match journal {
            Some(journal) => {
                journal.keep(queues).map_err(|error| SqsError::NotKept(error.kind().to_string()))?;
            }
            None => drop(queues.take_changes()),
        }
        Ok(result)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    fn at_pace_ms(&self, seconds: u64) -> u64 {
        at_pace_ms(self.0.pace, seconds)
    }
}

/// MD5 of a body as SQS gives it.
pub fn body_md5(body: &str) -> String {
    format!("{:x}", md5::compute(body))
}

fn check_body(body: &str) -> Result<(), SqsError> {
    if body.is_empty() {
        return Err(SqsError::MissingParameter("MessageBody"));
    }
    if body.len() > MAX_BYTES {
        let reason = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes."
        );
        return Err(SqsError::InvalidParameterValue(reason));
    }
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if body.chars().all(allowed) { Ok(()) } else { Err(SqsError::InvalidMessageContents) }
}

fn in_range(parameter: &str, value: Option<i64>, max: u64) -> Result<Option<u64>, SqsError> {
    value
        .map(|value| {
            u64::try_from(value)
                .ok()
                .filter(|value| *value <= max)
                .ok_or_else(|| out_of_range(parameter, 0, max))
        })
        .transpose()
}

fn out_of_range(parameter: &str, min: u64, max: u64) -> SqsError {
    SqsError::InvalidParameterValue(format!("{parameter} must be between {min} and {max}."))
}

fn parse_receipt(receipt: &str) -> Result<Uuid, SqsError> {
    Uuid::parse_str(receipt).map_err(|_| SqsError::ReceiptHandleIsInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqs(pace: Pace) -> Sqs {
        let queue = template::Queue {
            name: "users".to_owned(),
            url: "http://127.0.0.1:9/000000000000/users".to_owned(),
            visibility_timeout: Duration::from_secs(1),
            retention: Duration::from_secs(60),
            redrive: None,
        };
        let sqs = Sqs::open("http://127.0.0.1:9", None, Clock::start(), pace).unwrap();
        sqs.declare(&[queue]).unwrap();
        sqs
    }

    #[tokio::test]
    async fn a_waiting_receive_is_woken_by_a_send() {
        let sqs = sqs(Pace::REAL);
        let receiver = tokio::spawn({
            let sqs = sqs.clone();
            async move { sqs.receive("users", None, None, Some(20)).await }
        });
        tokio::task::yield_now().await;
        sqs.send("users", "a".to_owned(), None).unwrap();
        let received =
            tokio::time::timeout(Duration::from_secs(5), receiver).await.unwrap().unwrap().unwrap();
        assert_eq!(received[0].body, "a");
    }

    #[tokio::test]
    async fn a_waiting_receive_sees_the_end_of_a_delay_at_the_stacks_pace() {
        let sqs = sqs(Pace::FAST);
        sqs.send("users", "a".to_owned(), Some(1)).unwrap();
        let start = Instant::now();
        let received = sqs.receive("users", None, None, Some(20)).await.unwrap();
        assert_eq!(received.len(), 1);
        let waited = start.elapsed();
        assert!((Duration::from_millis(90)..Duration::from_millis(1000)).contains(&waited), "{waited:?}");
    }

    #[tokio::test]
    async fn a_receive_of_an_empty_queue_ends() {
        assert_eq!(sqs(Pace::FAST).receive("users", None, None, Some(1)).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn ranges_are_those_of_sqs() {
        let sqs = sqs(Pace::REAL);
        let invalid = |result: Result<_, SqsError>| matches!(result, Err(SqsError::InvalidParameterValue(_)));
        assert!(sqs.send("users", "a".to_owned(), Some(900)).is_ok());
        assert!(invalid(sqs.send("users", "a".to_owned(), Some(901)).map(drop)));
        assert!(invalid(sqs.send("users", "a".to_owned(), Some(-1)).map(drop)));
        assert!(invalid(sqs.send("users", "x".repeat(MAX_BYTES + 1), None).map(drop)));
        assert!(sqs.send("users", "x".repeat(MAX_BYTES), None).is_ok());
        assert!(invalid(sqs.receive("users", Some(11), None, None).await.map(drop)));
        assert!(invalid(sqs.receive("users", None, None, Some(21)).await.map(drop)));
        assert_eq!(
            sqs.send("users", "\u{0}".to_owned(), None).map(drop),
            Err(SqsError::InvalidMessageContents)
        );
        assert_eq!(sqs.send("other", "a".to_owned(), None).map(drop), Err(SqsError::QueueDoesNotExist));
        assert_eq!(sqs.delete("users", "made up"), Err(SqsError::ReceiptHandleIsInvalid));
    }

    #[test]
    fn the_digest_is_md5() {
        assert_eq!(body_md5("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
    }
}
