use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::log_entry::LogEntry;
use crate::quota::Quota;

/// An answer before it is made into HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The `Location` header.
    pub(crate) location: Option<String>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Reply {
        Reply { status, body, location: None }
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

    /// With the rate limit's headers, if the call counts against it.
    pub(crate) fn response(&self, quota: Option<Quota>) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.as_deref().and_then(|location| location.parse().ok()) {
            headers.insert(header::LOCATION, location);
        }
        if let Some(quota) = quota {
            headers.insert(HeaderName::from_static("x-ratelimit-limit"), quota.limit.into());
            headers.insert(HeaderName::from_static("x-ratelimit-remaining"), quota.remaining.into());
            // Rounded up to whole milliseconds: a caller that waits so long finds the quota whole.
            let reset = quota.reset.as_micros().div_ceil(1000) as f64 / 1000.0;
            if let Ok(reset) = reset.to_string().parse() {
                headers.insert(HeaderName::from_static("x-ratelimit-reset"), reset);
            }
        }
        response
    }
}
