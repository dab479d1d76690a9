//! Aktiviteter: SS 12000 Activity, once their groups and duties are accepted. The last leg.

use stafett_domain::StageName;
use stafett_engine::{Stage, run_stage};

struct Activities;

impl Stage for Activities {
    const NAME: StageName = StageName::Activities;
}

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage::<Activities>().await
}
