//! `POST /v1/sends`, `GET /v1/sends`, `GET /v1/sends/{id}`.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use stafett_domain::register::Mentions;
use stafett_domain::{
    Conditions, Findings, OrganisationNumber, Plan, PlannedBatch, Reason, ReasonCode, RecordKind, SendId,
    SendStatus, Submission,
};
use stafett_engine::history::{
    Acceptance, Body, CancelledUpload, Idempotency, Listed, NewBatch, NewBody, NewJob, NewSend, Received,
    SendFilter, SendRef,
};
use stafett_engine::{Message, Relay, Step};
use uuid::Uuid;

use crate::Shared;
use crate::address::Address;
use crate::answer::{Polled, RetryAfter};
use crate::body::unpacked;
use crate::caller::{Caller, Reader, Sender};
use crate::page::{PageQuery, PageView, one, several};
use crate::problem::Problem;
use crate::registers;
use crate::requester::Audience;
use crate::terms::{Terms, terms};
use crate::uploads;
use crate::view::SendView;

/// Takes a send: checks all of it, stores it, gives it its place, and queues its first step if it is its turn.
pub(crate) async fn accept(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let body = unpacked(&headers, body)?;
    if uploads::opens(&body) {
        return uploads::open(&relay, caller, key, &body).await;
    }
    let organiser = match relay.organisers.get(&caller.organisation, relay.clock.now()).await {
        Ok(organiser) => organiser,
        Err(error) => {
            let repeated = answer_repeated(&relay, &caller, key, &body).await?;
            return repeated.ok_or_else(|| error.into());
        }
    };
    let conditions = Conditions::at(relay.clock.now(), organiser.protected);
    let mut read = Submission::read(&body, conditions)?;
    let mentions = Mentions::of(&read.content);
    let checked = registers::check(&relay, &caller.organisation, &mentions, &mut read.findings).await;
    let validation = read.content.options.validation;
    let (submission, findings) = match read.accepted(validation) {
        Ok(accepted) => accepted,
        Err(rejection) => {
            let repeated = answer_repeated(&relay, &caller, key, &body).await?;
            return repeated.ok_or_else(|| rejection.into());
        }
    };
    let Terms { options, retention_days, certificate_days_left } =
        match terms(&relay, &organiser, submission.options) {
            Ok(terms) => terms,
            Err(problem) => {
                let repeated = answer_repeated(&relay, &caller, key, &body).await?;
                return repeated.ok_or(problem);
            }
        };
    let mut new = NewSend {
        options,
        retention_days,
        certificate_days_left,
        not_checked: checked.not_checked,
        ..new_send(submission, &findings, caller.subject.clone())
    };
    checked.known.name(&mut new.activities);

    let send = send_of_key(&relay, &caller.organisation, key, &body).await?;
    match store_and_start(&relay, &send, &new, None).await? {
        Started::Accepted => answer_accepted(&relay, &send, caller.audience()).await,
        // What an earlier request left is being removed: a repeat begins anew.
        Started::Closed | Started::Moved => Err(Problem::Unavailable),
    }
}

/// The send that a request with this key makes: a new one, or that of the request which it repeats.
pub(crate) async fn send_of_key(
    relay: &Relay,
    organisation: &OrganisationNumber,
    key: &str,
    body: &[u8],
) -> Result<SendRef, Problem> {
    let (key, body, fresh) = (hash(key.as_bytes()), hash(body), SendId(Uuid::now_v7()));
    match relay.history.idempotent(organisation, &key, &body, fresh, relay.clock.now()).await? {
        Idempotency::Send(id) => Ok(SendRef::new(organisation.clone(), id)),
        Idempotency::OtherBody => Err(Problem::OtherBody),
    }
}

