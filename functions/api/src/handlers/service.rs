//! The service itself: whether it answers, and its description.

use std::sync::Arc;

use axum::Json;
use axum::extract::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, json_schema};
use serde::Serialize;

use crate::contract::Description;
use crate::contract::operation::{Operation, Output};
use crate::http::problem::Problem;

/// The service answers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    status: HealthStatus,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum HealthStatus {
    Ok,
}

/// The description for programs.
pub(crate) struct OpenApi(Arc<Description>);

/// The description for people.
pub(crate) struct Docs(Arc<Description>);

/// `GET /v1/health`.
pub(crate) async fn health() -> Result<Json<Health>, Problem> {
    Ok(Json(Health { status: HealthStatus::Ok }))
}

/// `GET /v1/openapi.json`.
pub(crate) async fn openapi(Extension(description): Extension<Arc<Description>>) -> Result<OpenApi, Problem> {
    Ok(OpenApi(description))
}

/// `GET /v1/docs`: one page that fetches nothing.
pub(crate) async fn docs(Extension(description): Extension<Arc<Description>>) -> Result<Docs, Problem> {
    Ok(Docs(description))
}

impl IntoResponse for OpenApi {
    fn into_response(self) -> Response {
        let json = self.0.rendered().json.clone();
        ([(header::CONTENT_TYPE, "application/json")], json).into_response()
    }
}

impl Output for OpenApi {
    fn describe(operation: &mut Operation) {
        operation.status = 200;
        let any = |_: &mut _| json_schema!({"type": "object", "required": ["openapi", "info", "paths"]});
        operation.contents.push(("application/json", any));
    }
}

impl IntoResponse for Docs {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        ];
        (headers, self.0.rendered().page.clone()).into_response()
    }
}

impl Output for Docs {
    fn describe(operation: &mut Operation) {
        operation.status = 200;
        operation.contents.push(("text/html", |generator| generator.subschema_for::<String>()));
    }
}
