//! The organiser's running place: when a send ends, the next waiting send gets it.

use futures::TryStreamExt;
use jiff::Timestamp;
use stafett_domain::SendStatus;
use stafett_domain::time::Millis;

use crate::acceptance::due_job;
use crate::error::{HistoryError, WriteError};
use crate::item::{Organiser, SendHeader};
use crate::key::{self, JobKey, SendRef};
use crate::order::Placed;
use crate::store::History;
use crate::write::Write;

/// The number of places to read at once while looking for the next send.
const ORDER_PAGE: usize = 10;

impl History {
    /// Adds to `writes` that the organiser's place goes from `send` to the next queued send, or to none. Returns the
    /// first job of that next send.
    pub(crate) async fn pass_place_on(
        &self,
        send: &SendRef,
        seq: u64,
        now: Timestamp,
        overdue_at: Millis,
        writes: &mut Vec<Write>,
    ) -> Result<Option<JobKey>, HistoryError> {
        let organiser_key = key::organiser(&send.organisation);
        let organiser: Option<Organiser> = self.get(&organiser_key).await?;
        let organiser = organiser.ok_or(HistoryError::Corrupt("a send without its organiser"))?;
        if organiser.running != Some(send.send) {
            // A send that still waits has no place to give away. The condition ensures that it does not get one
            // meanwhile.
            writes.push(
                Write::check(organiser_key)
                    .when("attribute_not_exists(#running) OR #running <> :send")
                    .with("send", send.send)?,
            );
            return Ok(None);
        }
        let Some((next_seq, header)) = self.next_queued(send, seq).await? else {
            // No send was found. This holds only as long as no other send is accepted.
            writes.push(
                Write::update(
                    organiser_key,
                    "REMOVE #running, #runningSeq, #runningSince, #dueAt, #dueShard",
                )
                .when("#running = :send AND #nextSeq = :seen")
                .with("send", send.send)?
                .with("seen", organiser.next_seq)?,
            );
            return Ok(None);
        };
        let next = SendRef::new(send.organisation.clone(), header.id);
        writes.push(
            Write::update(
                organiser_key,
                "SET #running = :next, #runningSeq = :seq, #runningSince = :now, #dueAt = :due",
            )
            .when("#running = :send")
            .with("send", send.send)?
            .with("next", next.send)?
            .with("seq", next_seq)?
            .with("now", now)?
            .with("due", overdue_at)?,
        );
        writes
            .push(Write::check(next.header()).when("#status = :queued").with("queued", SendStatus::Queued)?);
        let first = next.job(header.route.first().kind);
        writes.push(due_job(&first, overdue_at)?);
        Ok(Some(first))
    }

    /// Returns the first send after `seq` in the organiser's order that is still queued, with its place.
    async fn next_queued(&self, send: &SendRef, seq: u64) -> Result<Option<(u64, SendHeader)>, HistoryError> {
        let mut placed = self.placed_after(&send.organisation, seq, ORDER_PAGE);
        while let Some(Placed { seq, send, .. }) = placed.try_next().await? {
            let header: Option<SendHeader> = self.get(&send.header()).await?;
            if let Some(header) = header.filter(|header| header.status == SendStatus::Queued) {
                return Ok(Some((seq, header)));
            }
        }
        Ok(None)
    }

    /// Passes on the place of a running send that no longer exists, so that the sends behind it do not wait forever.
    pub(crate) async fn free_place(
        &self,
        gone: &SendRef,
        seq: u64,
        now: Timestamp,
        overdue_at: Millis,
    ) -> Result<Option<JobKey>, HistoryError> {
        let mut writes = Vec::new();
        let next = self.pass_place_on(gone, seq, now, overdue_at, &mut writes).await?;
        match self.transact(writes).await {
            Ok(()) => Ok(next),
            // Another process has moved it since.
            Err(WriteError::Condition(_)) => Ok(None),
            Err(WriteError::History(error)) => Err(error),
        }
    }
}
