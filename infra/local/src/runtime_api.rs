//! The Lambda Runtime API as one function process sees it: where it fetches invocations and leaves their answers. Each
//! process has an endpoint of its own, so that what arrives there is known to be from it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::clock::{Clock, saturating_ms};
use crate::loopback;

/// The largest event that a synchronous invocation takes, in bytes.
pub const MAX_REQUEST_BYTES: usize = 6_291_456;
/// The largest answer that one gives, in bytes.
const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// A function's report of its own failure, or Lambda's about its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct FunctionError {
    pub kind: String,
    pub message: String,
}

/// One invocation on its way into a process.
#[derive(Debug)]
pub struct Invocation {
    pub payload: Bytes,
    /// How long the function may take from when it fetches the event.
    pub timeout: Duration,
    /// Notified when the process has fetched it.
    pub taken: oneshot::Sender<()>,
    /// Gets the answer.
    pub outcome: oneshot::Sender<Result<Bytes, FunctionError>>,
}

/// The endpoint of one process; gone when dropped, upon which the process ends itself.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<Invocation>,
    state: Arc<Endpoint>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Endpoint {
    function_arn: HeaderValue,
    clock: Clock,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<Running>>,
    init_error: Mutex<Option<FunctionError>>,
}

/// The invocation that the process has fetched and not answered.
#[derive(Debug)]
struct Running {
    request_id: Uuid,
    outcome: oneshot::Sender<Result<Bytes, FunctionError>>,
}

