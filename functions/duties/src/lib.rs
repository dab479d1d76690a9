//! Tjänstgöringar: SS 12000 Duty, once their persons are accepted.

use stafett_domain::RecordKind;
use stafett_engine::run_stage;

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage(RecordKind::Duty).await
}
