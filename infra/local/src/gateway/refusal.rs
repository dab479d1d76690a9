//! Refusals in API Gateway's own words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) fn too_large() -> Response {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"message": message}))).into_response()
}
