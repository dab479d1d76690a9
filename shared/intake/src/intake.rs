//! The services that every use case needs, built once per process.

use std::sync::Arc;
use std::time::Duration;

use stafett_domain::OrganisationNumber;
use stafett_history::{History, HistoryError, Limiter, SendRef, StoredSend};
use stafett_runtime::{Clock, Metrics, Organisers, Process, Queues};

use crate::error::IntakeError;
use crate::registers::Registers;

/// The name of the rate budget for register look-ups. All processes share it.
const LOOKUPS: &str = "lookup";

/// The use cases, callable without HTTP.
pub struct Intake {
    pub(crate) history: History,
    pub(crate) queues: Queues,
    pub(crate) organisers: Arc<Organisers>,
    pub(crate) registers: Registers,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// How long a send may stay unaccepted before it is removed.
    pub(crate) upload_open: Duration,
    /// How long after its due time the watchdog queues a step again.
    pub(crate) overdue: Duration,
    /// Whether a verification environment is configured.
    pub(crate) has_verification: bool,
}

/// The caller: a user of an organiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// The user's organiser.
    pub organisation: OrganisationNumber,
    /// The token's `sub` claim, or empty if it has none.
    pub subject: String,
}

impl Intake {
    /// Builds the use cases from the process's services.
    pub fn new(process: Process, history: History) -> Self {
        let Process { config, queues, organisers, metrics, clock, roots, .. } = process;
        let budget = config.lookups_budget();
        let limiter = Limiter::new(history.clone(), LOOKUPS, budget, config.lookups.wait);
        Self {
            history,
            queues,
            organisers,
            metrics,
            clock,
            upload_open: config.timing.upload_open,
            overdue: config.timing.overdue,
            has_verification: config.verification.is_some(),
            registers: Registers::new(config.lookups, roots, limiter, clock),
        }
    }

    /// Returns an accepted send.
    pub(crate) async fn accepted(&self, send: &SendRef) -> Result<StoredSend, IntakeError> {
        let stored = self.history.send(send, self.clock.now()).await?;
        stored.ok_or(HistoryError::Corrupt("an accepted send that is not there").into())
    }
}
