//! The HTTP API that admin frontends call: takes sends, and shows their history.

mod access;
mod activities;
mod address;
mod answer;
mod attempts;
mod audit;
mod body;
mod caller;
mod causes;
mod contract;
mod jobs;
mod organiser;
mod page;
mod problem;
mod records;
mod registers;
mod requester;
mod resume;
mod room;
mod sends;
mod sheet;
mod submit;
mod terms;
mod uploads;
mod validations;
mod view;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, service_fn};
use stafett_engine::{Relay, telemetry};

use crate::problem::Problem;

/// What every handler gets.
type Shared = Arc<Relay>;

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let relay = Relay::from_env().await.inspect_err(|error| {
        tracing::error!(event = "function.notStarted", error = %error, "the function cannot start");
    })?;
    // The answers are made by hand: the framework would take the byte order mark off a text.
    let router = router(Arc::new(relay));
    let answer = move |request: lambda_http::Request| {
        telemetry::begin_invocation(&request.lambda_context().request_id);
        answer::of(router.clone(), request)
    };
    lambda_http::run(service_fn(answer)).await
}

fn router(relay: Shared) -> Router {
    let job = "/v1/sends/{send}/jobs/{stage}";
    Router::new()
        .route("/v1/health", get(health))
        .route("/v1/organiser", get(organiser::show))
        .route("/v1/openapi.json", get(contract::openapi))
        .route("/v1/docs", get(contract::docs))
        .route("/v1/activities", get(activities::list))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/sends", get(sends::list).post(sends::accept))
        .route("/v1/sends/{send}", get(sends::show))
        .route("/v1/sends/{send}/activities", get(activities::of_send))
        .route("/v1/sends/{send}/access", get(access::list))
        .route("/v1/validations", post(validations::validate))
        .route("/v1/sends/{send}/records", post(uploads::records))
        .route("/v1/sends/{send}/submit", post(submit::submit))
        .route("/v1/sends/{send}/resume", post(resume::resume))
        .route("/v1/sends/{send}/cancel", post(sends::cancel))
        .route(job, get(causes::show))
        .route(&format!("{job}/records"), get(records::list))
        .route(&format!("{job}/records/{{record}}"), get(records::show))
        .route(&format!("{job}/attempts"), get(attempts::list))
        .route(&format!("{job}/attempts/{{attempt}}"), get(attempts::show))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        // The limit is ours to tell, as a problem.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(answer::finish))
        .layer(middleware::from_fn(preflight))
        .layer(middleware::from_fn(log))
        .with_state(relay)
}

async fn health() -> Response {
    Json(serde_json::json!({"status": "ok"})).into_response()
}

/// A browser asks before it calls, without a token. The gateway says who may; here there is nothing to say, and
/// nothing to refuse.
async fn preflight(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    }
}

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

/// One line a request: the route, never the address, which a caller may fill with anything.
async fn log(request: Request, next: Next) -> Response {
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
