//! The Lambda function of a stage.

use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use stafett_domain::RecordKind;
use stafett_runtime::{Process, handle_batch, telemetry};

use crate::relay::Relay;

/// Runs a stage's function until the runtime ends it.
///
/// # Errors
/// The function cannot start, or the Lambda runtime is gone.
pub async fn run_stage(stage: RecordKind) -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let process = Process::from_env().inspect_err(|error| {
        tracing::error!(event = "function.notStarted", stage = %stage, error = %error, "the function cannot start");
    })?;
    let relay = Arc::new(Relay::new(process));
    lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        telemetry::begin_invocation(&event.context.request_id);
        let deadline = event.context.deadline();
        handle_batch(event.payload, |body| {
            let relay = Arc::clone(&relay);
            async move { relay.handle(stage, &body, relay.deadline(deadline)).await }
        })
        .await
        .map_err(lambda_runtime::Error::from)
    }))
    .await
}
