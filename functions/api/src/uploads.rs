//! Sends that are larger than a request: opened, filled part by part in any order, then submitted (`submit.rs`).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use stafett_domain::{
    Label, PackedPart, PlannedBatch, SendId, SendStatus, Submission, Validation, without_byte_order_mark,
};
use stafett_engine::Relay;
use stafett_engine::history::{Body, NewPart, NewUpload, SendRef, Stored};

use crate::Shared;
use crate::address::Address;
use crate::body::unpacked;
use crate::caller::{Caller, Sender};
use crate::problem::Problem;
use crate::sends::send_of_key;
use crate::terms::{Terms, conditions, terms};
use crate::view::{FoundView, SendView};

/// A request that opens a send for parts is no larger.
const LARGEST_OPENING: usize = 10_000;

/// A send that takes parts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenView {
    id: SendId,
    status: SendStatus,
    status_label: Label,
}

/// A part that was stored.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartView {
    part: u32,
    persons: usize,
    duties: usize,
    groups: usize,
    activities: usize,
    /// What was found in it.
    validation: FoundView,
}

/// Whether a body of `POST /v1/sends` opens a send for parts.
pub(crate) fn opens(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Opening {
        upload: bool,
    }
    body.len() <= LARGEST_OPENING
        && serde_json::from_slice::<Opening>(without_byte_order_mark(body))
            .is_ok_and(|opening| opening.upload)
}

/// Opens a send for parts: `{"upload": true, options?}`.
pub(crate) async fn open(relay: &Relay, caller: Caller, key: &str, body: &[u8]) -> Result<Response, Problem> {
    let options = Submission::parse_upload(body)?;
    let organiser = relay.organisers.get(&caller.organisation, relay.clock.now()).await?;
    let Terms { options, retention_days, certificate_days_left } = terms(relay, &organiser, options)?;
    let send = send_of_key(relay, &caller.organisation, key, body).await?;
    let open_for = relay.config.timing.upload_open;
    let new =
        NewUpload { requested_by: caller.subject, options, retention_days, certificate_days_left, open_for };
    relay.history.open_upload(&send, &new, relay.clock.now()).await?;
    tracing::info!(
        event = "upload.opened", send = %send.send, organisation = %send.organisation, "a send takes parts"
    );
    let location = [(header::LOCATION, format!("/v1/sends/{}", send.send))];
    let status = SendStatus::Receiving;
    let view = OpenView { id: send.send, status, status_label: status.label() };
    Ok((StatusCode::ACCEPTED, location, Json(view)).into_response())
}

/// Takes a part: `{part, persons?, duties?, groups?, activities?}`. A repeat takes the place of the first.
pub(crate) async fn records(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    Address(id): Address<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let send = SendRef::new(caller.organisation, id.parse().map_err(|_| Problem::NotFound)?);
    let body = unpacked(&headers, body)?;
    let conditions = conditions(&relay, &send.organisation).await?;
    let read = PackedPart::read(&body, conditions)?;
    drop(body);
    // What the sender chose is looked up only where it matters.
    let validation = if read.findings.refuse(Validation::Strict) {
        let (header, _) = relay.history.upload_header(&send).await?.ok_or(Problem::NotFound)?;
        header.options.validation
    } else {
        Validation::Strict
    };
    let (packed, findings) = read.accepted(validation)?;
    let part = packed.part;
    let count = |stage: &Vec<PlannedBatch>| stage.iter().map(|batch| batch.ids.len()).sum::<usize>();
    let [persons, duties, groups, activities] = packed.stages.each_ref().map(count);
    let counts = findings.counts().to_vec();
    let validation = FoundView::of(&counts, None);
    let view = PartView { part, persons, duties, groups, activities, validation };
    let bodies = |batches: Vec<PlannedBatch>| {
        batches.into_iter().map(|batch| Body { body: batch.body, facts: batch.facts }).collect()
    };
    let new = NewPart { part, findings: counts, stages: packed.stages.map(bodies) };
    match relay.history.put_part(&send, new).await? {
        Stored::Yes => {}
        Stored::Submitted => return Err(Problem::Submitted),
        Stored::Cancelled => return Err(Problem::Ended),
        Stored::NotFound => return Err(Problem::NotFound),
    }
    tracing::info!(
        event = "upload.part", send = %send.send, organisation = %send.organisation, part,
        records = view.persons + view.duties + view.groups + view.activities, "a part of a send is stored"
    );
    Ok(Json(view).into_response())
}

/// A send that comes in parts and was not accepted, as it stands.
pub(crate) async fn view(relay: &Relay, send: &SendRef) -> Result<SendView, Problem> {
    let now = relay.clock.now();
    let found = relay.history.upload(send).await?.ok_or(Problem::NotFound)?;
    if found.header.was_accepted() {
        // Just now: the caller found it before.
        let stored = relay.history.send(send, now).await?.ok_or(Problem::NotFound)?;
        let organiser = relay.history.organiser(&send.organisation).await?;
        return Ok(SendView::now(stored, organiser.as_ref()));
    }
    if found.header.expires <= now.as_second() {
        return Err(Problem::NotFound);
    }
    Ok(SendView::upload(found))
}
