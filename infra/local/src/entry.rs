//! What a function process runs: what the function's own `main` runs.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;
use stafett_domain::RecordKind;
use stafett_relay::run_stage;

/// Runs this function until its Runtime API is gone, on one thread as the function's own program does. The name is that
/// of its package. An error is logged to standard error, in the functions' format: there the other log lines are, too.
pub fn run(function: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(entry_point(function)));
    let Err(message) = result else { return ExitCode::SUCCESS };
    let line = json!({"level": "ERROR", "event": "ended", "function": function, "message": message});
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
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
