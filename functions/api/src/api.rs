//! The state that every handler gets. It is built once per process.

use std::sync::Arc;

use stafett_history::History;
use stafett_intake::Intake;
use stafett_relay::Handover;
use stafett_runtime::{Clock, Process, StartError};

/// The intake accepts sends, the history shows them, the handover stops them.
pub(crate) struct Api {
    pub(crate) intake: Intake,
    pub(crate) history: History,
    pub(crate) handover: Handover,
    pub(crate) clock: Clock,
    /// The claim of a token that holds the organisation number.
    pub(crate) organiser_claim: String,
}

/// The state of the router.
pub(crate) type Shared = Arc<Api>;

impl Api {
    /// Reads the environment and builds the clients.
    pub(crate) fn from_env() -> Result<Self, StartError> {
        let process = Process::from_env()?;
        let history = History::of(&process);
        Ok(Self {
            handover: Handover::new(&process, history.clone()),
            clock: process.clock,
            organiser_claim: process.config.organiser_claim.clone(),
            intake: Intake::new(process, history.clone()),
            history,
        })
    }
}
