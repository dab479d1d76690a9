//! What responses have in common: caching, `ETag`, `Retry-After`, compression.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use stafett_domain::SendId;
use stafett_history::{Job, SendHeader, StoredSend};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::contract::operation::{AnswerHeader, Operation, Output};
use crate::contract::parameter::Parameter;
use crate::http::problem::Problem;

/// Seconds until the next poll of something that still changes. The time grows with age and number of records, so that
/// three hundred frontends that poll large sends, or poll during an outage, leave capacity for new sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RetryAfter(u32);

impl RetryAfter {
    /// About as long as a call to Skolverket takes.
    const SOON: Self = Self(2);
    /// The longest wait, so that no frontend shows an older state.
    const LATEST: Self = Self(30);
    /// Seconds of age for each second of waiting: [`Self::SOON`] in the first minute, [`Self::LATEST`] after 15 minutes.
    const OF_AGE: i64 = 30;
    /// Skolverket processes about a thousand records a second, so little of 60,000 records changes within ten seconds.
    const RECORDS_A_SECOND: u32 = 6_000;

    /// For something with this many records that began at `began`, or has not begun.
    pub(crate) fn of(began: Option<Timestamp>, records: u32, now: Timestamp) -> Self {
        let age = began.map_or(0, |began| now.duration_since(began).as_secs() / Self::OF_AGE);
        let by_age = u32::try_from(age.max(0)).unwrap_or(u32::MAX);
        Self(by_age.max(records / Self::RECORDS_A_SECOND)).clamp(Self::SOON, Self::LATEST)
    }

    /// For a job; none if it has ended.
    pub(crate) fn of_job(job: &Job, now: Timestamp) -> Option<Self> {
        (!job.status.has_ended()).then(|| Self::of(job.started_at, job.counts.total, now))
    }

    /// For a send; none if it has ended.
    pub(crate) fn of_send(send: &StoredSend, now: Timestamp) -> Option<Self> {
        Self::of_header(&send.header, records(send), now)
    }

    /// For a send with this many records; none if it has ended.
    pub(crate) fn of_header(send: &SendHeader, records: u32, now: Timestamp) -> Option<Self> {
        (!send.status.has_ended()).then(|| Self::of(send.started_at, records, now))
    }

    /// For a send as if it was accepted now, however old it is.
    pub(crate) fn of_accepted(send: &StoredSend, now: Timestamp) -> Self {
        Self::of(None, records(send), now)
    }
}

impl From<RetryAfter> for HeaderValue {
    fn from(RetryAfter(seconds): RetryAfter) -> Self {
        seconds.into()
    }
}

fn records(send: &StoredSend) -> u32 {
    send.jobs.iter().map(|job| job.counts.total).fold(0, u32::saturating_add)
}

/// Compression does not pay below this size, in bytes.
const COMPRESSED_FROM: u16 = 1_000;
/// The request headers that an answer depends on.
const VARY: &str = "Authorization, Accept, Accept-Encoding, Accept-Language";
/// Only the caller may store the response, and must revalidate it before each use.
const ASK_AGAIN: &str = "private, no-cache";
/// No cache may store the response.
const KEEP_NOTHING: &str = "no-store";

/// A response that callers poll.
pub(crate) struct Polled<T> {
    body: T,
    retry_after: Option<RetryAfter>,
    personal: bool,
}

impl<T> Polled<T> {
    /// `retry_after`: `None` if the response no longer changes.
    pub(crate) fn new(body: T, retry_after: Option<RetryAfter>) -> Self {
        Self { body, retry_after, personal: false }
    }

    /// A response with personal data: no cache may store it, and no browser may write it to disk.
    pub(crate) fn personal(body: T, retry_after: Option<RetryAfter>) -> Self {
        Self { body, retry_after, personal: true }
    }
}

/// The headers of a response that callers poll.
const POLLED_HEADERS: [AnswerHeader; 2] = [
    AnswerHeader {
        name: "ETag",
        description: "Identifies this answer to this caller.",
        schema: "string",
        always: false,
    },
    AnswerHeader {
        name: "Retry-After",
        description: "While it still changes: seconds after which it is worth asking again. From 2 to 30, more for what \
                      is old or has many records.",
        schema: "integer",
        always: false,
    },
];

