//! Reads the authorization server's answers: a token with its lifetime and owner, or the text of a refusal.
//!
//! The server's own model requires few fields (shared/README, Skolverket 9). Where possible, the code also works if a
//! field is missing or has another type.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use stafett_domain::OrganisationNumber;

use super::TokenFailure;

/// The maximum length of a refusal text that is stored, in characters.
const LONGEST_TEXT: usize = 300;
/// The assumed lifetime of a token that does not state one.
const USUAL_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The encoding of a JWT's parts. The standard forbids padding, but accepting it does no harm.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A successful answer from the authorization server.
pub(crate) struct Granted {
    pub(super) value: SecretString,
    /// The lifetime of the token.
    pub(super) life: SignedDuration,
}

impl Granted {
    /// Reads an answer that arrived at `now`. `access_token` is an object. If the request asked for a list, it may be a
    /// list, and the first entry with a token counts. It may also be the token itself, as in OAuth.
    ///
    /// # Errors
    /// [`TokenFailure::NotReadable`], if the answer contains no token.
    pub(crate) fn read(status: u16, text: &str, now: Timestamp) -> Result<Self, TokenFailure> {
        let unreadable = TokenFailure::NotReadable { status };
        let body: Value = serde_json::from_str(text).map_err(|_| unreadable.clone())?;
        let given = &body["access_token"];
        let entries = match given {
            Value::Array(entries) => entries.as_slice(),
            other => std::slice::from_ref(other),
        };
        let token = |entry: &Value| {
            let (value, beside) = if entry.is_string() { (entry, &body) } else { (&entry["value"], entry) };
            let value = value.as_str().map(str::trim).filter(|value| is_usable(value))?;
            Some((value.to_owned(), seconds(&beside["expires_in"])))
        };
        let (value, expires_in) = entries.iter().find_map(token).ok_or(unreadable)?;
        let value = SecretString::from(value);
        let life =
            expires_in.or_else(|| Some(claimed_end(&value)?.duration_since(now))).unwrap_or(USUAL_LIFE);
        Ok(Self { value, life })
    }

    /// Checks that the token belongs to the organiser that will use it. A token that is not a JWT is used unchecked,
    /// because the server may change the format.
    ///
    /// # Errors
    /// [`TokenFailure::OfAnother`] and [`TokenFailure::OfNobody`]. Such a token would send this organiser's records in
    /// the name of another organisation.
    pub(crate) fn check(&self, organisation: &OrganisationNumber) -> Result<(), TokenFailure> {
        let Some(claims) = claims(&self.value) else { return Ok(()) };
        let named = match claims.get("organization_id") {
            Some(Value::String(text)) => OrganisationNumber::named_by(text),
            Some(Value::Number(number)) => OrganisationNumber::named_by(&number.to_string()),
            _ => None,
        };
        match named {
            Some(named) if named == *organisation => Ok(()),
            Some(named) => Err(TokenFailure::OfAnother(named)),
            None => Err(TokenFailure::OfNobody),
        }
    }
}

/// Whether the token can be used in a header.
fn is_usable(value: &str) -> bool {
    !value.is_empty() && HeaderValue::from_str(value).is_ok()
}

/// Parses a number of seconds, at least 0. It may be a number or text, with or without decimals.
fn seconds(value: &Value) -> Option<SignedDuration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let known = seconds.is_finite() && seconds >= 0.0;
    known.then(|| SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX))
}

/// The expiry time in a JWT's claims.
fn claimed_end(token: &SecretString) -> Option<Timestamp> {
    let end = seconds(claims(token)?.get("exp")?)?;
    Some(Timestamp::from_duration(end).unwrap_or(Timestamp::MAX))
}

/// Reads the claims of a JWT without verifying the signature, which is the API's task. Returns `None` if the text is
/// not a valid JWT.
fn claims(token: &SecretString) -> Option<Map<String, Value>> {
    let mut parts = token.expose_secret().split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    match serde_json::from_slice(&BASE64URL.decode(payload).ok()?).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}

