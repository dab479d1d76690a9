//! What is set for an organiser, whether it can send, and how it was let in last.

use std::sync::Arc;

use stafett_domain::{AuthorizationCause, Environment, OrganisationNumber};
use stafett_history::Authorization;
use stafett_runtime::{FieldFault, Organiser, SettingsError};

use crate::error::IntakeError;
use crate::intake::Intake;

/// How it stands with an organiser.
pub enum OrganiserStatus {
    /// It has settings.
    Set {
        /// These.
        organiser: Arc<Organiser>,
        /// Why it cannot send now, by what they say.
        refusal: Option<AuthorizationCause>,
        /// The environments that it may send to, its usual one first, with its last dealings with the authorization
        /// server.
        environments: Vec<(Environment, Authorization)>,
    },
    /// It has no settings that can be used, and cannot send.
    NotSet {
        /// Why.
        cause: AuthorizationCause,
        /// What is wrong with its settings, where there are any.
        faults: Vec<FieldFault>,
    },
}

impl Intake {
    /// How it stands with an organiser.
    ///
    /// # Errors
    /// [`IntakeError`]
    pub async fn organiser(&self, organisation: &OrganisationNumber) -> Result<OrganiserStatus, IntakeError> {
        let now = self.clock.now();
        let organiser = match self.organisers.get(organisation, now).await {
            Ok(organiser) => organiser,
            Err(error) => {
                let Some(cause) = error.cause() else { return Err(error.into()) };
                let faults = match error {
                    SettingsError::Wrong(_, faults) => faults,
                    SettingsError::Missing(_) | SettingsError::NotRead(..) => Vec::new(),
                };
                return Ok(OrganiserStatus::NotSet { cause, faults });
            }
        };
        let mut environments = Vec::new();
        for environment in &organiser.environments {
            let authorization = self.history.authorization(organisation, *environment).await?;
            environments.push((*environment, authorization));
        }
        Ok(OrganiserStatus::Set { refusal: organiser.refusal(now), organiser, environments })
    }
}
