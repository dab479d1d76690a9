//! What is set for an organiser: files, one an organiser, or else the defaults.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;
use stafett_domain::{OrganisationNumber, ProtectedIdentities};

use crate::config::Config;

/// An organiser's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganiserSettings {
    /// By which the authorization server knows the organiser.
    pub entity_id: String,
    /// How long its sends are kept, in days.
    #[serde(default)]
    pub retention_days: Option<NonZeroU32>,
    /// Whether the organiser attests that its routine for protected identities is in place at Skolverket (domain rule
    /// 11). Without it no protected person is sent.
    #[serde(default)]
    pub protected_identities_attested: bool,
}

/// Settings that are there and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings of organiser {0} cannot be read: {1}")]
    NotRead(OrganisationNumber, std::io::ErrorKind),
    /// The file is not what it should be. Says where, never what it holds.
    #[error("the settings of organiser {organisation} are wrong at line {line}, column {column}")]
    Wrong {
        /// Whose.
        organisation: OrganisationNumber,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

/// Where settings come from.
#[derive(Debug, Clone)]
pub struct Organisers {
    dir: Option<PathBuf>,
    entity_id_pattern: String,
    retention_days: u32,
}

impl Organisers {
    /// The settings that `config` names.
    pub fn new(config: &Config) -> Self {
        Self {
            dir: config.organisers_dir.clone(),
            entity_id_pattern: config.entity_id_pattern.clone(),
            retention_days: config.retention_days,
        }
    }

    /// The settings of an organiser: `{organisation_number}.json`, or the defaults where there is no such file.
    ///
    /// # Errors
    /// [`SettingsError`] for a file that is there and cannot be used.
    pub fn settings(&self, organisation: &OrganisationNumber) -> Result<OrganiserSettings, SettingsError> {
        let defaults = || OrganiserSettings {
            entity_id: self.entity_id_pattern.replace("{organisation_number}", organisation.as_str()),
            retention_days: None,
            protected_identities_attested: false,
        };
        let Some(dir) = &self.dir else { return Ok(defaults()) };
        match std::fs::read(dir.join(format!("{organisation}.json"))) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| SettingsError::Wrong {
                organisation: organisation.clone(),
                line: error.line(),
                column: error.column(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(defaults()),
            Err(error) => Err(SettingsError::NotRead(organisation.clone(), error.kind())),
        }
    }

    /// How long an organiser's sends are kept, in days.
    ///
    /// # Errors
    /// As [`Organisers::settings`].
    pub fn retention_days(&self, organisation: &OrganisationNumber) -> Result<u32, SettingsError> {
        Ok(self.settings(organisation)?.retention_days.map_or(self.retention_days, NonZeroU32::get))
    }

    /// Whether protected persons of an organiser may be sent.
    ///
    /// # Errors
    /// As [`Organisers::settings`].
    pub fn protected_identities(
        &self,
        organisation: &OrganisationNumber,
    ) -> Result<ProtectedIdentities, SettingsError> {
        let attested = self.settings(organisation)?.protected_identities_attested;
        Ok(if attested { ProtectedIdentities::Attested } else { ProtectedIdentities::NotAttested })
    }
}
