//! The duties function.

use stafett_domain::RecordKind;

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    stafett_relay::run_stage(RecordKind::Duty).await
}
