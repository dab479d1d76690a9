//! A job's records: rows by page, filtered by outcome, and one record with what was sent and answered.

use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use stafett_domain::dependency::{Prepared, depends, prepare};
use stafett_domain::guidance;
use stafett_domain::{
    Access, BatchId, Facts, Guidance, JobStatus, Outcome, RecordId, RecordKind, Row, rows, sent_object,
};
use stafett_engine::Relay;
use stafett_engine::history::{Batch, Body, Issue, Job, SendRef};
use stafett_skolverket::entries_about;

use crate::Shared;
use crate::address::Address;
use crate::answer::{Polled, RetryAfter};
use crate::caller::Reader;
use crate::page::{PageQuery, PageView, opaque, several};
use crate::problem::Problem;
use crate::room::Room;
use crate::sheet::{self, Language, Sheet};
use crate::view::{MESSAGES_SHOWN, MessageView, RecordView, WholeRecordView};

/// Batch states that are read at once while a page is filled.
pub(crate) const BATCHES_AT_ONCE: usize = 25;

/// Finds a job that the caller may see.
pub(crate) async fn find_job(
    relay: &Relay,
    reader: &Reader,
    send: &str,
    stage: &str,
) -> Result<(SendRef, RecordKind, Job), Problem> {
    let stage: RecordKind = stage.parse().map_err(|_| Problem::NotFound)?;
    let send = send.parse().map_err(|_| Problem::NotFound)?;
    let send = SendRef::new(reader.organisation.clone(), send);
    let job = relay.history.seen_job(&send, stage, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    Ok((send, stage, job))
}

/// The records of a job, in the order in which they were given: as JSON, or as CSV for those who ask for it.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage)): Address<(String, String)>,
    headers: HeaderMap,
    query: PageQuery,
) -> Result<Response, Problem> {
    let as_csv = sheet::is_wanted(&headers);
    let limit = if as_csv { query.limit_within(sheet::ROWS, sheet::ROWS)? } else { query.limit()? };
    let wanted = outcomes(query.outcome.as_deref())?;
    let from = query.place()?.map_or((BatchId(0), 0), |(batch, index)| (BatchId(batch), index));
    let (send, stage, job) = find_job(&relay, &reader, &send, &stage).await?;
    let (status, retry_after) = (job.status, RetryAfter::of_job(&job, relay.clock.now()));
    let rows = Rows { relay: &relay, send: &send, stage, status, access: reader.access, wanted: &wanted };
    if as_csv {
        let mut sheet = Sheet::new(stage, Language::of(&headers))?;
        let (count, next) = rows.read(from, limit, |record| sheet.add(&record)).await?;
        reader.note_reading(&send, stage, "records", count);
        let filter = query.outcome.as_ref().map(|_| wanted.as_slice());
        let next = next.map(|next| next_page(&send, stage, filter, limit, &next));
        return sheet.answer(&send, next.as_deref(), retry_after);
    }
    let mut page = PageView::new();
    let (count, next) = rows.read(from, limit, |record| page.add(record)).await?;
    reader.note_reading(&send, stage, "records", count);
    Ok(Polled::personal(page.before(next.as_deref()), retry_after).into_response())
}

/// The address of the page that follows.
fn next_page(
    send: &SendRef,
    stage: RecordKind,
    filter: Option<&[Outcome]>,
    limit: usize,
    cursor: &str,
) -> String {
    let outcomes = filter.map(|outcomes| {
        let words: Vec<_> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        format!("&outcome={}", words.join(","))
    });
    let (outcomes, cursor) = (outcomes.unwrap_or_default(), opaque(cursor));
    format!("/v1/sends/{}/jobs/{stage}/records?limit={limit}{outcomes}&cursor={cursor}", send.send)
}

/// The rows of a job, as a caller may see them.
struct Rows<'a> {
    relay: &'a Relay,
    send: &'a SendRef,
    stage: RecordKind,
    status: JobStatus,
    access: Access,
    wanted: &'a [Outcome],
}

impl Rows<'_> {
    /// Gives rows to `take`, one batch in memory at a time, until they are `limit`, or `take` says that it is full
    /// (and then the row that it was given is the next page's). Gives how many it
    /// gave, and the cursor of the next page.
    async fn read(
        &self,
        (mut batch, mut index): (BatchId, usize),
        limit: usize,
        mut take: impl FnMut(RecordView) -> Result<bool, Problem>,
    ) -> Result<(usize, Option<String>), Problem> {
        let Self { relay, send, stage, status, access, wanted } = *self;
        let mut taken = 0;
        loop {
            let batches = relay.history.batches(send, stage, batch, BATCHES_AT_ONCE).await?;
            for state in &batches {
                batch = state.batch;
                let counts = state.counts_in(status);
                // A batch without such records is not even opened.
                if wanted.iter().all(|outcome| counts.get(*outcome) == 0) {
                    index = 0;
                    continue;
                }
                let ReadBatch { records, .. } = read_batch(relay, send, stage, state, status, access).await?;
                for (at, record) in records.into_iter().enumerate().skip(index) {
                    if !wanted.contains(&record.outcome) {
                        continue;
                    }
                    if taken == limit || !take(record)? {
                        return Ok((taken, Some(format!("{}.{at}", batch.0))));
                    }
                    taken += 1;
                }
                index = 0;
            }
            if batches.len() < BATCHES_AT_ONCE {
                return Ok((taken, None));
            }
            batch = BatchId(batch.0 + 1);
        }
    }
}

