//! Användare: the first leg, SS 12000 Person.

use stafett_domain::StageName;
use stafett_engine::{Stage, run_stage};

struct Users;

impl Stage for Users {
    const NAME: StageName = StageName::Users;
}

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    run_stage::<Users>().await
}
