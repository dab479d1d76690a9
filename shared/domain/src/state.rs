//! The states of sends, jobs and batches, each with one total transition function, and record outcomes.

use serde::{Deserialize, Serialize};

use crate::submission::OnRecordErrors;

/// An event that has no place in the state it met. Nothing is guessed: whoever caused it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is {state} cannot take the event {event}")]
pub struct IllegalTransition {
    what: &'static str,
    state: &'static str,
    event: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in the order of its life.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in the history and in the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::InvalidId;

            fn from_str(text: &str) -> Result<Self, crate::InvalidId> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text).ok_or(crate::InvalidId(stringify!($name)))
            }
        }
    };
}

words!(
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

words!(
    /// The state of a send.
    SendStatus {
        /// Its records are being stored. It is in no list yet.
        Receiving = "receiving",
        /// Accepted; waits for the organiser's earlier sends.
        Queued = "queued",
        /// The organiser's one running send.
        Running = "running",
        /// See [`Ending::Succeeded`].
        Succeeded = "succeeded",
        /// See [`Ending::SucceededWithWarnings`].
        SucceededWithWarnings = "succeededWithWarnings",
        /// See [`Ending::CompletedWithErrors`].
        CompletedWithErrors = "completedWithErrors",
        /// See [`Ending::Failed`].
        Failed = "failed",
        /// See [`Ending::Cancelled`].
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

words!(
    /// The state of a job: a send's stage.
    JobStatus {
        /// The stages before it have not handed over yet.
        Waiting = "waiting",
        /// Its batches are on their way.
        Running = "running",
        /// See [`Ending::Succeeded`].
        Succeeded = "succeeded",
        /// See [`Ending::SucceededWithWarnings`].
        SucceededWithWarnings = "succeededWithWarnings",
        /// See [`Ending::CompletedWithErrors`].
        CompletedWithErrors = "completedWithErrors",
        /// See [`Ending::Failed`].
        Failed = "failed",
        /// See [`Ending::Cancelled`].
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

words!(
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
    /// A step was put back: the same batch again later.
    PutBack,
    /// Skolverket took it; its job is to be polled.
    Submitted,
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
            (Self::Open, BatchEvent::PutBack | BatchEvent::Submitted) => Ok(Self::Open),
            (Self::Open, BatchEvent::Finished) => Ok(Self::Closed),
            (
                Self::Planned | Self::Open | Self::Closed,
                BatchEvent::Claimed | BatchEvent::PutBack | BatchEvent::Submitted | BatchEvent::Finished,
            ) => Err(IllegalTransition { what: "batch", state: self.as_str(), event: event.as_str() }),
        }
    }
}

impl BatchEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::PutBack => "putBack",
            Self::Submitted => "submitted",
            Self::Finished => "finished",
        }
    }
}

words!(
    /// What became of one record.
    Outcome {
        /// No outcome yet.
        Pending = "pending",
        /// Accepted by Skolverket; not yet seen in the test platform.
        Success = "success",
        /// Accepted, but should be mended.
        Warning = "warning",
        /// Not accepted.
        Error = "error",
        /// Not sent, because a record it depends on was not accepted.
        Skipped = "skipped",
        /// Not sent, because its job ended before.
        NotSent = "notSent",
        /// Sent, and no outcome was seen.
        Unknown = "unknown",
    }
);

/// How many records of a job have which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All records of the job.
    pub total: u32,
    /// See [`Outcome::Pending`].
    pub pending: u32,
    /// See [`Outcome::Success`].
    pub success: u32,
    /// See [`Outcome::Warning`].
    pub warning: u32,
    /// See [`Outcome::Error`].
    pub error: u32,
    /// See [`Outcome::Skipped`].
    pub skipped: u32,
    /// See [`Outcome::NotSent`].
    pub not_sent: u32,
    /// See [`Outcome::Unknown`].
    pub unknown: u32,
}

