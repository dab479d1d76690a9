//! A job's calls to Skolverket, and the calls to the authorization server for the tokens that they need.

use axum::extract::State;
use stafett_domain::{Access, AttemptCall};

use crate::api::Shared;
use crate::http::address::{AttemptAddress, JobAddress};
use crate::http::answer::{Polled, RetryAfter};
use crate::http::caller::Reader;
use crate::http::page::{PageQuery, PageView};
use crate::http::problem::Problem;
use crate::views::attempt::{AttemptView, WholeAttemptView};

/// `GET …/jobs/{stage}/attempts`: the calls of a job, the last batch first, and the last call of a batch first.
pub(crate) async fn list(
    State(api): State<Shared>,
    _: Reader,
    JobAddress(key): JobAddress,
    query: PageQuery,
) -> Result<Polled<PageView<AttemptView>>, Problem> {
    let (limit, cursor, now) = (query.limit()?, query.cursor()?, api.clock.now());
    let job = api.history.seen_job(&key, now).await?.ok_or(Problem::NotFound)?;
    let page = api.history.attempts(&key, limit, cursor.as_deref()).await?;
    let page = PageView::of_page(page, |attempt| AttemptView::from(&attempt))?;
    Ok(Polled::new(page, RetryAfter::of_job(&job, now)))
}

/// `GET …/jobs/{stage}/attempts/{attempt}`: one call. Callers who may see personal data also get its bodies.
pub(crate) async fn show(
    State(api): State<Shared>,
    reader: Reader,
    AttemptAddress { job: key, attempt }: AttemptAddress,
) -> Result<Polled<WholeAttemptView>, Problem> {
    api.history.seen_job(&key, api.clock.now()).await?.ok_or(Problem::NotFound)?;
    let attempt = api.history.attempt(&key, attempt).await?.ok_or(Problem::NotFound)?;
    let bodies = match reader.access {
        Access::Masked => None,
        Access::Personal => Some(api.history.attempt_bodies(&key, &attempt).await?),
    };
    // A request for a token holds no personal data.
    if let Some(bodies) = bodies.as_ref().filter(|_| attempt.call != AttemptCall::Token) {
        reader.log_reading(&key, "attempt", bodies.records);
    }
    Ok(Polled::personal(WholeAttemptView::new(&attempt, bodies)?, None))
}
