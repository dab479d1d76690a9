//! Access tokens from the authorization server (GNAP), kept until 90 % of their life.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use stafett_domain::OrganisationNumber;

/// A token of one organiser.
#[derive(Clone, Debug)]
pub struct Token {
    pub(crate) value: SecretString,
    /// Asked for by this very call, not kept from an earlier one.
    pub fresh: bool,
}

/// Why there is no token. Holds no text of the server's: that may quote what it was sent.
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
    },
    /// A success that holds no token.
    #[error("the authorization server's answer holds no token")]
    NotReadable,
}

/// What is kept of a token.
struct Kept {
    value: SecretString,
    renew_at: Timestamp,
}

/// The tokens of this process, by organiser.
#[derive(Default)]
pub(crate) struct TokenCache(HashMap<OrganisationNumber, Kept>);

impl TokenCache {
    pub(crate) fn get(&self, organisation: &OrganisationNumber, now: Timestamp) -> Option<Token> {
        let kept = self.0.get(organisation).filter(|kept| now < kept.renew_at)?;
        Some(Token { value: kept.value.clone(), fresh: false })
    }

    pub(crate) fn keep(
        &mut self,
        organisation: OrganisationNumber,
        granted: &Granted,
        now: Timestamp,
    ) -> Token {
        let renew_at = renew_at(now, granted.expires_in);
        self.0.insert(organisation, Kept { value: granted.value.clone(), renew_at });
        Token { value: granted.value.clone(), fresh: true }
    }

    pub(crate) fn forget(&mut self, organisation: &OrganisationNumber) {
        self.0.remove(organisation);
    }
}

/// 90 % of the life that the answer gave: what the documents promise was not what the server gave.
fn renew_at(now: Timestamp, expires_in_seconds: u64) -> Timestamp {
    let life = i64::try_from(expires_in_seconds.saturating_mul(900)).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_millis(life)).unwrap_or(Timestamp::MAX)
}

/// The authorization server's success.
pub(crate) struct Granted {
    value: SecretString,
    expires_in: u64,
}

impl Granted {
    /// Reads the answer; unknown attributes may come and are ignored.
    pub(crate) fn read(body: &[u8]) -> Result<Self, TokenFailure> {
        #[derive(Deserialize)]
        struct Body {
            access_token: AccessToken,
        }
        #[derive(Deserialize)]
        struct AccessToken {
            value: String,
            expires_in: u64,
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| TokenFailure::NotReadable)?;
        Ok(Self { value: body.access_token.value.into(), expires_in: body.access_token.expires_in })
    }
}

/// The request for a token that lets its bearer provision at `location`, for the client known by `entity_id`.
pub(crate) fn request(location: &str, entity_id: &str) -> serde_json::Value {
    serde_json::json!({
        "access_token": [{
            "access": [{"type": "provisioning-api", "locations": [location]}],
            "flags": ["bearer"],
        }],
        "client": {"key": entity_id},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_until_nine_tenths_of_its_life() {
        let organisation: OrganisationNumber = "5567044268".parse().unwrap();
        let other: OrganisationNumber = "5567044269".parse().unwrap();
        let granted =
            Granted::read(br#"{"access_token":{"value":"abc","expires_in":36000,"manage":"x"},"more":1}"#)
                .unwrap();
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let mut cache = TokenCache::default();
        assert!(cache.keep(organisation.clone(), &granted, start).fresh);
        let last = start + SignedDuration::from_millis(32_399_999);
        assert!(cache.get(&organisation, last).is_some_and(|token| !token.fresh));
        assert!(cache.get(&organisation, start + SignedDuration::from_secs(32_400)).is_none());
        assert!(cache.get(&other, start).is_none());
        cache.forget(&organisation);
        assert!(cache.get(&organisation, start).is_none());
    }

    #[test]
    fn an_answer_without_a_token_is_told() {
        for body in ["", "{}", r#"{"access_token":"abc"}"#, "<html>"] {
            assert_eq!(Granted::read(body.as_bytes()).err(), Some(TokenFailure::NotReadable));
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token { value: "very-secret".to_owned().into(), fresh: true };
        assert!(!format!("{token:?}").contains("very-secret"));
    }
}
