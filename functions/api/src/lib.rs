//! The HTTP API that admin frontends call: takes sends, and shows their history.

mod api;
mod contract;
mod filters;
mod handlers;
mod http;
mod views;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lambda_http::{RequestExt, service_fn};
use stafett_runtime::telemetry;

use crate::api::{Api, Shared};
use crate::handlers::{access, activities, attempts, jobs, organiser, records, sends, uploads, validations};
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
    // `lambda_http`'s own adapter would strip the byte order mark from a text.
    let router = router(Arc::new(api));
    let answer = move |request: lambda_http::Request| {
        telemetry::begin_invocation(&request.lambda_context().request_id);
        gateway::answer(router.clone(), request)
    };
    lambda_http::run(service_fn(answer)).await
}

fn router(api: Shared) -> Router {
    let job = "/v1/sends/{send}/jobs/{stage}";
    Router::new()
        .route("/v1/health", get(health))
        .route("/v1/organiser", get(organiser::show))
        .route("/v1/openapi.json", get(contract::openapi))
        .route("/v1/docs", get(contract::docs))
        .route("/v1/activities", get(activities::list))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/sends", get(sends::list).post(sends::new))
        .route("/v1/sends/{send}", get(sends::show))
        .route("/v1/sends/{send}/activities", get(activities::of_send))
        .route("/v1/sends/{send}/access", get(access::list))
        .route("/v1/validations", post(validations::validate))
        .route("/v1/sends/{send}/records", post(uploads::records))
        .route("/v1/sends/{send}/submit", post(uploads::submit))
        .route("/v1/sends/{send}/resume", post(sends::resume))
        .route("/v1/sends/{send}/cancel", post(sends::cancel))
        .route(job, get(jobs::show))
        .route(&format!("{job}/records"), get(records::list))
        .route(&format!("{job}/records/{{record}}"), get(records::show))
        .route(&format!("{job}/attempts"), get(attempts::list))
        .route(&format!("{job}/attempts/{{attempt}}"), get(attempts::show))
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

async fn health() -> Response {
    Json(serde_json::json!({"status": "ok"})).into_response()
}

/// Answers a browser's CORS preflight, which comes without a token. The gateway adds the headers that allow the call.
async fn preflight(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    }
}
