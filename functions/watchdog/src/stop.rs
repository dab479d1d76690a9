//! An operator's order to stop one send, all sends of an organiser, or all sends. It comes by direct invocation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{OrganisationNumber, Reason, ReasonCode, SendId};
use stafett_history::{HistoryError, SendRef};
use stafett_relay::HandleError;

use crate::watchdog::Watchdog;

/// The event of an order: `{"stop": {…}}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    stop: Which,
}

/// Either `organisation` with an optional `send`, or `allOrganisers: true`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Which {
    organisation: Option<OrganisationNumber>,
    send: Option<SendId>,
    #[serde(default)]
    all_organisers: bool,
}

/// The result of an order.
#[derive(Debug, Serialize)]
pub(crate) struct Obeyed {
    /// The sends that now stop: a waiting send at once, a running one when its open batches have their outcomes.
    stopping: Vec<Stopping>,
    /// Whether these are all. If not, the time ran out, or an organiser's sends could not be read, which is logged.
    /// Then give the order again.
    complete: bool,
}

#[derive(Debug, Serialize)]
struct Stopping {
    organisation: OrganisationNumber,
    send: SendId,
}

/// Why an order was not carried out. It can be given again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// The event is not an order in the expected form.
    #[error("not an order that can be read: {0}")]
    NotReadable(#[from] serde_json::Error),
    /// It selects nothing, or more than one target.
    #[error("an order names an organisation and perhaps one of its sends, or all organisers")]
    Ambiguous,
    /// That send has ended, or was never accepted.
    #[error("no such send waits or runs")]
    NothingToStop,
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Stop(#[from] HandleError),
}

impl Order {
    /// Whether an event is meant as an order, readable or not.
    pub(crate) fn is_one(event: &serde_json::Value) -> bool {
        event.get("stop").is_some()
    }

    /// Reads an order.
    pub(crate) fn read(event: serde_json::Value) -> Result<Self, OrderError> {
        Ok(serde_json::from_value(event)?)
    }

    /// Carries out the order, until `ends` at the latest.
    pub(crate) async fn obey(self, watchdog: &Watchdog, ends: Timestamp) -> Result<Obeyed, OrderError> {
        let mut stopping = Vec::new();
        let complete = match self.stop {
            Which { organisation: Some(organisation), send: Some(send), all_organisers: false } => {
                let send = SendRef::new(organisation, send);
                if !stop(watchdog, &send).await? {
                    return Err(OrderError::NothingToStop);
                }
                stopping.push(send.into());
                true
            }
            Which { organisation: Some(organisation), send: None, all_organisers: false } => {
                stop_all_of(watchdog, &organisation, ends, &mut stopping).await?
            }
            Which { organisation: None, send: None, all_organisers: true } => {
                let mut complete = true;
                for organisation in watchdog.history.organisers_at_work().await? {
                    // If the sends of one organiser cannot be read, the others are still stopped.
                    complete &= stop_all_of(watchdog, &organisation, ends, &mut stopping)
                        .await
                        .unwrap_or_else(|error| {
                            tracing::error!(
                                event = "watchdog.failed", organisation = %organisation, error = %error,
                                "an organiser's sends were not stopped"
                            );
                            false
                        });
                }
                complete
            }
            Which { .. } => return Err(OrderError::Ambiguous),
        };
        Ok(Obeyed { stopping, complete })
    }
}

/// Stops all sends of an organiser. Returns false if `ends` came first.
async fn stop_all_of(
    watchdog: &Watchdog,
    organisation: &OrganisationNumber,
    ends: Timestamp,
    stopping: &mut Vec<Stopping>,
) -> Result<bool, OrderError> {
    // The running send is stopped last, so that its end does not start a waiting one.
    for send in watchdog.history.unended(organisation).await? {
        if watchdog.now() >= ends {
            return Ok(false);
        }
        if stop(watchdog, &send).await? {
            stopping.push(send.into());
        }
    }
    Ok(true)
}

async fn stop(watchdog: &Watchdog, send: &SendRef) -> Result<bool, HandleError> {
    watchdog.handover.request_stop(send, Reason::new(ReasonCode::StoppedByOperator)).await
}

impl From<SendRef> for Stopping {
    fn from(SendRef { organisation, send }: SendRef) -> Self {
        Self { organisation, send }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_distinguished_from_the_clock_and_read_strictly() {
        assert!(!Order::is_one(&json!({"detail-type": "Scheduled Event"})));
        for event in [
            json!({"stop": {"organisation": "5567044268"}}),
            json!({"stop": {"organisation": "5567044268", "send": "0190a1b2-0000-7000-8000-000000000000"}}),
            json!({"stop": {"allOrganisers": true}}),
        ] {
            assert!(Order::is_one(&event) && Order::read(event.clone()).is_ok(), "{event}");
        }
        for event in [
            json!({"stop": null}),
            json!({"stop": {"organization": "5567044268"}}),
            json!({"stop": {"organisation": "556704"}}),
            json!({"stop": {"allOrganisers": true}, "why": "haste"}),
        ] {
            assert!(Order::is_one(&event) && Order::read(event.clone()).is_err(), "{event}");
        }
    }
}
