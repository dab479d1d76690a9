use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::TokenForm;
use crate::clock::Moment;

const ACCESS_TYPE: &str = "provisioning-api";
/// How long after its end a token is refused without blame: the caller may have started the call before it.
const GRACE: Duration = Duration::from_secs(60);

/// A token request that was understood.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted {
    /// 10 digits.
    pub(crate) organisation: String,
    /// What the token says of it: "SE" and the number as the server read it.
    organization_id: String,
    /// `access` as it was asked for.
    pub(crate) access: Value,
    /// Why the API will refuse the token: the authorization server checks neither type nor locations.
    pub(crate) useless: Option<&'static str>,
}

/// A token request that was not granted.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// 400: not in the shape of a request; which part.
    Malformed(&'static str),
    /// 401: nobody the server knows.
    Unknown(&'static str),
}

/// Reads a GNAP request. `known` are the addresses that `locations` has to name one of; `whose` gives the organisation
/// that a `client.key` stands for, or why for none.
pub(crate) fn wanted(
    request: &Value,
    known: &[String],
    whose: impl FnOnce(&Value) -> Result<String, &'static str>,
) -> Result<Wanted, Refusal> {
    let malformed = |what| Err(Refusal::Malformed(what));
    let token = match &request["access_token"] {
        Value::Array(tokens) => match &tokens[..] {
            [token] => token,
            _ => return malformed("access_token must have one entry"),
        },
        object => object,
    };
    if !token.is_object() {
        return malformed("access_token must be an object or an array of one");
    }
    let Some([access, ..]) = token["access"].as_array().map(Vec::as_slice) else {
        return malformed("access_token.access must have an entry");
    };
    let (Some(access_type), Some(locations)) = (access["type"].as_str(), access["locations"].as_array())
    else {
        return malformed("access_token.access[0] must have type and locations");
    };
    if !token["flags"].as_array().is_some_and(|flags| flags.contains(&"bearer".into())) {
        return malformed("access_token.flags must have bearer");
    }
    let key = &request["client"]["key"];
    if !key.is_string() && !key["proof"].is_string() {
        return malformed("client.key must be an entity id or a proof");
    }
    let number = whose(key).map_err(Refusal::Unknown)?;
    let useless = if access_type != ACCESS_TYPE {
        Some("access_token.access[0].type is not provisioning-api")
    } else if !locations.iter().any(|one| known.iter().any(|known| one == known)) {
        Some("access_token.access[0].locations does not name a Provisioning API")
    } else {
        None
    };
    let organization_id = format!("SE{number}");
    Ok(Wanted {
        organisation: ten_digits(&number),
        organization_id,
        access: token["access"].clone(),
        useless,
    })
}

/// The organisation's number without the 16 that may stand before it.
fn ten_digits(number: &str) -> String {
    number.strip_prefix("16").filter(|rest| rest.len() == 10).unwrap_or(number).to_owned()
}

/// Without TLS there are no certificates, and everybody is who he says: the first run of exactly ten digits in an
/// entity id, as in `https://5567044268.example.se`.
pub(crate) fn by_entity(key: &Value) -> Result<String, &'static str> {
    let Some(entity) = key.as_str() else { return Err("no client certificate") };
    organisation(entity).ok_or("unknown entity")
}

fn organisation(entity: &str) -> Option<String> {
    entity.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 10).map(str::to_owned)
}

/// Why a call's token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unauthorised {
    Missing,
    Invalid,
    /// Issued for something else than this API.
    OtherAccess,
    /// The token was good until so long ago.
    Expired(Duration),
    /// It was good, and was taken back before its time.
    Withdrawn,
}

