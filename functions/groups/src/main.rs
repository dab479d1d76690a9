//! The groups function: the stage that sends groups to Skolverket.

use stafett_domain::RecordKind;

// One event at a time on a seventh of a core: further threads would only cost memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    stafett_relay::run_stage(RecordKind::Group).await
}
