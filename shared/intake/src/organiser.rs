//! An organiser's settings, whether it can send, and its last contacts with the authorization server.

use std::sync::Arc;

use stafett_domain::{AuthorizationCause, Environment, OrganisationNumber};
use stafett_history::Authorization;
use stafett_runtime::{FieldFault, Organiser, SettingsError};

use crate::error::IntakeError;
use crate::intake::Intake;

/// Whether an organiser can send.
pub enum OrganiserStatus {
    /// The organiser has usable settings.
    Set {
        organiser: Arc<Organiser>,
        /// Why its settings do not allow it to send now.
        refusal: Option<AuthorizationCause>,
        /// The environments that it may send to, the default first, with its last contact with the authorization server
        /// for each.
        environments: Vec<(Environment, Authorization)>,
    },
    /// The organiser has no usable settings and cannot send.
    NotSet {
        cause: AuthorizationCause,
        /// The errors in its settings, if it has any.
        faults: Vec<FieldFault>,
    },
}

impl Intake {
    /// Returns whether an organiser can send, and its settings.
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
