//! The HTTP API that admin frontends call: takes sends, and shows their history.

mod api;
mod contract;
mod filters;
mod handlers;
mod http;
mod routes;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use lambda_http::{RequestExt, service_fn};
use stafett_runtime::telemetry;

use crate::api::{Api, Shared};
use crate::http::problem::Problem;
use crate::http::{answer, gateway, request_log};

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let api = Api::from_env().inspect_err(|error| {
        tracing::error!(event = "function.notStarted", error = %error, "the function cannot start");
    })?;
    // `lambda_http`'s own adapter would strip the byte order mark from a text body.
    let router = router(Arc::new(api));
    let answer = move |request: lambda_http::Request| {
        telemetry::begin_invocation(&request.lambda_context().request_id);
        gateway::answer(router.clone(), request)
    };
    lambda_http::run(service_fn(answer)).await
}

fn router(api: Shared) -> Router {
    routes::router()
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        // `RequestBody` has the limit, and answers with a problem.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(answer::add_etag))
        .layer(answer::compression())
        .layer(middleware::from_fn(preflight))
        .layer(middleware::from_fn(request_log::log))
        .with_state(api)
}

/// Answers a browser's CORS preflight, which comes without a token. The gateway adds the headers that allow the call.
async fn preflight(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    }
}