impl Counts {
    /// The counts of these outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.total += 1;
            *counts.place(outcome) += 1;
        }
        counts
    }

    /// `total` records, all with the same outcome.
    pub fn all(total: u32, outcome: Outcome) -> Self {
        let mut counts = Self { total, ..Self::default() };
        *counts.place(outcome) = total;
        counts
    }

    /// How many have this outcome.
    pub fn get(&self, outcome: Outcome) -> u32 {
        let mut copy = *self;
        *copy.place(outcome)
    }

    /// These records and those, which are others.
    pub fn plus(mut self, others: Self) -> Self {
        self.total += others.total;
        for &outcome in Outcome::ALL {
            *self.place(outcome) += others.get(outcome);
        }
        self
    }

    /// The same records once nothing is under way any more: what was pending was not sent.
    pub fn settled(mut self) -> Self {
        self.not_sent += self.pending;
        self.pending = 0;
        self
    }

    fn place(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Pending => &mut self.pending,
            Outcome::Success => &mut self.success,
            Outcome::Warning => &mut self.warning,
            Outcome::Error => &mut self.error,
            Outcome::Skipped => &mut self.skipped,
            Outcome::NotSent => &mut self.not_sent,
            Outcome::Unknown => &mut self.unknown,
        }
    }

    /// How a job with these counts ends when nothing stopped it: records that were not accepted fail it, unless the
    /// sender chose to go on; warnings never do.
    pub fn ending(&self, on_record_errors: OnRecordErrors) -> Ending {
        if self.success + self.warning < self.total {
            match on_record_errors {
                OnRecordErrors::Stop => Ending::Failed,
                OnRecordErrors::Continue => Ending::CompletedWithErrors,
            }
        } else if self.warning > 0 {
            Ending::SucceededWithWarnings
        } else {
            Ending::Succeeded
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
        let events = [BatchEvent::Claimed, BatchEvent::PutBack, BatchEvent::Submitted, BatchEvent::Finished];
        for event in events {
            assert!(BatchStatus::Closed.next(event).is_err());
            assert_eq!(BatchStatus::Planned.next(event).is_ok(), event == BatchEvent::Claimed);
            assert_eq!(BatchStatus::Open.next(event).is_ok(), event != BatchEvent::Claimed);
        }
    }

    #[test]
    fn the_ending_follows_the_counts() {
        use Outcome::{Error, Success, Unknown, Warning};
        let ending = |outcomes: &[Outcome]| Counts::of(outcomes.iter().copied()).ending(OnRecordErrors::Stop);
        assert_eq!(ending(&[]), Ending::Succeeded);
        assert_eq!(ending(&[Success, Success]), Ending::Succeeded);
        assert_eq!(ending(&[Success, Warning]), Ending::SucceededWithWarnings);
        assert_eq!(ending(&[Success, Warning, Error]), Ending::Failed);
        assert_eq!(ending(&[Success, Unknown]), Ending::Failed);
        assert_eq!(ending(&[Success, Outcome::Pending]), Ending::Failed);
        let goes_on = Counts::of([Success, Error]).ending(OnRecordErrors::Continue);
        assert_eq!(goes_on, Ending::CompletedWithErrors);
        assert_eq!(Counts::of([Success]).ending(OnRecordErrors::Continue), Ending::Succeeded);
    }

    #[test]
    fn what_was_pending_when_a_job_ended_was_not_sent() {
        let counts = Counts::of([Outcome::Pending, Outcome::Pending, Outcome::Success]).settled();
        assert_eq!((counts.total, counts.pending, counts.not_sent, counts.success), (3, 0, 2, 1));
        assert_eq!(Counts::all(4, Outcome::Pending).get(Outcome::Pending), 4);
        let sum = Counts::all(4, Outcome::Error).plus(Counts::of([Outcome::Error, Outcome::Warning]));
        assert_eq!((sum.total, sum.error, sum.warning, sum.success), (6, 5, 1, 0));
    }
}
