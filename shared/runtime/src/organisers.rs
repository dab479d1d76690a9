//! Organisers' settings: one encrypted parameter each. Adding, changing or removing one needs no deploy.

mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use stafett_domain::{AuthorizationCause, Environment, OrganisationNumber, ProtectedIdentities};
use stafett_skolverket::{Certificate, Credentials, Identity};

use crate::config::Config;
use crate::parameters::{ParameterError, Parameters};
use settings::Settings;

pub use settings::FieldFault;

/// A warning is given from this number of days before a certificate expires.
const WARNED_DAYS: i64 = 30;

/// An organiser, according to its settings.
pub struct Organiser {
    /// The environments it may send to. The first one is the default.
    pub environments: Vec<Environment>,
    /// Its identity towards Skolverket.
    pub identity: Identity,
    /// How long its sends are stored, in days.
    pub retention_days: u32,
    /// Whether the organiser's routine for protected identities is in place at Skolverket (domain rule 11).
    pub protected: ProtectedIdentities,
    certificate_needed: bool,
}

/// There are no usable settings.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// The settings cannot be read now.
    #[error("the settings of organiser {0} cannot be read: {1}")]
    NotRead(OrganisationNumber, ParameterError),
    /// The organiser has no settings.
    #[error("there are no settings for organiser {0}")]
    Missing(OrganisationNumber),
    /// The settings are not valid. Names the fields, never their values.
    #[error("the settings of organiser {0} cannot be used: {list}", list = listed(.1))]
    Wrong(OrganisationNumber, Vec<FieldFault>),
}

impl SettingsError {
    /// Why the organiser cannot send; `None` if the problem may pass.
    pub fn cause(&self) -> Option<AuthorizationCause> {
        match self {
            Self::NotRead(..) => None,
            Self::Missing(_) => Some(AuthorizationCause::SettingsMissing),
            Self::Wrong(..) => Some(AuthorizationCause::SettingsWrong),
        }
    }
}

fn listed(faults: &[FieldFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Organiser {
    /// Its client certificate.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.identity.credentials.as_ref().map(Credentials::certificate)
    }

    /// Why it cannot send, according to its settings alone.
    pub fn refusal(&self, now: Timestamp) -> Option<AuthorizationCause> {
        let Some(certificate) = self.certificate() else {
            return self.certificate_needed.then_some(AuthorizationCause::CertificateMissing);
        };
        let issued_to = certificate.organisation.as_ref();
        if issued_to.is_some_and(|number| *number != self.identity.organisation) {
            Some(AuthorizationCause::OtherOrganisation)
        } else if now >= certificate.not_after {
            Some(AuthorizationCause::CertificateExpired)
        } else if now < certificate.not_before {
            Some(AuthorizationCause::CertificateNotYetValid)
        } else {
            None
        }
    }

    /// The days until its certificate expires, if there are so few that a warning is needed.
    pub fn expiring(&self, now: Timestamp) -> Option<i64> {
        self.certificate().map(|certificate| certificate.days_left(now)).filter(|days| *days <= WARNED_DAYS)
    }

    /// The environment for a send that asks for `asked`; `None` if the organiser may not send there.
    pub fn environment(&self, asked: Option<Environment>) -> Option<Environment> {
        match asked {
            None => self.environments.first().copied(),
            Some(asked) => self.environments.contains(&asked).then_some(asked),
        }
    }
}

/// Reads and caches settings. The cache keeps them for less than a minute.
pub struct Organisers {
    parameters: Parameters,
    path: String,
    keep: Duration,
    usual_retention_days: u32,
    certificate_needed: bool,
    cached: Mutex<HashMap<OrganisationNumber, Cached>>,
}

struct Cached {
    read_at: Timestamp,
    digest: [u8; 32],
    read: Result<Arc<Organiser>, SettingsError>,
}

impl Organisers {
    /// Creates the reader for the settings that `config` names.
    pub(crate) fn new(config: &Config, parameters: Parameters) -> Self {
        Self {
            parameters,
            path: config.organisers_path.trim_end_matches('/').to_owned(),
            keep: config.timing.settings_kept,
            usual_retention_days: config.retention_days,
            certificate_needed: config.token_url.is_secure(),
            cached: Mutex::default(),
        }
    }

    /// An organiser's settings, less than a minute old. If they cannot be read, the last ones read stay in use.
    ///
    /// # Errors
    /// [`SettingsError`]
    pub async fn get(
        &self,
        organisation: &OrganisationNumber,
        now: Timestamp,
    ) -> Result<Arc<Organiser>, SettingsError> {
        let fresh = |cached: &&Cached| cached.read_at + self.keep > now;
        if let Some(cached) = self.cached().get(organisation).filter(fresh) {
            return cached.read.clone();
        }
        let found = self.parameters.get(&format!("{}/{organisation}", self.path)).await;
        match found {
            Ok(found) => self.take(organisation, found.as_ref(), now),
            Err(error) => {
                tracing::warn!(
                    event = "organiser.notRead", organisation = %organisation, error = %error,
                    "an organiser's settings cannot be read now"
                );
                let stale = self.cached().get(organisation).map(|cached| cached.read.clone());
                stale.unwrap_or(Err(SettingsError::NotRead(organisation.clone(), error)))
            }
        }
    }

    /// Reads the settings of all organisers now, without the cache.
    ///
    /// # Errors
    /// [`ParameterError`]
    pub async fn all(
        &self,
        now: Timestamp,
    ) -> Result<Vec<Result<Arc<Organiser>, SettingsError>>, ParameterError> {
        let found = self.parameters.under(&self.path).await?;
        let numbered = found.iter().filter_map(|parameter| {
            let number = parameter.name.rsplit('/').next().and_then(|number| number.parse().ok());
            Some((number?, &parameter.value))
        });
        Ok(numbered.map(|(organisation, text)| self.take(&organisation, Some(text), now)).collect())
    }

    /// Stores the settings that were read. Unchanged settings are not parsed again.
    fn take(
        &self,
        organisation: &OrganisationNumber,
        found: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<Arc<Organiser>, SettingsError> {
        let text = found.map(SecretString::expose_secret);
        let digest: [u8; 32] = Sha256::digest(text.unwrap_or_default()).into();
        let mut all = self.cached();
        if let Some(cached) = all.get_mut(organisation).filter(|cached| cached.digest == digest) {
            cached.read_at = now;
            return cached.read.clone();
        }
        let read = match text {
            None => Err(SettingsError::Missing(organisation.clone())),
            Some(text) => Settings::read(organisation, text, digest)
                .map(|settings| Arc::new(self.organiser(settings)))
                .map_err(|faults| SettingsError::Wrong(organisation.clone(), faults)),
        };
        if let Err(error) = &read {
            tracing::error!(
                event = "organiser.settings", organisation = %organisation, error = %error,
                "an organiser has no settings that can be used"
            );
        }
        all.insert(organisation.clone(), Cached { read_at: now, digest, read: read.clone() });
        read
    }

    fn organiser(&self, settings: Settings) -> Organiser {
        let Settings { environments, identity, retention_days, protected } = settings;
        Organiser {
            environments,
            identity,
            retention_days: retention_days.unwrap_or(self.usual_retention_days),
            protected,
            certificate_needed: self.certificate_needed,
        }
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<OrganisationNumber, Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
