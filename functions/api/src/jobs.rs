//! `GET /v1/jobs`: the flat list of all jobs, as Historik shows it.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::SendId;
use stafett_engine::history::{JobFilter, Listed, ListedJob};

use crate::Shared;
use crate::answer::{Polled, RetryAfter};
use crate::caller::Reader;
use crate::page::{PageQuery, PageView, one, several};
use crate::problem::Problem;
use crate::requester::{Audience, RequesterView};
use crate::view::JobView;

/// A job with what its send tells of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedJobView {
    send: SendId,
    accepted_at: Option<Timestamp>,
    #[serde(flatten)]
    requester: RequesterView,
    #[serde(flatten)]
    job: JobView,
}

impl ListedJobView {
    fn new(ListedJob { send, job }: ListedJob, audience: Audience<'_>) -> Self {
        let requester = RequesterView::hidden(send.requested_by).shown_to(audience);
        Self { send: send.id, accepted_at: send.accepted_at, requester, job: (&job).into() }
    }
}

/// The organiser's jobs, those of the newest send first, of a send the last stage first: of a `stage`, with a
/// `status`, of sends that hold an `activity`, started `from` and `to` a time.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<ListedJobView>>, Problem> {
    let (limit, after) = (query.limit()?, query.place()?);
    let filter = JobFilter {
        stage: one("stage", query.stage.as_deref())?,
        statuses: several("status", query.status.as_deref())?,
        activity: one("activity", query.activity.as_deref())?,
        started: query.span()?,
    };
    let now = relay.clock.now();
    let page = relay.history.jobs(&reader.organisation, &filter, limit, after, now).await?;
    let retry_after = page.items.iter().filter_map(|it| RetryAfter::of_job(&it.item.job, now)).min();
    let audience = reader.audience();
    let view = |Listed { item, after }| Listed { item: ListedJobView::new(item, audience), after };
    let page = PageView::of(page.items.into_iter().map(view), page.next.as_deref())?;
    Ok(Polled::new(page, retry_after))
}
