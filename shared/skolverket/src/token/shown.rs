//! Selects the parts of a token request and its answer that may be stored for people to read. It must never include a
//! token or a certificate fingerprint.

use serde_json::{Value, json};

/// The maximum size of an answer that is shown, in bytes. Every known refusal of the server fits.
const KEPT_BYTES: usize = 4096;
/// The fields in which the server describes what it grants and refuses. All other texts of a success are hidden,
/// because one of them may be a token.
const SHOWN: &[&str] = &["flags", "access", "type", "locations", "expires_in", "label"];
/// A run of letters, digits and signs of this length may be a token or a part of one. No word is this long.
const LONGEST_WORD: usize = 40;
/// Replaces hidden text.
const HIDDEN: &str = "…";

/// Returns the request to show: `client.key` without the fingerprint.
pub(crate) fn request(request: &Value) -> Value {
    let mut shown = request.clone();
    if let Some(fingerprint) = shown.pointer_mut("/client/key/cert#S256") {
        *fingerprint = json!(HIDDEN);
    }
    shown
}

/// Returns the answer to show, or `None` if it is empty.
pub(crate) fn response(status: u16, body: &str) -> Option<String> {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(mut json) => {
            hide(&mut json, !(200..300).contains(&status));
            json.to_string()
        }
        Err(_) => without_tokens(body),
    };
    let end = text.floor_char_boundary(KEPT_BYTES);
    (end > 0).then(|| text[..end].to_owned())
}

fn hide(json: &mut Value, shown: bool) {
    match json {
        Value::String(text) if shown => *text = without_tokens(text),
        Value::String(text) => *text = HIDDEN.to_owned(),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| hide(entry, shown)),
        Value::Object(members) => {
            for (name, member) in members {
                hide(member, shown || SHOWN.contains(&name.as_str()));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Removes everything that may be a token.
fn without_tokens(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-._~+/=".contains(letter);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, run) = rest.split_at(start);
        let (run, after) = run.split_at(run.find(|letter| !is_part(letter)).unwrap_or(run.len()));
        shown.push_str(before);
        shown.push_str(if run.len() < LONGEST_WORD { run } else { HIDDEN });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJvcmdhbml6YXRpb25faWQiOiJTRTU1In0.c2lnbmF0dXJl";

    #[test]
    fn no_answer_is_stored_with_a_token_in_it() {
        let short = "a-short-token";
        let bodies = [
            json!({"access_token": {"value": short, "expires_in": 9, "flags": ["bearer"]}}),
            json!({"access_token": [{"value": TOKEN, "manage": {"uri": "https://x", "access_token": {"value": short}}}]}),
            json!({"access_token": TOKEN, "token_type": short}),
        ];
        for body in bodies {
            let text = body.to_string();
            for body in [
                text.clone(),
                text.replace('"', ""),
                format!("<html>{text}"),
                text[..text.len() - 3].to_owned(),
            ] {
                for status in [200, 401] {
                    let shown = response(status, &body).unwrap();
                    assert!(!shown.contains(TOKEN) && !shown.contains("c2ln"), "{shown}");
                    let is_read = status == 200 && serde_json::from_str::<Value>(&body).is_ok();
                    assert!(!is_read || !shown.contains(short), "{shown}");
                }
            }
        }
        let shown = response(200, r#"{"access_token":{"value":"x","expires_in":9,"flags":["bearer"]}}"#);
        assert_eq!(
            shown.as_deref(),
            Some(r#"{"access_token":{"expires_in":9,"flags":["bearer"],"value":"…"}}"#)
        );
    }

    #[test]
    fn a_refusal_is_stored_in_its_own_words_and_bounded() {
        let refusal = r#"{"error":{"code":"invalid_client","description":"unknown entity https://5567044268.example.se"}}"#;
        assert_eq!(response(401, refusal).as_deref(), Some(refusal));
        assert_eq!(
            response(400, "<h1>The SSL certificate error</h1>").as_deref(),
            Some("<h1>The SSL certificate error</h1>")
        );
        assert_eq!(response(503, ""), None);
        assert_eq!(response(502, &"å ".repeat(4000)).unwrap().len(), KEPT_BYTES - 1);
    }

    #[test]
    fn a_request_is_stored_without_the_certificates_fingerprint() {
        let by_fingerprint = json!({"client": {"key": {"proof": "mtls", "cert#S256": "AAAA"}}});
        assert_eq!(request(&by_fingerprint), json!({"client": {"key": {"proof": "mtls", "cert#S256": "…"}}}));
        let by_entity = json!({"client": {"key": "https://5567044268.example.se"}});
        assert_eq!(request(&by_entity), by_entity);
    }
}
