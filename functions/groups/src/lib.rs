//! Grupper: SS 12000 Group, once their members are accepted.

use stafett_domain::StageName;
use stafett_engine::{Stage, run_stage};

struct Groups;

impl Stage for Groups {
    const NAME: StageName = StageName::Groups;
}

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage::<Groups>().await
}
