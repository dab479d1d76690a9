//! Skolverket's public registers: the Open-data API. It requires no token, and the client sends none.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stafett_domain::OrganisationNumber;
use stafett_domain::register::{NationalTest, Organiser, Programme, SchoolUnit};
use uuid::Uuid;

use crate::answer::CallFailure;
use crate::encoding::{TooLong, decoded};
use crate::endpoint::Endpoint;
use crate::identity::Roots;
use crate::response::{MAX_ANSWER_BYTES, Unread, failure, receive, sorted};
use crate::tls::{TlsError, to_api};
use crate::tolerant::list;

/// The client of Skolverket's public registers.
pub struct OpenData {
    http: reqwest::Client,
    base: Endpoint,
}

/// The format of the API's refusals.
#[derive(Deserialize)]
struct Refusal {
    code: u16,
}

impl OpenData {
    /// `base` is the API's base address. `roots` are trusted in addition to the built-in ones. `timeout` limits each
    /// call.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn new(base: Endpoint, roots: &Roots, timeout: Duration) -> Result<Self, TlsError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(to_api(roots)?)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| TlsError)?;
        Ok(Self { http, base })
    }

    /// Returns an organiser with all its school units, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn organiser(&self, number: &OrganisationNumber) -> Result<Option<Organiser>, CallFailure> {
        self.find(&format!("/organisations/code/{number}?expandSchoolUnits=true")).await
    }

    /// Returns a school unit by Skolverket's id, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn school_unit(&self, id: Uuid) -> Result<Option<SchoolUnit>, CallFailure> {
        self.find(&format!("/schoolUnits/{id}")).await
    }

    /// Returns all study paths.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn programmes(&self) -> Result<Vec<Programme>, CallFailure> {
        self.read("/programmes", readable_entries).await?.ok_or(CallFailure::Status(404))
    }

    /// Returns all national tests.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn tests(&self) -> Result<Vec<NationalTest>, CallFailure> {
        self.read("/activities", readable_entries).await?.ok_or(CallFailure::Status(404))
    }

    /// Returns a study path by Skolverket's id, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn programme(&self, id: Uuid) -> Result<Option<Programme>, CallFailure> {
        self.find(&format!("/programmes/{id}")).await
    }

    /// Returns a national test by Skolverket's id, or `None` if it does not exist.
    ///
    /// # Errors
    /// [`CallFailure`]
    pub async fn test(&self, id: Uuid) -> Result<Option<NationalTest>, CallFailure> {
        self.find(&format!("/activities/{id}")).await
    }

    async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, CallFailure> {
        self.read(path, |text| serde_json::from_str(text).ok()).await
    }

    async fn read<T>(
        &self,
        path: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, CallFailure> {
        let url = self.base.join(path).map_err(|_| CallFailure::Connection)?;
        let response = self.http.get(url).send().await.map_err(|error| sorted(&error))?;
        let mut received = receive(response).await.map_err(Unread::into_failure)?;
        let text = decoded(std::mem::take(&mut received.body), MAX_ANSWER_BYTES)
            .map_err(|TooLong| CallFailure::AnswerTooLong(received.status))?;
        match received.status {
            200 => read(&text).map(Some).ok_or(CallFailure::NotReadable(200)),
            // Only a 404 in the API's own format counts. A proxy's 404 means a wrong address, and says nothing about
            // the entry.
            404 => match serde_json::from_str::<Refusal>(&text) {
                Ok(Refusal { code: 404 }) => Ok(None),
                _ => Err(CallFailure::NotReadable(404)),
            },
            _ => Err(failure(&received)),
        }
    }
}

/// Returns the valid entries of a list. An entry that is not valid is looked up by its id, like a missing one.
fn readable_entries<T: DeserializeOwned>(text: &str) -> Option<Vec<T>> {
    let entries = list(serde_json::from_str::<&RawValue>(text).ok()?)?;
    Some(entries.into_iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect())
}
