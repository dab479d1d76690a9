//! The states of sends, jobs and batches, each with one total transition function.

use crate::kind::vocabulary::vocabulary;

/// An event that has no place in the state it met. It is an error of the caller; no state is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is {state} cannot take the event {event}")]
pub struct IllegalTransition {
    what: &'static str,
    state: &'static str,
    event: &'static str,
}

vocabulary!(
    /// How a send or a job ended.
    Ending {
        /// Every record accepted.
        Succeeded = "succeeded",
        /// Every record accepted, some with a warning.
        SucceededWithWarnings = "succeededWithWarnings",
        /// Everything ran, some records were not accepted, and the sender had chosen to go on.
        CompletedWithErrors = "completedWithErrors",
        /// Ended because something was refused or could not be delivered.
        Failed = "failed",
        /// Ended because a person asked for it.
        Cancelled = "cancelled",
    }
);

vocabulary!(
    /// The state of a send.
    SendStatus {
        /// Its records are being stored. It is in no list yet.
        Receiving = "receiving",
        /// Accepted; waits for the organiser's earlier sends.
        Queued = "queued",
        /// The organiser's one running send.
        Running = "running",
        /// Every record accepted.
        Succeeded = "succeeded",
        /// Every record accepted, some with a warning.
        SucceededWithWarnings = "succeededWithWarnings",
        /// Everything ran; some records were not accepted.
        CompletedWithErrors = "completedWithErrors",
        /// Ended because something was refused or could not be delivered.
        Failed = "failed",
        /// Ended because a person asked for it.
        Cancelled = "cancelled",
    }
);

/// What can happen to a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendEvent {
    /// All its records are stored and it got its place in the organiser's order.
    Accepted,
    /// Its first step was claimed.
    Started,
    /// Its last job ended, or one that nothing may follow.
    Ended(Ending),
}

impl SendStatus {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the event has no place.
    pub fn next(self, event: SendEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Receiving, SendEvent::Accepted) => Ok(Self::Queued),
            (Self::Queued, SendEvent::Started) => Ok(Self::Running),
            (Self::Receiving | Self::Queued, SendEvent::Ended(Ending::Cancelled)) => Ok(Self::Cancelled),
            // Stopped before anybody claimed its first step.
            (Self::Queued, SendEvent::Ended(Ending::Failed)) => Ok(Self::Failed),
            (Self::Running, SendEvent::Ended(ending)) => Ok(match ending {
                Ending::Succeeded => Self::Succeeded,
                Ending::SucceededWithWarnings => Self::SucceededWithWarnings,
                Ending::CompletedWithErrors => Self::CompletedWithErrors,
                Ending::Failed => Self::Failed,
                Ending::Cancelled => Self::Cancelled,
            }),
            (
                Self::Receiving
                | Self::Queued
                | Self::Running
                | Self::Succeeded
                | Self::SucceededWithWarnings
                | Self::CompletedWithErrors
                | Self::Failed
                | Self::Cancelled,
                SendEvent::Accepted | SendEvent::Started | SendEvent::Ended(_),
            ) => Err(IllegalTransition { what: "send", state: self.as_str(), event: event.as_str() }),
        }
    }

    /// Ended sends never change again.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Receiving | Self::Queued | Self::Running)
    }
}

impl SendEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Started => "started",
            Self::Ended(ending) => ending.as_str(),
        }
    }
}

vocabulary!(
    /// The state of a job: a send's stage.
    JobStatus {
        /// The stages before it have not handed over yet.
        Waiting = "waiting",
        /// Its batches are on their way.
        Running = "running",
        /// Every record accepted.
        Succeeded = "succeeded",
        /// Every record accepted, some with a warning.
        SucceededWithWarnings = "succeededWithWarnings",
        /// Everything ran; some records were not accepted.
        CompletedWithErrors = "completedWithErrors",
        /// Ended because something was refused or could not be delivered.
        Failed = "failed",
        /// Ended because a person asked for it.
        Cancelled = "cancelled",
        /// A job before it failed or was cancelled.
        NotStarted = "notStarted",
    }
);

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// Its start step was claimed.
    Started,
    /// No batch is open and none may still go.
    Ended(Ending),
    /// A job before it failed or was cancelled.
    PassedOver,
}

