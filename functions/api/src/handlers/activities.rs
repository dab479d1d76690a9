//! Test activities: the list that the admin sees, and those of one send.

use axum::extract::State;
use stafett_domain::ActivitySummary;
use stafett_history::{ActivityFilter, CurrentActivity};

use crate::api::Shared;
use crate::filters::{self, selected};
use crate::http::address::SendAddress;
use crate::http::answer::{Polled, RetryAfter};
use crate::http::caller::Reader;
use crate::http::page::{PageQuery, PageView, listed, unusable};
use crate::http::problem::Problem;
use crate::views::activity::CurrentActivityView;

/// `GET /v1/activities`: the organiser's activities, each once, the last changed first, selected by the filters of
/// activities and of sends.
pub(crate) async fn list(
    State(api): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<CurrentActivityView>>, Problem> {
    let (limit, after) = (query.limit()?, query.place()?);
    let filter = ActivityFilter {
        wanted: selected(filters::activities(), &query)?,
        latest: selected(filters::sends(), &query)?,
    };
    let now = api.clock.now();
    let page = api.history.current_activities(&reader.organisation, &filter, limit, after, now).await?;
    let retry_after = |it: &CurrentActivity| RetryAfter::of_header(&it.latest, 0, now);
    listed(page, retry_after, CurrentActivityView::from)
}

/// `GET /v1/sends/{send}/activities`: the activities of a send, in the order of the body. They never change.
pub(crate) async fn of_send(
    State(api): State<Shared>,
    _: Reader,
    SendAddress(send): SendAddress,
    query: PageQuery,
) -> Result<Polled<PageView<ActivitySummary>>, Problem> {
    let limit = query.limit()?;
    let first = query.cursor()?.map_or(Ok(0), |at| at.parse()).map_err(|_| unusable("cursor"))?;
    let page = api.history.activities_from(&send, first, limit, api.clock.now()).await?;
    let page = PageView::of_page(page.ok_or(Problem::NotFound)?, |activity| activity)?;
    Ok(Polled::new(page, None))
}
