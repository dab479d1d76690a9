//! `/local/…`: what this machine alone has. Tokens, processes, queues, and what is to go wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use serde::Serialize;
use serde_json::json;

use super::refusal::refusal;
use super::state::Gateway;
use super::token::Caller;
use crate::forward::{Rule, SeenCall, Upstreams};
use crate::functions::{FunctionHost, ProcessState};
use crate::meter::FunctionUse;
use crate::metrics::Series;
use crate::queues::{QueueError, Queues};
use crate::sqs::Counts;

/// A queue as `/local/queues` shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QueueState {
    queue: String,
    /// Where the functions send to it.
    url: String,
    visible: usize,
    delayed: usize,
    in_flight: usize,
    /// Messages in its dead-letter queue, whatever their state.
    dead_letters: usize,
}

pub(super) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/local/token", get(token))
        .route("/local/processes", get(processes))
        .route("/local/queues", get(queues))
        .route("/local/endpoints", get(endpoints))
        .route("/local/meter", get(meter))
        .route("/local/metrics", get(metrics))
        .route("/local/faults/{subject}", put(faults))
        .route("/local/calls/{subject}", get(calls))
}

async fn token(State(gateway): State<Arc<Gateway>>, Query(caller): Query<Caller>) -> Response {
    match gateway.tokens.issue(&caller) {
        Ok(token) => axum::Json(json!({"token": token})).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn processes(State(gateway): State<Arc<Gateway>>) -> axum::Json<Vec<ProcessState>> {
    axum::Json(gateway.functions.iter().flat_map(FunctionHost::processes).collect())
}

async fn queues(State(gateway): State<Arc<Gateway>>) -> Response {
    let failed = |error: QueueError| refusal(StatusCode::BAD_GATEWAY, &error.to_string());
    queue_states(&gateway.queues).await.map_or_else(failed, |states| axum::Json(states).into_response())
}

async fn queue_states(queues: &Queues) -> Result<Vec<QueueState>, QueueError> {
    let mut states = Vec::new();
    for queue in queues.descriptions() {
        let Some(redrive) = &queue.redrive else { continue };
        let Counts { visible, delayed, in_flight } = queues.counts(&queue.name).await?;
        let dead = queues.counts(&redrive.dead_letter_queue).await?;
        let dead_letters = dead.visible + dead.delayed + dead.in_flight;
        let (queue, url) = (queue.name.clone(), queue.url.clone());
        states.push(QueueState { queue, url, visible, delayed, in_flight, dead_letters });
    }
    Ok(states)
}

/// Where to look with one's own tools: the emulated services take any signature.
async fn endpoints(State(gateway): State<Arc<Gateway>>) -> axum::Json<serde_json::Value> {
    let Upstreams { dynamodb, sqs, ssm, skolverket, verification, token, open_data } = &gateway.upstreams;
    axum::Json(json!({
        "dynamodb": dynamodb, "sqs": sqs, "ssm": ssm, "skolverket": skolverket, "verification": verification,
        "token": token, "openData": open_data,
    }))
}

async fn meter(State(gateway): State<Arc<Gateway>>) -> axum::Json<BTreeMap<String, FunctionUse>> {
    axum::Json(gateway.meter.reading())
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> axum::Json<Vec<Series>> {
    axum::Json(gateway.metrics.reading())
}

/// The subject is an organisation number, or the name of a function that works for no organiser.
async fn faults(
    State(gateway): State<Arc<Gateway>>,
    Path(subject): Path<String>,
    axum::Json(rules): axum::Json<Vec<Rule>>,
) -> StatusCode {
    gateway.plans.put(&subject, rules);
    StatusCode::NO_CONTENT
}

async fn calls(
    State(gateway): State<Arc<Gateway>>,
    Path(subject): Path<String>,
) -> axum::Json<Vec<SeenCall>> {
    axum::Json(gateway.plans.seen(&subject))
}
