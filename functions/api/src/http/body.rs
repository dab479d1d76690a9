//! Extractors for a request's body, plain or gzip, and for its `Idempotency-Key`.
//!
//! Bodies are decompressed here and not by `tower_http`'s layer, because that layer gives worse responses: it refuses
//! an unknown encoding without problem+json, accepts `gzip` in lower case only, and does not distinguish an invalid
//! gzip body from one that is too large.

use std::io::Read;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use flate2::read::MultiGzDecoder;
use serde_json::json;
use stafett_domain::Text;
use stafett_intake::IdempotencyKey;

use crate::contract::operation::{Input, Operation};
use crate::contract::parameter::Parameter;
use crate::http::problem::Problem;

/// The largest body of a request, in bytes after decompression.
const LARGEST_REQUEST: usize = 4_000_000;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The body of a request, decompressed.
pub(crate) struct RequestBody(pub(crate) Bytes);

/// A required `Idempotency-Key`.
pub(crate) struct Key(pub(crate) IdempotencyKey);

/// An optional `Idempotency-Key`.
pub(crate) struct OptionalKey(pub(crate) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequest<S> for RequestBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(|_| Problem::Internal)?;
        decompressed(&headers, body).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        key(&parts.headers)?.map(Self).ok_or(Problem::IdempotencyKey)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        key(&parts.headers).map(Self)
    }
}

impl Input for RequestBody {
    fn describe(operation: &mut Operation) {
        operation.takes_body = true;
        operation.problems.extend([400, 413, 415]);
    }
}

fn key_parameter(description: &'static str) -> Parameter {
    let schema =
        json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"});
    Parameter::header("Idempotency-Key", description, schema).such_as("0190a1b2-press-1")
}

impl Input for Key {
    fn describe(operation: &mut Operation) {
        let description = "1 to 255 visible ASCII characters, new for every press of the button. The same key with the \
                           same body within 24 hours is the same send, and gets the same answer.";
        operation.takes(key_parameter(description).required());
        operation.problems.insert(400);
    }
}

impl Input for OptionalKey {
    fn describe(operation: &mut Operation) {
        operation.takes(key_parameter("As when sending; without one every request is a new send."));
        operation.problems.insert(400);
    }
}

/// The `Idempotency-Key`, if there is one.
fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let read = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    headers.get(IDEMPOTENCY_KEY).map(|value| read(value).ok_or(Problem::IdempotencyKey)).transpose()
}

fn decompressed(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let body = match encoding.as_deref() {
        None | Some(b"identity") => body,
        Some(b"gzip") => {
            let mut plain = Vec::new();
            // One byte more than the limit is enough to know that it is too large.
            let most = LARGEST_REQUEST as u64 + 1;
            MultiGzDecoder::new(body.as_ref()).take(most).read_to_end(&mut plain).map_err(|_| no_gzip())?;
            plain.into()
        }
        Some(_) => return Err(Problem::ContentEncoding),
    };
    if body.len() > LARGEST_REQUEST { Err(Problem::TooLarge) } else { Ok(body) }
}

fn no_gzip() -> Problem {
    Problem::NotReadable(Text {
        en: "The body is not gzip, as Content-Encoding says. Nothing was stored. Correct it and send again."
            .to_owned(),
        sv: "Innehållet är inte gzip, som Content-Encoding anger. Inget har sparats. Rätta det och skicka igen."
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_key_that_cannot_be_used_is_refused_and_none_is_none() {
        let with = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(
                IDEMPOTENCY_KEY.parse().unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            )]);
            key(&headers)
        };
        assert_eq!(with(b" press 1 ").unwrap(), "press 1".parse().ok());
        for unusable in ["", "å"] {
            assert!(with(unusable.as_bytes()).is_err(), "{unusable}");
        }
        assert!(key(&HeaderMap::new()).unwrap().is_none());
    }

    fn gzip(plain: &[u8]) -> Bytes {
        let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        compressed.write_all(plain).unwrap();
        compressed.finish().unwrap().into()
    }

    fn taken(encoding: Option<&'static str>, body: Bytes) -> Result<Bytes, u16> {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        decompressed(&headers, body).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_compressed_body_is_the_plain_one() {
        for (encoding, body) in [(None, Bytes::from("{}")), (Some("GZip"), gzip(b"{}"))] {
            assert_eq!(taken(encoding, body), Ok(Bytes::from("{}")));
        }
        assert_eq!(taken(Some("gzip"), Bytes::from("{}")), Err(400));
        assert_eq!(taken(Some("br"), Bytes::from("{}")), Err(415));
    }

    #[test]
    fn the_limit_is_that_of_the_plain_body() {
        let largest = vec![b' '; LARGEST_REQUEST];
        assert_eq!(taken(Some("gzip"), gzip(&largest)).map(|body| body.len()), Ok(LARGEST_REQUEST));
        let larger = vec![b' '; LARGEST_REQUEST + 1];
        assert_eq!(taken(Some("gzip"), gzip(&larger)), Err(413));
        assert_eq!(taken(None, larger.into()), Err(413));
    }
}
