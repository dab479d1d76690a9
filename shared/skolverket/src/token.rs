//! Access tokens from the authorization server (GNAP), cached for 90 % of their lifetime.

mod answer;
mod shown;

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use stafett_domain::{Environment, OrganisationNumber};

use crate::identity::Identity;
use crate::tls::TlsFailure;

pub(crate) use answer::{Granted, server_text};
pub(crate) use shown::{request as shown_request, response as shown_response};

/// An organiser's token for one environment. Calls with it go to that environment.
#[derive(Clone, Debug)]
pub struct Token {
    pub(crate) value: SecretString,
    /// The environment that the token was requested for.
    pub environment: Environment,
    /// The token was requested by this call and did not come from the cache.
    pub fresh: bool,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFailure {
    /// The server could not be reached, failed, or is overloaded. A retry may succeed.
    #[error("the authorization server cannot answer ({})", .status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}")))]
    Unavailable {
        /// The status of its answer, if there was one.
        status: Option<u16>,
    },
    /// The server refused, and would refuse the same request again.
    #[error("the authorization server refused with HTTP {status}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// The server's text. It may name the organiser, but never persons. It is still not logged.
        text: Option<String>,
    },
    /// TLS trust between server and client failed.
    #[error("no trust between the authorization server and us: {0}")]
    Tls(TlsFailure),
    /// The organiser has no client certificate, and the server requires one.
    #[error("the organiser has no client certificate")]
    NoCertificate,
    /// No address is configured for the environment.
    #[error("the environment is not configured")]
    NoEnvironment,
    /// TLS cannot be set up in this process.
    #[error("TLS to the authorization server cannot be set up")]
    NoTls,
    /// A success without a token, such as a gateway's page. A retry may succeed.
    #[error("the authorization server answered HTTP {status}, and no token can be found in it")]
    NotReadable {
        /// The status of its answer.
        status: u16,
    },
    /// The token belongs to another organisation: the one of the certificate or of the entity id.
    #[error("the authorization server gave a token for another organisation")]
    OfAnother(OrganisationNumber),
    /// The token is a JWT that names no organisation.
    #[error("the authorization server gave a token that names no organisation")]
    OfNobody,
}

/// A cached token.
struct Cached {
    value: SecretString,
    renew_at: Timestamp,
    digest: [u8; 32],
}

/// The tokens of this process, by organiser and environment.
#[derive(Default)]
pub(crate) struct TokenCache(HashMap<(OrganisationNumber, Environment), Cached>);

impl TokenCache {
    pub(crate) fn get(&self, identity: &Identity, environment: Environment, now: Timestamp) -> Option<Token> {
        let cached = self.0.get(&(identity.organisation.clone(), environment))?;
        let good = now < cached.renew_at && cached.digest == identity.digest;
        good.then(|| Token { value: cached.value.clone(), environment, fresh: false })
    }

    pub(crate) fn keep(
        &mut self,
        identity: &Identity,
        environment: Environment,
        granted: &Granted,
        now: Timestamp,
    ) -> Token {
        let renew_at = renew_at(now, granted.life);
        let cached = Cached { value: granted.value.clone(), renew_at, digest: identity.digest };
        self.0.insert((identity.organisation.clone(), environment), cached);
        Token { value: granted.value.clone(), environment, fresh: true }
    }

    pub(crate) fn forget(&mut self, organisation: &OrganisationNumber, environment: Environment) {
        self.0.remove(&(organisation.clone(), environment));
    }
}

/// 90 % of the lifetime in the answer. The documentation states another lifetime than the server gives.
fn renew_at(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life - life / 10).unwrap_or(Timestamp::MAX)
}

/// A token request and its result. It contains neither a token nor a fingerprint.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The path of the authorization server's URL.
    pub path: String,
    pub started_at: Timestamp,
    /// From the first byte sent until the last byte read, or until the failure.
    pub duration: Duration,
    pub request: Value,
    pub request_bytes: usize,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub response: Option<String>,
    pub response_bytes: usize,
    /// Why the request returned no token. `None` if it did, or if another request followed at once.
    pub failure: Option<TokenFailure>,
}

/// The result of a request for a token.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The requests that were made, in order. Empty for a cached token.
    pub requests: Vec<TokenRequest>,
    pub token: Result<Token, TokenFailure>,
}

impl From<TokenFailure> for TokenAnswer {
    /// A failure before any request was made.
    fn from(failure: TokenFailure) -> Self {
        Self { requests: Vec::new(), token: Err(failure) }
    }
}

/// Builds the request for a token that allows provisioning at `location`, for the client with this `key`.
pub(crate) fn request(location: &str, key: Value) -> Value {
    serde_json::json!({
        "access_token": [{
            "access": [{"type": "provisioning-api", "locations": [location]}],
            "flags": ["bearer"],
        }],
        "client": {"key": key},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(organisation: &str, digest: u8) -> Identity {
        Identity {
            organisation: organisation.parse().unwrap(),
            entity_id: None,
            credentials: None,
            server: Default::default(),
            digest: [digest; 32],
        }
    }

    #[test]
    fn a_token_is_cached_until_nine_tenths_of_its_life() {
        use Environment::{Production, Verification};
        let organiser = identity("5567044268", 1);
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let answer = r#"{"access_token":{"value":"abc","expires_in":36000,"manage":"x"},"more":1}"#;
        let granted = Granted::read(200, answer, start).unwrap();
        let mut cache = TokenCache::default();
        assert!(cache.keep(&organiser, Production, &granted, start).fresh);
        let last = start + SignedDuration::from_millis(32_399_999);
        assert!(cache.get(&organiser, Production, last).is_some_and(|token| !token.fresh));
        assert!(cache.get(&organiser, Production, start + SignedDuration::from_secs(32_400)).is_none());
        assert!(cache.get(&organiser, Verification, start).is_none(), "another environment's");
        assert!(cache.get(&identity("5567044269", 1), Production, start).is_none(), "another organiser's");
        assert!(
            cache.get(&identity("5567044268", 2), Production, start).is_none(),
            "got with other settings"
        );
        cache.forget(&organiser.organisation, Production);
        assert!(cache.get(&organiser, Production, start).is_none());
    }

    #[test]
    fn a_token_is_never_printed() {
        let environment = Environment::Production;
        let token = Token { value: "very-secret".to_owned().into(), environment, fresh: true };
        assert!(!format!("{token:?}").contains("very-secret"));
    }
}
