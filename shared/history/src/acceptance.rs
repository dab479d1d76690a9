//! From a request to an accepted send, in this order: header, bodies and batches, acceptance. Before acceptance nothing
//! is visible. After it the send will run, even if the process dies before it queues anything.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::time::Millis;
use stafett_domain::{BatchId, Options, OrganisationNumber, RecordKind, SendEvent, SendId, SendStatus};

use crate::content::{NewBatch, NewBody, NewJob, SendContent, count};
use crate::contention::Contention;
use crate::error::{HistoryError, WriteError};
use crate::item::{Batch, Due, Job, Organiser, SendHeader};
use crate::key::{self, JobKey, SendRef};
use crate::order::OrderItem;
use crate::record_ids::{Place, RecordIds};
use crate::start::AT_ONCE;
use crate::store::{History, at_once};
use crate::terms::SendTerms;
use crate::write::Write;

/// How long an idempotency key is valid. The code compares the time, because TTL deletion may be days late.
const IDEMPOTENCY_HOURS: i64 = 24;

/// A send that is stored completely but not accepted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedSend {
    /// When it expires, in seconds since 1970.
    pub expires: i64,
    /// The kind of records in its first stage.
    pub first: RecordKind,
}

/// The result of storing a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// All of it is stored.
    Stored(ReceivedSend),
    /// It was accepted before.
    AcceptedBefore,
    /// It was cancelled, or is being removed because it was not accepted in time.
    Closed,
}

/// The meaning of an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// The id for the request: a new send, or the send of the same earlier request.
    Send(SendId),
    /// The key was used with another body before.
    OtherBody,
}

/// The result of accepting a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// This call gave it a place in the organiser's order.
    Accepted {
        /// Its place in the order.
        seq: u64,
        /// Whether it is now the organiser's running send, so that its first message must be queued. Otherwise it
        /// waits.
        runs: bool,
    },
    /// It was accepted before.
    Before,
    /// Another send took the requested place.
    Moved,
    /// It was cancelled, or removed because it was not accepted in time.
    Closed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdempotencyItem {
    body_hash: String,
    send: SendId,
    created_at: Timestamp,
    expires: i64,
}

impl IdempotencyItem {
    fn is_good(&self, now: Timestamp) -> bool {
        self.created_at > now - jiff::SignedDuration::from_hours(IDEMPOTENCY_HOURS)
    }
}

