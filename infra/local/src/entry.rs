//! What a function process runs: what the function's own `main` runs.

use serde_json::json;
use stafett_domain::RecordKind;
use stafett_relay::run_stage;

/// Runs this function until its Runtime API is gone, on one thread as the function's own program does. The name is that
/// of its package.
pub fn run(function: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error_line(function, &error.to_string()))?;
    let result = runtime.block_on(entry_point(function));
    result.map_err(|error| error_line(function, &error))
}

async fn entry_point(function: &str) -> Result<(), String> {
    let result = match function {
        "api" => Box::pin(stafett_api::run()).await,
        "users" => Box::pin(run_stage(RecordKind::Person)).await,
        "duties" => Box::pin(run_stage(RecordKind::Duty)).await,
        "groups" => Box::pin(run_stage(RecordKind::Group)).await,
        "activities" => Box::pin(run_stage(RecordKind::Activity)).await,
        "watchdog" => Box::pin(stafett_watchdog::run()).await,
        _ => return Err("no function of this name was built in".to_owned()),
    };
    result.map_err(|error| error.to_string())
}

/// As the functions log: what cannot even start must be found where the rest is looked for.
fn error_line(function: &str, message: &str) -> String {
    json!({"level": "ERROR", "event": "ended", "function": function, "message": message}).to_string()
}
