//! Combines a batch's rows, issues and counts into records with their outcomes.

use std::collections::{HashMap, HashSet};

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use stafett_domain::{BatchId, Facts, JobStatus, Outcome, RecordId, Row, rows, sent_object};
use stafett_skolverket::LogEntry;

use crate::error::HistoryError;
use crate::item::Batch;
use crate::key::JobKey;
use crate::packed::{Body, Issue};
use crate::store::History;

/// A record and its outcome.
pub struct JobRecord {
    /// All that it shows: see [`Row::shown`].
    pub row: Row,
    /// Its outcome.
    pub outcome: Outcome,
    /// The status code from Skolverket.
    pub status_code: Option<u16>,
    /// Skolverket's messages about it.
    pub messages: Vec<LogEntry>,
    /// The original status text from Skolverket, if the status is unknown. It may contain anything.
    pub unknown_status: Option<String>,
    /// Records that were not accepted: this record was sent without them, or was not sent because of them.
    pub without: Vec<RecordId>,
}

/// A batch with its records.
pub struct OpenedBatch {
    /// Its records, in order.
    pub records: Vec<JobRecord>,
    /// The body that contained them.
    pub body: String,
    /// The facts about each record, in the same order.
    pub facts: Vec<Facts>,
}

/// A record in the list of a job's records.
pub struct ListedRecord {
    /// The cursor for a page that begins with this record.
    pub at: String,
    pub record: JobRecord,
    /// The other facts about it.
    pub facts: Facts,
}

/// One record.
pub struct FoundRecord {
    pub record: JobRecord,
    /// The other facts about it.
    pub facts: Facts,
    /// The batch that contains it.
    pub batch: Batch,
    /// The record in the batch's body.
    pub stored: Option<Value>,
}

impl History {
    /// Returns a job's records with these outcomes, in their original order, starting at the given index of the given
    /// batch. They are read on demand, with one body in memory at a time. `status` is the job's status.
    pub fn job_records<'a>(
        &'a self,
        job: &'a JobKey,
        status: JobStatus,
        (first, index): (BatchId, usize),
        wanted: &'a [Outcome],
    ) -> BoxStream<'a, Result<ListedRecord, HistoryError>> {
        let of_batch = move |batch: Batch| async move {
            let counts = batch.counts_in(status);
            // A batch without such records is not read.
            if wanted.iter().all(|outcome| counts.get(*outcome) == 0) {
                return Ok(None);
            }
            let OpenedBatch { records, facts, .. } = self.open_batch(job, &batch, status).await?;
            let id = batch.batch;
            let skipped = if id == first { index } else { 0 };
            let records = records.into_iter().zip(facts).enumerate().skip(skipped);
            let records = records.filter(|(_, (record, _))| wanted.contains(&record.outcome));
            let listed = move |(index, (record, facts))| {
                Ok(ListedRecord { at: format!("{}.{index}", id.0), record, facts })
            };
            Ok(Some(stream::iter(records.map(listed))))
        };
        self.batches_from(job, first).try_filter_map(of_batch).try_flatten().boxed()
    }

    /// Returns one record of a job, or `None` if the job does not contain it. `status` is the job's status.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn job_record(
        &self,
        job: &JobKey,
        status: JobStatus,
        id: RecordId,
    ) -> Result<Option<FoundRecord>, HistoryError> {
        let ids = self.record_ids(&job.send).await?;
        for place in ids.places(id).filter(|place| place.stage == job.stage) {
            let batch = self.batch(job, place.batch).await?;
            let batch = batch.ok_or(HistoryError::Corrupt("a record in a batch that is not there"))?;
            let OpenedBatch { records, body, facts } = self.open_batch(job, &batch, status).await?;
            let mut records = records.into_iter().zip(facts).enumerate();
            if let Some((index, (record, facts))) = records.find(|(_, (record, _))| record.row.id() == id) {
                let stored = sent_object(&body, index);
                return Ok(Some(FoundRecord { record, facts, batch, stored }));
            }
        }
        Ok(None)
    }

    /// Returns a batch's records with their outcomes. `status` is the job's status.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn open_batch(
        &self,
        job: &JobKey,
        batch: &Batch,
        status: JobStatus,
    ) -> Result<OpenedBatch, HistoryError> {
        let Body { body, facts } = self.body_and_facts::<Facts>(job, batch).await?;
        let rows = rows(job.stage, &body, &facts)?;
        let issues = match batch.issues() {
            Some(attempt) => self.issues(job, attempt).await?.records,
            None => Vec::new(),
        };
        Ok(OpenedBatch { records: joined(batch, status, rows, issues), body, facts })
    }
}

