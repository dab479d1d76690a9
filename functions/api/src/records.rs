//! A job's records: rows by page, filtered by outcome, and one record with what was sent and answered.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use stafett_domain::dependency::{Prepared, depends, prepare};
use stafett_domain::guidance;
use stafett_domain::{
    Access, BatchId, Facts, Guidance, JobStatus, Outcome, RecordId, Row, StageName, rows, sent_object,
};
use stafett_engine::Relay;
use stafett_engine::history::{Batch, Body, Issue, SendRef};

use crate::Shared;
use crate::address::Address;
use crate::caller::Reader;
use crate::page::{PageQuery, PageView};
use crate::problem::Problem;
use crate::view::{MessageView, RecordView, WholeRecordView};

/// Batch states that are read at once while a page is filled.
pub(crate) const BATCHES_AT_ONCE: usize = 25;

/// Finds a job that the caller may see.
pub(crate) async fn find_job(
    relay: &Relay,
    reader: &Reader,
    send: &str,
    stage: &str,
) -> Result<(SendRef, StageName, JobStatus), Problem> {
    let stage: StageName = stage.parse().map_err(|_| Problem::NotFound)?;
    let send = send.parse().map_err(|_| Problem::NotFound)?;
    let send = SendRef::new(reader.organisation.clone(), send);
    let stored = relay.history.send(&send, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    let job = stored.jobs.into_iter().find(|job| job.stage == stage).ok_or(Problem::Internal)?;
    Ok((send, stage, job.status))
}

/// The records of a job, in the order in which they were given.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage)): Address<(String, String)>,
    query: PageQuery,
) -> Result<Json<PageView<RecordView>>, Problem> {
    let (limit, wanted) = (query.limit()?, outcomes(query.outcome.as_deref())?);
    let (mut batch, mut index) = position(query.cursor()?.as_deref())?;
    let (send, stage, status) = find_job(&relay, &reader, &send, &stage).await?;
    let mut items = Vec::new();
    loop {
        let batches = relay.history.batches(&send, stage, batch, BATCHES_AT_ONCE).await?;
        for state in &batches {
            batch = state.batch;
            let counts = state.counts_in(status);
            // A batch without such records is not even opened.
            if wanted.iter().all(|outcome| counts.get(*outcome) == 0) {
                index = 0;
                continue;
            }
            let ReadBatch { records, .. } =
                read_batch(&relay, &send, stage, state, status, reader.access).await?;
            for (at, record) in records.into_iter().enumerate().skip(index) {
                if !wanted.contains(&record.outcome) {
                    continue;
                }
                if items.len() == limit {
                    let next = format!("{}.{at}", batch.0);
                    reader.note_reading(&send, stage, "records", items.len());
                    return Ok(Json(PageView::new(items, Some(&next))));
                }
                items.push(record);
            }
            index = 0;
        }
        if batches.len() < BATCHES_AT_ONCE {
            reader.note_reading(&send, stage, "records", items.len());
            return Ok(Json(PageView::new(items, None)));
        }
        batch = BatchId(batch.0 + 1);
    }
}

fn outcomes(parameter: Option<&str>) -> Result<Vec<Outcome>, Problem> {
    let Some(parameter) = parameter else { return Ok(Outcome::ALL.to_vec()) };
    parameter.split(',').map(|word| word.trim().parse().map_err(|_| Problem::Parameter("outcome"))).collect()
}

/// Reads a cursor `batch.index`.
pub(crate) fn position(cursor: Option<&str>) -> Result<(BatchId, usize), Problem> {
    let Some(cursor) = cursor else { return Ok((BatchId(0), 0)) };
    let read = || {
        let (batch, index) = cursor.split_once('.')?;
        Some((BatchId(batch.parse().ok()?), index.parse().ok()?))
    };
    read().ok_or(Problem::Parameter("cursor"))
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
    stage: StageName,
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
    Ok(ReadBatch { records: outcomes_of(batch, job, rows, issues, access), body, facts })
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
        match issues.remove(&index) {
            Some(issue) => RecordView {
                outcome: issue.outcome,
                status_code: issue.status_code,
                row,
                guidance: guidance_of(&issue),
                messages: issue.messages.into_iter().map(|entry| MessageView::new(entry, access)).collect(),
                without: issue.without,
            },
            None => {
                let outcome = if still_to_be_sent.contains(&index) { Outcome::Pending } else { usual };
                RecordView {
                    outcome,
                    status_code: batch.usual_status_code.filter(|_| outcome == Outcome::Success),
                    row,
                    messages: Vec::new(),
                    without: Vec::new(),
                    guidance: guidance::of_outcome(outcome, false),
                }
            }
        }
    })
    .collect()
}

/// What an outcome means that no message explains.
fn guidance_of(issue: &Issue) -> Option<&'static Guidance> {
    let dependency = !issue.without.is_empty();
    guidance::of_outcome(issue.outcome, dependency).filter(|_| dependency || issue.messages.is_empty())
}

/// One record of a job.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage, record)): Address<(String, String, String)>,
) -> Result<Json<WholeRecordView>, Problem> {
    let record: RecordId = record.parse().map_err(|_| Problem::NotFound)?;
    let (send, stage, status) = find_job(&relay, &reader, &send, &stage).await?;
    let ids = relay.history.record_ids(&send).await?;
    for place in ids.places(record).filter(|place| place.stage == stage) {
        let batch = relay.history.batch(&send, stage, place.batch).await?.ok_or(Problem::Internal)?;
        let ReadBatch { records, body, .. } =
            read_batch(&relay, &send, stage, &batch, status, reader.access).await?;
        let found = records.into_iter().enumerate().find(|(_, view)| view.row.id() == record);
        let Some((index, view)) = found else { continue };
        let (sent, answers) = match reader.access {
            Access::Masked => (None, None),
            Access::Personal => {
                let sent = sent_object(&body, index);
                let mut sent: Vec<_> = sent.into_iter().collect();
                as_sent(&relay, &send, stage, &mut sent).await?;
                (sent.pop(), Some(answers(&relay, &send, stage, &batch, record).await?))
            }
        };
        reader.note_reading(&send, stage, "record", 1);
        return Ok(Json(WholeRecordView { record: view, sent, answers }));
    }
    Err(Problem::NotFound)
}

/// Turns records of a batch's body into what was sent of them: without what had not been accepted before.
pub(crate) async fn as_sent(
    relay: &Relay,
    send: &SendRef,
    stage: StageName,
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
    stage: StageName,
    batch: &Batch,
    record: RecordId,
) -> Result<Vec<serde_json::Value>, Problem> {
    let mut found = Vec::new();
    for attempt in &batch.answers {
        let Some(answer) = relay.history.answer(send, stage, batch, *attempt).await? else { continue };
        let mut answer: serde_json::Value = serde_json::from_slice(&answer).map_err(unreadable)?;
        if let Some(serde_json::Value::Array(responses)) =
            answer.get_mut("responses").map(serde_json::Value::take)
        {
            let about = |response: &serde_json::Value| {
                let id = response.get("id").and_then(|text| text.as_str());
                id.and_then(|id| id.parse().ok()) == Some(record)
            };
            found.extend(responses.into_iter().filter(about));
        }
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
        let rows = rows(StageName::Groups, &body, &[Facts::default(), Facts::default()]).unwrap();
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

    #[test]
    fn a_cursor_is_a_batch_and_a_place_in_it() {
        assert_eq!(position(Some("3.17")).unwrap(), (BatchId(3), 17));
        assert_eq!(position(None).unwrap(), (BatchId(0), 0));
        assert!(position(Some("3")).is_err());
    }
}