fn outcomes(parameter: Option<&str>) -> Result<Vec<Outcome>, Problem> {
    let named = several("outcome", parameter)?;
    Ok(if parameter.is_none() { Outcome::ALL.to_vec() } else { named })
}

/// A batch, read.
pub(crate) struct ReadBatch {
    /// Its records, in order.
    pub(crate) records: Vec<RecordView>,
    /// The body that they went in.
    pub(crate) body: String,
    /// What their rows show beside.
    pub(crate) facts: Vec<Facts>,
}

pub(crate) async fn read_batch(
    relay: &Relay,
    send: &SendRef,
    stage: RecordKind,
    batch: &Batch,
    job: JobStatus,
    access: Access,
) -> Result<ReadBatch, Problem> {
    let Body { body, facts } = relay.history.body_and_facts::<Facts>(send, stage, batch).await?;
    let rows = rows(stage, &body, &facts).map_err(unreadable)?;
    let issues = match batch.issues {
        Some(attempt) => relay.history.issues(send, stage, attempt).await?.records,
        None => Vec::new(),
    };
    let mut records = outcomes_of(batch, job, rows, issues, access);
    for (record, facts) in records.iter_mut().zip(&facts) {
        record.findings = facts.findings.iter().map(|code| code.of_record()).collect();
    }
    Ok(ReadBatch { records, body, facts })
}

/// Joins rows with what became of them: records without an issue had the usual outcome of their batch.
fn outcomes_of(
    batch: &Batch,
    job: JobStatus,
    rows: Vec<Row>,
    issues: Vec<Issue>,
    access: Access,
) -> Vec<RecordView> {
    let counts = batch.counts_in(job);
    let known = batch.counts.is_some() || batch.settled.is_some();
    let usual = if known && (!batch.answers.is_empty() || batch.issues.is_some()) {
        Outcome::Success
    } else {
        // Without an answer all records of a batch share one outcome.
        Outcome::ALL.iter().copied().find(|outcome| counts.get(*outcome) > 0).unwrap_or(Outcome::Pending)
    };
    let still_to_be_sent: HashSet<usize> =
        batch.pieces.iter().flat_map(|piece| &piece.records).map(|index| *index as usize).collect();
    let mut issues: HashMap<usize, Issue> =
        issues.into_iter().map(|issue| (issue.index as usize, issue)).collect();
    let rows = rows.into_iter().enumerate();
    rows.map(|(index, row)| {
        let row = row.shown(access);
        let issue = issues.remove(&index);
        let (outcome, status_code) = match &issue {
            Some(issue) => (issue.outcome, issue.status_code),
            None if still_to_be_sent.contains(&index) => (Outcome::Pending, None),
            None => (usual, batch.usual_status_code.filter(|_| usual == Outcome::Success)),
        };
        let guidance = issue.as_ref().map_or_else(|| guidance::of_outcome(outcome, false), guidance_of);
        let (messages, unknown_status, without) =
            issue.map(|issue| (issue.messages, issue.unknown_status, issue.without)).unwrap_or_default();
        let unknown_status = unknown_status.filter(|_| access == Access::Personal);
        let more_messages = messages.len().saturating_sub(MESSAGES_SHOWN);
        let messages = messages.into_iter().take(MESSAGES_SHOWN);
        let messages = messages.map(|entry| MessageView::new(entry, access)).collect();
        let outcome_label = outcome.label();
        RecordView {
            outcome,
            outcome_label,
            status_code,
            row,
            findings: Vec::new(),
            messages,
            more_messages,
            unknown_status,
            without,
            guidance,
        }
    })
    .collect()
}

/// What an outcome means that no message explains.
fn guidance_of(issue: &Issue) -> Option<&'static Guidance> {
    if issue.unknown_status.is_some() {
        return Some(guidance::of_unknown_status());
    }
    let dependency = !issue.without.is_empty();
    guidance::of_outcome(issue.outcome, dependency).filter(|_| dependency || issue.messages.is_empty())
}

