//! Runs once a minute and queues overdue steps again. It finds them in the history and does not read the queues. An
//! operator can also invoke it to stop sends.

mod certificates;
mod stop;
mod watchdog;

use std::time::Duration;

use certificates::Watch;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use stafett_domain::message::Message;
use stafett_domain::{Reason, ReasonCode};
use stafett_history::{Carrier, HistoryError, JobKey, Overdue, RunningSend};
use stafett_relay::HandleError;
use stafett_runtime::{Process, QueueError, telemetry};
use stop::Order;
use watchdog::Watchdog;

/// The largest number of overdue steps that one run takes from a shard. The next run, a minute later, takes more.
const STEPS_A_SHARD: i32 = 250;
/// The largest share of the remaining time that one task may use. This leaves time for the next task, and the
/// invocation ends before its deadline.
const SHARE: f64 = 0.7;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
enum RunError {
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
    let process = Process::from_env().inspect_err(|error| {
        tracing::error!(event = "function.notStarted", error = %error, "the function cannot start");
    })?;
    let (watchdog, watch) = (&Watchdog::new(process), &Watch::default());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        telemetry::begin_invocation(&event.context.request_id);
        let ends = Timestamp::try_from(event.context.deadline())?;
        if Order::is_one(&event.payload) {
            let stop_by = watchdog.now() + left(watchdog, ends).mul_f64(SHARE);
            let obeyed = Box::pin(Order::read(event.payload)?.obey(watchdog, stop_by)).await?;
            return Ok::<_, lambda_runtime::Error>(serde_json::to_value(obeyed)?);
        }
        Box::pin(run_once(watchdog, watch, ends)).await?;
        Ok(Value::Null)
    }))
    .await
}

/// Reports how many sends run and for how long, queues overdue steps again, and checks the certificates, each in its
/// share of the time until `ends`. A task that fails does not stop the others.
async fn run_once(watchdog: &Watchdog, watch: &Watch, ends: Timestamp) -> Result<(), RunError> {
    let share = || left(watchdog, ends).mul_f64(SHARE);
    let counted = in_time(share(), "running sends", show_running(watchdog)).await.unwrap_or(Ok(()));
    let sent = in_time(share(), "overdue steps", Box::pin(send_overdue(watchdog))).await.unwrap_or(Ok(()));
    let watched = in_time(share(), "certificates", watch.check(&watchdog.process, watchdog.now())).await;
    // The next event checks the certificates again.
    if let Some(Err(error)) = watched {
        tracing::error!(event = "watchdog.failed", error = %error, "the certificates were not looked at");
    }
    sent.and(counted)
}

fn left(watchdog: &Watchdog, ends: Timestamp) -> Duration {
    ends.duration_since(watchdog.now()).try_into().unwrap_or_default()
}

/// Runs a task. Returns `None` if its share of the time is over first. The next event then does the rest, which is safe
/// because each write is complete by itself.
async fn in_time<T>(share: Duration, what: &'static str, piece: impl Future<Output = T>) -> Option<T> {
    let done = tokio::time::timeout(share, piece).await.ok();
    if done.is_none() {
        tracing::warn!(
            event = "watchdog.outOfTime",
            what,
            "a look was not done in time; the next one goes on"
        );
    }
    done
}

/// Reports how many sends run, and which one has run longest. If a send does not end, start the search with that id.
async fn show_running(watchdog: &Watchdog) -> Result<(), RunError> {
    let running = watchdog.history.running_sends().await?;
    let since: Vec<_> = running.iter().map(|running| running.since).collect();
    watchdog.process.metrics.running_sends(&since);
    if let Some(RunningSend { send, since }) = running.iter().min_by_key(|running| running.since) {
        tracing::info!(
            event = "sends.running", running = running.len(), send = %send.send,
            organisation = %send.organisation, age_s = watchdog.now().duration_since(*since).as_secs(),
            "the send that has run longest"
        );
    }
    Ok(())
}

/// Queues overdue steps again. An error in one step does not stop the others.
async fn send_overdue(watchdog: &Watchdog) -> Result<(), RunError> {
    let now = watchdog.now();
    let mut first_error = None;
    for carrier in watchdog.history.overdue(now, STEPS_A_SHARD).await? {
        if let Err(error) = send_again(watchdog, &carrier, now).await {
            tracing::error!(event = "watchdog.failed", error = %error, "an overdue step was not sent again");
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(()), Err)
}

async fn send_again(watchdog: &Watchdog, carrier: &Carrier, now: Timestamp) -> Result<(), RunError> {
    let Some(overdue) =
        watchdog.history.take_overdue(carrier, now, watchdog.process.config.timing.overdue).await?
    else {
        return Ok(());
    };
    tracing::warn!(
        event = "step.overdue", send = %overdue.job.send.send, organisation = %overdue.job.send.organisation,
        stage = %overdue.job.stage, batch = overdue.batch().map(|batch| batch.0), resent = overdue.resent,
        "an overdue step is sent again"
    );
    if overdue.unclaimed > watchdog.process.config.timing.deadline {
        // Neither a backlog nor an outage lasts this long.
        watchdog.handover.request_stop(&overdue.job.send, Reason::new(ReasonCode::Deadline)).await?;
    }
    let Overdue { job: JobKey { send, stage }, step, .. } = overdue;
    let message = Message::new(send.organisation, send.send, stage, step);
    watchdog.process.queues.send(&message, Duration::ZERO).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_task_has_its_share_of_the_time_and_no_more() {
        let (share, begun) = (Duration::from_millis(40), Instant::now());
        assert_eq!(in_time(share, "test", pending::<()>()).await, None);
        assert!(begun.elapsed() >= share);
        assert_eq!(in_time(share, "test", async { "done" }).await, Some("done"));
        assert_eq!(in_time(share, "test", async { Err::<(), _>("failed") }).await, Some(Err("failed")));
        assert_eq!(in_time(Duration::ZERO, "test", pending::<()>()).await, None, "when no time is left");
    }
}
