//! Access tokens from the authorization server (GNAP), cached until 90 % of their life.

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

/// A token of one organiser, for one environment: a call with it goes there.
#[derive(Clone, Debug)]
pub struct Token {
    pub(crate) value: SecretString,
    /// What it was asked for.
    pub environment: Environment,
    /// Asked for by this very call, not cached from an earlier one.
    pub fresh: bool,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFailure {
    /// The server could not be reached, failed, or is overloaded: worth another try.
    #[error("the authorization server cannot answer ({})", .status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}")))]
    Unavailable {
        /// What it answered, if it did.
        status: Option<u16>,
    },
    /// The server refused: the same request would be refused again.
    #[error("the authorization server refused with HTTP {status}")]
    Refused {
        /// What it answered.
        status: u16,
        /// The server's text. It may name the organiser, never persons; it is not logged all the same.
        text: Option<String>,
    },
    /// The two did not come to trust each other.
    #[error("no trust between the authorization server and us: {0}")]
    Tls(TlsFailure),
    /// The organiser has no client certificate, and the server wants one.
    #[error("the organiser has no client certificate")]
    NoCertificate,
    /// The environment has no address.
    #[error("the environment is not configured")]
    NoEnvironment,
    /// TLS cannot be set up here.
    #[error("TLS to the authorization server cannot be set up")]
    NoTls,
    /// A success in which no token can be found, such as a gateway's page: worth another try.
    #[error("the authorization server answered HTTP {status}, and no token can be found in it")]
    NotReadable {
        /// What it answered.
        status: u16,
    },
    /// The token is another organisation's: that of the certificate, or of the entity id.
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

/// 90 % of the life that the answer gave: what the documents promise was not what the server gave.
fn renew_at(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life - life / 10).unwrap_or(Timestamp::MAX)
}

/// A request for a token, and what came of it. Neither a token nor a fingerprint is in it.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The path of the authorization server's address.
    pub path: String,
    pub started_at: Timestamp,
    /// From the first byte sent to the last one read, or to the failure.
    pub duration: Duration,
    pub request: Value,
    pub request_bytes: usize,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub response: Option<String>,
    pub response_bytes: usize,
    /// Why it gave no token; none where it did, or where another request followed at once.
    pub failure: Option<TokenFailure>,
}

/// The result of a request for a token.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The requests that were made for it, in order; none for a token that was cached.
    pub requests: Vec<TokenRequest>,
    pub token: Result<Token, TokenFailure>,
}

impl From<TokenFailure> for TokenAnswer {
    /// No request was made.
    fn from(failure: TokenFailure) -> Self {
        Self { requests: Vec::new(), token: Err(failure) }
    }
}

/// The request for a token that lets its bearer provision at `location`, for the client known by `key`.
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
