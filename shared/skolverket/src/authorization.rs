//! The authorization server: GNAP over mutual TLS, a connection of its own for every organiser.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::{Environment, OrganisationNumber};
use tokio::sync::Mutex;

use crate::client::{Unread, receive};
use crate::endpoint::Endpoint;
use crate::identity::{Identity, Roots};
use crate::tls::{self, TlsError};
use crate::token::{self, Granted, Token, TokenCache, TokenFailure};

/// Organisers whose connections are kept: more than a process meets in its life at the usual pace.
const CLIENTS: usize = 32;

/// Asks for tokens, and keeps them.
pub(crate) struct Authorization {
    endpoint: Endpoint,
    roots: Roots,
    timeout: Duration,
    kept: Mutex<Kept>,
}

/// What is kept of organisers. Behind one lock, over the call too: one token is asked for at a time.
#[derive(Default)]
struct Kept {
    tokens: TokenCache,
    clients: HashMap<OrganisationNumber, KeptClient>,
    uses: u64,
}

struct KeptClient {
    mark: [u8; 32],
    http: reqwest::Client,
    used: u64,
}

impl Authorization {
    pub(crate) fn new(endpoint: Endpoint, roots: Roots, timeout: Duration) -> Self {
        Self { endpoint, roots, timeout, kept: Mutex::default() }
    }

    /// The organiser's token for an environment, whose API tokens know by `location`: the kept one, or else a new one.
    pub(crate) async fn token(
        &self,
        identity: &Identity,
        environment: Environment,
        location: &str,
        now: Timestamp,
    ) -> Result<Token, TokenFailure> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.tokens.get(identity, environment, now) {
            return Ok(token);
        }
        if self.endpoint.is_secure() && identity.credentials.is_none() {
            return Err(TokenFailure::NoCertificate);
        }
        let http = kept.client(identity, &self.roots, self.timeout).map_err(|_| TokenFailure::NoTls)?;
        let granted = self.ask(&http, identity, location).await?;
        Ok(kept.tokens.keep(identity, environment, &granted, now))
    }

    /// Asks in one form after the other, while the answer is 401: that may mean that the form is not known. Where none is
    /// taken, the documented form's refusal is the one that is told.
    async fn ask(
        &self,
        http: &reqwest::Client,
        identity: &Identity,
        location: &str,
    ) -> Result<Granted, TokenFailure> {
        let mut refused = None;
        for key in identity.keys() {
            let request = http.post(self.endpoint.url()).json(&token::request(location, key));
            let received = request.send().await.map_err(|error| token_failure(&error))?;
            let received = receive(received).await.map_err(|error| match error {
                Unread::Http(error) => token_failure(&error),
                Unread::TooLong(_) => TokenFailure::NotReadable,
            })?;
            let status = received.status;
            match status {
                200..=299 => return Granted::read(&received.body),
                429 | 500..=599 => return Err(TokenFailure::Unavailable { status: Some(status) }),
                _ => {
                    let text = token::server_text(&received.body);
                    refused.get_or_insert(TokenFailure::Refused { status, text });
                }
            }
            if status != 401 {
                break;
            }
        }
        Err(refused.unwrap_or(TokenFailure::NoCertificate))
    }

    pub(crate) async fn forget(&self, organisation: &OrganisationNumber, environment: Environment) {
        self.kept.lock().await.tokens.forget(organisation, environment);
    }
}

impl Kept {
    /// The organiser's connection. Built when it is needed; the one that was unused for longest makes room.
    fn client(
        &mut self,
        identity: &Identity,
        roots: &Roots,
        timeout: Duration,
    ) -> Result<reqwest::Client, TlsError> {
        self.uses += 1;
        let used = self.uses;
        let known = self.clients.get_mut(&identity.organisation).filter(|known| known.mark == identity.mark);
        if let Some(known) = known {
            known.used = used;
            return Ok(known.http.clone());
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::to_authorization(identity, roots)?)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| TlsError)?;
        if self.clients.len() >= CLIENTS {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.used);
            if let Some(oldest) = oldest.map(|(organisation, _)| organisation.clone()) {
                self.clients.remove(&oldest);
            }
        }
        let client = KeptClient { mark: identity.mark, http: http.clone(), used };
        self.clients.insert(identity.organisation.clone(), client);
        Ok(http)
    }
}

fn token_failure(error: &reqwest::Error) -> TokenFailure {
    tls::failure_of(error).map_or(TokenFailure::Unavailable { status: None }, TokenFailure::Tls)
}
