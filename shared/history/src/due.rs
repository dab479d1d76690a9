//! Finds overdue steps in the history, not in the queues.

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;

use crate::claim::span;
use crate::error::{HistoryError, unavailable};
use crate::item::{Due, Organiser, SendHeader};
use crate::key::{self, Carrier, JobKey, Key, SHARDS, SendRef};
use crate::store::History;
use crate::write::Write;
use stafett_domain::message::{BatchStep, Step};
use stafett_domain::time::{Millis, later};

/// The maximum pause before the same step is queued again, as a multiple of the first pause.
const LARGEST_FACTOR: u32 = 32;

impl Due {
    /// Returns the due time after the watchdog queued the step again at `now`, or `None` if it is not due. The next
    /// time is at least `pause` later, and the pause grows each time.
    pub(crate) fn sent_again(&self, now: Millis, pause: Duration) -> Option<Self> {
        let due_at = self.due_at.filter(|at| *at <= now)?;
        let factor = 2_u32.saturating_pow(self.resent.min(16)).min(LARGEST_FACTOR);
        let since = if was_unattended(due_at, now, pause) { None } else { self.resent_since };
        Some(Self {
            due_at: Some(later(now, pause * factor)),
            due_shard: self.due_shard.clone(),
            resent: self.resent + 1,
            resent_since: Some(since.unwrap_or(now)),
        })
    }
}

/// An overdue step, and the message that starts it.
#[derive(Debug, PartialEq, Eq)]
pub struct Overdue {
    pub job: JobKey,
    pub step: Step,
    /// How many times it was queued again before.
    pub resent: u32,
    /// How long nobody has claimed the step since it was first queued again.
    pub unclaimed: Duration,
}

/// The attributes of an item in the index of due items.
#[derive(Deserialize)]
pub(crate) struct IndexEntry {
    pk: String,
    sk: String,
}

impl IndexEntry {
    /// Returns what is due, or `None` for an unknown key.
    pub(crate) fn carrier(self) -> Option<Carrier> {
        Carrier::of(&Key { pk: self.pk, sk: self.sk })
    }
}

impl History {
    /// A query of one shard of the index over `dueAt`. Its condition uses `:shard`.
    pub(crate) fn in_shard(&self, shard: u128) -> QueryFluentBuilder {
        let request = self.db.query().table_name(&self.table).index_name("due");
        request.expression_attribute_values(":shard", AttributeValue::S(shard.to_string()))
    }

    /// Returns the keys of the items that are overdue at `now`, at most `limit` from each shard.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn overdue(&self, now: Timestamp, limit: i32) -> Result<Vec<Carrier>, HistoryError> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let request = self
                .in_shard(shard)
                .key_condition_expression("dueShard = :shard AND dueAt <= :now")
                .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()))
                .limit(limit);
            // One page is enough: the other items are still overdue a minute later.
            let answer = request.send().await.map_err(|error| unavailable(&error))?;
            for item in answer.items.unwrap_or_default() {
                match crate::attributes::from_item::<IndexEntry>(item)?.carrier() {
                    Some(carrier) => found.push(carrier),
                    // A key that cannot be parsed must not hide the others.
                    None => {
                        tracing::error!(event = "watchdog.unknownKey", "a step is due under an unknown key");
                    }
                }
            }
        }
        Ok(found)
    }

    /// Takes an overdue step if it is still overdue. It moves `dueAt` to a later time, on condition of its old value,
    /// so that only one of two watchdogs queues the step. Returns `None` if there is nothing to queue.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn take_overdue(
        &self,
        carrier: &Carrier,
        now: Timestamp,
        pause: Duration,
    ) -> Result<Option<Overdue>, HistoryError> {
        let millis = now.as_millisecond();
        let (job, key, due, step) = match carrier {
            Carrier::Organiser(organisation) => {
                return self.recheck_organiser(organisation, now, pause).await;
            }
            Carrier::Receiving(send) => {
                self.discard(send, millis, pause).await?;
                return Ok(None);
            }
            Carrier::Job(job) => {
                let Some(stored) = self.job(job).await? else { return Ok(None) };
                (job, job.key(), stored.due, Step::Start)
            }
            Carrier::Batch(job, batch) => {
                let Some(batch) = self.batch(job, *batch).await? else { return Ok(None) };
                let step = batch.step();
                (job, job.batch(batch.batch), batch.due, step)
            }
        };
        let Some(next) = due.sent_again(millis, pause) else { return Ok(None) };
        let write = Write::update(key, "SET #dueAt = :next, #resent = :resent, #resentSince = :since")
            .when("#dueAt = :old")
            .with("old", due.due_at)?
            .with("next", next.due_at)?
            .with("resent", next.resent)?
            .with("since", next.resent_since)?;
        if !self.write(write).await? {
            return Ok(None);
        }
        let unclaimed = next.resent_since.map_or(Duration::ZERO, |since| span(since, millis));
        Ok(Some(Overdue { job: job.clone(), step, resent: due.resent, unclaimed }))
    }

    /// An organiser is due while one of its sends runs. The steps of that send are due as well, and nobody claims the
    /// organiser item, so the watchdog only checks it again later. Only if the send is gone, its place goes to the next
    /// send.
    async fn recheck_organiser(
        &self,
        organisation: &stafett_domain::OrganisationNumber,
        now: Timestamp,
        pause: Duration,
    ) -> Result<Option<Overdue>, HistoryError> {
        let Some(Organiser { running: Some(running), running_seq, .. }) =
            self.organiser(organisation).await?
        else {
            return Ok(None);
        };
        let millis = now.as_millisecond();
        let running = SendRef::new(organisation.clone(), running);
        let header: Option<SendHeader> = self.get(&running.header()).await?;
        if header.is_none_or(|header| header.status.has_ended()) {
            let seq = running_seq.unwrap_or_default();
            let next = self.free_place(&running, seq, now, later(millis, pause)).await?;
            let start = |job| Overdue { job, step: Step::Start, resent: 0, unclaimed: Duration::ZERO };
            return Ok(next.map(start));
        }
        let write = Write::update(key::organiser(organisation), "SET #dueAt = :next")
            .when("#running = :running")
            .with("running", running.send)?
            .with("next", later(millis, pause * LARGEST_FACTOR))?;
        self.write(write).await?;
        Ok(None)
    }
}

/// Whether a step that was due at `due_at` has been overdue for longer than the watchdog's maximum pause. Then the
/// watchdog did not run, or sending was paused and its messages were not taken. The time until now does not count
/// against the send.
fn was_unattended(due_at: Millis, now: Millis, pause: Duration) -> bool {
    span(due_at, now) > pause * (LARGEST_FACTOR + 1)
}

impl Overdue {
    /// The batch that the step belongs to, if any.
    pub fn batch(&self) -> Option<stafett_domain::BatchId> {
        match self.step {
            Step::Start => None,
            Step::Submit(BatchStep { batch, .. }) | Step::Poll(BatchStep { batch, .. }) => Some(batch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_watchdog_is_distinguished_from_a_late_run() {
        let minute = Duration::from_secs(60);
        let late_by = |minutes: i64| was_unattended(1_000, 1_000 + minutes * 60_000, minute);
        assert!(!late_by(1));
        assert!(!late_by(i64::from(LARGEST_FACTOR)));
        assert!(late_by(i64::from(LARGEST_FACTOR) + 2));
        // The length of a full pause, which is longer than a step may stay unclaimed.
        assert!(late_by(24 * 60));
    }
}
