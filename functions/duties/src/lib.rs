//! Tjänstgöringar: SS 12000 Duty, once their persons are accepted.

use stafett_domain::StageName;
use stafett_engine::{Stage, run_stage};

struct Duties;

impl Stage for Duties {
    const NAME: StageName = StageName::Duties;
}

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage::<Duties>().await
}