/// Joins rows with their outcomes. A record without an issue has the usual outcome of its batch.
fn joined(batch: &Batch, status: JobStatus, rows: Vec<Row>, issues: Vec<Issue>) -> Vec<JobRecord> {
    let counts = batch.counts_in(status);
    let known = batch.outcomes().filter(|outcomes| outcomes.counts.total > 0);
    let usual = if known.is_some_and(|known| !known.answers.is_empty() || known.issues.is_some()) {
        Outcome::Success
    } else {
        // Without an answer, all records of a batch have the same outcome.
        Outcome::ALL.iter().copied().find(|outcome| counts.get(*outcome) > 0).unwrap_or(Outcome::Pending)
    };
    let still_to_be_sent: HashSet<u32> =
        batch.pieces().iter().flat_map(|piece| &piece.records).copied().collect();
    let mut issues: HashMap<u32, Issue> = issues.into_iter().map(|issue| (issue.index, issue)).collect();
    let without_issue = |index: u32| {
        let pending = still_to_be_sent.contains(&index);
        let outcome = if pending { Outcome::Pending } else { usual };
        let status_code = batch
            .outcomes()
            .and_then(|outcomes| outcomes.usual_status_code)
            .filter(|_| outcome == Outcome::Success);
        Issue { status_code, ..Issue::new(index, outcome) }
    };
    (0..)
        .zip(rows)
        .map(|(index, row)| {
            let issue = issues.remove(&index).unwrap_or_else(|| without_issue(index));
            let Issue { outcome, status_code, messages, unknown_status, without, .. } = issue;
            JobRecord { row, outcome, status_code, messages, unknown_status, without }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use stafett_domain::{AttemptId, BatchId, Call, Counts, RecordKind};

    use super::*;
    use crate::item::{Closed, Outcomes, Progress};

    fn closed(outcomes: Outcomes) -> Batch {
        let closed = Closed { attempt_try: 1, n: 1, call: Call::Poll, handed_on: true, outcomes };
        Batch::planned(BatchId(0), 2, None, 0).with(Progress::Closed(Box::new(closed)))
    }

    fn outcomes(batch: &Batch, status: JobStatus, issues: Vec<Issue>) -> Vec<(Outcome, Option<u16>)> {
        let ids = ["0190a1b2-0000-4000-8000-000000000001", "0190a1b2-0000-4000-8000-000000000002"];
        let body = serde_json::json!({"data": [{"id": ids[0]}, {"id": ids[1]}]}).to_string();
        let rows = rows(RecordKind::Group, &body, &[Facts::default(), Facts::default()]).unwrap();
        let records = joined(batch, status, rows, issues);
        records.into_iter().map(|record| (record.outcome, record.status_code)).collect()
    }

    #[test]
    fn records_of_a_batch_that_never_went_were_not_sent_once_their_job_ended() {
        let planned = Batch::planned(BatchId(0), 2, None, 0);
        assert_eq!(outcomes(&planned, JobStatus::Running, Vec::new()), [(Outcome::Pending, None); 2]);
        assert_eq!(outcomes(&planned, JobStatus::Failed, Vec::new()), [(Outcome::NotSent, None); 2]);
    }

    #[test]
    fn records_without_an_issue_were_accepted() {
        let attempt = AttemptId { batch: BatchId(0), attempt_try: 1, n: 1, token_request: None };
        let closed = closed(Outcomes {
            counts: Counts::of([Outcome::Success, Outcome::Error]),
            answers: vec![attempt],
            issues: Some(attempt),
            causes: None,
            usual_status_code: Some(201),
        });
        let refused = Issue { status_code: Some(400), ..Issue::new(1, Outcome::Error) };
        assert_eq!(
            outcomes(&closed, JobStatus::Failed, vec![refused]),
            [(Outcome::Success, Some(201)), (Outcome::Error, Some(400))]
        );
    }

    #[test]
    fn records_of_a_batch_without_an_answer_share_its_outcome() {
        let lost = closed(Outcomes { counts: Counts::all(2, Outcome::Unknown), ..Outcomes::default() });
        assert_eq!(outcomes(&lost, JobStatus::Failed, Vec::new()), [(Outcome::Unknown, None); 2]);
    }
}