impl Unauthorised {
    /// Whether the caller is to blame; one that was valid a moment ago is not.
    pub(crate) fn violation(self) -> Option<&'static str> {
        match self {
            Unauthorised::Missing => Some("no bearer token"),
            Unauthorised::Invalid => Some("a token that was not issued here"),
            Unauthorised::OtherAccess => Some("a token for other access"),
            // The caller cannot know that before it has been refused, nor can another with the same token.
            Unauthorised::Withdrawn => None,
            Unauthorised::Expired(ago) => (ago > GRACE).then_some("a token that expired long ago"),
        }
    }
}

/// The tokens of one authorization server, for one or more APIs. Its key is made at the start, so that none is valid
/// anywhere else.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    keys: Value,
    decoding: DecodingKey,
    issued: HashMap<Uuid, Issued>,
    /// What the tokens that are no JWTs stand for.
    opaque: HashMap<String, Known>,
    /// The addresses of the APIs that take its tokens.
    locations: Vec<String>,
}

struct Issued {
    expires: Instant,
    withdrawn: bool,
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    requested_access: &'a Value,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
}

#[derive(Clone, Deserialize)]
struct Known {
    jti: Uuid,
    organization_id: String,
    requested_access: Vec<Access>,
}

#[derive(Clone, Deserialize)]
struct Access {
    r#type: String,
    locations: Vec<String>,
}

impl Tokens {
    /// # Errors
    /// When no key can be made.
    pub(crate) fn new() -> std::io::Result<Tokens> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(std::io::Error::other)?;
        // An uncompressed point: 4, x, y.
        let coordinate = |from: usize| {
            key.public_key_raw()
                .get(from..from + 32)
                .map(|part| URL_SAFE_NO_PAD.encode(part))
                .unwrap_or_default()
        };
        let (x, y) = (coordinate(1), coordinate(33));
        let jwk = serde_json::json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": x, "y": y});
        Ok(Tokens {
            encoding: EncodingKey::from_ec_der(&key.serialize_der()),
            keys: serde_json::json!({"keys": [jwk]}),
            decoding: DecodingKey::from_ec_components(&x, &y).map_err(std::io::Error::other)?,
            issued: HashMap::new(),
            opaque: HashMap::new(),
            locations: Vec::new(),
        })
    }

    /// From now on tokens for the API at this address are useful.
    pub(crate) fn add_location(&mut self, url: String) {
        self.locations.push(url);
    }

    pub(crate) fn locations(&self) -> &[String] {
        &self.locations
    }

    /// What `/.well-known/jwks.json` says.
    pub(crate) fn keys(&self) -> Value {
        self.keys.clone()
    }

    /// A new token: a JWT, unless `form` says otherwise. None if it could not be signed.
    pub(crate) fn issue(
        &mut self,
        wanted: &Wanted,
        form: Option<TokenForm>,
        life: Duration,
        now: Moment,
    ) -> Option<String> {
        let (jti, iat) = (Uuid::new_v4(), now.wall.as_second());
        if form == Some(TokenForm::Opaque) {
            let known = Known {
                jti,
                organization_id: wanted.organization_id.clone(),
                requested_access: serde_json::from_value(wanted.access.clone()).ok()?,
            };
            let token = format!("opaque-{}", Uuid::new_v4());
            self.opaque.insert(token.clone(), known);
            self.issued.insert(jti, Issued { expires: now.at + life, withdrawn: false });
            return Some(token);
        }
        let is_named = form != Some(TokenForm::NoOrganisation);
        let claims = Claims {
            organization_id: is_named.then_some(wanted.organization_id.as_str()),
            requested_access: &wanted.access,
            iat,
            nbf: iat,
            exp: iat.saturating_add_unsigned(seconds(life)),
            jti,
        };
        let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::ES256) };
        let jwt = jsonwebtoken::encode(&header, &claims, &self.encoding).ok()?;
        self.issued.insert(jti, Issued { expires: now.at + life, withdrawn: false });
        Some(jwt)
    }

    /// Takes back all tokens given out so far.
    pub(crate) fn withdraw(&mut self) {
        for issued in self.issued.values_mut() {
            issued.withdrawn = true;
        }
    }

    /// Whose token an `Authorization` header carries, if it is good for the API at `location`.
    pub(crate) fn organisation(
        &self,
        authorization: Option<&str>,
        location: &str,
        now: Instant,
    ) -> Result<String, Unauthorised> {
        let (scheme, jwt) =
            authorization.and_then(|header| header.split_once(' ')).ok_or(Unauthorised::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Unauthorised::Missing);
        }
        let mut validation = Validation::new(Algorithm::ES256);
        // The end is compared below, on the clock that cannot jump and finer than a second.
        validation.validate_exp = false;
        let known = match self.opaque.get(jwt.trim()) {
            Some(known) => known.clone(),
            None => {
                jsonwebtoken::decode::<Known>(jwt.trim(), &self.decoding, &validation)
                    .map_err(|_| Unauthorised::Invalid)?
                    .claims
            }
        };
        let issued = self.issued.get(&known.jti).ok_or(Unauthorised::Invalid)?;
        if now >= issued.expires {
            return Err(Unauthorised::Expired(now - issued.expires));
        }
        if issued.withdrawn {
            return Err(Unauthorised::Withdrawn);
        }
        let is_meant = |access: &Access| {
            access.r#type == ACCESS_TYPE && access.locations.iter().any(|one| one == location)
        };
        if !known.requested_access.iter().any(is_meant) {
            return Err(Unauthorised::OtherAccess);
        }
        known.organization_id.strip_prefix("SE").map(ten_digits).ok_or(Unauthorised::Invalid)
    }
}