/// The answer to a request that made a send: the same for every repeat.
pub(crate) async fn answer_accepted(
    relay: &Relay,
    send: &SendRef,
    audience: Audience<'_>,
) -> Result<Response, Problem> {
    let stored = relay.history.send(send, relay.clock.now()).await?.ok_or(Problem::Internal)?;
    // A repeat is answered alike, however old the send is by then.
    let records = stored.jobs.iter().map(|job| job.total).fold(0, u32::saturating_add);
    let retry_after = RetryAfter::of(None, records, relay.clock.now());
    let location = [(header::LOCATION, format!("/v1/sends/{}", send.send))];
    let view = Json(SendView::accepted(stored).shown_to(audience));
    let mut response = (StatusCode::ACCEPTED, location, view).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
    Ok(response)
}

/// The answer to a request that was accepted, if this one repeats it: what registers and settings say may have changed
/// since.
pub(crate) async fn answer_repeated(
    relay: &Relay,
    caller: &Caller,
    key: &str,
    body: &[u8],
) -> Result<Option<Response>, Problem> {
    let organisation = &caller.organisation;
    let (key, body, now) = (hash(key.as_bytes()), hash(body), relay.clock.now());
    let Some(id) = relay.history.tied_to(organisation, &key, &body, now).await? else { return Ok(None) };
    let send = SendRef::new(organisation.clone(), id);
    // Tied to it, and never accepted: then it is a new one to be looked at.
    match relay.history.send(&send, now).await? {
        Some(_) => answer_accepted(relay, &send, caller.audience()).await.map(Some),
        None => Ok(None),
    }
}

/// What became of a send that was to be stored and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// It is accepted, now or before.
    Accepted,
    /// Another took the place that it was to have.
    Moved,
    /// It was cancelled, or is being removed because it was not accepted in time.
    Closed,
}

/// Stores a send, accepts it and starts it if it is its turn. Each part can be repeated: a repeat of the request
/// carries on the same work. `place`: accepted only at this one.
pub(crate) async fn store_and_start<F: serde::Serialize>(
    relay: &Relay,
    send: &SendRef,
    new: &NewSend<F>,
    place: Option<u64>,
) -> Result<Started, Problem> {
    let now = relay.clock.now();
    let discard_at = (now + relay.config.timing.upload_open).as_millisecond();
    let expires = match relay.history.receive(send, new, now, discard_at).await? {
        Received::Stored { expires } => expires,
        Received::AcceptedBefore => return Ok(Started::Accepted),
        Received::Closed => return Ok(Started::Closed),
    };
    let overdue = now + relay.config.timing.overdue;
    let acceptance = relay.history.accept(send, expires, now, overdue.as_millisecond(), place).await?;
    let (seq, runs) = match acceptance {
        Acceptance::Accepted { seq, runs } => (Some(seq), runs),
        Acceptance::Before => (None, false),
        Acceptance::Moved => return Ok(Started::Moved),
        Acceptance::Closed => return Ok(Started::Closed),
    };
    if seq.is_some() {
        relay.metrics.send_accepted();
        tracing::info!(
            event = "send.accepted", send = %send.send, organisation = %send.organisation,
            activities = new.activities.len(), runs, "a send is accepted"
        );
    }
    if runs {
        let start = Message::new(send.organisation.clone(), send.send, RecordKind::FIRST, Step::Start);
        // The history has it: should this fail, the watchdog sends it.
        if let Err(error) = relay.queues.send(&relay.config, &start, Duration::ZERO).await {
            tracing::error!(event = "queue.failed", send = %send.send, error = %error, "a start was not queued");
        }
    }
    // After the start: should this take its time, or the process end in it, the send does not wait for it.
    if let Some(seq) = seq {
        relay.history.keep_catalogue(&send.organisation, seq, now).await;
    }
    Ok(Started::Accepted)
}

