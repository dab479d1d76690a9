//! Once a minute: what history says is overdue is sent again. It reads history, not queues. And, invoked by an operator:
//! sends are stopped.

mod certificates;
mod stop;

use std::time::Duration;

use certificates::Watch;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use stafett_domain::{Reason, ReasonCode};
use stafett_engine::history::{Carrier, HistoryError, RunningSend};
use stafett_engine::{HandleError, Message, QueueError, Relay, telemetry};
use stop::Order;

/// Steps of a shard that one look takes; what is left is still overdue a minute later.
const STEPS_A_SHARD: i32 = 250;
/// No piece of a look takes more than this of the time that is left: the next one has some, too, and the invocation ends
/// by itself.
const SHARE: f64 = 0.7;

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
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        telemetry::begin_invocation(&event.context.request_id);
        let ends = Timestamp::try_from(event.context.deadline())?;
        if Order::is_one(&event.payload) {
            let stop_by = relay.clock.now() + left(relay, ends).mul_f64(SHARE);
            let obeyed = Box::pin(Order::read(event.payload)?.obey(relay, stop_by)).await?;
            return Ok::<_, lambda_runtime::Error>(serde_json::to_value(obeyed)?);
        }
        Box::pin(look(relay, watch, ends)).await?;
        Ok(Value::Null)
    }))
    .await
}

/// Tells how many sends run and for how long, sends again what is overdue, and looks at the certificates, each in its
/// share of the time until `ends`. One that fails keeps none of the others from being done.
async fn look(relay: &Relay, watch: &Watch, ends: Timestamp) -> Result<(), LookError> {
    let counted = in_time(relay, ends, "running sends", show_running(relay)).await.unwrap_or(Ok(()));
    let sent = in_time(relay, ends, "overdue steps", Box::pin(send_overdue(relay))).await.unwrap_or(Ok(()));
    let watched = in_time(relay, ends, "certificates", watch.look(relay, relay.clock.now())).await;
    // What cannot be read now is looked at with the next event.
    if let Some(Err(error)) = watched {
        tracing::error!(event = "watchdog.failed", error = %error, "the certificates were not looked at");
    }
    sent.and(counted)
}

fn left(relay: &Relay, ends: Timestamp) -> Duration {
    ends.duration_since(relay.clock.now()).try_into().unwrap_or_default()
}

/// Does a piece of the work; none where it was not done in its time. What is left of it is done with the next event:
/// each write of it stands alone.
async fn in_time<T>(
    relay: &Relay,
    ends: Timestamp,
    what: &'static str,
    piece: impl Future<Output = T>,
) -> Option<T> {
    let done = tokio::time::timeout(left(relay, ends).mul_f64(SHARE), piece).await.ok();
    if done.is_none() {
        tracing::warn!(
            event = "watchdog.outOfTime",
            what,
            "a look was not done in time; the next one goes on"
        );
    }
    done
}

/// Tells how many sends run, and which of them longest: where a send does not end, the search begins with its id.
async fn show_running(relay: &Relay) -> Result<(), LookError> {
    let running = relay.history.running_sends().await?;
    let since: Vec<_> = running.iter().map(|running| running.since).collect();
    relay.metrics.running_sends(&since);
    if let Some(RunningSend { send, since }) = running.iter().min_by_key(|running| running.since) {
        tracing::info!(
            event = "sends.running", running = running.len(), send = %send.send,
            organisation = %send.organisation, age_s = relay.clock.now().duration_since(*since).as_secs(),
            "the send that has run longest"
        );
    }
    Ok(())
}

/// Sends again what is overdue. One step that cannot be read does not keep the others from being sent.
async fn send_overdue(relay: &Relay) -> Result<(), LookError> {
    let now = relay.clock.now();
    let mut first_error = None;
    for carrier in relay.history.overdue(now, STEPS_A_SHARD).await? {
        if let Err(error) = send_again(relay, &carrier, now).await {
            tracing::error!(event = "watchdog.failed", error = %error, "an overdue step was not sent again");
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(()), Err)
}

async fn send_again(relay: &Relay, carrier: &Carrier, now: Timestamp) -> Result<(), LookError> {
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
