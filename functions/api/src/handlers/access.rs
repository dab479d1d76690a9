//! Who will see whose results.

use axum::extract::State;
use stafett_domain::{BatchId, RecordKind, Viewer};

use crate::api::Shared;
use crate::http::address::SendAddress;
use crate::http::answer::Polled;
use crate::http::caller::Reader;
use crate::http::page::{PageQuery, PageView};
use crate::http::problem::Problem;

/// `GET /v1/sends/{send}/access`: the duties of a send, and what each gives access to, in the order of the body.
pub(crate) async fn list(
    State(api): State<Shared>,
    reader: Reader,
    SendAddress(send): SendAddress,
    query: PageQuery,
) -> Result<Polled<PageView<Viewer>>, Problem> {
    let limit = query.limit()?;
    let from = query.place()?.map_or((BatchId(0), 0), |(batch, index)| (BatchId(batch), index));
    let page = api.history.viewers(&send, reader.access, from, limit, api.clock.now()).await?;
    let page = PageView::of_page(page.ok_or(Problem::NotFound)?, |viewer| viewer)?;
    reader.log_reading(&send.job(RecordKind::Duty), "access", page.len());
    Ok(Polled::personal(page, None))
}
