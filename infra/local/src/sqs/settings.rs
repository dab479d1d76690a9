//! The settings of a queue, with SQS's own names and in seconds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::SqsError;
use super::limits::{MAX_BYTES, MAX_VISIBILITY_S};
use crate::template::{self, ACCOUNT, REGION, Redrive};

/// The shortest and the longest that a queue may keep a message, in seconds: a minute, 14 days.
const RETENTION_S: std::ops::RangeInclusive<u64> = 60..=1_209_600;
/// After how many receives a message may go to the dead letters.
const MAX_RECEIVES: std::ops::RangeInclusive<u32> = 1..=1000;

/// A queue's settings. Serialized for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// How long a received message stays invisible, in seconds.
    pub(super) visibility_s: u64,
    /// How long a message is retained, in seconds.
    pub(super) retention_s: u64,
    /// Where messages go that were received too often.
    pub(super) redrive: Option<Redrive>,
}

impl Default for Settings {
    /// What AWS takes where the creator says nothing: 30 s, four days.
    fn default() -> Self {
        Self { visibility_s: 30, retention_s: 345_600, redrive: None }
    }
}

impl From<&template::Queue> for Settings {
    fn from(queue: &template::Queue) -> Self {
        Self {
            visibility_s: queue.visibility_timeout.as_secs(),
            retention_s: queue.retention.as_secs(),
            redrive: queue.redrive.clone(),
        }
    }
}

impl Settings {
    /// These settings with the attributes of a `CreateQueue` or `SetQueueAttributes` call in place of their own. What
    /// a queue here cannot be set to is refused, not ignored.
    pub(super) fn with(mut self, attributes: &Map<String, Value>) -> Result<Self, SqsError> {
        for (name, value) in attributes {
            let text = value.as_str().ok_or_else(|| invalid(name))?;
            let number = || text.parse::<u64>().map_err(|_| invalid(name));
            match name.as_str() {
                "VisibilityTimeout" => self.visibility_s = number()?,
                "MessageRetentionPeriod" => self.retention_s = number()?,
                "RedrivePolicy" => self.redrive = redrive(text)?,
                _ => return Err(SqsError::UnsupportedOperation(name.clone())),
            }
        }
        if self.visibility_s > MAX_VISIBILITY_S {
            return Err(invalid("VisibilityTimeout"));
        }
        if !RETENTION_S.contains(&self.retention_s) {
            return Err(invalid("MessageRetentionPeriod"));
        }
        Ok(self)
    }

    /// The attributes of a queue of this name, without the counts.
    pub(super) fn attributes(&self, name: &str) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("QueueArn", arn(name)),
            ("DelaySeconds", "0".to_owned()),
            ("MaximumMessageSize", MAX_BYTES.to_string()),
            ("MessageRetentionPeriod", self.retention_s.to_string()),
            ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
            ("VisibilityTimeout", self.visibility_s.to_string()),
        ];
        if let Some(redrive) = &self.redrive {
            let policy = json!({
                "deadLetterTargetArn": arn(&redrive.dead_letter_queue),
                "maxReceiveCount": redrive.max_receive_count,
            });
            attributes.push(("RedrivePolicy", policy.to_string()));
        }
        attributes
    }
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

/// An empty text takes the policy away, as on AWS.
fn redrive(text: &str) -> Result<Option<Redrive>, SqsError> {
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Value = serde_json::from_str(text).map_err(|_| invalid("RedrivePolicy"))?;
    let prefix = arn("");
    let queue = policy["deadLetterTargetArn"].as_str().and_then(|arn| arn.strip_prefix(&prefix));
    // AWS takes the number as a number and as a text.
    let count = match &policy["maxReceiveCount"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|count| u32::try_from(count).ok()),
    };
    match (queue, count.filter(|count| MAX_RECEIVES.contains(count))) {
        (Some(queue), Some(max_receive_count)) => {
            Ok(Some(Redrive { dead_letter_queue: queue.to_owned(), max_receive_count }))
        }
        _ => Err(invalid("RedrivePolicy")),
    }
}

fn invalid(attribute: &str) -> SqsError {
    SqsError::InvalidAttributeValue(attribute.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(attributes: Value) -> Result<Settings, SqsError> {
        Settings::default().with(attributes.as_object().unwrap())
    }

    #[test]
    fn attributes_that_are_set_are_returned() {
        let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": "3"}).to_string();
        let settings = with(json!({"VisibilityTimeout": "2", "RedrivePolicy": policy})).unwrap();
        assert_eq!(settings.redrive.as_ref().unwrap().max_receive_count, 3);
        let returned: Map<String, Value> = settings
            .attributes("q")
            .into_iter()
            .filter(|(name, _)| {
                ["VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy"].contains(name)
            })
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        assert_eq!(with(Value::Object(returned)), Ok(settings.clone()));
        let without = settings.with(json!({"RedrivePolicy": ""}).as_object().unwrap()).unwrap();
        assert_eq!(without.redrive, None);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for attributes in [
            json!({"VisibilityTimeout": "43201"}),
            json!({"VisibilityTimeout": "soon"}),
            json!({"MessageRetentionPeriod": "59"}),
            json!({"RedrivePolicy": "{}"}),
            json!({"RedrivePolicy": json!({"deadLetterTargetArn": arn("d"), "maxReceiveCount": 0}).to_string()}),
        ] {
            assert!(matches!(with(attributes), Err(SqsError::InvalidAttributeValue(_))));
        }
        assert!(matches!(with(json!({"FifoQueue": "true"})), Err(SqsError::UnsupportedOperation(_))));
    }
}
