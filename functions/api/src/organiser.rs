//! `GET /v1/organiser`: what is set for the caller's organiser, and whether it can send. Nothing secret is in it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::{
    AuthorizationCause, Environment, Guidance, OrganisationNumber, ProtectedIdentities, Text,
};
use stafett_engine::history::Authorization;
use stafett_engine::{FieldFault, Organiser, Relay, SettingsError};
use stafett_skolverket::Certificate;

use crate::Shared;
use crate::caller::Reader;
use crate::problem::Problem;
use crate::view::ReasonView;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganiserView {
    organisation_number: OrganisationNumber,
    /// Why it cannot send now.
    problem: Option<ProblemView>,
    /// What is wrong with its settings, by field.
    faults: Vec<FaultView>,
    settings: Option<SettingsView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemView {
    cause: AuthorizationCause,
    en: String,
    sv: String,
    guidance: Guidance,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FaultView {
    field: String,
    what: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettingsView {
    environments: Vec<EnvironmentView>,
    key_form: KeyForm,
    entity_id: Option<String>,
    certificate: Option<CertificateView>,
    pinned_keys: usize,
    pinned_keys_alone: bool,
    own_roots: usize,
    retention_days: u32,
    protected_identities_attested: bool,
}

/// By what the authorization server knows the organiser.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum KeyForm {
    EntityId,
    CertificateFingerprint,
}

/// An environment that the organiser may send to. The first one is where a send goes that names none.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentView {
    environment: Environment,
    last_token_at: Option<Timestamp>,
    last_failure_at: Option<Timestamp>,
    last_failure: Option<ReasonView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateView {
    subject: String,
    issuer: String,
    organisation_number: Option<OrganisationNumber>,
    not_before: Timestamp,
    not_after: Timestamp,
    days_left: i64,
}

impl CertificateView {
    fn new(certificate: &Certificate, now: Timestamp) -> Self {
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            organisation_number: certificate.organisation.clone(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            days_left: certificate.days_left(now),
        }
    }
}

/// The caller's organiser.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
) -> Result<Json<OrganiserView>, Problem> {
    let organisation_number = reader.organisation;
    let now = relay.clock.now();
    let view = match relay.organisers.get(&organisation_number, now).await {
        Ok(organiser) => OrganiserView {
            problem: organiser.refusal(now).map(told),
            faults: Vec::new(),
            settings: Some(settings(&relay, &organiser, now).await?),
            organisation_number,
        },
        Err(error) => {
            let problem = Some(told(error.cause().ok_or(Problem::Unavailable)?));
            let faults = match error {
                SettingsError::Wrong(_, faults) => faults,
                SettingsError::Missing(_) | SettingsError::NotRead(..) => Vec::new(),
            };
            let faults = faults.into_iter().map(|FieldFault { field, what }| FaultView { field, what });
            OrganiserView { problem, faults: faults.collect(), settings: None, organisation_number }
        }
    };
    Ok(Json(view))
}

fn told(cause: AuthorizationCause) -> ProblemView {
    let guidance = cause.guidance();
    let Text { sv, en } = guidance.text();
    ProblemView { cause, en, sv, guidance }
}

async fn settings(relay: &Relay, organiser: &Organiser, now: Timestamp) -> Result<SettingsView, Problem> {
    let identity = &organiser.identity;
    let mut environments = Vec::new();
    for environment in organiser.environments.iter().copied() {
        let Authorization { succeeded_at, failed_at, failure } =
            relay.history.authorization(&identity.organisation, environment).await?;
        environments.push(EnvironmentView {
            environment,
            last_token_at: succeeded_at,
            last_failure_at: failed_at,
            last_failure: failure.map(Into::into),
        });
    }
    Ok(SettingsView {
        environments,
        key_form: match identity.entity_id {
            Some(_) => KeyForm::EntityId,
            None => KeyForm::CertificateFingerprint,
        },
        entity_id: identity.entity_id.clone(),
        certificate: organiser.certificate().map(|certificate| CertificateView::new(certificate, now)),
        pinned_keys: identity.server.pins.len(),
        pinned_keys_alone: identity.server.pins_alone,
        own_roots: identity.server.roots.len(),
        retention_days: organiser.retention_days,
        protected_identities_attested: organiser.protected == ProtectedIdentities::Attested,
    })
}