impl RuntimeApi {
    /// Opens an endpoint on a port of its own, for a process of the function with this ARN.
    pub fn start(function_arn: &str, clock: Clock) -> std::io::Result<Self> {
        let listener = loopback::listen(0)?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::channel(1);
        let state = Arc::new(Endpoint {
            function_arn: HeaderValue::from_str(function_arn).map_err(std::io::Error::other)?,
            clock,
            waiting: tokio::sync::Mutex::new(waiting),
            running: Mutex::new(None),
            init_error: Mutex::new(None),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
            .route("/2018-06-01/runtime/init/error", post(fail_init))
            // Larger than is accepted, so that what is too large is answered as Lambda answers it.
            .layer(DefaultBodyLimit::max(4 * MAX_RESPONSE_BYTES))
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async move {
            // Serving only ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, invocations, state, server })
    }

    /// The value of the process's `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lays an invocation out for the process to fetch.
    pub async fn invoke(&self, invocation: Invocation) {
        // The receiver lives as long as self.
        let _ = self.invocations.send(invocation).await;
    }

    /// Why the process could not start, if it reported that.
    pub fn init_error(&self) -> Option<FunctionError> {
        lock(&self.state.init_error).clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(endpoint): State<Arc<Endpoint>>) -> Response {
    let invocation = endpoint.waiting.lock().await.recv().await;
    let Some(invocation) = invocation else { return StatusCode::GONE.into_response() };
    let request_id = Uuid::new_v4();
    *lock(&endpoint.running) = Some(Running { request_id, outcome: invocation.outcome });
    // The caller may have given up; the function runs all the same.
    let _ = invocation.taken.send(());
    let now_ms = endpoint.clock.now_ms();
    let deadline_ms = now_ms.saturating_add(saturating_ms(invocation.timeout));
    let trace = Uuid::new_v4().simple().to_string();
    let trace_id = format!("Root=1-{:08x}-{};Sampled=0", now_ms / 1000, trace.get(..24).unwrap_or(&trace));
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", request_id.to_string()),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-trace-id", trace_id),
    ];
    let mut response = (StatusCode::OK, headers, invocation.payload).into_response();
    let arn = endpoint.function_arn.clone();
    response.headers_mut().insert("lambda-runtime-invoked-function-arn", arn);
    response
}

async fn respond(State(endpoint): State<Arc<Endpoint>>, Path(id): Path<Uuid>, body: Bytes) -> Response {
    let Some(running) = endpoint.end(id) else { return unknown_invocation() };
    if body.len() > MAX_RESPONSE_BYTES {
        let message = format!(
            "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
        );
        let refusal = json!({"errorType": "RequestEntityTooLarge", "errorMessage": message});
        let kind = "Function.ResponseSizeTooLarge".to_owned();
        let _ = running.outcome.send(Err(FunctionError { kind, message }));
        return (StatusCode::PAYLOAD_TOO_LARGE, axum::Json(refusal)).into_response();
    }
    let _ = running.outcome.send(Ok(body));
    accepted()
}

async fn fail(State(endpoint): State<Arc<Endpoint>>, Path(id): Path<Uuid>, body: Bytes) -> Response {
    let Some(running) = endpoint.end(id) else { return unknown_invocation() };
    let _ = running.outcome.send(Err(function_error(&body)));
    accepted()
}

async fn fail_init(State(endpoint): State<Arc<Endpoint>>, body: Bytes) -> Response {
    *lock(&endpoint.init_error) = Some(function_error(&body));
    accepted()
}

impl Endpoint {
    fn end(&self, id: Uuid) -> Option<Running> {
        let mut running = lock(&self.running);
        if running.as_ref().is_some_and(|running| running.request_id == id) { running.take() } else { None }
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
}

fn unknown_invocation() -> Response {
    let body = json!({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"});
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

fn function_error(body: &[u8]) -> FunctionError {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| error[name].as_str().map(str::to_owned);
    FunctionError {
        kind: text("errorType").unwrap_or_else(|| "Unknown".to_owned()),
        message: text("errorMessage").unwrap_or_default(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-north-1:000000000000:function:users";

    struct Caller {
        api: RuntimeApi,
        client: reqwest::Client,
    }

    impl Caller {
        fn start() -> Self {
            let api = RuntimeApi::start(ARN, Clock::start()).unwrap();
            Self { api, client: reqwest::Client::new() }
        }

        fn url(&self, path: &str) -> String {
            format!("http://{}/2018-06-01/runtime/{path}", self.api.address())
        }

        async fn invoke(&self) -> oneshot::Receiver<Result<Bytes, FunctionError>> {
            let (taken, _) = oneshot::channel();
            let (outcome, answer) = oneshot::channel();
            let timeout = Duration::from_secs(30);
            self.api.invoke(Invocation { payload: Bytes::from_static(b"{}"), timeout, taken, outcome }).await;
            answer
        }

        async fn next(&self) -> reqwest::Response {
            self.client.get(self.url("invocation/next")).send().await.unwrap()
        }

        async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> StatusCode {
            self.client.post(self.url(path)).body(body).send().await.unwrap().status()
        }
    }

    fn request_id(response: &reqwest::Response) -> String {
        response.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn an_invocation_is_fetched_and_answered_once() {
        let caller = Caller::start();
        let answer = caller.invoke().await;
        let next = caller.next().await;
        assert_eq!(next.headers()["lambda-runtime-invoked-function-arn"], ARN);
        assert!(next.headers().contains_key("lambda-runtime-deadline-ms"));
        let path = format!("invocation/{}/response", request_id(&next));
        assert_eq!(caller.post(&path, "done").await, StatusCode::ACCEPTED);
        assert_eq!(answer.await.unwrap(), Ok(Bytes::from_static(b"done")));
        assert_eq!(caller.post(&path, "again").await, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn a_failure_is_reported_with_its_type() {
        let caller = Caller::start();
        let answer = caller.invoke().await;
        let path = format!("invocation/{}/error", request_id(&caller.next().await));
        let error = json!({"errorType": "Kind", "errorMessage": "text"}).to_string();
        assert_eq!(caller.post(&path, error).await, StatusCode::ACCEPTED);
        let reported = FunctionError { kind: "Kind".to_owned(), message: "text".to_owned() };
        assert_eq!(answer.await.unwrap(), Err(reported));
    }

    #[tokio::test]
    async fn an_answer_above_six_megabytes_is_refused_and_fails_the_invocation() {
        let caller = Caller::start();
        let answer = caller.invoke().await;
        let path = format!("invocation/{}/response", request_id(&caller.next().await));
        let status = caller.post(&path, vec![b'x'; MAX_RESPONSE_BYTES + 1]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.await.unwrap().unwrap_err().kind, "Function.ResponseSizeTooLarge");
    }
}
