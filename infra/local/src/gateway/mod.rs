//! The HTTP API in front of the functions: authorizes, turns requests into events and answers into responses, and says
//! no in API Gateway's own words. `/local/…` is this machine's alone: tokens, processes, queues.

mod cors;
mod event;
mod invoke;
mod routes;
mod token;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::clock::Clock;
use crate::forward::{Plans, Rule, SeenCall, Upstreams};
use crate::functions::{FunctionHost, ProcessState};
use crate::meter::{FunctionUse, Meter};
use crate::metrics::{Metrics, Series};
use crate::notice::notice;
use crate::process::InvocationError;
use crate::queues::{QueueError, Queues};
use crate::sqs::Counts;
use crate::template::{Cors, Route};

pub use token::{Caller, Tokens};

/// The largest request that an HTTP API takes, in bytes.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// How much of a larger one is read before it is refused: a client that is cut off while it sends sees no answer.
const MAX_READ_BYTES: usize = 8 * MAX_REQUEST_BYTES;

/// Everything that a request may need.
pub struct Gateway {
    /// The routes of all functions.
    pub routes: Vec<(Route, FunctionHost)>,
    /// What browsers are told.
    pub cors: Option<Cors>,
    /// All functions.
    pub functions: Vec<FunctionHost>,
    /// All queues.
    pub queues: Queues,
    /// Where the functions' calls go.
    pub upstreams: Upstreams,
    /// What is to go wrong with them.
    pub plans: Plans,
    /// What the functions have used.
    pub meter: Meter,
    /// What they printed as metrics.
    pub metrics: Metrics,
    /// Callers' tokens.
    pub tokens: Arc<Tokens>,
    /// The stack's time.
    pub clock: Clock,
    /// The port it is reached at.
    pub port: u16,
}

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

impl Gateway {
    /// Answers requests on this listener for as long as it is awaited.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = Router::new()
            .route("/local/token", get(local_token))
            .route("/local/processes", get(local_processes))
            .route("/local/queues", get(local_queues))
            .route("/local/endpoints", get(local_endpoints))
            .route("/local/meter", get(local_meter))
            .route("/local/metrics", get(local_metrics))
            .route("/local/faults/{subject}", put(local_faults))
            .route("/local/calls/{subject}", get(local_calls))
            .route(invoke::PATH, post(invoke::invoke))
            .fallback(forward)
            .with_state(Arc::new(self));
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    }

    async fn answered(&self, source: SocketAddr, request: Request) -> Response {
        self.answer(source, request).await.unwrap_or_else(|refusal| refusal)
    }

    async fn answer(&self, source: SocketAddr, request: Request) -> Result<Response, Response> {
        let (parts, body) = request.into_parts();
        let found = routes::find(&self.routes, parts.method.as_str(), parts.uri.path());
        let (route, function, path_parameters) =
            found.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "Not Found"))?;
        let claims = match &route.authorizer {
            None => None,
            Some(authorizer) => {
                let authorization =
                    parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
                let claims = self.tokens.check(authorizer, authorization);
                Some(claims.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "Unauthorized"))?)
            }
        };
        let body = read(body).await.ok_or_else(too_large)?;
        let request_id = Uuid::new_v4().to_string();
        let event = event::event(&event::Request {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            body: &body,
            source: source.ip(),
            port: self.port,
            route_key: &route.key(),
            path_parameters: &path_parameters,
            claims: claims.as_ref().map(token::as_text).as_ref(),
            request_id: &request_id,
            now_ms: self.clock.now_ms(),
        });
        let failed = || refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        let answer = function.invoke(event.to_string()).await.map_err(|error| match error {
            // The body fitted, the event around it did not.
            InvocationError::TooLarge => too_large(),
            error => {
                function.report(&error);
                failed()
            }
        })?;
        event::response(&answer, &request_id).ok_or_else(|| {
            notice(format_args!("the function {} gave an answer that is no response", function.name()));
            failed()
        })
    }
}

async fn forward(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let Some(cors) = &gateway.cors else { return gateway.answered(source, request).await };
    let (method, asked) = (request.method().clone(), request.headers().clone());
    let needs_a_token = routes::find(&gateway.routes, method.as_str(), request.uri().path())
        .is_some_and(|(route, ..)| route.authorizer.is_some());
    if let Some(answer) = cors.preflight(&method, &asked).filter(|_| !needs_a_token) {
        return answer;
    }
    let mut response = gateway.answered(source, request).await;
    cors.tell(&asked, response.headers_mut());
    response
}

/// The body, unless it is too large.
async fn read(body: axum::body::Body) -> Option<Bytes> {
    let body = axum::body::to_bytes(body, MAX_READ_BYTES).await.ok()?;
    (body.len() <= MAX_REQUEST_BYTES).then_some(body)
}

fn too_large() -> Response {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"message": message}))).into_response()
}

async fn local_token(State(gateway): State<Arc<Gateway>>, Query(caller): Query<Caller>) -> Response {
    match gateway.tokens.issue(&caller) {
        Ok(token) => axum::Json(json!({"token": token})).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn local_processes(State(gateway): State<Arc<Gateway>>) -> axum::Json<Vec<ProcessState>> {
    axum::Json(gateway.functions.iter().flat_map(FunctionHost::processes).collect())
}

async fn local_queues(State(gateway): State<Arc<Gateway>>) -> Response {
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
async fn local_endpoints(State(gateway): State<Arc<Gateway>>) -> axum::Json<serde_json::Value> {
    let Upstreams { dynamodb, sqs, ssm, skolverket, verification, token, open_data } = &gateway.upstreams;
    axum::Json(json!({
        "dynamodb": dynamodb, "sqs": sqs, "ssm": ssm, "skolverket": skolverket, "verification": verification,
        "token": token, "openData": open_data,
    }))
}

async fn local_meter(State(gateway): State<Arc<Gateway>>) -> axum::Json<BTreeMap<String, FunctionUse>> {
    axum::Json(gateway.meter.reading())
}

async fn local_metrics(State(gateway): State<Arc<Gateway>>) -> axum::Json<Vec<Series>> {
    axum::Json(gateway.metrics.reading())
}

/// The subject is an organisation number, or the name of a function that works for no organiser.
async fn local_faults(
    State(gateway): State<Arc<Gateway>>,
    Path(subject): Path<String>,
    axum::Json(rules): axum::Json<Vec<Rule>>,
) -> StatusCode {
    gateway.plans.put(&subject, rules);
    StatusCode::NO_CONTENT
}

async fn local_calls(
    State(gateway): State<Arc<Gateway>>,
    Path(subject): Path<String>,
) -> axum::Json<Vec<SeenCall>> {
    axum::Json(gateway.plans.seen(&subject))
}
