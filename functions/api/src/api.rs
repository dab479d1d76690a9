//! What every handler gets, built once a process.

use std::sync::Arc;

use stafett_history::History;
use stafett_intake::{Intake, Parts};
use stafett_relay::{Relay, StartError};
use stafett_runtime::Clock;

/// What requests are answered with: the intake takes sends, the history shows them.
pub(crate) struct Api {
    pub(crate) intake: Intake,
    pub(crate) history: History,
    /// Only to stop a send.
    pub(crate) relay: Relay,
    pub(crate) clock: Clock,
    /// The claim of a token that holds the organisation number.
    pub(crate) organiser_claim: String,
}

/// The state of the router.
pub(crate) type Shared = Arc<Api>;

impl Api {
    /// Reads the environment and builds the clients.
    pub(crate) async fn from_env() -> Result<Self, StartError> {
        let relay = Relay::from_env().await?;
        let (config, history, clock) = (relay.config.clone(), relay.history.clone(), relay.clock);
        let organiser_claim = config.organiser_claim.clone();
        let intake = Intake::new(Parts {
            roots: config.extra_roots()?,
            history: history.clone(),
            queues: relay.queues.clone(),
            organisers: Arc::clone(&relay.organisers),
            metrics: relay.metrics.clone(),
            clock,
            config,
        });
        Ok(Self { intake, history, relay, clock, organiser_claim })
    }
}
