//! The records of a job that were not accepted, as one packed set. It is written before the job ends. Later stages are
//! sent without these records, if the caller chose to continue.

use std::collections::HashSet;

use futures::TryStreamExt;
use serde::Deserialize;
use stafett_domain::{BatchId, Outcome, RecordId, Relation};

use crate::error::HistoryError;
use crate::item::Progress;
use crate::key::JobKey;
use crate::packed::Body;
use crate::store::History;
use crate::version::PackedKind;

/// The ids of the records in a body, in order.
pub fn record_ids(body: &str) -> Result<Vec<RecordId>, HistoryError> {
    #[derive(Deserialize)]
    struct Data {
        data: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: RecordId,
    }
    let data: Data = serde_json::from_str(body).map_err(|_| HistoryError::Corrupt("the body of a batch"))?;
    Ok(data.data.into_iter().map(|entry| entry.id).collect())
}

impl History {
    /// Collects and stores the records that were not accepted, from a job whose batches are all closed. The call can be
    /// repeated.
    pub(crate) async fn keep_refused(&self, job: &JobKey, expires: i64) -> Result<(), HistoryError> {
        let mut refused: Vec<u8> = Vec::new();
        let mut batches = self.batches_from(job, BatchId(0));
        while let Some(batch) = batches.try_next().await? {
            let Progress::Closed(closed) = &batch.progress else { continue };
            let counts = closed.outcomes.counts;
            if counts.success + counts.warning == counts.total {
                continue;
            }
            let Body { body, .. } = self.body::<serde::de::IgnoredAny>(job, &batch).await?;
            let ids = record_ids(&body)?;
            let not_accepted = |outcome| !matches!(outcome, Outcome::Success | Outcome::Warning);
            match closed.outcomes.issues {
                Some(attempt) => {
                    let issues = self.issues(job, attempt).await?;
                    let issues = issues.records.iter().filter(|issue| not_accepted(issue.outcome));
                    let ids = issues.filter_map(|issue| ids.get(issue.index as usize));
                    refused.extend(ids.flat_map(|id| id.0.into_bytes()));
                }
                None => refused.extend(ids.iter().flat_map(|id| id.0.into_bytes())),
            }
        }
        self.put_packed(PackedKind::Refused, &job.refused(), &refused, expires).await
    }

    /// Returns the records that were not accepted, of the kinds that the job's records refer to. Empty if the caller
    /// did not choose to continue.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn refused_before(&self, job: &JobKey) -> Result<HashSet<RecordId>, HistoryError> {
        let mut refused = HashSet::new();
        for relation in Relation::of(job.stage) {
            let key = job.send.job(relation.to).refused();
            let packed = self.get_packed(PackedKind::Refused, &key).await?.unwrap_or_default();
            let (ids, _) = packed.as_chunks::<16>();
            refused.extend(ids.iter().map(|id| RecordId(uuid::Uuid::from_bytes(*id))));
        }
        Ok(refused)
    }
}