/// Whole seconds, rounded up: a short life must not read as none.
pub(crate) fn seconds(life: Duration) -> u64 {
    life.as_secs() + u64::from(life.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock;

    const URL: &str = "http://127.0.0.1:1/provisioning/v1";

    fn here() -> [String; 1] {
        [URL.to_owned()]
    }

    fn request() -> Value {
        json!({
            "access_token": [{"access": [{"type": ACCESS_TYPE, "locations": [URL]}], "flags": ["bearer"]}],
            "client": {"key": "https://5567044268.example.se"},
        })
    }

    #[test]
    fn an_array_or_an_object_is_taken() {
        let array = wanted(&request(), &here(), by_entity).unwrap();
        assert_eq!((array.organisation.as_str(), array.useless), ("5567044268", None));
        let mut object = request();
        object["access_token"] = object["access_token"][0].clone();
        assert_eq!(wanted(&object, &here(), by_entity).unwrap(), array);
    }

    #[test]
    fn each_part_is_needed() {
        for pointer in [
            "/access_token",
            "/access_token/0",
            "/access_token/0/access",
            "/access_token/0/access/0/type",
            "/access_token/0/access/0/locations",
            "/access_token/0/flags",
            "/client",
            "/client/key",
        ] {
            let mut request = request();
            *request.pointer_mut(pointer).unwrap() = Value::Null;
            assert!(matches!(wanted(&request, &here(), by_entity), Err(Refusal::Malformed(_))), "{pointer}");
        }
    }

    #[test]
    fn a_token_for_something_else_is_issued_but_useless() {
        for (pointer, value) in [
            ("/access_token/0/access/0/type", json!("other")),
            ("/access_token/0/access/0/locations", json!(["https://other.example.se"])),
        ] {
            let mut request = request();
            *request.pointer_mut(pointer).unwrap() = value;
            assert!(wanted(&request, &here(), by_entity).unwrap().useless.is_some());
        }
    }

    #[test]
    fn strangers_are_unknown() {
        for key in [json!("https://school.example.se"), json!({"proof": "mtls", "cert#S256": "x"})] {
            let mut request = request();
            request["client"]["key"] = key;
            assert!(matches!(wanted(&request, &here(), by_entity), Err(Refusal::Unknown(_))));
        }
    }

    #[test]
    fn ten_digits_make_an_organisation() {
        for (entity, found) in [
            ("https://5567044268.example.se", Some("5567044268")),
            ("https://12345678901.example.se/2120000142", Some("2120000142")),
            ("urn:556704-4268", None),
            ("", None),
        ] {
            assert_eq!(organisation(entity).as_deref(), found);
        }
    }

    #[test]
    fn a_number_with_16_before_it_is_told_as_it_is_and_means_the_same() {
        let mut tokens = Tokens::new().unwrap();
        let wanted = wanted(&request(), &here(), |_| Ok("165590000178".to_owned())).unwrap();
        assert_eq!(
            (wanted.organisation.as_str(), wanted.organization_id.as_str()),
            ("5590000178", "SE165590000178")
        );
        tokens.add_location(URL.to_owned());
        for form in [None, Some(TokenForm::Opaque)] {
            let now = clock::now();
            let token = tokens.issue(&wanted, form, Duration::from_secs(9), now).unwrap();
            assert_eq!(token.split('.').count(), if form.is_some() { 1 } else { 3 });
            let header = format!("Bearer {token}");
            assert_eq!(tokens.organisation(Some(&header), URL, now.at).as_deref(), Ok("5590000178"));
        }
        let nobodys =
            tokens.issue(&wanted, Some(TokenForm::NoOrganisation), Duration::from_secs(9), clock::now());
        let header = format!("Bearer {}", nobodys.unwrap());
        assert_eq!(tokens.organisation(Some(&header), URL, clock::now().at), Err(Unauthorised::Invalid));
    }

    #[test]
    fn a_token_is_good_until_its_end() {
        let (mut tokens, now) = (Tokens::new().unwrap(), clock::now());
        let wanted = wanted(&request(), &here(), by_entity).unwrap();
        let life = Duration::from_millis(1500);
        let jwt = tokens.issue(&wanted, None, life, now).unwrap();
        assert_ne!(tokens.issue(&wanted, None, life, now).unwrap(), jwt);
        let header = format!("Bearer {jwt}");
        let at = |after| tokens.organisation(Some(&header), URL, now.at + after);

        assert_eq!(at(Duration::ZERO).as_deref(), Ok("5567044268"));
        let just_ended = at(life).unwrap_err();
        assert_eq!(just_ended, Unauthorised::Expired(Duration::ZERO));
        assert_eq!(just_ended.violation(), None);
        assert_eq!(at(life + GRACE).unwrap_err().violation(), None);
        assert!(at(life + GRACE + Duration::from_secs(1)).unwrap_err().violation().is_some());

        let elsewhere = "https://other.example.se";
        assert_eq!(tokens.organisation(Some(&header), elsewhere, now.at), Err(Unauthorised::OtherAccess));
        assert_eq!(tokens.organisation(None, URL, now.at), Err(Unauthorised::Missing));
        assert_eq!(tokens.organisation(Some(&jwt), URL, now.at), Err(Unauthorised::Missing));
        assert_eq!(tokens.organisation(Some("Bearer x.y.z"), URL, now.at), Err(Unauthorised::Invalid));
        assert_eq!(
            Tokens::new().unwrap().organisation(Some(&header), URL, now.at),
            Err(Unauthorised::Invalid)
        );
    }

    #[test]
    fn the_claims_are_those_of_the_real_server() {
        let (mut tokens, now) = (Tokens::new().unwrap(), clock::now());
        let wanted = wanted(&request(), &here(), by_entity).unwrap();
        let jwt = tokens.issue(&wanted, None, Duration::from_secs(36_000), now).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_required_spec_claims(&["exp", "nbf"]);
        let claims = jsonwebtoken::decode::<Value>(&jwt, &tokens.decoding, &validation).unwrap().claims;
        assert_eq!(claims["organization_id"], "SE5567044268");
        assert_eq!(claims["requested_access"], wanted.access);
        assert_eq!(claims["iat"], claims["nbf"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 36_000);
    }
}
