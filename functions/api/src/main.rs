//! The Lambda function's program.

// The function handles one event at a time on a seventh of a core, so more threads would only cost memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    stafett_api::run().await
}