impl<T: JsonSchema> Output for Polled<T> {
    fn describe(operation: &mut Operation) {
        let tag = "The `ETag` of the answer that the caller has.";
        operation.takes(Parameter::header("If-None-Match", tag, json!({"type": "string"})));
        operation.answers_json::<T>(200);
        operation.headers.extend(POLLED_HEADERS);
        operation.not_modified = true;
    }
}

/// The response to a request that is processed later: 202.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> Output for Accepted<T> {
    fn describe(operation: &mut Operation) {
        operation.answers_json::<T>(202);
    }
}

/// The response to a request that made a send: 202, with the address of the send.
pub(crate) struct NewSend<T> {
    pub(crate) view: T,
    pub(crate) id: SendId,
    pub(crate) retry_after: Option<RetryAfter>,
}

impl<T: Serialize> IntoResponse for NewSend<T> {
    fn into_response(self) -> Response {
        let location = (header::LOCATION, format!("/v1/sends/{}", self.id));
        let mut response = (StatusCode::ACCEPTED, [location], Json(self.view)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl<T: JsonSchema> Output for NewSend<T> {
    fn describe(operation: &mut Operation) {
        operation.answers_json::<T>(202);
        let location = "The address of the send.";
        let always = AnswerHeader { name: "Location", description: location, schema: "string", always: true };
        let soon = "Seconds after which it is worth asking for the send.";
        operation.headers.extend([
            always,
            AnswerHeader { name: "Retry-After", description: soon, schema: "integer", always: false },
        ]);
    }
}

impl<T: Serialize> IntoResponse for Polled<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        set_cache_headers(response.headers_mut(), self.retry_after, self.personal);
        response
    }
}

/// Sets `Retry-After` and `Cache-Control`.
pub(crate) fn set_cache_headers(headers: &mut HeaderMap, retry_after: Option<RetryAfter>, personal: bool) {
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    let kept = if personal { KEEP_NOTHING } else { ASK_AGAIN };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
}

/// Sets `ETag`, and returns 304 if the caller already has this body.
///
/// The tag is a digest of the whole body, so callers with different access get different tags, and the same tag means the
/// same body. It is weak, because the body may be compressed or not.
pub(crate) async fn add_etag(request: Request, next: Next) -> Response {
    let gets = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let (mut parts, body) = response.into_parts();
    // The body of every response is already in memory.
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return Problem::Internal.into_response();
    };
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(KEEP_NOTHING));
    parts.headers.insert(header::VARY, HeaderValue::from_static(VARY));
    if gets && parts.status == StatusCode::OK {
        let tag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..18]));
        let same = known.is_some_and(|known| lists_tag(&known, &tag));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            parts.headers.insert(header::ETAG, tag);
        }
        if same {
            parts.status = StatusCode::NOT_MODIFIED;
            for about_the_body in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_DISPOSITION]
            {
                parts.headers.remove(about_the_body);
            }
            return Response::from_parts(parts, Body::empty());
        }
    }
    Response::from_parts(parts, body.into())
}

/// Compresses large answers for callers who accept gzip.
pub(crate) fn compression() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(COMPRESSED_FROM))
}

/// Whether a list of tags has this one, compared weakly (RFC 9110, 13.1.2).
fn lists_tag(list: &HeaderValue, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let list = list.to_str().unwrap_or_default();
    list.trim() == "*" || list.split(',').any(|listed| plain(listed) == plain(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_or_large_is_asked_for_less_often() {
        let now: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        let after = |seconds: i64, records| {
            let began = now.checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap();
            RetryAfter::of(Some(began), records, now).0
        };
        assert_eq!([after(0, 100), after(60, 100), after(300, 100), after(86_400, 100)], [2, 2, 10, 30]);
        assert_eq!([after(0, 12_000), after(0, 60_000), after(0, 1_000_000)], [2, 10, 30]);
        assert_eq!(RetryAfter::of(None, 100, now).0, 2, "it waits for its place");
        assert_eq!(after(-60, 100), 2, "another machine's clock");
    }

    #[test]
    fn a_tag_is_known_however_strong_it_is_said_to_be() {
        let tag = "W/\"abc\"";
        for known in ["W/\"abc\"", "\"abc\"", "\"x\", W/\"abc\"", "*"] {
            assert!(lists_tag(&HeaderValue::from_static(known), tag), "{known}");
        }
        for other in ["\"ab\"", "abc", ""] {
            assert!(!lists_tag(&HeaderValue::from_static(other), tag), "{other}");
        }
    }
}
