//! The follow-up of a step, as a value: messages to queue, and what is then noted in the history. The holder of a step
//! returns it; only [`crate::handover::Handover`] applies it.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::message::{BatchStep, Message, Step};
use stafett_domain::{BatchId, Call};
use stafett_history::{Batch, JobKey};

/// A job of a send, while a message is handled.
#[derive(Clone)]
pub(crate) struct JobRef {
    pub(crate) key: JobKey,
    /// When the current claim expires.
    pub(crate) until: Timestamp,
}

impl JobRef {
    /// The message that asks for a step of this job.
    fn message(&self, step: Step) -> Message {
        message(&self.key, step)
    }
}

/// What follows from a step.
#[derive(Debug, Default)]
#[must_use = "a step whose follow-up is not applied stands still until the watchdog finds it"]
pub(crate) struct FollowUp {
    /// Each message is delivered after its wait.
    pub(crate) messages: Vec<(Message, Duration)>,
    /// Written once the messages are queued.
    pub(crate) then: Option<Note>,
}

/// The note in the history once all messages are queued. Only this note clears the time at which the step is overdue.
#[derive(Debug)]
pub(crate) enum Note {
    /// What follows from a job's start was handed on.
    StartHandedOn(JobKey),
    /// What follows from a batch's step was handed on.
    BatchHandedOn(JobKey, Box<Batch>),
    /// A planned batch of a send that is stopping stays as it is, and is no longer due.
    LeftPlanned(JobKey, Box<Batch>),
}

impl FollowUp {
    /// Nothing follows.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Starts a job.
    pub(crate) fn start(job: &JobKey) -> Self {
        Self { messages: vec![(message(job, Step::Start), Duration::ZERO)], then: None }
    }

    /// A step of the same job, after a wait.
    pub(crate) fn step(job: &JobRef, step: Step, wait: Duration) -> Self {
        Self { messages: vec![(job.message(step), wait)], then: None }
    }

    /// The first submits of these batches.
    pub(crate) fn first_submits(job: &JobRef, batches: impl IntoIterator<Item = BatchId>) -> Self {
        let message = |batch| (job.message(Step::of(Call::Submit, first_step(batch))), Duration::ZERO);
        Self { messages: batches.into_iter().map(message).collect(), then: None }
    }

    /// Adds what follows from another step.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self.then = other.then.or(self.then);
        self
    }

    /// Adds the note that the follow-up of the job's start was handed on.
    pub(crate) fn start_handed_on(self, job: &JobRef) -> Self {
        Self { then: Some(Note::StartHandedOn(job.key.clone())), ..self }
    }

    /// Adds the note that the follow-up of the batch's step was handed on.
    pub(crate) fn batch_handed_on(self, job: &JobRef, batch: impl Into<Batch>) -> Self {
        Self { then: Some(Note::BatchHandedOn(job.key.clone(), Box::new(batch.into()))), ..self }
    }

    /// Adds the note that the batch stays planned.
    pub(crate) fn left_planned(self, job: &JobRef, batch: Batch) -> Self {
        Self { then: Some(Note::LeftPlanned(job.key.clone(), Box::new(batch))), ..self }
    }
}

/// The message that asks for a step of a job.
fn message(job: &JobKey, step: Step) -> Message {
    Message::new(job.send.organisation.clone(), job.send.send, job.stage, step)
}

/// The step at which every batch begins.
pub(crate) fn first_step(batch: BatchId) -> BatchStep {
    BatchStep { batch, attempt_try: 1, n: 0 }
}
