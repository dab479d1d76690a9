//! The results of an organiser's last token requests, for those who maintain its settings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{Environment, OrganisationNumber, Reason};

use crate::error::HistoryError;
use crate::key;
use crate::store::History;
use crate::write::Write;

/// An organiser's last token, and its last refusal, for one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// When the last token was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Reason>,
}

impl History {
    /// Notes that a token was granted, or why it was not.
    pub async fn note_authorization(
        &self,
        organisation: &OrganisationNumber,
        environment: Environment,
        refused: Option<&Reason>,
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let key = key::authorization(organisation, environment);
        let write = match refused {
            None => Write::update(key, "SET #succeededAt = :now"),
            Some(reason) => {
                Write::update(key, "SET #failedAt = :now, #failure = :reason").with("reason", reason)?
            }
        };
        self.write(write.with("now", now)?).await?;
        Ok(())
    }

    /// Returns the results of the organiser's last token requests.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn authorization(
        &self,
        organisation: &OrganisationNumber,
        environment: Environment,
    ) -> Result<Authorization, HistoryError> {
        Ok(self.get(&key::authorization(organisation, environment)).await?.unwrap_or_default())
    }
}