/// Stops a send: one that takes parts or waits at once, one that runs when what is open has its outcome. A repeat is
/// answered alike.
pub(crate) async fn cancel(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    Address(id): Address<String>,
) -> Result<Response, Problem> {
    let send = SendRef::new(caller.organisation.clone(), id.parse().map_err(|_| Problem::NotFound)?);
    let now = relay.clock.now();
    if relay.history.send(&send, now).await?.is_none() {
        // Whoever is at work on it ends before the watchdog looks.
        let removed_at = (now + relay.config.timing.overdue).as_millisecond();
        match relay.history.cancel_upload(&send, now, removed_at).await? {
            CancelledUpload::Yes => {
                let view = uploads::view(&relay, &send).await?.shown_to(caller.audience());
                return Ok((StatusCode::ACCEPTED, Json(view)).into_response());
            }
            CancelledUpload::Accepted => {}
            CancelledUpload::NotFound => return Err(Problem::NotFound),
        }
    }
    let stopping = relay.request_stop(&send, Reason::new(ReasonCode::Cancelled)).await?;
    let stored = relay.history.send(&send, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    if !stopping && stored.header.status != SendStatus::Cancelled {
        return Err(Problem::Ended);
    }
    let organiser = relay.history.organiser(&send.organisation).await?;
    let view = SendView::now(stored, organiser.as_ref()).shown_to(caller.audience());
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

fn new_send(
    submission: Submission,
    findings: &Findings,
    requested_by: String,
) -> NewSend<stafett_domain::Facts> {
    let mut plan = Plan::of(&submission);
    plan.mark(findings.records());
    let options = submission.options;
    drop(submission);
    let (activities, stages) = plan.into_parts();
    let jobs = RecordKind::ALL.into_iter().zip(stages);
    NewSend {
        requested_by,
        activities,
        options,
        findings: findings.counts().to_vec(),
        not_checked: Vec::new(),
        jobs: jobs
            .map(|(stage, batches)| NewJob { stage, batches: batches.into_iter().map(new_batch).collect() })
            .collect(),
        retention_days: 0,
        certificate_days_left: None,
        resume_of: None,
    }
}

pub(crate) fn new_batch(batch: PlannedBatch) -> NewBatch<stafett_domain::Facts> {
    NewBatch { ids: batch.ids, body: NewBody::Whole(Body { body: batch.body, facts: batch.facts }) }
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let usable = |key: &&str| {
        (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    key.map(str::trim).filter(usable).ok_or(Problem::IdempotencyKey)
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The organiser's sends, newest first: with a `status`, that hold an `activity`, accepted `from` and `to` a time.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<SendView>>, Problem> {
    let (limit, cursor) = (query.limit()?, query.cursor()?);
    let filter = SendFilter {
        statuses: several("status", query.status.as_deref())?,
        activity: one("activity", query.activity.as_deref())?,
        accepted: query.span()?,
    };
    let now = relay.clock.now();
    let page = relay.history.sends(&reader.organisation, &filter, limit, cursor.as_deref(), now).await?;
    let organiser = relay.history.organiser(&reader.organisation).await?;
    let audience = reader.audience();
    let view = |Listed { item, after }| {
        let item = SendView::now(item, organiser.as_ref()).shown_to(audience);
        Listed { item, after }
    };
    let items: Vec<_> = page.items.into_iter().map(view).collect();
    let retry_after = items.iter().filter_map(|send| send.item.retry_after(now)).min();
    Ok(Polled::new(PageView::of(items, page.next.as_deref())?, retry_after))
}

/// One send.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
    Address(id): Address<String>,
) -> Result<Polled<SendView>, Problem> {
    let send = SendRef::new(reader.organisation.clone(), id.parse().map_err(|_| Problem::NotFound)?);
    let view = match relay.history.send(&send, relay.clock.now()).await? {
        Some(stored) => {
            let organiser = relay.history.organiser(&send.organisation).await?;
            SendView::now(stored, organiser.as_ref())
        }
        None => uploads::view(&relay, &send).await?,
    };
    let retry_after = view.retry_after(relay.clock.now());
    Ok(Polled::new(view.shown_to(reader.audience()), retry_after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        let with = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_bytes(value).unwrap());
            idempotency_key(&headers).map(str::to_owned).ok()
        };
        assert_eq!(
            with(b"8a6e0804-2bd0-4672-b79d-d97027f9071a").as_deref(),
            Some("8a6e0804-2bd0-4672-b79d-d97027f9071a")
        );
        assert_eq!(with("å".as_bytes()), None);
        assert_eq!(with(b"  "), None);
        assert_eq!(with(&[b'a'; 256]), None);
        assert!(idempotency_key(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_hash_is_sha256_in_hex() {
        assert_eq!(hash(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
