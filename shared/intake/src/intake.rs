//! What every use case needs, built once a process.

use std::sync::Arc;

use stafett_domain::OrganisationNumber;
use stafett_history::{History, HistoryError, Limiter, SendRef, StoredSend};
use stafett_runtime::{Clock, Config, Metrics, Organisers, Process, Queues};

use crate::error::IntakeError;
use crate::registers::Registers;

/// The name of the budget of look-ups, which all processes share.
const LOOKUPS: &str = "lookup";

/// Takes sends. Its methods are the use cases.
pub struct Intake {
    pub(crate) config: Config,
    pub(crate) history: History,
    pub(crate) queues: Queues,
    pub(crate) organisers: Arc<Organisers>,
    pub(crate) registers: Registers,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
}

/// Who asks: an organiser's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Whose user.
    pub organisation: OrganisationNumber,
    /// `sub` of the user's token; empty where it has none.
    pub subject: String,
}

impl Intake {
    /// Built from what the process has.
    pub fn new(process: Process, history: History) -> Self {
        let Process { config, queues, organisers, metrics, clock, roots, .. } = process;
        let budget = config.lookups_budget();
        let limiter = Limiter::new(history.clone(), LOOKUPS, budget, config.lookups.wait);
        let registers = Registers::new(config.lookups.clone(), roots, limiter, clock);
        Self { config, history, queues, organisers, registers, metrics, clock }
    }

    /// A send that was accepted just now, or long ago if the request repeats another.
    pub(crate) async fn accepted(&self, send: &SendRef) -> Result<StoredSend, IntakeError> {
        let stored = self.history.send(send, self.clock.now()).await?;
        stored.ok_or(HistoryError::Corrupt("an accepted send that is not there").into())
    }
}
