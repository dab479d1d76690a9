//! The Lambda function's program.

// One event at a time on a seventh of a core: further threads would only cost memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    stafett_duties::run().await
}
