//! `GET /v1/activities`: the list of test activities that the admin sees. `GET /v1/sends/{id}/activities`: those of one
//! send, all of them.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::{ActivitySummary, Label, SendId, SendStatus};
use stafett_engine::history::{ActivityFilter, CurrentActivity, Listed, SendRef};

use crate::Shared;
use crate::address::Address;
use crate::answer::{Polled, RetryAfter};
use crate::caller::Reader;
use crate::page::{PageQuery, PageView, one, several};
use crate::problem::Problem;

/// An activity, as the latest send that holds it has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrentActivityView {
    #[serde(flatten)]
    activity: ActivitySummary,
    /// When that send was accepted.
    last_changed: Option<Timestamp>,
    latest_send: LatestSendView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LatestSendView {
    id: SendId,
    status: SendStatus,
    status_label: Label,
}

impl From<CurrentActivity> for CurrentActivityView {
    fn from(CurrentActivity { activity, latest }: CurrentActivity) -> Self {
        let latest_send =
            LatestSendView { id: latest.id, status: latest.status, status_label: latest.status.label() };
        Self { activity, last_changed: latest.accepted_at, latest_send }
    }
}

/// The organiser's activities, each once, the last changed first: whose latest send has a `status`, of a school unit
/// (`schoolUnitCode`), of a test (`testCode`).
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<CurrentActivityView>>, Problem> {
    let (limit, after) = (query.limit()?, query.place()?);
    let filter = ActivityFilter {
        statuses: several("status", query.status.as_deref())?,
        school_unit: one("schoolUnitCode", query.school_unit_code.as_deref())?,
        test: one("testCode", query.test_code.as_deref())?,
    };
    let now = relay.clock.now();
    let page = relay.history.current_activities(&reader.organisation, &filter, limit, after, now).await?;
    let going_on = page.items.iter().map(|current| &current.item.latest).filter(|it| !it.status.has_ended());
    let retry_after = going_on.map(|latest| RetryAfter::of(latest.started_at, 0, now)).min();
    let view = |Listed { item, after }| Listed { item: CurrentActivityView::from(item), after };
    let page = PageView::of(page.items.into_iter().map(view), page.next.as_deref())?;
    Ok(Polled::new(page, retry_after))
}

/// The activities of a send, in the order given. They never change.
pub(crate) async fn of_send(
    State(relay): State<Shared>,
    reader: Reader,
    Address(id): Address<String>,
    query: PageQuery,
) -> Result<Polled<PageView<ActivitySummary>>, Problem> {
    let limit = query.limit()?;
    let first: usize =
        query.cursor()?.map_or(Ok(0), |at| at.parse()).map_err(|_| Problem::Parameter("cursor"))?;
    let send = SendRef::new(reader.organisation, id.parse().map_err(|_| Problem::NotFound)?);
    let all = relay.history.activities(&send, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    let next = first.saturating_add(limit);
    let next = (next < all.len()).then(|| next.to_string());
    let items = all.into_iter().enumerate().skip(first).take(limit);
    let items = items.map(|(place, item)| Listed { item, after: (place + 1).to_string() });
    Ok(Polled::new(PageView::of(items, next.as_deref())?, None))
}
