//! Why a message must be delivered again, and why the work on a claimed step ends early.

use stafett_domain::message::InvalidMessage;
use stafett_domain::{IllegalTransition, RecordKind};
use stafett_history::{HistoryError, StepError};
use stafett_runtime::{QueueError, SettingsError};

/// Why a message must be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The message cannot be read.
    #[error(transparent)]
    Message(#[from] InvalidMessage),
    /// The message belongs to another stage.
    #[error("the message is for the stage {0}")]
    OtherStage(RecordKind),
    /// The history cannot be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The organiser's settings cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The follow-up cannot be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Why the work on a claimed step ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepFailure {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Handle(#[from] HandleError),
}

impl From<HistoryError> for StepFailure {
    fn from(error: HistoryError) -> Self {
        Self::Handle(error.into())
    }
}

impl From<IllegalTransition> for StepFailure {
    fn from(error: IllegalTransition) -> Self {
        HistoryError::from(error).into()
    }
}

impl From<StepFailure> for HandleError {
    fn from(failure: StepFailure) -> Self {
        match failure {
            StepFailure::Handle(error) => error,
            StepFailure::Step(StepError::History(error)) => error.into(),
            StepFailure::Step(StepError::ClaimLost) => HistoryError::Contended.into(),
        }
    }
}
