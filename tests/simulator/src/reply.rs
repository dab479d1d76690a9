use std::io;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::log_entry::LogEntry;
use crate::quota::Quota;
use crate::{Fault, Oddity};

/// An answer before it is made into HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) payload: Payload,
    /// The `Location` header.
    pub(crate) location: Option<String>,
    /// The `Retry-After` header.
    pub(crate) retry_after: Option<Box<str>>,
    pub(crate) rate: RateHeaders,
    pub(crate) delivery: Delivery,
    pub(crate) oddity: Option<Oddity>,
}

/// What an answer's body is.
pub(crate) enum Payload {
    Json(Value),
    /// A proxy's page.
    Html(&'static str),
    Empty,
}

/// What an answer says about the rate limit.
#[derive(Clone, Copy)]
pub(crate) enum RateHeaders {
    /// How it is.
    True,
    /// That nothing is left, for so many seconds if it says so.
    Reset(Option<f64>),
    /// Nothing.
    Absent,
}

/// How much of an answer the caller gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Half of its body.
    CutOff,
    /// Nothing: the connection is cut.
    Cut,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Reply {
        Reply {
            status,
            payload: Payload::Json(body),
            location: None,
            retry_after: None,
            rate: RateHeaders::True,
            delivery: Delivery::Whole,
            oddity: None,
        }
    }

    /// A call refused by the Provisioning API: an array with one LogEntry, whose status is the call's.
    pub(crate) fn log(entry: LogEntry) -> Reply {
        let status = entry.status_code;
        Reply::new(status, json!([entry]))
    }

    /// A request refused by the authorization server.
    pub(crate) fn token_error(status: u16, code: &str, description: &str) -> Reply {
        Reply::new(status, json!({"error": {"code": code, "description": description}}))
    }

    /// The answer to a call that was carried out, as far as a fault lets it through.
    pub(crate) fn through(mut self, fault: Option<Fault>) -> Reply {
        match fault {
            Some(Fault::CutAfter) => self.delivery = Delivery::Cut,
            Some(Fault::CutOffBody) => self.delivery = Delivery::CutOff,
            Some(Fault::NoJobId) => self.forget_job_id(),
            Some(Fault::NoJobIdAtAll) => {
                self.forget_job_id();
                self.location = None;
            }
            Some(Fault::Odd(Oddity::Success(status))) => self.status = status,
            Some(Fault::Odd(Oddity::LocationEnd(end))) => {
                self.forget_job_id();
                self.location = self.location.map(|location| location + end);
            }
            Some(Fault::Odd(oddity)) => self.oddity = Some(oddity),
            _ => {}
        }
        self
    }

    fn forget_job_id(&mut self) {
        if let Payload::Json(Value::Object(body)) = &mut self.payload {
            body.remove("jobId");
        }
    }

    /// The status that the caller sees, and the JSON if it gets all of it.
    pub(crate) fn seen(self) -> (u16, Option<Value>) {
        match (self.delivery, self.payload) {
            (Delivery::Cut, _) => (0, None),
            (Delivery::Whole, Payload::Json(body)) => (self.status, Some(body)),
            _ => (self.status, None),
        }
    }

    /// With the rate limit's headers, if the call counts against it.
    pub(crate) fn response(&self, quota: Option<Quota>) -> Response<Body> {
        let (kind, text) = match &self.payload {
            Payload::Json(body) => (Some("application/json"), body.to_string()),
            Payload::Html(page) => (Some("text/html; charset=utf-8"), (*page).to_owned()),
            Payload::Empty => (None, String::new()),
        };
        let kind = match self.oddity {
            Some(Oddity::MediaType(kind)) => Some(kind),
            _ => kind,
        };
        let mut response = match (self.delivery, self.oddity) {
            (Delivery::CutOff, _) => half(text),
            (Delivery::Whole | Delivery::Cut, Some(oddity)) => Response::new(Body::from(oddity.bytes(text))),
            (Delivery::Whole | Delivery::Cut, None) => Response::new(Body::from(text)),
        };
        let status = StatusCode::from_u16(self.status).ok().filter(|status| !status.is_informational());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(location) = self.location.as_deref().and_then(|location| location.parse().ok()) {
            headers.insert(header::LOCATION, location);
        }
        if let Some(after) = self.retry_after.as_deref().and_then(|after| after.parse().ok()) {
            headers.insert(header::RETRY_AFTER, after);
        }
        if let Some(quota) = quota {
            self.rate.insert(quota, headers);
        }
        response
    }
}

impl RateHeaders {
    fn insert(self, quota: Quota, headers: &mut HeaderMap) {
        let (remaining, reset) = match self {
            // Rounded up to whole milliseconds: a caller that waits so long finds a place.
            RateHeaders::True => {
                (quota.remaining, Some(quota.reset.as_micros().div_ceil(1000) as f64 / 1000.0))
            }
            RateHeaders::Reset(reset) => (0, reset),
            RateHeaders::Absent => return,
        };
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), quota.limit.into());
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), remaining.into());
        if let Some(reset) = reset.and_then(|reset| reset.to_string().parse().ok()) {
            headers.insert(HeaderName::from_static("x-ratelimit-reset"), reset);
        }
    }
}

/// The first half of a body whose whole length is declared; then its connection is closed.
fn half(text: String) -> Response<Body> {
    let whole = text.len();
    let mut sent = text.into_bytes();
    sent.truncate(whole / 2);
    let end = async {
        // Without a pause the connection would be closed before the first half has gone out.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    };
    let body = Body::from_stream(stream::iter([Ok(sent)]).chain(stream::once(end)));
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_LENGTH, whole.into());
    response
}
