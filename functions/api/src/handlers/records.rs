//! A job's records: the list, and one record with what was sent and answered.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use stafett_domain::{Access, BatchId, Outcome};
use stafett_history::{FoundRecord, HistoryError, JobKey, ListedRecord};

use crate::api::Shared;
use crate::contract::operation::{Operation, Output};
use crate::http::address::{JobAddress, RecordAddress};
use crate::http::answer::{Polled, RetryAfter};
use crate::http::caller::Reader;
use crate::http::page::{PageQuery, PageView, opaque};
use crate::http::problem::Problem;
use crate::views::csv_page::{self, CsvAnswer, CsvPage, Language};
use crate::views::record::{RecordView, WholeRecordView};

/// `GET …/jobs/{stage}/records`: the records of a job, in the order of the body, as JSON or CSV.
pub(crate) async fn list(
    State(api): State<Shared>,
    reader: Reader,
    JobAddress(key): JobAddress,
    headers: HeaderMap,
    query: PageQuery,
) -> Result<RecordsAnswer, Problem> {
    let as_csv = csv_page::is_wanted(&headers);
    let limit =
        if as_csv { query.limit_within(csv_page::CSV_ROWS, csv_page::CSV_ROWS)? } else { query.limit()? };
    let filter = query.words("outcome", Outcome::WORDS)?;
    let from = query.place()?.map_or((BatchId(0), 0), |(batch, index)| (BatchId(batch), index));
    let now = api.clock.now();
    let job = api.history.seen_job(&key, now).await?.ok_or(Problem::NotFound)?;
    let retry_after = RetryAfter::of_job(&job, now);
    let wanted = filter.as_deref().unwrap_or(Outcome::ALL);
    let records = api.history.job_records(&key, job.status, from, wanted);
    let view = |it: ListedRecord| RecordView::new(it.record, &it.facts, reader.access);
    if as_csv {
        let mut csv = CsvPage::new(key.stage, Language::of(&headers))?;
        let (count, next) = add_records(records, limit, |record| csv.add(&view(record))).await?;
        reader.log_reading(&key, "records", count);
        let next = next.map(|next| next_page(&key, filter.as_deref(), limit, &next));
        return csv.answer(&key.send, next.as_deref(), retry_after).map(RecordsAnswer::Csv);
    }
    let mut page = PageView::new();
    let (count, next) = add_records(records, limit, |record| page.add(view(record))).await?;
    reader.log_reading(&key, "records", count);
    Ok(RecordsAnswer::Json(Polled::personal(page.before(next.as_deref()), retry_after)))
}

/// A page of records, in the media type that the caller asks for.
pub(crate) enum RecordsAnswer {
    Json(Polled<PageView<RecordView>>),
    Csv(CsvAnswer),
}

impl IntoResponse for RecordsAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Json(page) => page.into_response(),
            Self::Csv(page) => page.into_response(),
        }
    }
}

impl Output for RecordsAnswer {
    fn describe(operation: &mut Operation) {
        Polled::<PageView<RecordView>>::describe(operation);
        CsvAnswer::describe(operation);
    }
}

/// Passes at most `limit` records to `add`. Stops when `add` returns false; that record begins the next page. Returns
/// the number of added records, and the cursor of the next page.
async fn add_records(
    mut records: BoxStream<'_, Result<ListedRecord, HistoryError>>,
    limit: usize,
    mut add: impl FnMut(ListedRecord) -> Result<bool, Problem>,
) -> Result<(usize, Option<String>), Problem> {
    let mut count = 0;
    while let Some(record) = records.try_next().await? {
        let at = record.at.clone();
        if count == limit || !add(record)? {
            return Ok((count, Some(at)));
        }
        count += 1;
    }
    Ok((count, None))
}

/// The address of the next page.
fn next_page(job: &JobKey, filter: Option<&[Outcome]>, limit: usize, cursor: &str) -> String {
    let outcomes = filter.map(|outcomes| {
        let words: Vec<_> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        format!("&outcome={}", words.join(","))
    });
    let (outcomes, cursor) = (outcomes.unwrap_or_default(), opaque(cursor));
    let JobKey { send, stage } = job;
    format!("/v1/sends/{}/jobs/{stage}/records?limit={limit}{outcomes}&cursor={cursor}", send.send)
}

/// `GET …/jobs/{stage}/records/{record}`: one record of a job. Callers who may see personal data also get what was sent
/// and answered.
pub(crate) async fn show(
    State(api): State<Shared>,
    reader: Reader,
    RecordAddress { job: key, record }: RecordAddress,
) -> Result<Polled<WholeRecordView>, Problem> {
    let now = api.clock.now();
    let job = api.history.seen_job(&key, now).await?.ok_or(Problem::NotFound)?;
    let found = api.history.job_record(&key, job.status, record).await?.ok_or(Problem::NotFound)?;
    reader.log_reading(&key, "record", 1);
    let FoundRecord { record: found, facts, batch, stored } = found;
    let view = RecordView::new(found, &facts, reader.access);
    let view = match reader.access {
        Access::Masked => WholeRecordView::masked(view),
        Access::Personal => {
            let mut sent = Vec::from_iter(stored);
            api.history.leave_out_refused(&key, &mut sent).await?;
            let answers = api.history.answers_about(&key, &batch, record).await?;
            WholeRecordView::personal(view, sent.pop(), answers)?
        }
    };
    Ok(Polled::personal(view, RetryAfter::of_job(&job, now)))
}
