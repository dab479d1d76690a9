//! One line in the log for each request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lambda_http::request::RequestContext;

use crate::http::problem::Problem;

/// The method for the log. A caller may send any word as a method, so unknown ones are not logged.
fn known_method(method: &Method) -> &'static str {
    let known = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    known.into_iter().find(|(known, _)| known == method).map_or("other", |(_, word)| word)
}

/// Logs a request with its route. Its address is not logged, because a caller may put anything there.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    let route =
        request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    // The gateway's own log line and the response have the same id.
    let gateway_request_id = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    // A panic ends this task only. Its text may hold personal data, and is dropped.
    let response = match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::Internal.into_response(),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        event = "api.request",
        method,
        route,
        status = response.status().as_u16(),
        duration_ms,
        gateway_request_id,
        "a request"
    );
    response
}
