//! The reads for the API. They treat expired sends as missing, even if DynamoDB has not deleted them yet.

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use stafett_domain::register::Register;
use stafett_domain::{
    ActivitySummary, AttemptId, BatchId, KindCount, OrganisationNumber, RecordId, RecordKind, SendId,
};

use crate::activities::{ActivitiesItem, activities_in, shown};
use crate::error::HistoryError;
use crate::item::{Attempt, Batch, Job, Organiser, SendHeader};
use crate::key::{self, JobKey, Key, SEND_PREFIX, SendRef};
use crate::order::Placed;
use crate::page::Page;
use crate::store::History;

/// The number of batches to read at once.
const BATCHES_AT_ONCE: usize = 50;
/// The number of later sends to read in one call.
const LATER_SENDS_AT_ONCE: usize = 20;

/// A send as the API shows it.
#[derive(Debug, Clone)]
pub struct StoredSend {
    pub header: SendHeader,
    /// Its jobs, in the order of the stages.
    pub jobs: Vec<Job>,
    /// Its first activities.
    pub activities: Vec<ActivitySummary>,
    /// The number of findings of each kind when the send was accepted.
    pub findings: Vec<KindCount>,
    /// The registers that did not respond when the send was checked.
    pub not_checked: Vec<Register>,
}

impl StoredSend {
    /// Builds a send from its parts. The jobs may be in any order.
    pub(crate) fn of(
        header: SendHeader,
        activities: Option<&ActivitiesItem>,
        mut jobs: Vec<Job>,
    ) -> Result<Self, HistoryError> {
        jobs.sort_by_key(|job| header.route.position(job.stage));
        if !jobs.iter().map(|job| job.stage).eq(header.route.kinds()) {
            return Err(HistoryError::Corrupt("a send without a job"));
        }
        let item = activities.ok_or(HistoryError::Corrupt("a send without its activities"))?;
        let (findings, not_checked) = (item.findings.clone(), item.not_checked.clone());
        let activities = shown(header.id, activities_in(item))?;
        Ok(Self { header, jobs, activities, findings, not_checked })
    }
}

impl History {
    /// Returns the organiser's place in the order, or `None` before its first send.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn organiser(
        &self,
        organisation: &OrganisationNumber,
    ) -> Result<Option<Organiser>, HistoryError> {
        self.get(&key::organiser(organisation)).await
    }

    /// Returns an accepted send that has not expired.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn send(&self, send: &SendRef, now: Timestamp) -> Result<Option<StoredSend>, HistoryError> {
        let keys = send_keys(send);
        let items = self.get_many::<serde_json::Value>(&keys).await?;
        assemble(items, now)
    }

    /// Whether a send accepted after `seq` (other than `except`) contains one of these records. A send that was
    /// cancelled before it started has sent none.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn is_superseded(
        &self,
        organisation: &OrganisationNumber,
        seq: u64,
        except: SendId,
        records: &[RecordId],
    ) -> Result<bool, HistoryError> {
        let mut later = self.placed_after(organisation, seq, LATER_SENDS_AT_ONCE);
        while let Some(Placed { send, .. }) = later.try_next().await? {
            if send.send == except {
                continue;
            }
            let header: Option<SendHeader> = self.get(&send.header()).await?;
            let went = header.is_some_and(|header| {
                // A send that ended before it ran has sent nothing.
                !header.status.has_ended() || header.started_at.is_some()
            });
            if went && self.record_ids(&send).await?.holds_any(records.iter()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a send is stopping, so that nothing more of it is submitted.
    pub async fn is_stopping(&self, send: &SendRef) -> Result<bool, HistoryError> {
        let header: Option<SendHeader> = self.get(&send.header()).await?;
        Ok(header.is_none_or(|header| header.stop_requested.is_some()))
    }

    /// Returns one job of an accepted send that has not expired.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn seen_job(&self, job: &JobKey, now: Timestamp) -> Result<Option<Job>, HistoryError> {
        Ok(self.header_and_job(job, now).await?.map(|(_, job)| job))
    }

    /// Returns the same job with its send.
    pub(crate) async fn header_and_job(
        &self,
        key: &JobKey,
        now: Timestamp,
    ) -> Result<Option<(SendHeader, Job)>, HistoryError> {
        let header: Option<SendHeader> = self.get(&key.send.header()).await?;
        let Some(header) = header.filter(|header| header.is_seen(now)) else { return Ok(None) };
        let job = self.job(key).await?;
        let job = job.ok_or(HistoryError::Corrupt("a send without a job"))?;
        Ok(Some((header, job)))
    }

    /// Returns a job's batches in order, starting at `first`. They are read on demand, some at a time.
    pub fn batches_from<'a>(
        &'a self,
        job: &'a JobKey,
        first: BatchId,
    ) -> BoxStream<'a, Result<Batch, HistoryError>> {
        let after = first.0.checked_sub(1).map(|before| job.batch(BatchId(before)).sk);
        let batches = self.query_all(job.send.header().pk, &job.batch_prefix(), after, BATCHES_AT_ONCE);
        batches.map_ok(|(_, batch)| batch).boxed()
    }

    /// Returns a job's attempts, starting with the last call of the last batch: at most `limit`, after the cursor.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn attempts(
        &self,
        job: &JobKey,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Attempt>, HistoryError> {
        let prefix = job.attempt_prefix();
        let after = cursor.map(|cursor| format!("{prefix}{cursor}"));
        let found = self.query(&job.send.header().pk, &prefix, after.as_deref(), false, limit + 1).await?;
        Ok(Page::cut(found, limit, &prefix))
    }

    /// Returns one attempt.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn attempt(&self, job: &JobKey, attempt: AttemptId) -> Result<Option<Attempt>, HistoryError> {
        self.get(&job.attempt(attempt)).await
    }
}

fn send_keys(send: &SendRef) -> Vec<Key> {
    let jobs = RecordKind::ALL.into_iter().map(|stage| send.job(stage).key());
    [send.header(), send.activities()].into_iter().chain(jobs).collect()
}

fn read<T: DeserializeOwned>(item: serde_json::Value) -> Result<T, HistoryError> {
    serde_json::from_value(item).map_err(|_| HistoryError::Corrupt(std::any::type_name::<T>()))
}

/// Combines the items of one send. Returns `None` for a send that must not be shown.
fn assemble(items: Vec<serde_json::Value>, now: Timestamp) -> Result<Option<StoredSend>, HistoryError> {
    let (mut header, mut activities, mut jobs) = (None, None, Vec::new());
    for item in items {
        let sk = item.get("sk").and_then(serde_json::Value::as_str).unwrap_or_default();
        if sk == SEND_PREFIX {
            header = Some(read::<SendHeader>(item)?);
        } else if sk == "send#activities" {
            activities = Some(read::<ActivitiesItem>(item)?);
        } else {
            jobs.push(read::<Job>(item)?);
        }
    }
    match header.filter(|header| header.is_seen(now)) {
        None => Ok(None),
        Some(header) => StoredSend::of(header, activities.as_ref(), jobs).map(Some),
    }
}
