//! Once a minute: what history says is overdue is sent again. It reads history, not queues.

mod certificates;

use std::time::Duration;

use certificates::Watch;
use lambda_runtime::{LambdaEvent, service_fn};
use stafett_domain::{Reason, ReasonCode};
use stafett_engine::history::{Carrier, HistoryError, RunningSend};
use stafett_engine::{HandleError, Message, QueueError, Relay, telemetry};

/// Steps of a shard that one look takes; what is left is still overdue a minute later.
const STEPS_A_SHARD: i32 = 250;

/// Why a look ended early.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Stop(#[from] HandleError),
}

/// Runs the function until the runtime ends it.
///
/// # Errors
/// When it cannot start, or the runtime is gone.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let relay = Relay::from_env().await.inspect_err(|error| {
        tracing::error!(event = "function.notStarted", error = %error, "the function cannot start");
    })?;
    let (relay, watch) = (&relay, &Watch::default());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        telemetry::begin_invocation(&event.context.request_id);
        let overdue = look(relay).await.map_err(lambda_runtime::Error::from);
        // What cannot be read now is looked at with the next event.
        if let Err(error) = watch.look(relay, relay.clock.now()).await {
            tracing::error!(event = "watchdog.failed", error = %error, "the certificates were not looked at");
        }
        overdue
    }))
    .await
}

/// Sends again what is overdue, and tells how many sends run and for how long. One step that cannot be read does not keep the others from being sent.
async fn look(relay: &Relay) -> Result<(), LookError> {
    let now = relay.clock.now();
    let mut first_error = None;
    for carrier in relay.history.overdue(now, STEPS_A_SHARD).await? {
        if let Err(error) = send_again(relay, &carrier, now).await {
            tracing::error!(event = "watchdog.failed", error = %error, "an overdue step was not sent again");
            first_error.get_or_insert(error);
        }
    }
    show_running(relay, now).await?;
    first_error.map_or(Ok(()), Err)
}

/// Tells how many sends run, and which of them longest: where a send does not end, the search begins with its id.
async fn show_running(relay: &Relay, now: jiff::Timestamp) -> Result<(), HistoryError> {
    let running = relay.history.running_sends().await?;
    let since: Vec<_> = running.iter().map(|running| running.since).collect();
    relay.metrics.running_sends(&since);
    if let Some(RunningSend { send, since }) = running.iter().min_by_key(|running| running.since) {
        tracing::info!(
            event = "sends.running", running = running.len(), send = %send.send,
            organisation = %send.organisation, age_s = now.duration_since(*since).as_secs(),
            "the send that has run longest"
        );
    }
    Ok(())
}

async fn send_again(relay: &Relay, carrier: &Carrier, now: jiff::Timestamp) -> Result<(), LookError> {
    let Some(overdue) = relay.history.take_overdue(carrier, now, relay.config.timing.overdue).await? else {
        return Ok(());
    };
    tracing::warn!(
        event = "step.overdue", send = %overdue.send.send, organisation = %overdue.send.organisation,
        stage = %overdue.stage, batch = overdue.batch().map(|batch| batch.0), resent = overdue.resent,
        "an overdue step is sent again"
    );
    if overdue.unclaimed > relay.config.timing.deadline {
        // Neither a backlog nor an outage lasts so long.
        relay.request_stop(&overdue.send, Reason::new(ReasonCode::Deadline)).await?;
    }
    let message = Message::new(overdue.send.organisation, overdue.send.send, overdue.stage, overdue.step);
    relay.queues.send(&relay.config, &message, Duration::ZERO).await?;
    Ok(())
}