/// The text of a refusal on one line: from `{"error": {"code", "description"}}`, the older `{"detail"}`, or a proxy's
/// page.
pub(crate) fn server_text(body: &str) -> Option<String> {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(json) => said(&json)?,
        Err(_) => without_tags(body),
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
    // Each fault has one entry. Besides its message, an entry repeats the caller's data, so only the message is used.
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
    use base64::engine::general_purpose::{URL_SAFE as PADDED, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    fn jwt(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(&json!({"alg": "ES256"})), part(claims))
    }

    fn read(body: &Value) -> Result<(String, i64), TokenFailure> {
        let granted = Granted::read(200, &body.to_string(), now())?;
        Ok((granted.value.expose_secret().to_owned(), granted.life.as_secs()))
    }

    #[test]
    fn a_token_is_read_whatever_its_lifetime_looks_like() {
        let end = now().as_second() + 7200;
        let with_end = jwt(&json!({"exp": end}));
        for (expires_in, plain, of_jwt) in [
            (json!(36_000), 36_000, 36_000),
            (json!(1800.5), 1800, 1800),
            (json!("1800"), 1800, 1800),
            (json!(" 1800.25 "), 1800, 1800),
            (json!(0), 0, 0),
            (Value::Null, 3600, 7200),
            (json!("soon"), 3600, 7200),
            (json!(-1), 3600, 7200),
            (json!("NaN"), 3600, 7200),
            (json!([36_000]), 3600, 7200),
        ] {
            for (token, life) in [("TOKEN", plain), (with_end.as_str(), of_jwt)] {
                let body =
                    json!({"access_token": {"value": token, "expires_in": expires_in, "flags": ["bearer"]}});
                assert_eq!(read(&body), Ok((token.to_owned(), life)), "{expires_in}");
            }
        }
        assert_eq!(
            read(&json!({"access_token": {"value": "TOKEN", "flags": ["bearer"]}})),
            Ok(("TOKEN".to_owned(), 3600))
        );
        for (claims, life) in [
            (json!({"exp": end as f64 + 0.5}), 7200),
            (json!({"exp": end.to_string()}), 7200),
            (json!({"exp": null}), 3600),
            (json!({"exp": true}), 3600),
            (json!({}), 3600),
        ] {
            let body = json!({"access_token": {"value": jwt(&claims)}});
            assert_eq!(read(&body).map(|(_, life)| life), Ok(life), "{claims}");
        }
        let for_ever = read(&json!({"access_token": {"value": "TOKEN", "expires_in": 1e300}}));
        assert!(for_ever.is_ok_and(|(_, life)| life > 1_000_000_000));
    }

    #[test]
    fn a_token_is_found_in_an_object_a_list_or_by_itself() {
        let object = json!({"value": "TOKEN", "expires_in": 60, "manage": {"uri": "x"}});
        for access_token in [
            object.clone(),
            json!([object]),
            json!([{"label": "nothing"}, null, object, {"value": "OTHER", "expires_in": 9}]),
        ] {
            let body = json!({"access_token": access_token, "more": 1});
            assert_eq!(read(&body), Ok(("TOKEN".to_owned(), 60)), "{body}");
        }
        assert_eq!(read(&json!({"access_token": "TOKEN", "expires_in": 60})), Ok(("TOKEN".to_owned(), 60)));
    }

    #[test]
    fn an_answer_without_a_token_is_not_readable() {
        for body in [
            "",
            "{}",
            "<html>",
            "[]",
            r#"{"access_token": null}"#,
            r#"{"access_token": []}"#,
            r#"{"access_token": {"value": ""}}"#,
            r#"{"access_token": {"value": "two\nlines"}}"#,
            r#"{"access_token": {"value": 7}}"#,
            r#"{"access_token": {"expires_in": 7}}"#,
        ] {
            let answer = Granted::read(201, body, now()).err();
            assert_eq!(answer, Some(TokenFailure::NotReadable { status: 201 }), "{body}");
        }
    }

    #[test]
    fn a_token_is_this_organisers_or_is_not_used() {
        let own: OrganisationNumber = "5590000178".parse().unwrap();
        let check = |token: &str| {
            let body = json!({"access_token": {"value": token}}).to_string();
            Granted::read(200, &body, now()).unwrap().check(&own)
        };
        for own in
            [json!("SE5590000178"), json!("SE165590000178"), json!("5590000178"), json!(5_590_000_178_u64)]
        {
            assert_eq!(check(&jwt(&json!({"organization_id": own}))), Ok(()), "{own}");
        }
        let another = TokenFailure::OfAnother("5560000001".parse().unwrap());
        for others in ["SE5560000001", "SE165560000001"] {
            assert_eq!(check(&jwt(&json!({"organization_id": others}))), Err(another.clone()), "{others}");
        }
        for nobody in
            [json!(null), json!(""), json!("SE"), json!("SE559000017"), json!(["SE5590000178"]), json!({})]
        {
            assert_eq!(
                check(&jwt(&json!({"organization_id": nobody}))),
                Err(TokenFailure::OfNobody),
                "{nobody}"
            );
        }
        assert_eq!(check(&jwt(&json!({"sub": "x"}))), Err(TokenFailure::OfNobody));
        let padded = PADDED.encode(json!({"organization_id": "SE5560000001", "a": 1}).to_string());
        assert_eq!(check(&format!("e30.{padded}.c2ln")), Err(another));
        for opaque in ["TOKEN", "a.b", "a.b.c", "a.b.c.d", "e30.WzFd.c2ln", "..", "å.å.å"] {
            assert_eq!(check(opaque), Ok(()), "{opaque}");
        }
    }

    #[test]
    fn a_refusal_is_reported_in_the_servers_words() {
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
            assert_eq!(server_text(body).as_deref(), text, "{body}");
        }
        assert_eq!(server_text(&"å".repeat(1000)).unwrap().chars().count(), LONGEST_TEXT);
    }
}
