//! Callers' tokens: made here for trying things out, checked as the gateway's JWT authorizer checks them. Signed with a
//! secret that is random for every start, so that no token outlives its stack.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::Clock;
use crate::template::Authorizer;

/// How long a token is valid, in seconds.
const LIFETIME_S: i64 = 3600;

/// Who a token is made for.
#[derive(Debug, Clone, Deserialize)]
pub struct Caller {
    pub organisation_number: String,
    /// Scopes, separated by spaces; none without.
    pub scope: Option<String>,
    /// Who it is; `admin@local` without.
    pub sub: Option<String>,
    /// Seconds until it expires, an hour without; less than none for one that has expired.
    pub expires_in: Option<i64>,
    /// Who says that it issued it; without, the one that the gateway knows.
    pub issuer: Option<String>,
    /// Further claims, or others in the place of those above: a JSON object, such as `{"scope": ["history:read"]}`.
    #[serde(default, deserialize_with = "claims")]
    pub claims: Map<String, Value>,
}

fn claims<'de, D: Deserializer<'de>>(parameter: D) -> Result<Map<String, Value>, D::Error> {
    let text = String::deserialize(parameter)?;
    serde_json::from_str(&text).map_err(|_| D::Error::custom("claims is not a JSON object"))
}

/// Makes and checks tokens.
pub struct Tokens {
    issuer: String,
    audience: String,
    signing: EncodingKey,
    checking: DecodingKey,
    clock: Clock,
}

impl Tokens {
    /// With a new secret.
    pub fn new(issuer: &str, audience: &str, clock: Clock) -> Self {
        let secret = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            signing: EncodingKey::from_secret(&secret),
            checking: DecodingKey::from_secret(&secret),
            clock,
        }
    }

    /// A token. One that has expired, or names another issuer, shows how the gateway refuses it.
    pub fn issue(&self, caller: &Caller) -> Result<String, jsonwebtoken::errors::Error> {
        let now_s = self.clock.now_ms() / 1000;
        let mut claims = json!({
            "iss": caller.issuer.as_deref().unwrap_or(&self.issuer),
            "aud": self.audience,
            "iat": now_s,
            "exp": now_s.saturating_add_signed(caller.expires_in.unwrap_or(LIFETIME_S)),
            "sub": caller.sub.as_deref().unwrap_or("admin@local"),
            "organisation_number": caller.organisation_number,
        });
        if let Some(scope) = &caller.scope {
            claims["scope"] = json!(scope);
        }
        for (name, value) in &caller.claims {
            claims[name.as_str()] = value.clone();
        }
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// The claims of the token in an `Authorization` header, if the authorizer lets it in.
    pub fn check(&self, authorizer: &Authorizer, authorization: Option<&str>) -> Option<Map<String, Value>> {
        let authorization = authorization?;
        // The gateway takes the token with and without its scheme.
        let token = authorization.strip_prefix("Bearer ").unwrap_or(authorization).trim();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&authorizer.issuer]);
        validation.set_audience(&authorizer.audience);
        let token = jsonwebtoken::decode::<Map<String, Value>>(token, &self.checking, &validation).ok()?;
        Some(token.claims)
    }
}

/// Claims as the gateway passes them on: each as text, a list as `[a b]`.
pub(super) fn as_text(claims: &Map<String, Value>) -> Map<String, Value> {
    claims.iter().map(|(name, value)| (name.clone(), Value::String(text(value)))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new("http://issuer", "stafett", Clock::start())
    }

    fn authorizer() -> Authorizer {
        Authorizer { issuer: "http://issuer".to_owned(), audience: vec!["stafett".to_owned()] }
    }

    fn caller() -> Caller {
        Caller {
            organisation_number: "5567044268".to_owned(),
            scope: Some("sends:write history:read".to_owned()),
            sub: None,
            expires_in: None,
            issuer: None,
            claims: Map::new(),
        }
    }

    fn signed(tokens: &Tokens, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({"iss": "http://issuer", "aud": "stafett", "exp": 4_000_000_000_u64});
        change(&mut claims);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &tokens.signing).unwrap()
    }

    fn accepts(tokens: &Tokens, token: &str) -> bool {
        tokens.check(&authorizer(), Some(&format!("Bearer {token}"))).is_some()
    }

    #[test]
    fn a_token_of_ones_own_is_accepted_with_its_claims() {
        let tokens = tokens();
        let token = tokens.issue(&caller()).unwrap();
        let claims = tokens.check(&authorizer(), Some(&format!("Bearer {token}"))).unwrap();
        assert_eq!(claims["organisation_number"], "5567044268");
        assert_eq!(claims["sub"], "admin@local");
        assert!(tokens.check(&authorizer(), Some(&token)).is_some(), "without its scheme");
    }

    #[test]
    fn a_token_may_be_asked_for_that_is_refused() {
        let tokens = tokens();
        let expired = Caller { expires_in: Some(-60), ..caller() };
        let strange = Caller { issuer: Some("http://other".to_owned()), ..caller() };
        for caller in [expired, strange] {
            assert!(!accepts(&tokens, &tokens.issue(&caller).unwrap()));
        }
    }

    #[test]
    fn a_token_may_have_claims_of_any_kind() {
        let tokens = tokens();
        let asked = |claims: &str| {
            let asked =
                json!({"organisation_number": "5567044268", "scope": "sends:write", "claims": claims});
            serde_json::from_value::<Caller>(asked)
        };
        let caller = asked(r#"{"scope": ["history:read"], "level": 3}"#).unwrap();
        let claims = tokens.check(&authorizer(), Some(&tokens.issue(&caller).unwrap())).unwrap();
        assert_eq!((&claims["scope"], &claims["level"]), (&json!(["history:read"]), &json!(3)));
        assert_eq!(claims["organisation_number"], "5567044268");
        for none in ["", "[]", "{"] {
            assert!(asked(none).is_err(), "{none}");
        }
    }

    #[test]
    fn another_starts_token_is_refused() {
        assert!(!accepts(&tokens(), &tokens().issue(&caller()).unwrap()));
        assert!(tokens().check(&authorizer(), None).is_none());
        assert!(!accepts(&tokens(), "made.up.token"));
    }

    #[test]
    fn issuer_audience_and_times_are_checked() {
        let tokens = tokens();
        assert!(accepts(&tokens, &signed(&tokens, |_| {})));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["iss"] = json!("http://other"))));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["aud"] = json!("other"))));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["exp"] = json!(1_000_000_000))));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["nbf"] = json!(3_999_999_999_u64))));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["exp"] = Value::Null)));
        assert!(!accepts(&tokens, &signed(&tokens, |claims| claims["aud"] = Value::Null)));
    }

    #[test]
    fn claims_are_passed_on_as_text() {
        let claims = json!({"exp": 12, "scope": ["a", "b c"], "roles": ["x", 7], "ok": true, "none": []});
        let Value::Object(claims) = claims else { panic!("an object") };
        let expected = json!({"exp": "12", "scope": "[a b c]", "roles": "[x 7]", "ok": "true", "none": "[]"});
        assert_eq!(Value::Object(as_text(&claims)), expected);
    }
}
