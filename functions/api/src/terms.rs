//! On what terms an organiser may send: what its settings say of a send that is about to be taken.

use stafett_domain::{Conditions, Environment, Options, OrganisationNumber, ProtectedIdentities};
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

/// What an organiser's bodies are held against. One without usable settings may send no protected persons.
pub(crate) async fn conditions(
    relay: &Relay,
    organisation: &OrganisationNumber,
) -> Result<Conditions, Problem> {
    let now = relay.clock.now();
    match relay.organisers.get(organisation, now).await {
        Ok(organiser) => Ok(Conditions::at(now, organiser.protected)),
        Err(error) if error.cause().is_some() => Ok(Conditions::at(now, ProtectedIdentities::NotAttested)),
        Err(error) => Err(error.into()),
    }
}