impl History {
    /// Links `key` (hashed by the caller) to a send: `fresh`, or the send that it was linked to in the last 24 hours.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn idempotent(
        &self,
        organisation: &OrganisationNumber,
        key_hash: &str,
        body_hash: &str,
        fresh: SendId,
        now: Timestamp,
    ) -> Result<Idempotency, HistoryError> {
        let key = key::idempotency(organisation, key_hash);
        let expires = now.as_second() + IDEMPOTENCY_HOURS * 3600;
        let item = IdempotencyItem { body_hash: body_hash.to_owned(), send: fresh, created_at: now, expires };
        // Nearly every key is new, and then one call is enough.
        if self.write(Write::put(key.clone(), &item)?.when("attribute_not_exists(#pk)")).await? {
            return Ok(Idempotency::Send(fresh));
        }
        let mut contention = Contention::default();
        loop {
            let known = self.get::<IdempotencyItem>(&key).await?;
            if let Some(known) = known.as_ref().filter(|known| known.is_good(now)) {
                let same = known.body_hash == body_hash;
                return Ok(if same { Idempotency::Send(known.send) } else { Idempotency::OtherBody });
            }
            let write = Write::put(key.clone(), &item)?;
            let write = match known {
                None => write.when("attribute_not_exists(#pk)"),
                Some(known) => write.when("#createdAt = :seen").with("seen", known.created_at)?,
            };
            // The next read shows which send the key belongs to. It also covers a write that the SDK repeated.
            self.write(write).await?;
            contention.met_another().await?;
        }
    }

    /// Returns the send that a request with the same body linked to `key` in the last 24 hours.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn tied_to(
        &self,
        organisation: &OrganisationNumber,
        key_hash: &str,
        body_hash: &str,
        now: Timestamp,
    ) -> Result<Option<SendId>, HistoryError> {
        let known = self.get::<IdempotencyItem>(&key::idempotency(organisation, key_hash)).await?;
        let same = known.filter(|known| known.is_good(now) && known.body_hash == body_hash);
        Ok(same.map(|known| known.send))
    }

    /// Stores a send: first its header, then everything else. The call can be repeated from any point. A send that is
    /// not accepted by `discard_at` is removed.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn receive<F: Serialize>(
        &self,
        send: &SendRef,
        terms: &SendTerms,
        content: &SendContent<F>,
        now: Timestamp,
        discard_at: Millis,
    ) -> Result<Received, HistoryError> {
        let header = SendHeader {
            activity_count: count(content.activities.len()),
            batches: content.batches(),
            ..SendHeader::receiving(send, terms, now, discard_at)
        };
        let write = Write::put(send.header(), &header)?.when("attribute_not_exists(#pk)");
        let header = if self.write(write).await? {
            header
        } else {
            let known: Option<SendHeader> = self.get(&send.header()).await?;
            known.ok_or(HistoryError::Contended)?
        };
        self.receive_content(send, &header, content).await
    }

    /// Stores a send that arrived in parts and was closed for them, except for its header, which exists. The call can
    /// be repeated from any point.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn receive_upload<F: Serialize>(
        &self,
        send: &SendRef,
        content: &SendContent<F>,
    ) -> Result<Received, HistoryError> {
        match self.get::<SendHeader>(&send.header()).await? {
            Some(header) => self.receive_content(send, &header, content).await,
            None => Ok(Received::Closed),
        }
    }

    async fn receive_content<F: Serialize>(
        &self,
        send: &SendRef,
        header: &SendHeader,
        content: &SendContent<F>,
    ) -> Result<Received, HistoryError> {
        if header.was_accepted() {
            return Ok(Received::AcceptedBefore);
        }
        if !header.is_open() {
            return Ok(Received::Closed);
        }
        Box::pin(self.store_content(send, content, header.options, header.expires)).await?;
        Ok(Received::Stored(ReceivedSend { expires: header.expires, first: header.route.first().kind }))
    }

    async fn store_content<F: Serialize>(
        &self,
        send: &SendRef,
        content: &SendContent<F>,
        options: Options,
        expires: i64,
    ) -> Result<(), HistoryError> {
        let mut places = Vec::new();
        for job in &content.jobs {
            for (batch, stored) in (0..).map(BatchId).zip(&job.batches) {
                let place = Place { stage: job.stage, batch };
                places.extend(stored.ids.iter().map(|record| (*record, place)));
            }
        }
        let ids = RecordIds::of(places);
        let jobs = content.jobs.iter().map(|job| self.store_job(send, job, options, expires));
        // The writes are independent: nobody reads them before acceptance.
        futures::try_join!(
            self.put_activities(send, content, expires),
            futures::future::try_join_all(jobs),
            self.put_record_ids(send, &ids, expires),
        )?;
        Ok(())
    }

    async fn store_job<F: Serialize>(
        &self,
        send: &SendRef,
        new: &NewJob<F>,
        options: Options,
        expires: i64,
    ) -> Result<(), HistoryError> {
        let total = new.batches.iter().map(|batch| batch.ids.len()).sum::<usize>();
        let (job, count_of_batches) = (send.job(new.stage), count(new.batches.len()));
        let item = Job::waiting(job.stage, count(total), count_of_batches, expires);
        // A repeat never runs after acceptance, but another call may accept the send meanwhile. The condition prevents
        // that a repeat undoes work that has begun.
        let write = Write::put(job.key(), &item)?.when("attribute_not_exists(#pk)");
        let numbered = (0..).map(BatchId).zip(&new.batches);
        let batches =
            numbered.map(|(id, batch)| self.store_batch(&job, id, batch, count_of_batches, options, expires));
        futures::try_join!(self.write(write), at_once(batches.collect()))?;
        Ok(())
    }

    async fn store_batch<F: Serialize>(
        &self,
        job: &JobKey,
        id: BatchId,
        batch: &NewBatch<F>,
        batches: u32,
        options: Options,
        expires: i64,
    ) -> Result<(), HistoryError> {
        let (mut part_body, mut own_facts) = (None, false);
        if let NewBody::Part { at, facts } = &batch.body {
            (part_body, own_facts) = (Some(at.clone()), facts.is_some());
        }
        let successor = BatchId(id.0.saturating_add(AT_ONCE));
        let successor = Some(successor).filter(|successor| successor.0 < batches);
        let item = Batch {
            on_record_errors: options.on_record_errors,
            environment: options.environment.unwrap_or_default(),
            part_body,
            own_facts,
            ..Batch::planned(id, count(batch.ids.len()), successor, expires)
        };
        let write = Write::put(job.batch(id), &item)?.when("attribute_not_exists(#pk)");
        let body = async {
            match &batch.body {
                NewBody::Whole(body) => self.put_body(job, id, body, expires).await,
                NewBody::Part { facts: Some(facts), .. } => self.put_facts(job, id, facts, expires).await,
                NewBody::Part { facts: None, .. } => Ok(()),
            }
        };
        futures::try_join!(self.write(write), body)?;
        Ok(())
    }

    /// Gives a stored send its place in the organiser's order. The call can be repeated.
    ///
    /// `overdue_at` is the time when its first step is overdue, if it is the send that runs. If `place` is set, the
    /// send is accepted only at that place.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn accept(
        &self,
        send: &SendRef,
        received: ReceivedSend,
        now: Timestamp,
        overdue_at: Millis,
        place: Option<u64>,
    ) -> Result<Acceptance, HistoryError> {
        let organiser_key = key::organiser(&send.organisation);
        let receiving = SendStatus::Receiving;
        let queued = receiving.next(SendEvent::Accepted)?;
        let mut contention = Contention::default();
        loop {
            if !contention.is_first() {
                let header: Option<SendHeader> = self.get(&send.header()).await?;
                if header.as_ref().is_some_and(SendHeader::was_accepted) {
                    return Ok(Acceptance::Before);
                }
                if !header.is_some_and(|header| header.is_open()) {
                    return Ok(Acceptance::Closed);
                }
            }
            let organiser: Option<Organiser> = self.get(&organiser_key).await?;
            let seen = organiser.is_some();
            let organiser = organiser.unwrap_or(Organiser { next_seq: 1, ..Organiser::default() });
            let seq = organiser.next_seq;
            if place.is_some_and(|place| place != seq) {
                return Ok(Acceptance::Moved);
            }
            let runs = organiser.running.is_none();
            let position = organiser.running_seq.map_or(0, |running| seq.saturating_sub(running));

            let accept = Write::update(
                send.header(),
                "SET #status = :queued, #seq = :seq, #acceptedPosition = :position, #acceptedAt = :now \
                 REMOVE #dueAt, #dueShard",
            )
            .when("#status = :receiving AND attribute_not_exists(#discarded)")
            .with("queued", queued)?
            .with("receiving", receiving)?
            .with("seq", seq)?
            .with("position", position)?
            .with("now", now)?;
            let place = OrderItem { send: send.send, expires: received.expires };
            let place =
                Write::put(key::order(&send.organisation, seq), &place)?.when("attribute_not_exists(#pk)");
            let mut step = "SET #nextSeq = :next".to_owned();
            if runs {
                step.push_str(
                    ", #running = :send, #runningSeq = :seq, #runningSince = :now, #dueAt = :due, #dueShard = :shard",
                );
            }
            let condition = match (seen, runs) {
                (false, _) => "attribute_not_exists(#pk)",
                (true, true) => "#nextSeq = :seq AND attribute_not_exists(#running)",
                (true, false) => "#nextSeq = :seq AND attribute_exists(#running)",
            };
            let mut take = Write::update(organiser_key.clone(), step)
                .when(condition)
                .with("next", seq + 1)?
                .with("seq", seq)?;
            if runs {
                take = take
                    .with("send", send.send)?
                    .with("now", now)?
                    .with("due", overdue_at)?
                    .with("shard", key::organiser_shard(&send.organisation))?;
            }
            let mut writes = vec![accept, place, take];
            if runs {
                writes.push(due_job(&send.job(received.first), overdue_at)?);
            }
            match self.transact(writes).await {
                Ok(()) => return Ok(Acceptance::Accepted { seq, runs }),
                Err(WriteError::Condition(_)) => contention.met_another().await?,
                Err(WriteError::History(error)) => return Err(error),
            }
        }
    }
}

/// Sets the `dueAt` of a job's start.
pub(crate) fn due_job(job: &JobKey, at: Millis) -> Result<Write, HistoryError> {
    let due = Due::at(at, &job.send);
    Write::update(job.key(), "SET #dueAt = :due, #dueShard = :shard")
        .when("#status = :waiting")
        .with("due", due.due_at)?
        .with("shard", due.due_shard)?
        .with("waiting", stafett_domain::JobStatus::Waiting)
}
