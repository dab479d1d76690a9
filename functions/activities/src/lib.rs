//! Aktiviteter: SS 12000 Activity, once their groups and duties are accepted. The last leg.

use stafett_domain::RecordKind;
use stafett_engine::run_stage;

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage(RecordKind::Activity).await
}