impl JobStatus {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the event has no place.
    pub fn next(self, event: JobEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Waiting, JobEvent::Started) => Ok(Self::Running),
            (Self::Waiting, JobEvent::PassedOver) => Ok(Self::NotStarted),
            (Self::Running, JobEvent::Ended(ending)) => Ok(match ending {
                Ending::Succeeded => Self::Succeeded,
                Ending::SucceededWithWarnings => Self::SucceededWithWarnings,
                Ending::CompletedWithErrors => Self::CompletedWithErrors,
                Ending::Failed => Self::Failed,
                Ending::Cancelled => Self::Cancelled,
            }),
            (
                Self::Waiting
                | Self::Running
                | Self::Succeeded
                | Self::SucceededWithWarnings
                | Self::CompletedWithErrors
                | Self::Failed
                | Self::Cancelled
                | Self::NotStarted,
                JobEvent::Started | JobEvent::Ended(_) | JobEvent::PassedOver,
            ) => Err(IllegalTransition { what: "job", state: self.as_str(), event: event.as_str() }),
        }
    }

    /// Nothing moves it any more.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

impl JobEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ended(ending) => ending.as_str(),
            Self::PassedOver => "passedOver",
        }
    }
}

vocabulary!(
    /// The state of a batch: the records of one bulk call.
    BatchStatus {
        /// Not claimed yet.
        Planned = "planned",
        /// Claimed and not finished.
        Open = "open",
        /// Every record of it has an outcome, or will never get one.
        Closed = "closed",
    }
);

/// What can happen to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEvent {
    /// Its first submit was claimed.
    Claimed,
    /// Its outcome is known, or it was given up.
    Finished,
}

impl BatchStatus {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the event has no place.
    pub fn next(self, event: BatchEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Planned, BatchEvent::Claimed) => Ok(Self::Open),
            (Self::Open, BatchEvent::Finished) => Ok(Self::Closed),
            (Self::Planned | Self::Open | Self::Closed, BatchEvent::Claimed | BatchEvent::Finished) => {
                Err(IllegalTransition { what: "batch", state: self.as_str(), event: event.as_str() })
            }
        }
    }
}

impl BatchEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Finished => "finished",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> impl Iterator<Item = Ending> {
        Ending::ALL.iter().copied()
    }

    #[test]
    fn a_send_moves_only_forward_and_ends_once() {
        let events: Vec<_> = [SendEvent::Accepted, SendEvent::Started]
            .into_iter()
            .chain(ends().map(SendEvent::Ended))
            .collect();
        let mut legal = Vec::new();
        for &state in SendStatus::ALL {
            for &event in &events {
                if let Ok(next) = state.next(event) {
                    legal.push((state.as_str(), event.as_str(), next.as_str()));
                    assert!(!state.has_ended(), "{state} is an end");
                }
            }
        }
        assert_eq!(
            legal,
            [
                ("receiving", "accepted", "queued"),
                ("receiving", "cancelled", "cancelled"),
                ("queued", "started", "running"),
                ("queued", "failed", "failed"),
                ("queued", "cancelled", "cancelled"),
                ("running", "succeeded", "succeeded"),
                ("running", "succeededWithWarnings", "succeededWithWarnings"),
                ("running", "completedWithErrors", "completedWithErrors"),
                ("running", "failed", "failed"),
                ("running", "cancelled", "cancelled"),
            ]
        );
    }

    #[test]
    fn a_job_starts_once_or_never() {
        let events: Vec<_> = [JobEvent::Started, JobEvent::PassedOver]
            .into_iter()
            .chain(ends().map(JobEvent::Ended))
            .collect();
        let legal: Vec<_> = JobStatus::ALL
            .iter()
            .flat_map(|&state| events.iter().map(move |&event| (state, event)))
            .filter_map(|(state, event)| state.next(event).ok().map(|next| (state, event.as_str(), next)))
            .collect();
        assert_eq!(legal.len(), 2 + ends().count());
        assert!(legal.contains(&(JobStatus::Waiting, "started", JobStatus::Running)));
        assert!(legal.contains(&(JobStatus::Waiting, "passedOver", JobStatus::NotStarted)));
        for (state, event, next) in legal {
            assert!(!state.has_ended());
            assert!(next == JobStatus::Running || next.has_ended(), "{event}");
        }
    }

    #[test]
    fn a_closed_batch_stays_closed_and_a_planned_one_must_be_claimed_first() {
        for event in [BatchEvent::Claimed, BatchEvent::Finished] {
            assert!(BatchStatus::Closed.next(event).is_err());
            assert_eq!(BatchStatus::Planned.next(event).is_ok(), event == BatchEvent::Claimed);
            assert_eq!(BatchStatus::Open.next(event).is_ok(), event != BatchEvent::Claimed);
        }
    }
}