/// One record of a job.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage, record)): Address<(String, String, String)>,
) -> Result<Response, Problem> {
    let record: RecordId = record.parse().map_err(|_| Problem::NotFound)?;
    let (send, stage, job) = find_job(&relay, &reader, &send, &stage).await?;
    let (status, retry_after) = (job.status, RetryAfter::of_job(&job, relay.clock.now()));
    let ids = relay.history.record_ids(&send).await?;
    for place in ids.places(record).filter(|place| place.stage == stage) {
        let batch = relay.history.batch(&send, stage, place.batch).await?.ok_or(Problem::Internal)?;
        let ReadBatch { records, body, .. } =
            read_batch(&relay, &send, stage, &batch, status, reader.access).await?;
        let found = records.into_iter().enumerate().find(|(_, view)| view.row.id() == record);
        let Some((index, view)) = found else { continue };
        reader.note_reading(&send, stage, "record", 1);
        let mut whole = WholeRecordView { record: view, sent: None, answers: None, truncated: false };
        if reader.access == Access::Personal {
            let mut sent: Vec<_> = sent_object(&body, index).into_iter().collect();
            as_sent(&relay, &send, stage, &mut sent).await?;
            whole.sent = sent.pop();
            let mut room = Room::new();
            // Neither is larger than a call may be.
            room.take(&whole)?;
            let mut shown = Vec::new();
            for answer in answers(&relay, &send, stage, &batch, record).await? {
                let (answer, all_of_it) = room.take_body(answer)?;
                whole.truncated |= !all_of_it;
                shown.push(answer);
            }
            whole.answers = Some(shown);
        }
        return Ok(Polled::personal(whole, retry_after).into_response());
    }
    Err(Problem::NotFound)
}

/// Turns records of a batch's body into what was sent of them: without what had not been accepted before.
pub(crate) async fn as_sent(
    relay: &Relay,
    send: &SendRef,
    stage: RecordKind,
    records: &mut [serde_json::Value],
) -> Result<(), Problem> {
    if !depends(stage) {
        return Ok(());
    }
    let refused = relay.history.refused_before(send, stage).await?;
    for stored in records {
        if let Prepared::Without { record, .. } = prepare(stage, stored, &refused) {
            *stored = record;
        }
    }
    Ok(())
}

/// What Skolverket said of one record, as it came.
async fn answers(
    relay: &Relay,
    send: &SendRef,
    stage: RecordKind,
    batch: &Batch,
    record: RecordId,
) -> Result<Vec<serde_json::Value>, Problem> {
    let mut found = Vec::new();
    for attempt in &batch.answers {
        let Some(answer) = relay.history.answer(send, stage, batch, *attempt).await? else { continue };
        let answer = String::from_utf8(answer).map_err(unreadable)?;
        found.extend(entries_about(&answer, record));
    }
    Ok(found)
}

pub(crate) fn unreadable<E>(_: E) -> Problem {
    tracing::error!(event = "api.failed", "a stored batch cannot be read");
    Problem::Internal
}

#[cfg(test)]
mod tests {
    use super::*;
    use stafett_domain::{BatchStatus, Counts};

    fn views(batch: &Batch, job: JobStatus, issues: Vec<Issue>) -> Vec<(Outcome, Option<u16>)> {
        let ids = ["0190a1b2-0000-4000-8000-000000000001", "0190a1b2-0000-4000-8000-000000000002"];
        let body = serde_json::json!({"data": [{"id": ids[0]}, {"id": ids[1]}]}).to_string();
        let rows = rows(RecordKind::Group, &body, &[Facts::default(), Facts::default()]).unwrap();
        let views = outcomes_of(batch, job, rows, issues, Access::Masked);
        views.into_iter().map(|view| (view.outcome, view.status_code)).collect()
    }

    #[test]
    fn records_of_a_batch_that_never_went_were_not_sent_once_their_job_ended() {
        let planned = Batch::planned(BatchId(0), 2, None, 0);
        assert_eq!(views(&planned, JobStatus::Running, Vec::new()), [(Outcome::Pending, None); 2]);
        assert_eq!(views(&planned, JobStatus::Failed, Vec::new()), [(Outcome::NotSent, None); 2]);
    }

    #[test]
    fn records_without_an_issue_were_accepted() {
        let planned = Batch::planned(BatchId(0), 2, None, 0);
        let closed = Batch {
            status: BatchStatus::Closed,
            counts: Some(Counts::of([Outcome::Success, Outcome::Error])),
            answers: vec![planned.attempt()],
            usual_status_code: Some(201),
            issues: Some(planned.attempt()),
            ..planned
        };
        let refused = Issue {
            index: 1,
            outcome: Outcome::Error,
            status_code: Some(400),
            messages: Vec::new(),
            unknown_status: None,
            without: Vec::new(),
        };
        assert_eq!(
            views(&closed, JobStatus::Failed, vec![refused]),
            [(Outcome::Success, Some(201)), (Outcome::Error, Some(400))]
        );
    }

    #[test]
    fn records_of_a_batch_without_an_answer_share_its_outcome() {
        let counts = Some(Counts::all(2, Outcome::Unknown));
        let lost = Batch { status: BatchStatus::Closed, counts, ..Batch::planned(BatchId(0), 2, None, 0) };
        assert_eq!(views(&lost, JobStatus::Failed, Vec::new()), [(Outcome::Unknown, None); 2]);
    }

    #[test]
    fn a_filter_is_a_list_of_outcomes() {
        assert_eq!(outcomes(Some("error,warning")).unwrap(), [Outcome::Error, Outcome::Warning]);
        assert_eq!(outcomes(None).unwrap(), Outcome::ALL);
        assert!(outcomes(Some("errors")).is_err());
        assert!(outcomes(Some("")).is_err());
    }
}
