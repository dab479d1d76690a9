//! The Lambda function's program.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    stafett_activities::run().await
}
