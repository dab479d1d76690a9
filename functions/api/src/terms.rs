//! On what terms an organiser may send: what its settings say of a send that is about to be taken.

use stafett_domain::{Environment, Options, OrganisationNumber, ProtectedIdentities};
use stafett_engine::{Organiser, Relay};

use crate::problem::Problem;

/// What a send takes from the organiser's settings.
pub(crate) struct Terms {
    /// The sender's choice, completed.
    pub(crate) options: Options,
    /// How long it is kept.
    pub(crate) retention_days: u32,
    /// The days that the organiser's certificate has left, where those are few.
    pub(crate) certificate_days_left: Option<i64>,
}

/// The terms for a send with these options. What Skolverket would refuse for sure is refused here, at once.
pub(crate) fn terms(relay: &Relay, organiser: &Organiser, options: Options) -> Result<Terms, Problem> {
    let now = relay.clock.now();
    if let Some(cause) = organiser.refusal(now) {
        return Err(Problem::NotAuthorized(cause));
    }
    let there = |environment: &Environment| {
        *environment == Environment::Production || relay.config.verification.is_some()
    };
    let environment = organiser.environment(options.environment).filter(there);
    Ok(Terms {
        options: Options { environment: Some(environment.ok_or(Problem::Environment)?), ..options },
        retention_days: organiser.retention_days,
        certificate_days_left: organiser.expiring(now),
    })
}

/// Whether protected persons of an organiser may be sent. Of one without usable settings: no.
pub(crate) async fn protected_identities(
    relay: &Relay,
    organisation: &OrganisationNumber,
) -> Result<ProtectedIdentities, Problem> {
    match relay.organisers.get(organisation, relay.clock.now()).await {
        Ok(organiser) => Ok(organiser.protected),
        Err(error) if error.cause().is_some() => Ok(ProtectedIdentities::NotAttested),
        Err(error) => Err(error.into()),
    }
}
