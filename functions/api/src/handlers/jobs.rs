//! Jobs: the flat list of all, as Historik shows it, and one with its causes.

use axum::extract::State;
use stafett_domain::RecordKind;
use stafett_history::{JobFilter, ListedJob};

use crate::api::Shared;
use crate::filters::{self, selected};
use crate::http::address::JobAddress;
use crate::http::answer::{Polled, RetryAfter};
use crate::http::caller::Reader;
use crate::http::page::{PageQuery, PageView, listed};
use crate::http::problem::Problem;
use crate::views::causes::JobCausesView;
use crate::views::job::ListedJobView;

/// `GET /v1/jobs`: the organiser's jobs, those of the newest send first, and within a send the last stage first.
/// Parameters: `stage`, `activity` (that the send holds), `from` and `to` (when it started), and the filters of jobs.
pub(crate) async fn list(
    State(api): State<Shared>,
    reader: Reader,
    query: PageQuery,
) -> Result<Polled<PageView<ListedJobView>>, Problem> {
    let (limit, after) = (query.limit()?, query.place()?);
    let filter = JobFilter {
        wanted: selected(filters::jobs(), &query)?,
        stage: query.word("stage", RecordKind::WORDS)?,
        activity: query.one("activity")?,
        started: query.span()?,
    };
    let now = api.clock.now();
    let page = api.history.jobs(&reader.organisation, &filter, limit, after, now).await?;
    let retry_after = |it: &ListedJob| RetryAfter::of_job(&it.job, now);
    listed(page, retry_after, |job| ListedJobView::new(job, reader.audience()))
}

/// `GET /v1/sends/{send}/jobs/{stage}`: one job of a send.
pub(crate) async fn show(
    State(api): State<Shared>,
    reader: Reader,
    JobAddress(key): JobAddress,
) -> Result<Polled<JobCausesView>, Problem> {
    let now = api.clock.now();
    let (job, causes) = api.history.job_and_causes(&key, now).await?.ok_or(Problem::NotFound)?;
    let view = JobCausesView::new(&job, causes, reader.access);
    let (quoted, retry_after) = (view.quoted(), RetryAfter::of_job(&job, now));
    if quoted == 0 {
        return Ok(Polled::new(view, retry_after));
    }
    reader.log_reading(&key, "causes", quoted);
    Ok(Polled::personal(view, retry_after))
}
