//! One line in the log for each request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lambda_http::request::RequestContext;

use crate::http::problem::Problem;

/// A method as a log may hold it: any word may stand in its place.
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

/// Logs a request: the route, never the address, which a caller may fill with anything.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    let route =
        request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    // The same stands in the gateway's own line, and in the answer that the caller got.
    let gateway_request_id = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    // A task of its own: a panic ends there, and its text, which may hold data, is not given to anybody.
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
