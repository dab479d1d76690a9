//! A job's calls to Skolverket, and those to its authorization server for the tokens that they needed.

use axum::extract::State;
use serde_json::Value;
use stafett_domain::{Access, AttemptCall, AttemptId, Facts};
use stafett_engine::history::{Body, Listed};

use crate::Shared;
use crate::address::Address;
use crate::answer::{Polled, RetryAfter};
use crate::caller::Reader;
use crate::page::{PageQuery, PageView};
use crate::problem::Problem;
use crate::records::{as_sent, find_job};
use crate::room::Room;
use crate::view::{AttemptView, WholeAttemptView};

/// The calls of a job: the last batch first, and of each batch the last call first.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage)): Address<(String, String)>,
    query: PageQuery,
) -> Result<Polled<PageView<AttemptView>>, Problem> {
    let (limit, cursor) = (query.limit()?, query.cursor()?);
    let (send, stage, job) = find_job(&relay, &reader, &send, &stage).await?;
    let page = relay.history.attempts(&send, stage, limit, cursor.as_deref()).await?;
    let view = |Listed { item, after }| Listed { item: AttemptView::from(&item), after };
    let page = PageView::of(page.items.into_iter().map(view), page.next.as_deref())?;
    Ok(Polled::new(page, RetryAfter::of_job(&job, relay.clock.now())))
}

/// One call; with its bodies for those who may see personal data.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage, attempt)): Address<(String, String, String)>,
) -> Result<Polled<WholeAttemptView>, Problem> {
    let id: AttemptId = attempt.parse().map_err(|_| Problem::NotFound)?;
    let (send, stage, _) = find_job(&relay, &reader, &send, &stage).await?;
    let attempt = relay.history.attempt(&send, stage, id).await?.ok_or(Problem::NotFound)?;
    let (request, response, truncated) = match reader.access {
        Access::Masked => (None, None, false),
        // Nothing in it is about a person, so that no reading of personal data is noted.
        Access::Personal if attempt.call == AttemptCall::Token => {
            let body = |text: Option<&str>| Some(text.map(json).unwrap_or_default());
            (body(attempt.request.as_deref()), body(attempt.response.as_deref()), false)
        }
        Access::Personal => {
            let batch = relay.history.batch(&send, stage, id.batch).await?.ok_or(Problem::Internal)?;
            let request = match attempt.call {
                AttemptCall::Submit => {
                    let Body { body, .. } = relay.history.body::<Facts>(&send, stage, &batch).await?;
                    let mut body = only(json(&body), &attempt.records);
                    if let Some(Value::Array(records)) = body.get_mut("data") {
                        as_sent(&relay, &send, stage, records).await?;
                    }
                    body
                }
                AttemptCall::Poll | AttemptCall::Token => Value::Null,
            };
            let response = if attempt.answer_kept {
                let answer = relay.history.answer(&send, stage, &batch, id).await?.unwrap_or_default();
                json(&String::from_utf8_lossy(&answer))
            } else {
                attempt.response.as_deref().map(json).unwrap_or_default()
            };
            let records =
                if attempt.records.is_empty() { batch.total as usize } else { attempt.records.len() };
            reader.note_reading(&send, stage, "attempt", records);
            let mut room = Room::new();
            // No larger than a call may be.
            room.take(&request)?;
            let (response, whole) = room.take_body(response)?;
            (Some(request), Some(response), !whole)
        }
    };
    let attempt = (&attempt).into();
    Ok(Polled::personal(WholeAttemptView { attempt, request, response, truncated }, None))
}

/// A body as JSON; what is no JSON, such as a proxy's page, as a text.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// The records of a body that a call was about; all of them where none are named.
fn only(mut body: Value, records: &[u32]) -> Value {
    if let Some(Value::Array(all)) = body.get_mut("data")
        && !records.is_empty()
    {
        *all = records.iter().filter_map(|index| all.get(*index as usize).cloned()).collect();
    }
    body
}
