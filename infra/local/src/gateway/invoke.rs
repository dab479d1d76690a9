//! Lambda's own interface, as far as an operator needs it: invoke a function and wait for its answer
//! (`aws lambda invoke --endpoint-url …`).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::refusal::too_large;
use super::state::Gateway;
use crate::process::InvocationError;

/// As Lambda has it.
pub(super) const PATH: &str = "/2015-03-31/functions/{name}/invocations";

/// The function is known by the name that it runs under, or by that of its package.
pub(super) async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    event: Bytes,
) -> Response {
    let Some(function) = gateway.functions.iter().find(|function| function.is_called(&name)) else {
        let message = format!("Function not found: {name}");
        let refusal = json!({"Type": "User", "Message": message});
        return (
            StatusCode::NOT_FOUND,
            [("x-amzn-errortype", "ResourceNotFoundException")],
            refusal.to_string(),
        )
            .into_response();
    };
    match function.invoke(event).await {
        Ok(answer) => (StatusCode::OK, answer).into_response(),
        Err(InvocationError::TooLarge) => too_large(),
        // Also where the function failed the call succeeded.
        Err(error) => {
            let (kind, message) = match &error {
                InvocationError::Function(error) => (error.kind.clone(), error.message.clone()),
                other => ("Runtime.ExitError".to_owned(), other.to_string()),
            };
            let failure = json!({"errorType": kind, "errorMessage": message});
            (StatusCode::OK, [("x-amz-function-error", "Unhandled")], failure.to_string()).into_response()
        }
    }
}
