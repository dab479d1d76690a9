//! The terms of a send, from the organiser's settings.

use stafett_domain::{
    Conditions, Environment, Options, OrganisationNumber, ProtectedIdentities, Route, SendId,
};
use stafett_history::SendTerms;
use stafett_runtime::Organiser;

use crate::error::IntakeError;
use crate::intake::Intake;

impl Intake {
    /// Returns the terms for a send with these options. Refuses early what Skolverket would certainly refuse.
    pub(crate) fn terms(
        &self,
        organiser: &Organiser,
        requested_by: &str,
        options: Options,
        resume_of: Option<SendId>,
    ) -> Result<SendTerms, IntakeError> {
        let now = self.clock.now();
        if let Some(cause) = organiser.refusal(now) {
            return Err(IntakeError::NotAuthorized(cause));
        }
        let there =
            |environment: &Environment| *environment == Environment::Production || self.has_verification;
        let environment = organiser.environment(options.environment).filter(there);
        let environment = environment.ok_or(IntakeError::EnvironmentNotAllowed)?;
        Ok(SendTerms {
            requested_by: requested_by.to_owned(),
            options: Options { environment: Some(environment), ..options },
            route: Route::of_puts(),
            retention_days: organiser.retention_days,
            certificate_days_left: organiser.expiring(now),
            resume_of,
        })
    }

    /// Returns the conditions for an organiser's bodies. Without usable settings, it may send no protected persons.
    pub(crate) async fn conditions(
        &self,
        organisation: &OrganisationNumber,
    ) -> Result<Conditions, IntakeError> {
        let now = self.clock.now();
        match self.organisers.get(organisation, now).await {
            Ok(organiser) => Ok(Conditions::at(now, organiser.protected)),
            Err(error) if error.cause().is_some() => {
                Ok(Conditions::at(now, ProtectedIdentities::NotAttested))
            }
            Err(error) => Err(error.into()),
        }
    }
}
