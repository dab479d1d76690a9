//! The settings of the caller's organiser, without secrets, and whether it can send.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{
    AuthorizationCause, Environment, Guidance, OrganisationNumber, ProtectedIdentities, Text,
};
use stafett_history::Authorization;
use stafett_intake::OrganiserStatus;
use stafett_runtime::{FieldFault, Organiser};
use stafett_skolverket::Certificate;

use crate::views::job::ReasonView;

/// The caller's organiser.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Organiser")]
pub(crate) struct OrganiserView {
    #[schemars(example = "5567044268")]
    organisation_number: OrganisationNumber,
    /// Why it cannot send now; null if it can.
    #[schemars(example = None::<()>)]
    problem: Option<ProblemView>,
    /// What is wrong with its settings, by field.
    #[schemars(example = [(); 0])]
    faults: Vec<FaultView>,
    /// The settings; null if there are none, or they cannot be used.
    settings: Option<SettingsView>,
}

/// Why an organiser cannot send.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrganiserProblem")]
struct ProblemView {
    cause: AuthorizationCause,
    en: String,
    sv: String,
    guidance: Guidance,
}

/// A fault in the settings.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SettingsFault")]
struct FaultView {
    /// Empty if the fault concerns the settings as a whole.
    field: String,
    what: String,
}

/// An organiser's settings. They hold nothing secret.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrganiserSettings")]
struct SettingsView {
    /// Where it may send. A send that names no environment goes to the first.
    environments: Vec<EnvironmentView>,
    key_form: KeyForm,
    #[schemars(example = "https://5567044268.example.se")]
    entity_id: Option<String>,
    certificate: Option<CertificateView>,
    /// How many keys of the authorization server are pinned.
    pinned_keys: usize,
    pinned_keys_alone: bool,
    own_roots: usize,
    #[schemars(example = 400)]
    retention_days: u32,
    protected_identities_attested: bool,
}

/// How the authorization server identifies the organiser.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum KeyForm {
    EntityId,
    CertificateFingerprint,
}

/// An environment that the organiser may send to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrganiserEnvironment")]
struct EnvironmentView {
    environment: Environment,
    last_token_at: Option<Timestamp>,
    #[schemars(example = None::<Timestamp>)]
    last_failure_at: Option<Timestamp>,
    #[schemars(example = None::<()>)]
    last_failure: Option<ReasonView>,
}

/// The organiser's client certificate.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Certificate")]
struct CertificateView {
    subject: String,
    issuer: String,
    #[schemars(example = "5567044268")]
    organisation_number: Option<OrganisationNumber>,
    not_before: Timestamp,
    not_after: Timestamp,
    /// Below zero when it has expired.
    #[schemars(example = 300)]
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

impl OrganiserView {
    /// The organiser with this number.
    pub(crate) fn new(
        organisation_number: OrganisationNumber,
        status: OrganiserStatus,
        now: Timestamp,
    ) -> Self {
        match status {
            OrganiserStatus::Set { organiser, refusal, environments } => Self {
                organisation_number,
                problem: refusal.map(Into::into),
                faults: Vec::new(),
                settings: Some(SettingsView::new(&organiser, environments, now)),
            },
            OrganiserStatus::NotSet { cause, faults } => Self {
                organisation_number,
                problem: Some(cause.into()),
                faults: faults.into_iter().map(Into::into).collect(),
                settings: None,
            },
        }
    }
}

impl From<AuthorizationCause> for ProblemView {
    fn from(cause: AuthorizationCause) -> Self {
        let guidance = cause.guidance();
        let Text { sv, en } = guidance.text();
        Self { cause, en, sv, guidance }
    }
}

impl From<FieldFault> for FaultView {
    fn from(FieldFault { field, what }: FieldFault) -> Self {
        Self { field, what }
    }
}

impl From<(Environment, Authorization)> for EnvironmentView {
    fn from((environment, authorization): (Environment, Authorization)) -> Self {
        let Authorization { succeeded_at, failed_at, failure } = authorization;
        Self {
            environment,
            last_token_at: succeeded_at,
            last_failure_at: failed_at,
            last_failure: failure.map(Into::into),
        }
    }
}

impl SettingsView {
    fn new(organiser: &Organiser, environments: Vec<(Environment, Authorization)>, now: Timestamp) -> Self {
        let identity = &organiser.identity;
        Self {
            environments: environments.into_iter().map(Into::into).collect(),
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
        }
    }
}
