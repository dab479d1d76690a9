use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Query, Request, State as Shared};
use axum::http::{HeaderMap, Response, header};
use axum::response::IntoResponse;

use crate::connection::Peer;
use crate::content::Content;
use crate::reply::{Delivery, Reply};
use crate::shared_state::SharedState;
use crate::state::{BulkCall, JobCall};
use crate::target::{JWKS_PATH, Target};
use crate::underway::Underway;
use crate::{CallKind, Fault, clock};

/// How much of a body is read at all: far above what is allowed, so that the judge sees the true size, and a bound.
const MOST_READ: usize = 4_000_000;

/// One handler for all paths: what a path means is decided in [`Target`], and the judge has to see the others too.
pub(crate) fn router(state: SharedState) -> Router {
    Router::new().fallback(answer).with_state(state)
}

async fn answer(
    Shared(state): Shared<SharedState>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    if method == "GET" && path == JWKS_PATH {
        return axum::Json(state.lock().keys()).into_response();
    }
    let target = Target::of(method, path);
    let jitter = state.lock().jitter(&target);
    pass(jitter).await;
    let now = clock::now();
    if target.call() != CallKind::Token && peer.certificates.is_some() {
        state.lock().certificate_shown(method, path);
    }
    let authorization =
        parts.headers.get(header::AUTHORIZATION).and_then(|authorization| authorization.to_str().ok());
    let arrival = state.lock().arrive(&target, method, path, authorization, now);
    let query =
        Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();

    let content = read(&parts.headers, body).await;
    if target.call() == CallKind::Bulk {
        state.lock().carried(&content);
    }
    let fault = match arrival.refusal {
        Some(_) => None,
        None => state.lock().fault(
            &target,
            arrival.organisation.as_deref(),
            &content,
            peer.certificates.as_deref().map(Vec::as_slice),
            now,
        ),
    };
    let mut call = Underway {
        state,
        number: arrival.number,
        at: arrival.at,
        organisation: arrival.organisation,
        method: method.to_owned(),
        path: path.to_owned(),
        target,
        content,
        fault,
        job: None,
        certificates: peer.certificates.clone(),
        ended: false,
    };
    let time = arrival.call_time + fault.map_or(Duration::ZERO, Fault::delay);
    let reply = match arrival.refusal {
        Some(refusal) => refusal,
        None => carry_out(&mut call, &query, time).await,
    };
    let response = reply.response(arrival.quota);
    if reply.delivery == Delivery::Cut {
        peer.cut.cut();
    }
    let (status, body) = reply.seen();
    call.end(status, body);
    response
}

/// Answers a call that was not refused on arrival.
async fn carry_out(call: &mut Underway, query: &[(String, String)], time: Duration) -> Reply {
    let organisation = call.organisation.as_deref().unwrap_or_default();
    match &call.target {
        Target::Bulk(kind) => {
            let bulk = BulkCall {
                kind: *kind,
                organisation,
                query,
                content: &call.content,
                fault: call.fault,
                answer_time: time,
            };
            let (reply, job) = call.state.lock().bulk(&bulk, clock::now());
            call.job = job;
            pass(time).await;
            reply
        }
        Target::Job { kind, id, is_completed } => {
            // First the time, then the state: the answer is as fresh as it can be.
            pass(time).await;
            let (kind, is_completed) = (*kind, *is_completed);
            let job = JobCall { kind, id, is_completed, organisation, query, fault: call.fault };
            call.state.lock().job(&job, clock::now())
        }
        Target::OpenData(resource) => {
            pass(time).await;
            let mut state = call.state.lock();
            state.open_data(resource, query, call.fault, clock::now())
        }
        Target::Token | Target::WrongMethod { .. } | Target::Nothing => {
            let (reply, who) = call.state.lock().token(
                &call.content,
                call.certificates.as_deref().map(Vec::as_slice),
                call.fault,
                clock::now(),
            );
            call.organisation = who;
            pass(time).await;
            reply
        }
    }
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
