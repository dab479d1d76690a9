use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, Response, header};

use crate::Call;
use crate::clock;
use crate::state::{Content, State};
use crate::target::Target;

/// How much of a body is read at all: far above what is allowed, so that the judge sees the true size, and a bound.
const MOST_READ: usize = 4_000_000;

/// The state behind its lock. The lock is never held while waiting.
#[derive(Clone)]
pub(crate) struct SharedState(Arc<Mutex<State>>);

impl SharedState {
    pub(crate) fn new(state: State) -> SharedState {
        SharedState(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked in between must not hide what the judge found.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One handler for all paths: what a path means is decided in [`Target`], and the judge has to see the others too.
pub(crate) fn router(state: SharedState) -> Router {
    Router::new().fallback(answer).with_state(state)
}

async fn answer(Shared(state): Shared<SharedState>, request: Request) -> Response<Body> {
    let now = clock::now();
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let target = Target::of(method, path);
    let authorization =
        parts.headers.get(header::AUTHORIZATION).and_then(|authorization| authorization.to_str().ok());
    let arrival = state.lock().arrive(&target, method, path, authorization, now);
    let query =
        Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();

    let content = read(&parts.headers, body).await;
    let mut organisation = arrival.organisation;
    let caller = organisation.as_deref().unwrap_or_default();
    let reply = match (arrival.refusal, &target) {
        (Some(refusal), _) => refusal,
        (None, Target::Bulk(kind)) => {
            let now = clock::now();
            let reply = state.lock().bulk(*kind, caller, &query, &content, arrival.call_time, now);
            pass(arrival.call_time).await;
            reply
        }
        (None, Target::Job { kind, id, is_completed }) => {
            // First the time, then the look: the answer is as fresh as it can be.
            pass(arrival.call_time).await;
            state.lock().job(*kind, id, *is_completed, caller, &query, clock::now())
        }
        (None, Target::Token | Target::WrongMethod { .. } | Target::Nothing) => {
            let (reply, who) = state.lock().token(&content, clock::now());
            organisation = who;
            reply
        }
    };
    let response = reply.response(arrival.quota);
    let call = Call {
        at: arrival.at,
        answered_at: clock::now().at,
        organisation,
        method: method.to_owned(),
        path: path.to_owned(),
        kind: target.kind(),
        call: target.call(),
        request: content.json,
        request_bytes: content.bytes,
        status: reply.status,
        response: Some(reply.body),
    };
    state.lock().answered(arrival.number, call);
    response
}

async fn read(headers: &HeaderMap, body: Body) -> Content {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let declared_json = text(header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    match to_bytes(body, MOST_READ).await {
        Ok(bytes) => Content { bytes: bytes.len(), declared_json, json: serde_json::from_slice(&bytes).ok() },
        Err(_) => {
            let declared = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
            Content { bytes: declared.unwrap_or(MOST_READ), declared_json, json: None }
        }
    }
}

async fn pass(time: Duration) {
    // Not even a sleep of zero is free: it waits for the timer's next millisecond.
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
