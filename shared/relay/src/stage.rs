//! A stage function: the kind that it carries, and this one main.

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use stafett_domain::RecordKind;

use crate::relay::Relay;
use stafett_runtime::handle_batch;
use stafett_runtime::telemetry;

/// Runs the function of the stage that carries this kind, until the runtime ends it.
///
/// # Errors
/// When the function cannot start, or the runtime is gone.
pub async fn run_stage(kind: RecordKind) -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let relay = Arc::new(Relay::from_env().await.inspect_err(|error| {
        tracing::error!(event = "function.notStarted", stage = %kind, error = %error, "the function cannot start");
    })?);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        telemetry::begin_invocation(&event.context.request_id);
        let deadline = event.context.deadline();
        handle_batch(event.payload, |body| {
            let relay = Arc::clone(&relay);
            async move { relay.handle(kind, &body, relay.deadline(deadline)).await }
        })
        .await
        .map_err(lambda_runtime::Error::from)
    }))
    .await
}
