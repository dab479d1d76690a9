//! The messages that move a send along. They carry ids and a version, never personal data.

use serde::{Deserialize, Serialize};
use stafett_domain::{BatchId, Call, OrganisationNumber, SendId, StageName};

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
    pub stage: StageName,
    /// What to do.
    pub step: Step,
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Step {
    /// Start the job.
    Start,
    /// Submit a batch.
    Submit(BatchStep),
    /// Ask what became of a batch.
    Poll(BatchStep),
}

impl Step {
    /// The step that makes this call.
    pub(crate) fn of(call: Call, step: BatchStep) -> Self {
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

/// A message that cannot be read. Says where, never what it held.
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
    /// Of a version that this function does not know.
    #[error("the message has version {0}, which this function does not know")]
    Version(u32),
}

impl Message {
    /// A message of the current version.
    pub fn new(organisation: OrganisationNumber, send: SendId, stage: StageName, step: Step) -> Self {
        Self { v: VERSION, organisation, send, stage, step }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`InvalidMessage`]
    pub fn parse(text: &str) -> Result<Self, InvalidMessage> {
        let message: Self = serde_json::from_str(text)
            .map_err(|error| InvalidMessage::NotReadable { line: error.line(), column: error.column() })?;
        if message.v == VERSION { Ok(message) } else { Err(InvalidMessage::Version(message.v)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_on_the_wire() {
        let step = Step::Submit(BatchStep { batch: BatchId(4), attempt_try: 1, n: 0 });
        let send: SendId = "0190a1b2-0000-7000-8000-000000000000".parse().unwrap();
        let message = Message::new("5567044268".parse().unwrap(), send, StageName::Groups, step);
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(
            text,
            r#"{"v":1,"organisation":"5567044268","send":"0190a1b2-0000-7000-8000-000000000000","stage":"groups","step":{"kind":"submit","batch":4,"try":1,"n":0}}"#
        );
        assert_eq!(Message::parse(&text), Ok(message));
        assert_eq!(Message::parse(&text.replace(r#""v":1"#, r#""v":2"#)), Err(InvalidMessage::Version(2)));
        assert!(Message::parse(&text.replace(r#""kind":"submit""#, r#""kind":"start""#)).is_ok());
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
