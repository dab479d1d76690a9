//! The messages that move a send along. They carry ids and a version, never personal data.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kind::id::{BatchId, SendId};
use crate::kind::organisation_number::OrganisationNumber;
use crate::kind::record_kind::RecordKind;
use crate::state::call::Call;

/// The version of the form below.
const VERSION: u32 = 1;

/// A step to take: `{v, organisation, send, stage, step}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    v: u32,
    /// Whose send.
    pub organisation: OrganisationNumber,
    /// Which send.
    pub send: SendId,
    /// Which of its jobs.
    pub stage: RecordKind,
    /// What to do.
    pub step: Step,
}

/// The step that a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Step {
    /// Start the job.
    Start,
    /// Submit a batch.
    Submit(BatchStep),
    /// Poll a batch.
    Poll(BatchStep),
}

impl Step {
    /// The step that makes this call.
    pub fn of(call: Call, step: BatchStep) -> Self {
        match call {
            Call::Submit => Self::Submit(step),
            Call::Poll => Self::Poll(step),
        }
    }
}

/// A step of a batch: step `n` of its `try`. A message of an older try or n is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchStep {
    /// Which batch.
    pub batch: BatchId,
    /// Which try of it, from 1.
    #[serde(rename = "try")]
    pub attempt_try: u32,
    /// Which step of the try, from 0.
    pub n: u32,
}

/// A message that cannot be read. The error has the place, never the content.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// No JSON, or not of this form.
    #[error("the message cannot be read (line {line}, column {column})")]
    NotReadable {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Of a later version: a later deploy queued it, and this function can only let it wait.
    #[error("the message has version {0}, which is newer than this function")]
    Newer(u32),
    /// Of a version that no function has ever written.
    #[error("the message has version {0}, which there is not")]
    Version(u32),
}

/// The parts of a message that can be read, for the log: ids of the right form, and nothing else.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MessageNames {
    /// Whose send.
    pub organisation: Option<OrganisationNumber>,
    /// Which send.
    pub send: Option<SendId>,
    /// Which of its jobs.
    pub stage: Option<RecordKind>,
    /// What to do.
    pub step: Option<Step>,
}

impl MessageNames {
    /// Reads what can be read of a message, of whatever version.
    pub fn of(text: &str) -> Self {
        let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_str(text) else {
            return Self::default();
        };
        Self {
            organisation: field(&mut fields, "organisation"),
            send: field(&mut fields, "send"),
            stage: field(&mut fields, "stage"),
            step: field(&mut fields, "step"),
        }
    }
}

fn field<T: DeserializeOwned>(
    fields: &mut serde_json::Map<String, serde_json::Value>,
    name: &str,
) -> Option<T> {
    serde_json::from_value(fields.remove(name)?).ok()
}

impl fmt::Display for Step {
    /// `start`, or the call with `batch.try.n`: `poll 0.1.2`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, BatchStep { batch, attempt_try, n }) = match self {
            Self::Start => return formatter.write_str("start"),
            Self::Submit(step) => (Call::Submit, step),
            Self::Poll(step) => (Call::Poll, step),
        };
        write!(formatter, "{} {}.{attempt_try}.{n}", call.as_str(), batch.0)
    }
}

impl Message {
    /// A message of the current version.
    pub fn new(organisation: OrganisationNumber, send: SendId, stage: RecordKind, step: Step) -> Self {
        Self { v: VERSION, organisation, send, stage, step }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`InvalidMessage`]
    pub fn parse(text: &str) -> Result<Self, InvalidMessage> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let not_readable = |error: serde_json::Error| InvalidMessage::NotReadable {
            line: error.line(),
            column: error.column(),
        };
        // The version first: whatever else stands in a newer message is not for us to judge.
        match serde_json::from_str::<Versioned>(text).map_err(not_readable)?.v {
            VERSION => serde_json::from_str(text).map_err(not_readable),
            newer if newer > VERSION => Err(InvalidMessage::Newer(newer)),
            other => Err(InvalidMessage::Version(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_on_the_wire() {
        let step = Step::Submit(BatchStep { batch: BatchId(4), attempt_try: 1, n: 0 });
        let send: SendId = "0190a1b2-0000-7000-8000-000000000000".parse().unwrap();
        let message = Message::new("5567044268".parse().unwrap(), send, RecordKind::Group, step);
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(
            text,
            r#"{"v":1,"organisation":"5567044268","send":"0190a1b2-0000-7000-8000-000000000000","stage":"groups","step":{"kind":"submit","batch":4,"try":1,"n":0}}"#
        );
        assert_eq!(Message::parse(&text), Ok(message));
        assert_eq!(Message::parse(&text.replace(r#""v":1"#, r#""v":0"#)), Err(InvalidMessage::Version(0)));
        assert!(Message::parse(&text.replace(r#""kind":"submit""#, r#""kind":"start""#)).is_ok());
    }

    #[test]
    fn a_newer_message_is_known_by_its_version_whatever_else_it_holds() {
        assert_eq!(Message::parse(r#"{"v":2,"leg":"landing"}"#), Err(InvalidMessage::Newer(2)));
    }

    #[test]
    fn of_a_message_that_failed_its_ids_are_named_and_nothing_else() {
        let names = MessageNames::of(
            r#"{"v":7,"organisation":"5567044268","send":"0190a1b2-0000-7000-8000-000000000000","stage":"Pippi","step":{"kind":"poll","batch":4,"try":1,"n":2},"name":"Pippi"}"#,
        );
        assert_eq!(names.organisation.unwrap().as_str(), "5567044268");
        assert_eq!(names.send.unwrap().to_string(), "0190a1b2-0000-7000-8000-000000000000");
        assert_eq!(names.stage, None);
        assert_eq!(names.step.unwrap().to_string(), "poll 4.1.2");
        assert_eq!(MessageNames::of("no json about Pippi"), MessageNames::default());
        assert_eq!(Step::Start.to_string(), "start");
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        for text in ["", "no json about Pippi", r#"{"v":1,"send":"Pippi"}"#] {
            let error = Message::parse(text).unwrap_err();
            assert!(matches!(error, InvalidMessage::NotReadable { .. }));
            assert!(!error.to_string().contains("Pippi"));
        }
    }
}
