//! Access tokens from the authorization server (GNAP), kept until 90 % of their life.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use stafett_domain::{Environment, OrganisationNumber};

use crate::identity::Identity;
use crate::tls::TlsFailure;

/// Longest part of a refusal's text that is kept, in characters.
const LONGEST_TEXT: usize = 300;

/// A token of one organiser, for one environment: a call with it goes there.
#[derive(Clone, Debug)]
pub struct Token {
    pub(crate) value: SecretString,
    /// What it was asked for.
    pub environment: Environment,
    /// Asked for by this very call, not kept from an earlier one.
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
        /// What it said. It knows of the organiser, never of persons; not for logs all the same.
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
    /// A success that holds no token.
    #[error("the authorization server's answer holds no token")]
    NotReadable,
}

/// What is kept of a token.
struct Kept {
    value: SecretString,
    renew_at: Timestamp,
    mark: [u8; 32],
}

/// The tokens of this process, by organiser and environment.
#[derive(Default)]
pub(crate) struct TokenCache(HashMap<(OrganisationNumber, Environment), Kept>);

impl TokenCache {
    pub(crate) fn get(&self, identity: &Identity, environment: Environment, now: Timestamp) -> Option<Token> {
        let kept = self.0.get(&(identity.organisation.clone(), environment))?;
        let good = now < kept.renew_at && kept.mark == identity.mark;
        good.then(|| Token { value: kept.value.clone(), environment, fresh: false })
    }

    pub(crate) fn keep(
        &mut self,
        identity: &Identity,
        environment: Environment,
        granted: &Granted,
        now: Timestamp,
    ) -> Token {
        let renew_at = renew_at(now, granted.expires_in);
        let kept = Kept { value: granted.value.clone(), renew_at, mark: identity.mark };
        self.0.insert((identity.organisation.clone(), environment), kept);
        Token { value: granted.value.clone(), environment, fresh: true }
    }

    pub(crate) fn forget(&mut self, organisation: &OrganisationNumber, environment: Environment) {
        self.0.remove(&(organisation.clone(), environment));
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

/// What a refusal says, on one line: `{"error": {"code", "description"}}`, formerly `{"detail"}`, or a proxy's page.
pub(crate) fn server_text(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => said(&json)?,
        Err(_) => without_tags(&String::from_utf8_lossy(body)),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|letter| !letter.is_control()).take(LONGEST_TEXT).collect();
    (!line.is_empty()).then_some(line)
}

fn said(json: &Value) -> Option<String> {
    let error = &json["error"];
    let places = [&error["description"], &error["code"], error, &json["error_description"], &json["detail"]];
    if let Some(text) = places.iter().find_map(|place| place.as_str()) {
        return Some(text.to_owned());
    }
    // One entry a fault; beside its message it repeats what it was sent.
    let faults = json["detail"].as_array()?.iter().filter_map(|fault| fault["msg"].as_str());
    Some(faults.collect::<Vec<_>>().join("; "))
}

fn without_tags(page: &str) -> String {
    let mut inside = false;
    let plain = page.chars().filter_map(|letter| match letter {
        '<' => {
            inside = true;
            Some(' ')
        }
        '>' if inside => {
            inside = false;
            None
        }
        letter => (!inside).then_some(letter),
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(organisation: &str, mark: u8) -> Identity {
        Identity {
            organisation: organisation.parse().unwrap(),
            entity_id: None,
            credentials: None,
            server: Default::default(),
            mark: [mark; 32],
        }
    }

    #[test]
    fn a_token_is_kept_until_nine_tenths_of_its_life() {
        use Environment::{Production, Verification};
        let organiser = identity("5567044268", 1);
        let granted =
            Granted::read(br#"{"access_token":{"value":"abc","expires_in":36000,"manage":"x"},"more":1}"#)
                .unwrap();
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
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
    fn an_answer_without_a_token_is_told() {
        for body in ["", "{}", r#"{"access_token":"abc"}"#, "<html>"] {
            assert_eq!(Granted::read(body.as_bytes()).err(), Some(TokenFailure::NotReadable));
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let environment = Environment::Production;
        let token = Token { value: "very-secret".to_owned().into(), environment, fresh: true };
        assert!(!format!("{token:?}").contains("very-secret"));
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        for (body, text) in [
            (
                r#"{"error": {"code": "invalid_client", "description": "unknown entity"}}"#,
                Some("unknown entity"),
            ),
            (r#"{"error": {"code": "invalid_client"}}"#, Some("invalid_client")),
            (r#"{"detail": "no client certificate found"}"#, Some("no client certificate found")),
            (
                r#"{"detail": [{"loc": ["body"], "msg": "field required", "input": {"client": "x"}}, {"msg": "too long"}]}"#,
                Some("field required; too long"),
            ),
            ("<html><head><title>401</title></head>\n<body>Sorry</body></html>", Some("401 Sorry")),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(server_text(body.as_bytes()).as_deref(), text, "{body}");
        }
        assert_eq!(server_text("å".repeat(1000).as_bytes()).unwrap().chars().count(), LONGEST_TEXT);
    }
}
