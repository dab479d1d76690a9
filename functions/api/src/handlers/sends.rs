//! Sends: a new one, the list, one of them, resume and cancel.

use axum::extract::State;
use jiff::Timestamp;
use stafett_domain::{Reason, ReasonCode, SendStatus};
use stafett_history::{CancelledUpload, PlacedSend, SendFilter, StoredSend};
use stafett_intake::{NewSendAnswer, ResumeRequest};

use crate::api::Shared;
use crate::filters::{self, selected};
use crate::http::address::SendAddress;
use crate::http::answer::{Accepted, NewSend, Polled, RetryAfter};
use crate::http::body::{Key, OptionalKey, RequestBody};
use crate::http::caller::{Audience, Reader, Sender};
use crate::http::page::{PageQuery, PageView, listed};
use crate::http::problem::Problem;
use crate::views::send::SendView;
use crate::views::upload::{OpenView, SendOrOpenView};

/// `POST /v1/sends`: accepts a send, or opens one for parts.
pub(crate) async fn new(
    State(api): State<Shared>,
    Sender(caller): Sender,
    Key(key): Key,
    RequestBody(body): RequestBody,
) -> Result<NewSend<SendOrOpenView>, Problem> {
    Ok(match Box::pin(api.intake.new_send(&caller.requester(), &key, &body)).await? {
        NewSendAnswer::Accepted(stored) => {
            let NewSend { view, id, retry_after } = accepted(*stored, caller.audience(), api.clock.now());
            NewSend { view: SendOrOpenView::Send(Box::new(view)), id, retry_after }
        }
        NewSendAnswer::Open(id) => {
            NewSend { view: SendOrOpenView::Open(OpenView::new(id)), id, retry_after: None }
        }
    })
}

/// `POST /v1/sends/{send}/resume`: makes a new send of one that has ended.
pub(crate) async fn resume(
    State(api): State<Shared>,
    Sender(caller): Sender,
    SendAddress(old): SendAddress,
    OptionalKey(key): OptionalKey,
    RequestBody(body): RequestBody,
) -> Result<NewSend<SendView>, Problem> {
    let request = ResumeRequest { old: &old, subject: &caller.subject, key: key.as_ref(), body: &body };
    let stored = Box::pin(api.intake.resume(request)).await?;
    Ok(accepted(stored, caller.audience(), api.clock.now()))
}

/// The response to a request that made a send. A repeated request gets the same response.
pub(crate) fn accepted(send: StoredSend, audience: Audience<'_>, now: Timestamp) -> NewSend<SendView> {
    let retry_after = Some(RetryAfter::of_accepted(&send, now));
    let id = send.header.id;
    NewSend { view: SendView::accepted(send).shown_to(audience), id, retry_after }
}

/// `POST /v1/sends/{send}/cancel`: stops a send. One that takes parts or waits stops at once; one that runs stops when
/// its open batches have their outcomes. A repeat gets the same answer.
pub(crate) async fn cancel(
    State(api): State<Shared>,
    Sender(caller): Sender,
    SendAddress(send): SendAddress,
) -> Result<Accepted<SendView>, Problem> {
    let stops = match api.intake.cancel_upload(&send).await? {
        CancelledUpload::NotFound => return Err(Problem::NotFound),
        CancelledUpload::Yes => true,
        CancelledUpload::Accepted => {
            api.handover.request_stop(&send, Reason::new(ReasonCode::Cancelled)).await?
        }
    };
    let shown = api.history.shown_send(&send, api.clock.now()).await?.ok_or(Problem::NotFound)?;
    if !stops && shown.header().status != SendStatus::Cancelled {
        return Err(Problem::Ended);
    }
    Ok(Accepted(SendView::from(shown).shown_to(caller.audience())))
}

/// `GET /v1/sends`: the organiser's sends, newest first. Parameters: `activity` (that the send holds), `from` and `to`
/// (when it was accepted), and the filters of sends.
pub(crate) async fn list(
    State(api): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<SendView>>, Problem> {
    let (limit, cursor) = (query.limit()?, query.cursor()?);
    let filter = SendFilter {
        wanted: selected(filters::sends(), &query)?,
        activity: query.one("activity")?,
        accepted: query.span()?,
    };
    let now = api.clock.now();
    let page = api.history.sends(&reader.organisation, &filter, limit, cursor.as_deref(), now).await?;
    let retry_after = |it: &PlacedSend| RetryAfter::of_send(&it.send, now);
    listed(page, retry_after, |send| SendView::from(send).shown_to(reader.audience()))
}

/// `GET /v1/sends/{send}`: one send.
pub(crate) async fn show(
    State(api): State<Shared>,
    reader: Reader,
    SendAddress(send): SendAddress,
) -> Result<Polled<SendView>, Problem> {
    let now = api.clock.now();
    let view = SendView::from(api.history.shown_send(&send, now).await?.ok_or(Problem::NotFound)?);
    let retry_after = view.retry_after(now);
    Ok(Polled::new(view.shown_to(reader.audience()), retry_after))
}
