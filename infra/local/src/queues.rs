//! The queues that functions are invoked from: the built-in ones, or those of another emulator.

use crate::emulator::{CallError, Emulator};
use crate::sqs::{Counts, MAX_WAIT_S, Received, Sqs, SqsError};
use crate::template;

/// How long a receive from another emulator waits, in seconds. Short: ministack for one does not notice that a stack has
/// ended, and gives the next stack's messages to a receive of which nobody awaits the answer.
const WAIT_ELSEWHERE_S: u64 = 2;

/// Why a queue did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The built-in one refused.
    #[error(transparent)]
    BuiltIn(#[from] SqsError),
    /// The other emulator refused, or did not answer.
    #[error(transparent)]
    Emulator(#[from] CallError),
}

impl QueueError {
    /// Whether the same call may succeed later: another program may be starting anew.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Emulator(_))
    }
}

/// All queues of the template. Clones are handles to the same ones.
#[derive(Debug, Clone)]
pub struct Queues {
    descriptions: std::sync::Arc<[template::Queue]>,
    place: Place,
}

/// Where they are.
#[derive(Debug, Clone)]
enum Place {
    BuiltIn(Sqs),
    Elsewhere(Emulator),
}

impl Queues {
    /// The built-in ones.
    pub fn built_in(descriptions: Vec<template::Queue>, sqs: Sqs) -> Self {
        Self { descriptions: descriptions.into(), place: Place::BuiltIn(sqs) }
    }

    /// Those of another emulator, which has created them.
    pub fn elsewhere(descriptions: Vec<template::Queue>, emulator: Emulator) -> Self {
        Self { descriptions: descriptions.into(), place: Place::Elsewhere(emulator) }
    }

    /// The template's descriptions.
    pub fn descriptions(&self) -> &[template::Queue] {
        &self.descriptions
    }

    /// Receives up to `max` (1–10) messages; waits a while for the first.
    pub async fn receive(&self, queue: &str, max: usize) -> Result<Vec<Received>, QueueError> {
        match &self.place {
            Place::BuiltIn(sqs) => {
                let (max, wait_s) = (i64::try_from(max).ok(), i64::try_from(MAX_WAIT_S).ok());
                Ok(sqs.receive(queue, max, None, wait_s).await?)
            }
            Place::Elsewhere(emulator) => {
                Ok(emulator.receive(self.url(queue)?, max, WAIT_ELSEWHERE_S).await?)
            }
        }
    }

    /// Deletes a received message.
    pub async fn delete(&self, queue: &str, receipt: &str) -> Result<(), QueueError> {
        match &self.place {
            Place::BuiltIn(sqs) => Ok(sqs.delete(queue, receipt)?),
            Place::Elsewhere(emulator) => Ok(emulator.delete(self.url(queue)?, receipt).await?),
        }
    }

    /// How many messages a queue holds.
    pub async fn counts(&self, queue: &str) -> Result<Counts, QueueError> {
        match &self.place {
            Place::BuiltIn(sqs) => Ok(sqs.counts(queue)?),
            Place::Elsewhere(emulator) => Ok(emulator.counts(self.url(queue)?).await?),
        }
    }

    fn url(&self, queue: &str) -> Result<&str, SqsError> {
        let found = self.descriptions.iter().find(|description| description.name == queue);
        found.map(|description| description.url.as_str()).ok_or(SqsError::QueueDoesNotExist)
    }
}
